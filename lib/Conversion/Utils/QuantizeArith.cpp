//===- QuantizeArith.cpp - Quantize and dequantize as arith ---------------===//
//
// Section 2 of docs/numerics.md. Codes of int32 (biases) take a path of their
// own through binary64, whose integers reach the ends of the range.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace quant_mlir;
using arith::CmpFPredicate;
using numerics::CodeFormat;
using numerics::Formulation;
using numerics::StorageType;

Value quant_mlir::buildClamp(const ElementArith &arith, Value value, Value lo,
                             Value hi) {
  // Compare and select is one instruction where maximumf, which has to look for
  // NaN and -0, is several.
  value = arith.select(arith.cmp(CmpFPredicate::OGT, value, lo), value, lo);
  return arith.select(arith.cmp(CmpFPredicate::OLT, value, hi), value, hi);
}

Value quant_mlir::buildRoundEven(const ElementArith &arith, Value value) {
  Value sum = arith.addf(value, arith.floatConstant(roundingSummand));
  return arith.sub(arith.cast<arith::BitcastOp>(arith.intType(32), sum),
                   llvm::bit_cast<int32_t>(roundingSummand));
}

/// What the formula adds to the rounded quotient: quant_min for minval, else
/// the zero point.
static std::optional<int64_t> constantOffset(const CodeFormat &format,
                                             const ElementParams &params) {
  if (format.formulation == Formulation::MinVal)
    return static_cast<int64_t>(format.range.min);
  if (params.zeroPoint)
    return std::nullopt;
  return params.constantZeroPoint;
}

/// clamp(R(v) + z, a, b) = R(clamp(v, a - z, b - z)) + z: the bounds a - z.
static Value clampBound(const ElementArith &arith, double bound,
                        std::optional<int64_t> offset, Value zeroPoint) {
  if (offset)
    return arith.floatConstant(bound - static_cast<double>(*offset));
  Value difference =
      arith.sub(arith.intConstant(static_cast<int64_t>(bound)), zeroPoint);
  return arith.cast<arith::SIToFPOp>(arith.f32(), difference);
}

/// R(clamp(v, a - z, b - z)) + z in binary64 from the binary32 quotient on.
static Value quantizeInt32(const ElementArith &arith, Value quotient,
                           const CodeFormat &format,
                           const ElementParams &params) {
  Type f64 = arith.getBuilder().getF64Type();
  auto bound = [&](double value) {
    Value constant = arith.floatConstant(value, f64);
    if (!params.zeroPoint)
      return constant;
    return arith.subf(constant,
                      arith.cast<arith::SIToFPOp>(f64, params.zeroPoint));
  };
  Value value = arith.cast<arith::ExtFOp>(f64, quotient);
  value = buildClamp(arith, value, bound(format.range.min),
                     bound(format.range.max));
  Value magic = arith.floatConstant(0x1.8p52, f64);
  value = arith.subf(arith.addf(value, magic), magic);
  if (params.zeroPoint)
    value =
        arith.addf(value, arith.cast<arith::SIToFPOp>(f64, params.zeroPoint));
  return arith.cast<arith::FPToSIOp>(arith.intType(32), value);
}

Value quant_mlir::buildQuantize(OpBuilder &builder, Location loc, Value value,
                                const CodeFormat &format,
                                const ElementParams &params) {
  ElementArith arith(builder, loc, value);
  value = buildWiden(builder, loc, value);
  Value isNaN = arith.cmp(CmpFPredicate::UNO, value, value);
  value = arith.select(isNaN, arith.floatConstant(0.0), value);
  if (format.formulation == Formulation::MinVal)
    value = arith.subf(value, params.minval);
  value = arith.divf(value, params.scale);

  if (numerics::isFloat(format.storage)) {
    value = buildClamp(arith, value, arith.floatConstant(format.range.min),
                       arith.floatConstant(format.range.max));
    auto type =
        cast<FloatType>(getElementType(builder.getContext(), format.storage));
    return buildFromCode(builder, loc,
                         buildEncodeClamped(builder, loc, value, type), type);
  }
  if (format.storage == StorageType::Int32)
    return quantizeInt32(arith, value, format, params);

  std::optional<int64_t> offset = constantOffset(format, params);
  value =
      buildClamp(arith, value,
                 clampBound(arith, format.range.min, offset, params.zeroPoint),
                 clampBound(arith, format.range.max, offset, params.zeroPoint));
  Value code = buildRoundEven(arith, value);
  if (!offset)
    code = arith.add(code, params.zeroPoint);
  else if (*offset)
    code = arith.add(code, *offset);
  return arith.cast<arith::TruncIOp>(
      arith.intType(numerics::bitWidth(format.storage)), code);
}

/// q - z, exact, as binary32.
static Value centredCode(const ElementArith &arith, Value code,
                         const CodeFormat &format,
                         const ElementParams &params) {
  std::optional<int64_t> offset = constantOffset(format, params);
  if (format.storage == StorageType::Int32) {
    if (!offset) {
      // The difference of two i32 needs 33 bits; rounded to binary32 once.
      Type wide = arith.intType(64);
      code = arith.sub(arith.cast<arith::ExtSIOp>(wide, code),
                       arith.cast<arith::ExtSIOp>(wide, params.zeroPoint));
    }
    return arith.cast<arith::SIToFPOp>(arith.f32(), code);
  }
  if (numerics::isSignedInteger(format.storage))
    code = arith.cast<arith::ExtSIOp>(arith.intType(32), code);
  else
    code = arith.cast<arith::ExtUIOp>(arith.intType(32), code);
  if (!offset)
    code = arith.sub(code, params.zeroPoint);
  else if (*offset)
    code = arith.sub(code, *offset);
  return arith.cast<arith::SIToFPOp>(arith.f32(), code);
}

Value quant_mlir::buildDequantize(OpBuilder &builder, Location loc, Value code,
                                  const CodeFormat &format,
                                  const ElementParams &params,
                                  FloatType expressed) {
  ElementArith arith(builder, loc, code);
  Value value = numerics::isFloat(format.storage)
                    ? buildWiden(builder, loc, code)
                    : centredCode(arith, code, format, params);
  value = arith.mulf(value, params.scale);
  if (format.formulation == Formulation::MinVal)
    value = arith.addf(value, params.minval);
  return buildRound(builder, loc, value, expressed);
}
