//===- RangeArith.cpp - Parameters from a range as arith ------------------===//
//
// The order of section 3: range; scale; at least eps; round to the stored type;
// zero point from the stored scale.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Utils/RangeArith.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QParams.h"

using namespace mlir;
using namespace quant_mlir;
using arith::CmpFPredicate;
using arith::CmpIPredicate;
using numerics::QuantSpec;
using numerics::ScaleType;
using numerics::Scheme;

SmallVector<RangeEnd> quant_mlir::getRangeEnds(const QuantSpec &spec) {
  bool isAsymmetric = spec.scheme == Scheme::Asymmetric;
  if (!isAsymmetric && !spec.floatLo && !spec.floatHi)
    return {RangeEnd::Greatest};
  SmallVector<RangeEnd> ends;
  if (!spec.floatLo)
    ends.push_back(RangeEnd::Low);
  if (!spec.floatHi)
    ends.push_back(RangeEnd::High);
  return ends;
}

Value quant_mlir::buildExtendRange(OpBuilder &builder, Location loc,
                                   RangeEnd end, Value seen, Value element) {
  ElementArith arith(builder, loc, element);
  Value value = buildWiden(builder, loc, element);
  Value bits = arith.bitcast(arith.intType(32), value);
  Value magnitudeBits = arith.bitAnd(bits, 0x7fffffff);
  Value magnitude = arith.bitcast(arith.f32(), magnitudeBits);
  if (end == RangeEnd::Greatest)
    value = magnitude;
  Value isFinite = arith.cmp(CmpIPredicate::ult, magnitudeBits, 0x7f800000);
  Value isBeyond =
      arith.cmp(end == RangeEnd::Low ? CmpFPredicate::OLT : CmpFPredicate::OGT,
                value, seen);
  Value extends =
      arith::AndIOp::create(builder, loc, isFinite, isBeyond).getResult();
  return arith.select(extends, value, seen);
}

static Value buildMax(const ElementArith &arith, Value a, Value b) {
  return arith.select(arith.cmp(CmpFPredicate::OGT, a, b), a, b);
}
static Value buildMin(const ElementArith &arith, Value a, Value b) {
  return arith.select(arith.cmp(CmpFPredicate::OLT, a, b), a, b);
}

/// 2^(floor(log2(amax)) - emax) from the exponent bits, at least 2^-126, as the
/// code of an E8M0, whose bias is that of binary32.
static Value buildExponentScale(const ElementArith &arith, Value amax,
                                const QuantSpec &spec) {
  Value exponent = arith.shr(arith.bitcast(arith.intType(32), amax), 23);
  exponent = arith.sub(exponent, numerics::maxExponent(spec.storage));
  exponent = arith.select(arith.cmp(CmpIPredicate::sgt, exponent, 1), exponent,
                          arith.intConstant(1));
  Value code = arith.cast<arith::TruncIOp>(arith.intType(8), exponent);
  OpBuilder &builder = arith.getBuilder();
  return buildFromCode(builder, arith.getLoc(), code,
                       getFloatType(builder.getContext(), spec.scaleType));
}

RangeParams quant_mlir::buildParamsFromRange(OpBuilder &builder, Location loc,
                                             const QuantSpec &spec,
                                             ArrayRef<Value> ends) {
  numerics::CodeRange range = numerics::rangeInUse(spec);
  bool isAsymmetric = spec.scheme == Scheme::Asymmetric;
  // With both ends fixed there is no value to take the shape from: the caller
  // has scalars then.
  ElementArith arith =
      ends.empty() ? ElementArith(builder, loc,
                                  arith::ConstantOp::create(
                                      builder, loc, builder.getF32FloatAttr(0)))
                   : ElementArith(builder, loc, ends.front());
  Value lo, hi, amax;
  for (auto [end, value] : llvm::zip_equal(getRangeEnds(spec), ends))
    (end == RangeEnd::Low ? lo : end == RangeEnd::High ? hi : amax) = value;
  // + 0 turns -0 into 0.
  if (spec.floatLo)
    lo = arith.floatConstant(*spec.floatLo + 0.0f);
  if (spec.floatHi)
    hi = arith.floatConstant(*spec.floatHi + 0.0f);
  if (!amax && !isAsymmetric)
    amax = buildMax(arith, arith.subf(arith.floatConstant(0.0), lo), hi);

  RangeParams result;
  FloatType scaleType = getFloatType(builder.getContext(), spec.scaleType);
  if (spec.scaleType == ScaleType::F8E8M0FNU) {
    result.scale = buildExponentScale(arith, amax, spec);
    return result;
  }
  double divisor = !numerics::isInteger(spec.storage) ? range.max
                   : isAsymmetric ? range.max - range.min
                                  : (range.max - range.min) / 2.0;
  Value scale = arith.divf(isAsymmetric ? arith.subf(hi, lo) : amax,
                           arith.floatConstant(divisor));
  scale = buildMax(arith, scale, arith.floatConstant(0x1p-23));
  double largest =
      APFloat::getLargest(scaleType.getFloatSemantics()).convertToDouble();
  scale = buildMin(arith, scale, arith.floatConstant(largest));
  result.scale = buildRound(builder, loc, scale, scaleType);
  if (!numerics::hasZeroPoint(spec))
    return result;
  if (!isAsymmetric) {
    int64_t midpoint = numerics::isSignedInteger(spec.storage)
                           ? 0
                           : (static_cast<int64_t>(range.max) + 1) / 2;
    result.zeroPoint = arith.intConstant(midpoint);
    return result;
  }
  // clamp(a - R(lo / scale), a, b) with the clamp first: a - b <= v <= 0.
  Value stored = buildWiden(builder, loc, result.scale);
  Value quotient = buildMax(arith, arith.divf(lo, stored),
                            arith.floatConstant(range.min - range.max));
  Value rounded = buildRoundEven(arith, quotient);
  result.zeroPoint =
      arith.sub(arith.intConstant(static_cast<int64_t>(range.min)), rounded);
  return result;
}
