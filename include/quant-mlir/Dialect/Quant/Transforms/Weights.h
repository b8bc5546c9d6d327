//===- Weights.h - Finding the weights of a model ---------------*- C++ -*-===//
//
// From the operands of quantizable operations back to the constants that hold
// the weights, through operations that only rearrange or convert values.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTS_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTS_H

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::linalg {
class LinalgOp;
} // namespace mlir::linalg

namespace quant_mlir {

/// One way in which a constant is used as a weight.
struct WeightUse {
  mlir::Operation *consumer;
  /// The consumer's operand first, then that of each operation passed on the
  /// way; the last one holds the constant.
  llvm::SmallVector<mlir::OpOperand *> path;
  /// What the constant's dimensions mean to the consumer.
  llvm::SmallVector<DimRole> roles;
};

/// A constant with all its uses as a weight, in the order of the module.
struct Weight {
  mlir::arith::ConstantOp constant;
  llvm::SmallVector<WeightUse> uses;

  mlir::RankedTensorType getType() {
    return mlir::cast<mlir::RankedTensorType>(constant.getType());
  }
};

/// An operand that looks like a weight and cannot be quantized.
struct UnreachedWeight {
  mlir::Operation *consumer;
  mlir::OpOperand *operand;
  std::string reason;
};

struct WeightCollection {
  llvm::SmallVector<Weight> weights;
  llvm::SmallVector<UnreachedWeight> unreached;
  /// Those that are codes already; `reason` says of which type.
  llvm::SmallVector<UnreachedWeight> quantized;
};

/// Finds all weights below `root`. May create constants: moves of a constant's
/// elements that cannot be followed are folded into a constant of their own.
WeightCollection collectWeights(mlir::Operation *root);

/// Whether a value is a constant tensor or depends on nothing but constants, one
/// of them a tensor, so that it is a weight that someone computes.
bool isComputedFromConstants(mlir::Value value);

/// The only input of a structured op that does nothing but move it, possibly
/// converting each element between float types; nullptr for any other.
mlir::OpOperand *matchMove(mlir::linalg::LinalgOp op);

/// Gives the consumer at the front of `path` the value `weight` in place of the
/// one at its end, through copies of the operations between, so that other users
/// of those keep theirs. `copies` are shared by the uses of one weight.
void replaceUse(llvm::ArrayRef<mlir::OpOperand *> path, mlir::Value weight,
                llvm::DenseMap<mlir::Operation *, mlir::Value> &copies);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTS_H
