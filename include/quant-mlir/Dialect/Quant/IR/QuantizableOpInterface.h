//===- QuantizableOpInterface.h - How passes see a model --------*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_H
#define QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quant_mlir {

/// What one dimension of a weight means to the operation that consumes it.
enum class DimRole {
  OutputChannel, ///< indexes outputs: in weight and result, not in the data
  Batch,         ///< in weight, data and result: batch, group, depthwise channel
  Reduction,     ///< summed over, one data element per index: input channel
  Kernel,        ///< summed over a window of the data: kernel height, width, …
};
llvm::StringRef stringify(DimRole role);

/// An operand that can be quantized.
struct QuantizableOperand {
  mlir::OpOperand *operand;
  /// What its dimensions mean, were it a weight; empty for an operand that is
  /// never one.
  llvm::SmallVector<DimRole> roles;

  bool canBeWeight() const { return !roles.empty(); }
};

/// A closed interval of values; an open end is infinite.
struct FloatRange {
  double lo;
  double hi;
};

/// How the values of a result follow from those of the operands.
enum class ValueEffect {
  Computes, ///< new values, with a range of their own
  /// Every element is one of the operands' or 0.0: reshape, transpose, slice,
  /// concatenation, zero padding, maximum over a window. Such an operation is
  /// rebuilt on codes: one that compares elements shows that in a region, others
  /// work on elements of any type.
  Moves,
  Averages, ///< in the range of the operands, but between their codes
};

/// An operation as the last step of a kernel that ends with one of its inputs.
struct Epilogue {
  enum class Kind {
    Bias,  ///< adds a constant
    Clamp, ///< relu, relu6, clamp
    Add,   ///< adds another activation: a residual connection
  };
  Kind kind;
  /// Operands whose producers can take this operation in.
  llvm::SmallVector<mlir::OpOperand *, 2> inputs;
  /// Bias: the operand with the constant.
  mlir::OpOperand *bias = nullptr;
  /// Clamp: the bounds.
  FloatRange bounds = {0, 0};
};

} // namespace quant_mlir

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h.inc"

namespace quant_mlir {

/// Attaches the interface to the operations of `linalg` and `tensor`.
void registerQuantizableOpInterfaceModels(mlir::DialectRegistry &registry);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_H
