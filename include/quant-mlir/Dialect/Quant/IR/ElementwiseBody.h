//===- ElementwiseBody.h - What an elementwise body computes ----*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_ELEMENTWISEBODY_H
#define QUANT_MLIR_DIALECT_QUANT_IR_ELEMENTWISEBODY_H

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quant_mlir {

/// Looks through conversions between float types.
mlir::Value stripCasts(mlir::Value value);

/// The body of a structured operation without reductions and with one result,
/// read as an expression over its inputs. Constants are scalars from outside,
/// splats and fills; a body that reads its output buffer is none.
class ElementwiseBody {
public:
  static std::optional<ElementwiseBody> get(mlir::Operation *op);

  /// clamp(input, lo, hi) of one input by minima, maxima, and selections of a
  /// comparison. A bound at or beyond the largest finite float is none.
  struct Clamp {
    mlir::OpOperand *input;
    FloatRange bounds;
  };
  std::optional<Clamp> matchClamp() const;

  /// a + b, a * b of two different inputs.
  using Pair = std::pair<mlir::OpOperand *, mlir::OpOperand *>;
  std::optional<Pair> matchAdd() const;
  std::optional<Pair> matchMul() const;

  /// f(input) of one input.
  mlir::OpOperand *matchSigmoid() const; ///< 1 / (1 + exp(-x))
  mlir::OpOperand *matchTanh() const;
  mlir::OpOperand *matchExp() const;
  mlir::OpOperand *matchReciprocal() const; ///< 1 / x
  /// a / b of two inputs.
  std::optional<Pair> matchDiv() const;
  /// input / n, or input * (1 / n), with n that does not depend on any input:
  /// a constant, or computed from indices. `divisor` is the constant, or
  /// nullopt.
  struct Scaling {
    mlir::OpOperand *input;
    std::optional<double> divisor;
  };
  std::optional<Scaling> matchScaling() const;
  /// input * c + d with constants c and d, either of which may be absent.
  mlir::OpOperand *matchAffine() const;

  /// The one yielded value behind casts.
  mlir::Value getYielded() const { return yielded; }
  /// The input that `value` is, or null.
  mlir::OpOperand *getInput(mlir::Value value) const;
  std::optional<double> getConstant(mlir::Value value) const;

private:
  explicit ElementwiseBody(mlir::linalg::LinalgOp op, mlir::Value yielded)
      : op(op), yielded(yielded) {}

  template <typename OpTy> std::optional<Pair> matchBinary() const;
  template <typename OpTy> mlir::OpOperand *matchUnary() const;

  mutable mlir::linalg::LinalgOp op;
  mlir::Value yielded;
};

/// The scalar that every element of `value` is: a splat, or a fill with a
/// constant, through reshapes and broadcasts.
std::optional<double> getSplatValue(mlir::Value value);

/// Whether `value` is beyond every finite value of the float type `type`, or the
/// last of them: what a maximum (minimum) begins with. Of codes, which are floats
/// of 8 bits at most, the last one may be a value like others.
bool isLowest(double value, mlir::Type type);
bool isHighest(double value, mlir::Type type);

/// Whether every element of `value` comes from constants, which may be quantized,
/// by moves alone.
bool isConstantTensor(mlir::Value value);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_ELEMENTWISEBODY_H
