//===- IntegerOpsVerify.h - What its verifiers share ------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_IR_INTEGEROPSVERIFY_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_IR_INTEGEROPSVERIFY_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir::detail {

/// Buffers are read and written; tensors are values.
void addEffects(mlir::DestinationStyleOpInterface op,
                llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<
                    mlir::MemoryEffects::Effect>> &effects);

/// `type` holds codes of `params`, which fit its shape.
llvm::LogicalResult verifyCodes(mlir::Operation *op, llvm::StringRef name,
                                mlir::ShapedType type, AffineAttr params);
/// One constant scale, and no minval.
llvm::LogicalResult verifyPerTensor(mlir::Operation *op, llvm::StringRef name,
                                    AffineAttr params);
/// low <= high, and neither is a NaN.
llvm::LogicalResult verifyBounds(mlir::Operation *op,
                                 std::optional<llvm::APFloat> low,
                                 std::optional<llvm::APFloat> high);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_IR_INTEGEROPSVERIFY_H
