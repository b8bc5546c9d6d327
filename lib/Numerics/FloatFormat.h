//===- FloatFormat.h - Branch-free narrow float conversions -----*- C++ -*-===//
//
// The one definition of our casts to and from f16, bf16, f8E4M3FN, f8E5M2 and
// f4E2M1FN, in integer arithmetic without branches or tables, so that the same
// code serves the scalar functions of SmallFloat.h and the vectorized array
// loops. Private to this library.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_NUMERICS_FLOATFORMAT_H
#define QUANT_MLIR_LIB_NUMERICS_FLOATFORMAT_H

#include <cstdint>
#include <cstring>

#if defined(__GNUC__)
#define QUANT_ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define QUANT_ALWAYS_INLINE inline
#endif

namespace quant_mlir::numerics::detail {

QUANT_ALWAYS_INLINE uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}
QUANT_ALWAYS_INLINE float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

constexpr uint32_t infBits = 0x7f800000;

/// A binary format narrower than binary32. `overflowCode` is what a magnitude
/// beyond the largest finite one becomes (an infinity, a NaN, or the largest
/// finite code); `nanCode` is the canonical NaN; `firstSpecial` the first
/// magnitude that is infinite or NaN (one past the last code where none is).
template <unsigned exponentBits, unsigned mantissaBits, uint32_t overflowCode,
          uint32_t nanCode, uint32_t firstSpecial, bool overflowIsNaN = false>
struct FloatFormat {
  static constexpr unsigned width = 1 + exponentBits + mantissaBits;
  static constexpr uint32_t signBit = 1u << (width - 1);
  static constexpr uint32_t bias = (1u << (exponentBits - 1)) - 1;
  static constexpr unsigned dropped = 23 - mantissaBits;
  /// Difference of the exponent biases, at the binary32 exponent's place.
  static constexpr uint32_t rebias = (127 - bias) << 23;
  /// Biased binary32 exponent of the smallest normal value.
  static constexpr uint32_t minNormalExponent = 128 - bias;

  static QUANT_ALWAYS_INLINE uint32_t encode(float value) {
    const uint32_t bits = bitsOf(value);
    const uint32_t magnitude = bits & 0x7fffffff;
    const uint32_t sign = (bits >> (32 - width)) & signBit;

    // Normal results: adding half a unit less the parity of the kept part
    // carries exactly where half-to-even rounds up. The subtraction of the bias
    // wraps for smaller values, whose result is not taken.
    const uint32_t half = (1u << (dropped - 1)) - 1;
    const uint32_t rounded = magnitude + half + ((magnitude >> dropped) & 1);
    uint32_t code = (rounded - rebias) >> dropped;

    // Denormal results: the significand shifted to the format's fixed step. 25
    // places already lose every bit without rounding up.
    const uint32_t field = magnitude >> 23;
    const uint32_t exponent = field > 1 ? field : 1;
    const uint32_t significand =
        (magnitude & 0x7fffff) | (field ? 0x800000u : 0u);
    const uint32_t distance = dropped + minNormalExponent - exponent;
    // Wraps, and is not taken, for normal results.
    const uint32_t shift = distance < 25 ? distance : 25;
    const uint32_t kept = significand >> shift;
    const uint32_t up = ((1u << shift) >> 1) - 1 + (kept & 1);
    const uint32_t denormal = (significand + up) >> shift;
    code = magnitude < (minNormalExponent << 23) ? denormal : code;

    code = code > overflowCode ? overflowCode : code;
    const bool isNaN =
        magnitude > infBits || (overflowIsNaN && code == overflowCode);
    return isNaN ? nanCode : sign | code;
  }

  /// For |value| known to be at most the largest finite one and not NaN: what
  /// the quantizer has after its clamp. Rounds a denormal result by one
  /// addition, which needs no variable shift.
  static QUANT_ALWAYS_INLINE uint32_t encodeClamped(float value) {
    const uint32_t bits = bitsOf(value);
    const uint32_t magnitude = bits & 0x7fffffff;
    const uint32_t sign = (bits >> (32 - width)) & signBit;
    const uint32_t half = (1u << (dropped - 1)) - 1;
    const uint32_t rounded = magnitude + half + ((magnitude >> dropped) & 1);
    const uint32_t normal = (rounded - rebias) >> dropped;
    // One unit in the last place of `step` is the format's smallest denormal.
    const uint32_t step = (minNormalExponent + dropped) << 23;
    const uint32_t denormal = bitsOf(floatOf(magnitude) + floatOf(step)) - step;
    return sign | (magnitude < (minNormalExponent << 23) ? denormal : normal);
  }

  static QUANT_ALWAYS_INLINE float decode(uint32_t code) {
    const uint32_t magnitude = code & (signBit - 1);
    const uint32_t sign = (code & signBit) << (32 - width);
    const uint32_t special = magnitude >= firstSpecial ? infBits : 0;
    const uint32_t normal = ((magnitude << dropped) + rebias) | special;
    // An integer times a power of two: no denormal operand, which costs a
    // hundred cycles on some processors.
    const uint32_t denormal =
        bitsOf(static_cast<float>(static_cast<int32_t>(magnitude)) *
               floatOf((minNormalExponent - mantissaBits) << 23));
    const bool isDenormal = magnitude < (1u << mantissaBits);
    return floatOf(sign | (isDenormal ? denormal : normal));
  }
};

using F16 = FloatFormat<5, 10, 0x7c00, 0x7e00, 0x7c00>;
using F8E5M2 = FloatFormat<5, 2, 0x7c, 0x7e, 0x7c>;
using F8E4M3FN = FloatFormat<4, 3, 0x7f, 0x7f, 0x7f, /*overflowIsNaN=*/true>;
using F4E2M1FN = FloatFormat<2, 1, 0x7, 0x0, 0x8>;

/// bf16 is the upper half of a binary32: no denormals of its own, no bias.
struct BF16 {
  static constexpr unsigned width = 16;
  static QUANT_ALWAYS_INLINE uint32_t encode(float value) {
    const uint32_t bits = bitsOf(value);
    const uint32_t code = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return (bits & 0x7fffffff) > infBits ? 0x7fc0 : code;
  }
  static QUANT_ALWAYS_INLINE float decode(uint32_t code) {
    return floatOf(code << 16);
  }
};

} // namespace quant_mlir::numerics::detail

#endif // QUANT_MLIR_LIB_NUMERICS_FLOATFORMAT_H
