//===- ScaledWeight.h - Weights times factors per channel -------*- C++ -*-===//
//
// The weight's side of FoldBatchNorm.cpp: from an operand back to its constant,
// and that constant with every channel scaled.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_SCALEDWEIGHT_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_SCALEDWEIGHT_H

#include "ChannelChain.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quant_mlir::detail {

/// The constant that an operand comes from, through moves.
struct WeightSource {
  llvm::SmallVector<mlir::OpOperand *> path; ///< as in WeightUse
  mlir::arith::ConstantOp constant;          ///< null where there is none
  DimPieces pieces;                          ///< of the last value on the path
};

WeightSource findSource(mlir::linalg::LinalgOp op, mlir::OpOperand *weight,
                        const ChannelSpace &channels);

/// Elements of `type` rounded from `numbers`, one for all of them or one for
/// each; null where one is not finite in that type.
mlir::ElementsAttr makeRounded(mlir::ShapedType type,
                               llvm::ArrayRef<double> numbers,
                               llvm::StringRef name);

/// The constant of the weight times `factor`, each element rounded once; null,
/// with the reason, where that is no weight.
mlir::ElementsAttr scaleWeight(const WeightSource &source,
                               const ChannelSpace &channels,
                               const Channels &factor, std::string &reason);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_SCALEDWEIGHT_H
