//===- QuantizeArith.h - Quantize and dequantize as arith -------*- C++ -*-===//
//
// docs/numerics.md section 2 on one element, or on a vector of them: the one
// place where its formulas become IR, for the reference lowering and for every
// target.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_QUANTIZEARITH_H
#define QUANT_MLIR_CONVERSION_UTILS_QUANTIZEARITH_H

#include "quant-mlir/Numerics/Params.h"

#include "mlir/IR/Value.h"

namespace mlir {
class FloatType;
class Location;
class OpBuilder;
} // namespace mlir

namespace quant_mlir {

class ElementArith;

/// The parameters of an element, in the shape of the element.
struct ElementParams {
  mlir::Value scale;  ///< binary32
  mlir::Value minval; ///< binary32; null but for the minval formulation
  /// i32, inside the range in use; null where it is the constant below.
  mlir::Value zeroPoint;
  int32_t constantZeroPoint = 0;
};

/// clamp(v, lo, hi), binary32; `lo` where v is NaN.
mlir::Value buildClamp(const ElementArith &arith, mlir::Value value,
                       mlir::Value lo, mlir::Value hi);

/// Its lowest mantissa bit has the value 1, and 2^22 in either direction keeps
/// the exponent.
constexpr float roundingSummand = 0x1.8p23f;

/// Round half to even to an i32, for |value| <= 2^22: the difference of the bits
/// of value + roundingSummand and those of the summand. math.roundeven is a
/// library call on some targets and missing on others, and a conversion costs
/// more than a subtraction.
mlir::Value buildRoundEven(const ElementArith &arith, mlir::Value value);

/// The code of `value` (f32, f16 or bf16), of the storage element type.
mlir::Value buildQuantize(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value value, const numerics::CodeFormat &format,
                          const ElementParams &params);

/// The value of `code` (of the storage element type), rounded to `expressed`.
mlir::Value buildDequantize(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value code,
                            const numerics::CodeFormat &format,
                            const ElementParams &params,
                            mlir::FloatType expressed);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_QUANTIZEARITH_H
