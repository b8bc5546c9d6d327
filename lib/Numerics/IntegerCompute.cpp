//===- IntegerCompute.cpp - Arithmetic of the integer form ----------------===//
//
// Scalars only: they define what fused kernels compute and what folding emits;
// the kernels themselves are generated code. Multipliers are formed in binary64
// and rounded once, so that no target's binary32 order of operations shows.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/IntegerCompute.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

using namespace quant_mlir::numerics;

namespace {
/// clamp(R(v) + z, range). The clamp comes before the conversion and in
/// binary64, where every int32 bound and every binary32 value is exact. A NaN,
/// which only parameters that are not finite can give, becomes the code of 0.0.
int32_t roundAndClamp(float v, int32_t z, CodeRange range) {
  double value = std::isnan(v) ? 0.0 : static_cast<double>(v);
  double offset = z;
  value = std::max(value, range.min - offset);
  value = std::min(value, range.max - offset);
  return static_cast<int32_t>(std::nearbyint(value) + offset);
}

float difference(int32_t q, int32_t z) {
  return static_cast<float>(static_cast<int64_t>(q) - z);
}

/// a * b for a, b >= 0, saturated at 2^63 - 1.
int64_t saturatingMul(int64_t a, int64_t b) {
  constexpr int64_t limit = std::numeric_limits<int64_t>::max();
  if (a == 0 || b == 0)
    return 0;
  return a > limit / b ? limit : a * b;
}
} // namespace

namespace quant_mlir::numerics {

std::optional<int32_t> quantizeBias(float bias, float sx, float sw) {
  double scale = static_cast<double>(sx) * static_cast<double>(sw);
  double value = std::nearbyint(static_cast<double>(bias) / scale);
  // Also false for NaN.
  if (!(value >= std::numeric_limits<int32_t>::min() &&
        value <= std::numeric_limits<int32_t>::max()))
    return std::nullopt;
  return static_cast<int32_t>(value);
}

float requantMultiplier(float sx, float sw, float sy) {
  double product = static_cast<double>(sx) * static_cast<double>(sw);
  return static_cast<float>(product / static_cast<double>(sy));
}
float outputMultiplier(float sx, float sw) {
  return static_cast<float>(static_cast<double>(sx) * static_cast<double>(sw));
}
float scaledBias(float bias, float sy) {
  return static_cast<float>(static_cast<double>(bias) /
                            static_cast<double>(sy));
}
float addMultiplier(float sa, float sy) {
  return static_cast<float>(static_cast<double>(sa) / static_cast<double>(sy));
}
float mulMultiplier(float sa, float sb, float sy) {
  return requantMultiplier(sa, sb, sy);
}

int32_t requantize(int32_t acc, float m, int32_t z, CodeRange range) {
  return roundAndClamp(static_cast<float>(acc) * m, z, range);
}

int32_t requantizeWithBias(int32_t acc, float m, float b, int32_t z,
                           CodeRange range) {
  float product = static_cast<float>(acc) * m;
  return roundAndClamp(product + b, z, range);
}

int32_t requantizeWithResidual(int32_t acc, float m, int32_t qr, int32_t zr,
                               float mr, int32_t z, CodeRange range) {
  float product = static_cast<float>(acc) * m;
  float residual = difference(qr, zr) * mr;
  return roundAndClamp(product + residual, z, range);
}

int32_t addCodes(int32_t qa, int32_t za, float ma, int32_t qb, int32_t zb,
                 float mb, int32_t z, CodeRange range) {
  float a = difference(qa, za) * ma;
  float b = difference(qb, zb) * mb;
  return roundAndClamp(a + b, z, range);
}

int32_t mulCodes(int32_t qa, int32_t za, int32_t qb, int32_t zb, float m,
                 int32_t z, CodeRange range) {
  int64_t product =
      (static_cast<int64_t>(qa) - za) * (static_cast<int64_t>(qb) - zb);
  return roundAndClamp(static_cast<float>(product) * m, z, range);
}

int32_t averageCodes(int32_t sum, int32_t n, int32_t z, CodeRange range) {
  assert(n > 0 && "an average needs an element");
  return roundAndClamp(static_cast<float>(sum) / static_cast<float>(n), z,
                       range);
}

int32_t boundCode(float bound, float sy, int32_t z, CodeRange range) {
  return roundAndClamp(scaledBias(bound, sy), z, range);
}

AccumulatorProof proveAccumulator(int64_t reductionSize, int64_t maxAbsX,
                                  int64_t maxAbsW, int64_t maxAbsBias) {
  assert(reductionSize >= 0 && maxAbsX >= 0 && maxAbsW >= 0 &&
         maxAbsBias >= 0 && "magnitudes and sizes are not negative");
  constexpr int64_t limit = std::numeric_limits<int64_t>::max();
  // Saturation is harmless to a later factor of 0, which makes the product 0.
  int64_t bound = saturatingMul(saturatingMul(reductionSize, maxAbsX), maxAbsW);
  bound = bound > limit - maxAbsBias ? limit : bound + maxAbsBias;
  return {bound < (int64_t(1) << 31), bound};
}

int64_t maxReductionSize(int64_t maxAbsX, int64_t maxAbsW) {
  assert(maxAbsX >= 0 && maxAbsW >= 0 && "magnitudes are not negative");
  int64_t product = saturatingMul(maxAbsX, maxAbsW);
  if (product == 0)
    return std::numeric_limits<int64_t>::max();
  return ((int64_t(1) << 31) - 1) / product;
}

int64_t maxAbsCode(CodeRange range, int32_t zeroPoint) {
  double magnitude = std::max(std::abs(range.min - zeroPoint),
                              std::abs(range.max - zeroPoint));
  return static_cast<int64_t>(magnitude);
}

} // namespace quant_mlir::numerics
