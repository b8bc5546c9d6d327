//===- UnitParams.cpp - Section 3 for arrays of ranges --------------------===//
//
// Range ends to scale, zero point and minval, for any number of units at once:
// a tensor in blocks of 32 has as many of them as a thirty-second of its
// elements. Each step is a loop of its own because steps are chosen by the
// spec, and a loop without choices vectorizes.
//
//===----------------------------------------------------------------------===//

#include "FloatFormat.h"
#include "Kernels.h"

#include <algorithm>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
/// The smallest scale that is not a bare exponent.
constexpr float epsilon = 0x1p-23f;
/// Adding and subtracting it rounds |v| < 2^22 half to even.
constexpr float roundingMagic = 0x1.8p23f;

QUANT_ALWAYS_INLINE float lowEnd(const ParamRule &rule, float min) {
  float lo = min < 0.0f ? min : 0.0f;
  return rule.fixedLo ? rule.lo : lo;
}
QUANT_ALWAYS_INLINE float highEnd(const ParamRule &rule, float max) {
  float hi = max > 0.0f ? max : 0.0f;
  return rule.fixedHi ? rule.hi : hi;
}
QUANT_ALWAYS_INLINE float absMax(float lo, float hi) {
  return -lo > hi ? -lo : hi;
}

/// 2^(floor(log2(amax)) - emax) from the exponent bits. Those of 0 and of a
/// denormal are 0 and fall under the lower limit, 2^-126: below it the scale
/// would be denormal in binary32. The largest result, 2^125, is inside E8M0.
QUANT_ALWAYS_INLINE float exponentScale(float amax, int32_t maxExponent) {
  int32_t exponent = static_cast<int32_t>(bitsOf(amax) >> 23) - maxExponent;
  exponent = exponent > 1 ? exponent : 1;
  return floatOf(static_cast<uint32_t>(exponent) << 23);
}

template <typename Format>
QUANT_ALWAYS_INLINE void roundAll(float *values, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = Format::decode(Format::encode(values[i]));
}

QUANT_ALWAYS_INLINE void roundStored(ScaleType type, float *values,
                                     int64_t count) {
  if (type == ScaleType::F16)
    roundAll<F16>(values, count);
  else if (type == ScaleType::BF16)
    roundAll<BF16>(values, count);
}

QUANT_ALWAYS_INLINE bool allFinite(const float *values, int64_t count) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i)
    bad |= (bitsOf(values[i]) & infBits) == infBits ? 1u : 0u;
  return bad == 0;
}
} // namespace

namespace quant_mlir::numerics::detail {

ParamRule makeParamRule(const QuantSpec &spec) {
  const CodeRange range = rangeInUse(spec);
  const bool integer = isInteger(spec.storage);
  ParamRule rule;
  rule.scaleType = spec.scaleType;
  rule.asymmetric = spec.scheme == Scheme::Asymmetric;
  rule.hasMinval = spec.formulation == Formulation::MinVal;
  rule.hasZeroPoint = hasZeroPoint(spec);
  rule.codeMin = static_cast<float>(range.min);
  rule.codeMax = static_cast<float>(range.max);
  // The narrow range's (quant_max - quant_min) / 2 is quant_max.
  rule.divisor = !integer          ? rule.codeMax
                 : rule.asymmetric ? rule.codeMax - rule.codeMin
                                   : (rule.codeMax - rule.codeMin) / 2.0f;
  rule.midpoint = isSignedInteger(spec.storage)
                      ? 0
                      : (static_cast<int32_t>(range.max) + 1) / 2;
  rule.maxExponent = maxExponent(spec.storage);
  rule.fixedLo = spec.floatLo.has_value();
  rule.fixedHi = spec.floatHi.has_value();
  // + 0 turns -0 into 0.
  rule.lo = spec.floatLo.value_or(0.0f) + 0.0f;
  rule.hi = spec.floatHi.value_or(0.0f) + 0.0f;
  return rule;
}

QUANT_HOT bool unitParams(const ParamRule &rulePassed,
                          const float *__restrict mins,
                          const float *__restrict maxs, int64_t count,
                          float *__restrict scales,
                          int32_t *__restrict zeroPoints,
                          float *__restrict minvals) {
  const ParamRule rule = rulePassed; // a copy that no store can alias
  bool finite = allFinite(mins, count) && allFinite(maxs, count);

  if (rule.scaleType == ScaleType::F8E8M0FNU) {
    for (int64_t i = 0; i < count; ++i)
      scales[i] =
          exponentScale(absMax(lowEnd(rule, mins[i]), highEnd(rule, maxs[i])),
                        rule.maxExponent);
  } else {
    const float divisor = rule.divisor;
    if (rule.asymmetric)
      for (int64_t i = 0; i < count; ++i) {
        float scale =
            (highEnd(rule, maxs[i]) - lowEnd(rule, mins[i])) / divisor;
        scales[i] = scale > epsilon ? scale : epsilon;
      }
    else
      for (int64_t i = 0; i < count; ++i) {
        float scale =
            absMax(lowEnd(rule, mins[i]), highEnd(rule, maxs[i])) / divisor;
        scales[i] = scale > epsilon ? scale : epsilon;
      }
    // 2^-23 is exact in f16 and in bf16 and rounding is monotonic, so no scale
    // becomes 0 here.
    roundStored(rule.scaleType, scales, count);
    finite &= allFinite(scales, count);
  }

  if (rule.hasZeroPoint && rule.asymmetric) {
    // clamp(a - R(lo / scale), a, b) with the clamp first: a - b <= v <= 0.
    const float limit = rule.codeMin - rule.codeMax;
    const int32_t codeMin = static_cast<int32_t>(rule.codeMin);
    for (int64_t i = 0; i < count; ++i) {
      float v = lowEnd(rule, mins[i]) / scales[i];
      v = v > limit ? v : limit;
      zeroPoints[i] = codeMin - static_cast<int32_t>(bitsOf(v + roundingMagic) -
                                                     bitsOf(roundingMagic));
    }
  } else if (rule.hasZeroPoint) {
    std::fill(zeroPoints, zeroPoints + count, rule.midpoint);
  }

  if (rule.hasMinval) {
    if (rule.asymmetric)
      for (int64_t i = 0; i < count; ++i)
        minvals[i] = lowEnd(rule, mins[i]);
    else
      for (int64_t i = 0; i < count; ++i)
        minvals[i] = -absMax(lowEnd(rule, mins[i]), highEnd(rule, maxs[i]));
    roundStored(rule.scaleType, minvals, count);
    finite &= allFinite(minvals, count);
  }
  return finite;
}

} // namespace quant_mlir::numerics::detail
