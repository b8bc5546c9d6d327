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

namespace mlir {
class ModuleOp;
} // namespace mlir

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
  /// An activation that is quantized with constant parameters.
  struct ActivationEntry {
    std::string op; ///< name of the value, such as conv1.out0
    std::string loc;
    std::vector<int64_t> shape; ///< -1 where dynamic
    std::string dtype;
    std::string granularity;
    std::vector<float> scale; ///< one, or one per channel
    std::vector<int32_t> zeroPoint;
    std::vector<float> minval; ///< in place of zero points
  };
  struct SkippedEntry {
    std::string op;
    std::string loc;
    std::string reason;
  };
  std::vector<WeightEntry> weights;
  std::vector<ActivationEntry> activations;
  std::vector<SkippedEntry> skipped;

  /// Writes the file whole or not at all.
  llvm::Error write(llvm::StringRef path) const;
};

/// Says on `module` that the report `path` could not be written, if so.
llvm::LogicalResult checkWritten(mlir::ModuleOp module, llvm::StringRef path,
                                 llvm::Error error);

/// Adds to what a report on disk names as skipped, for passes behind the one
/// that wrote it; where there is no file it is written. The file is written
/// whole or not at all, and an error is on `module`. Nothing for an empty path.
llvm::LogicalResult
appendSkipped(mlir::ModuleOp module, llvm::StringRef path,
              llvm::ArrayRef<QuantReport::SkippedEntry> skipped);

/// Adds the quantized activations of a module, and where there are any, the
/// operations that read an activation in floating point all the same.
void addActivations(mlir::ModuleOp module, QuantReport &report);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTREPORT_H
