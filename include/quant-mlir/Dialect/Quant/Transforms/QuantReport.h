//===- QuantReport.h - What was done, what was left, and why ----*- C++ -*-===//
//
// The `--quant-report` file, version 1.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTREPORT_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTREPORT_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace quant_mlir {

struct QuantReport {
  struct WeightEntry {
    std::string op;  ///< name of the first consumer
    std::string loc; ///< of the constant
    std::vector<int64_t> shape;
    std::string dtype;
    std::string granularity;
    std::vector<int64_t> blockSizes; ///< resolved: no -1
    double sqnrDb;                   ///< +infinity (exact) is written as null
    double maxAbsError;
    int64_t clipped;     ///< elements whose code was clamped
    int64_t bytesBefore; ///< of the constant
    int64_t bytesAfter;  ///< of packed codes and all parameters
  };
  struct SkippedEntry {
    std::string op;
    std::string loc;
    std::string reason;
  };
  std::vector<WeightEntry> weights;
  std::vector<SkippedEntry> skipped;

  /// Writes the file whole or not at all.
  llvm::Error write(llvm::StringRef path) const;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTREPORT_H
