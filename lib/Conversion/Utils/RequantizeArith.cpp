//===- RequantizeArith.cpp - Codes of the integer form as arith -----------===//

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include <algorithm>

using namespace mlir;
using namespace quant_mlir;
using arith::CmpFPredicate;
using numerics::CodeRange;

Value quant_mlir::buildExtendCode(const ElementArith &arith, Value code,
                                  numerics::StorageType storage) {
  if (numerics::isSignedInteger(storage))
    return arith.cast<arith::ExtSIOp>(arith.intType(32), code);
  return arith.cast<arith::ExtUIOp>(arith.intType(32), code);
}

float quant_mlir::getTensorScale(AffineAttr params) {
  return params.getTensorParams().scales.front();
}

int32_t quant_mlir::getTensorZeroPoint(AffineAttr params) {
  if (!params.getZeroPoint())
    return 0;
  return params.getTensorParams().zeroPoints.front();
}

Value quant_mlir::buildCentredCode(const ElementArith &arith, Value code,
                                   AffineAttr params) {
  if (numerics::isFloat(params.getStorage()))
    return buildWiden(arith.getBuilder(), arith.getLoc(), code);
  Value integer = buildExtendCode(arith, code, params.getStorage());
  int32_t zeroPoint = getTensorZeroPoint(params);
  return zeroPoint ? arith.sub(integer, zeroPoint) : integer;
}

Value quant_mlir::buildCentredFloat(const ElementArith &arith, Value code,
                                    AffineAttr params) {
  Value centred = buildCentredCode(arith, code, params);
  if (numerics::isFloat(params.getStorage()))
    return centred;
  return arith.cast<arith::SIToFPOp>(arith.f32(), centred);
}

CodeRange quant_mlir::getBoundedRange(AffineAttr params,
                                      std::optional<APFloat> low,
                                      std::optional<APFloat> high) {
  CodeRange range = params.getRange();
  float scale = getTensorScale(params);
  int32_t zeroPoint = getTensorZeroPoint(params);
  auto getCode = [&](const APFloat &limit) -> double {
    float bound = limit.convertToFloat();
    if (numerics::isInteger(params.getStorage()))
      return numerics::boundCode(bound, scale, zeroPoint, range);
    double value = numerics::scaledBias(bound, scale);
    return std::min(std::max(value, range.min), range.max);
  };
  CodeRange bounded = range;
  if (low)
    bounded.min = getCode(*low);
  if (high)
    bounded.max = getCode(*high);
  return bounded;
}

Value quant_mlir::buildResultCode(const ElementArith &arith, Value value,
                                  AffineAttr params, CodeRange range) {
  Value isNaN = arith.cmp(CmpFPredicate::UNO, value, value);
  value = arith.select(isNaN, arith.floatConstant(0.0), value);
  if (numerics::isFloat(params.getStorage())) {
    value = buildClamp(arith, value, arith.floatConstant(range.min),
                       arith.floatConstant(range.max));
    auto type = cast<FloatType>(params.getStorageElementType());
    OpBuilder &builder = arith.getBuilder();
    Value code = buildEncodeClamped(builder, arith.getLoc(), value, type);
    return buildFromCode(builder, arith.getLoc(), code, type);
  }
  // clamp(R(v) + z, a, b) = R(clamp(v, a - z, b - z)) + z: no conversion is out
  // of range.
  int32_t zeroPoint = getTensorZeroPoint(params);
  value = buildClamp(arith, value, arith.floatConstant(range.min - zeroPoint),
                     arith.floatConstant(range.max - zeroPoint));
  Value code = buildRoundEven(arith, value);
  if (zeroPoint)
    code = arith.add(code, zeroPoint);
  return arith.cast<arith::TruncIOp>(
      arith.intType(numerics::bitWidth(params.getStorage())), code);
}

Value quant_mlir::buildBounds(const ElementArith &arith, Value value,
                              std::optional<APFloat> low,
                              std::optional<APFloat> high) {
  auto select = [&](CmpFPredicate isBeyond, const APFloat &bound) {
    Value constant = arith.floatConstant(bound.convertToFloat());
    value = arith.select(arith.cmp(isBeyond, value, constant), constant, value);
  };
  if (low)
    select(CmpFPredicate::OLT, *low);
  if (high)
    select(CmpFPredicate::OGT, *high);
  return value;
}
