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

/// A closed interval of values.
struct FloatRange {
  double lo;
  double hi;
};

} // namespace quant_mlir

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h.inc"

namespace quant_mlir {

/// Attaches the interface to the operations of `linalg` and `tensor`.
void registerQuantizableOpInterfaceModels(mlir::DialectRegistry &registry);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_H
