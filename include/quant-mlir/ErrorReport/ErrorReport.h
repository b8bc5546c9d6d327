//===- ErrorReport.h - A quantized model beside its original ----*- C++ -*-===//
//
// What `quant-run --reference` finds, and the three ways to write it down: JSON
// (docs/reference/formats.md), one HTML page that needs nothing else, and a
// table of text.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_ERRORREPORT_ERRORREPORT_H
#define QUANT_MLIR_ERRORREPORT_ERRORREPORT_H

#include "quant-mlir/ErrorReport/ErrorStatistics.h"

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quant_mlir {

/// A weight as it was quantized, beside the float one.
struct WeightErrors {
  std::string dtype;
  ErrorStatistics errors; ///< all of it is local
  CodeStatistics codes;   ///< which are used; clipping left no trace in codes
};

/// One value that both models have: what a group of operations gives.
struct OpErrors {
  std::string op;   ///< name of the operation; of an argument, its id
  std::string id;   ///< of the value: "conv1.out0"
  std::string kind; ///< "conv", "add", …; "input" for an argument
  std::string loc;
  /// What the value is stored as: a storage type, or its element type.
  std::string dtype;
  int64_t index = 0; ///< in the order of the model
  ErrorStatistics errors;
  std::optional<CodeStatistics> codes; ///< where the value is quantized
  std::vector<WeightErrors> weights;
};

/// A result of the model.
struct OutputErrors {
  int64_t index = 0;
  std::string type;
  ErrorStatistics errors;
  /// Rows whose largest element is where the float model's is; rows are all
  /// but the last dimension. Counted where that has at least two elements.
  uint64_t rows = 0;
  uint64_t sameArgmax = 0;
};

/// An operation that is computed in floating point, or could not be compared.
struct OpRemark {
  std::string op;
  std::string loc;
  std::string reason;
};

struct ErrorReport {
  std::string model;     ///< file of the quantized model
  std::string reference; ///< file of the float model
  int64_t samples = 0;   ///< leading entries of the first input
  int64_t batches = 0;   ///< calls
  std::vector<OpErrors> ops;
  std::vector<OpRemark> floatOps;
  std::vector<OpRemark> notCompared;
  std::vector<OutputErrors> outputs;

  /// Lowest SQNR first; what has no error last, in the order of the model.
  void sortWorstFirst();
};

/// A name in about `length` bytes, 8 or more: the end of the first of the names
/// that ';' joins.
std::string shortenName(llvm::StringRef name, size_t length);

/// An SQNR for people: "12.34", or in words where there is none.
std::string formatSqnr(const ErrorStatistics &errors, const Deviation &which,
                       int digits);

/// Version 1 of the format; `pretty` or on one line.
void writeJson(llvm::raw_ostream &os, const ErrorReport &report, bool pretty);
/// A whole document, without scripts and without references to other files.
void writeHtml(llvm::raw_ostream &os, const ErrorReport &report);
void writeText(llvm::raw_ostream &os, const ErrorReport &report);

} // namespace quant_mlir

#endif // QUANT_MLIR_ERRORREPORT_ERRORREPORT_H
