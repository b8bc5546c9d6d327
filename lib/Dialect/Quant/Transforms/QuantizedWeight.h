//===- QuantizedWeight.h - What becomes of one weight -----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_QUANTIZEDWEIGHT_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_QUANTIZEDWEIGHT_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"
#include "quant-mlir/Dialect/Quant/Transforms/QuantReport.h"
#include "quant-mlir/Dialect/Quant/Transforms/WeightSettings.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

namespace quant_mlir::detail {

/// What is to be done with one weight.
struct WeightDecision {
  Weight *weight;
  WeightSettings settings;
  llvm::SmallVector<int64_t> blockSizes; ///< as resolved, -1: whole
  llvm::SmallVector<WeightUse *> uses;   ///< those that get quantized
};

/// Sizes as the arithmetic sees them: whole dimensions and sizes beyond the
/// dimension are the same.
llvm::SmallVector<int64_t> getEffectiveSizes(llvm::ArrayRef<int64_t> sizes,
                                             llvm::ArrayRef<int64_t> shape);

/// A weight after quantization, before the IR is touched. For a splat, codes
/// are those of one element.
struct QuantizedWeight {
  AffineAttr params;
  numerics::QuantError error;
  std::vector<uint8_t> codes;
};

/// Reads the constant and runs the arithmetic; an error names the weight.
llvm::FailureOr<QuantizedWeight> computeWeight(const WeightDecision &decision,
                                               llvm::StringRef name);

QuantReport::WeightEntry describeWeight(const WeightDecision &decision,
                                        const QuantizedWeight &quantized,
                                        llvm::StringRef name);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_QUANTIZEDWEIGHT_H
