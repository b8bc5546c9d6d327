//===- ChannelArith.h - Arithmetic on per-channel constants -----*- C++ -*-===//
//
// What FoldBatchNorm.cpp computes with: constants that are broadcast, evaluated
// without expanding them, and values that are an affine function of one input
// with constant coefficients.
//
// Operations on constants give what they would give at run time: each is
// rounded to its own type. Coefficients of an affine function are binary64, so
// that what is made of them is rounded once.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CHANNELARITH_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CHANNELARITH_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mlir {
class ElementsAttr;
namespace linalg {
class LinalgOp;
} // namespace linalg
} // namespace mlir

namespace quant_mlir {
class DequantizeOp;
} // namespace quant_mlir

namespace quant_mlir::detail {

/// One number for all channels, or one for each.
using Channels = std::vector<double>;

/// factor * x + offset, of one x for the whole body; a constant has no factor.
struct AffineValue {
  Channels factor;
  Channels offset;
  /// Whether a multiplication or division made it.
  bool isScaled = false;

  bool isConstant() const { return factor.empty(); }
};

/// `value` rounded to the float type `type`, half to even.
double roundTo(double value, mlir::Type type);

/// Result of an operation on scalars or elementwise on tensors; nullopt where
/// it is no affine function or cannot be evaluated. Operands hold one number or
/// `count`.
std::optional<AffineValue>
evaluateElementwise(mlir::Operation *op,
                    llvm::ArrayRef<const AffineValue *> operands, size_t count);

/// What the body of a structured op yields for values of its block arguments;
/// nullopt where it uses anything else that is not a constant scalar.
std::optional<AffineValue>
evaluateBody(mlir::Block &body, llvm::DenseMap<mlir::Value, AffineValue> values,
             size_t count);

/// A constant tensor, or scalar, of a float type: element i is
/// data[sum(i_d * strides[d])], with stride 0 along broadcast dimensions, whose
/// size may be dynamic.
struct BroadcastConstant {
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<int64_t> strides;
  std::vector<double> data;
};

/// Elements of a float attribute as binary64, one for a splat; nullopt where
/// they are not in memory or of another type.
std::optional<std::vector<double>> readFloats(mlir::ElementsAttr elements);

/// Evaluates values made of constants by elementwise operations, broadcasts,
/// transposes and reshapes.
class ConstantEvaluator {
public:
  /// What a dequantize gives; nullopt where that is not known.
  using ReadDequantize =
      std::function<std::optional<BroadcastConstant>(DequantizeOp)>;

  ConstantEvaluator() = default;
  /// With `read`, dequantized constants are constants too.
  explicit ConstantEvaluator(ReadDequantize read) : read(std::move(read)) {}

  /// nullptr where `value` is nothing of the kind, or too large. Stays valid.
  const BroadcastConstant *evaluate(mlir::Value value, unsigned depth = 0);

private:
  std::optional<BroadcastConstant> compute(mlir::Operation *op, unsigned depth);
  std::optional<BroadcastConstant> computeLinalg(mlir::linalg::LinalgOp op,
                                                 unsigned depth);
  std::optional<BroadcastConstant> computeTensorOp(mlir::Operation *op,
                                                   unsigned depth);

  llvm::DenseMap<mlir::Value, std::unique_ptr<BroadcastConstant>> known;
  ReadDequantize read;
};

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CHANNELARITH_H
