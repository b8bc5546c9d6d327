//===- MeasureErrors.h - Runs two models side by side -----------*- C++ -*-===//

#ifndef QUANT_MLIR_ERRORREPORT_MEASUREERRORS_H
#define QUANT_MLIR_ERRORREPORT_MEASUREERRORS_H

#include "quant-mlir/ErrorReport/ErrorReport.h"
#include "quant-mlir/Execution/Batches.h"

#include "mlir/IR/BuiltinOps.h"

namespace quant_mlir {

/// A quantized model, its original, and what to run them on.
struct ErrorMeasurement {
  mlir::ModuleOp model;     ///< of level 1
  mlir::ModuleOp reference; ///< of level 0 or 1, in the same context
  std::string modelPath, referencePath;
  std::string entry = "main"; ///< of both; one block, no branches
  CompileOptions compile;
  /// One array per argument of the quantized model, cut as Batches says.
  llvm::ArrayRef<NdArray> inputs;
  llvm::ArrayRef<std::string> inputNames;
  std::optional<int64_t> batch;
};

/// Compiles both models into one function that hands over the values that they
/// share, one after the other, and runs it on all batches. Neither module is
/// changed. Memory does not grow with the number of batches.
///
/// Where an argument or result of the quantized model is a tensor of codes that
/// is dequantized or quantized at once, the reference has it in floating point.
llvm::Expected<ErrorReport> measureErrors(const ErrorMeasurement &measurement);

} // namespace quant_mlir

#endif // QUANT_MLIR_ERRORREPORT_MEASUREERRORS_H
