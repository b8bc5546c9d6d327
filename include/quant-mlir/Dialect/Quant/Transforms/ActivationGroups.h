//===- ActivationGroups.h - Kernels to be, and shared ranges ----*- C++ -*-===//
//
// Which operations of a function will be one kernel, and which values can have
// one set of parameters. Observers, folding, the error report and fusion all
// ask here, so that they agree.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONGROUPS_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONGROUPS_H

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/EquivalenceClasses.h"

#include <deque>
#include <limits>

namespace quant_mlir {

/// Operations that will be one kernel: a matrix multiplication, convolution,
/// addition, … and what follows it without leaving the kernel. Values between
/// them are never quantized.
struct ActivationGroup {
  /// The operation that gives the group its name and kind.
  mlir::Operation *anchor;
  /// All operations, in the order of the function: what an average pool sums,
  /// the anchor, bias, residual addition, clamp, and reshapes between them.
  llvm::SmallVector<mlir::Operation *> ops;
  /// Operands through which activations come in: of the anchor, and the other
  /// operand of a residual addition.
  llvm::SmallVector<mlir::OpOperand *> inputs;
  /// Operands of the anchor that are made of constants alone.
  llvm::SmallVector<mlir::OpOperand *> weights;
  /// The constant that is added: the anchor's init, or the operand of an
  /// addition.
  mlir::OpOperand *bias = nullptr;
  /// The operand in `inputs` that is added at the end.
  mlir::OpOperand *residual = nullptr;
  /// Bounds of a clamp at the end, infinite where there is none.
  FloatRange bounds = {-std::numeric_limits<double>::infinity(),
                       std::numeric_limits<double>::infinity()};
  /// The range of the output where it follows from the operation.
  std::optional<FloatRange> knownRange;
  ValueEffect effect = ValueEffect::Computes;
  mlir::Value output;

  llvm::StringRef getKind() const {
    return mlir::cast<QuantizableOpInterface>(anchor).getQuantizableKind();
  }
  /// Whether there is an integer kernel for it; others (a sigmoid, a softmax) are
  /// computed in floating point.
  bool isQuantizable() const { return !inputs.empty(); }
};

/// Groups and classes of one function. Computed once; invalid after a change of
/// the IR.
class ActivationGroups {
public:
  /// `sharesRange` says of a group with ValueEffect::Averages whether its result
  /// takes the parameters of its input; by default all do.
  explicit ActivationGroups(
      mlir::FunctionOpInterface function,
      llvm::function_ref<bool(const ActivationGroup &)> sharesRange = nullptr);

  /// In the order of the function. Their addresses stay.
  const std::deque<ActivationGroup> &getGroups() const { return groups; }
  /// The group that an operation belongs to, or null.
  const ActivationGroup *getGroup(mlir::Operation *op) const {
    return groupOf.lookup(op);
  }
  /// The group that ends with `value`, or null.
  const ActivationGroup *getProducer(mlir::Value value) const;

  /// A value that stands for all values with the same parameters: those that
  /// only move, select or average each other's elements, and those that an
  /// observer or a pair of quantize and dequantize connects.
  mlir::Value getClass(mlir::Value value) const;

private:
  void collect(QuantizableOpInterface anchor);
  void extend(ActivationGroup &group);
  void uniteValues(mlir::FunctionOpInterface function,
                   llvm::function_ref<bool(const ActivationGroup &)> shares);

  std::deque<ActivationGroup> groups;
  llvm::DenseMap<mlir::Operation *, const ActivationGroup *> groupOf;
  llvm::EquivalenceClasses<void *> classes;
};

/// Whether an operation moves the values of one operand, element for element:
/// reshapes, transposes, casts.
bool isElementwiseMove(mlir::Operation *op);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONGROUPS_H
