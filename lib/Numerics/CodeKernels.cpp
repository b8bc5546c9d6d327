//===- CodeKernels.cpp - Values to codes and back -------------------------===//
//
// Three shapes of a run: one block (parameters are scalars), several blocks
// (scalars, reloaded at each block), and blocks of one element (parameters are
// arrays). Rounding is the addition of 1.5 * 2^23, exact because the clamp
// comes first; the low byte of the sum's bits is then the rounded integer.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "FloatFormat.h"

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
constexpr float roundingMagic = 0x1.8p23f;
constexpr uint32_t roundingMagicBits = 0x4b400000;

QUANT_ALWAYS_INLINE float zeroIfNaN(float x) { return x == x ? x : 0.0f; }

/// R(v) for |v| < 2^22.
QUANT_ALWAYS_INLINE int32_t roundToInt(float v) {
  return static_cast<int32_t>(bitsOf(v + roundingMagic) - roundingMagicBits);
}
QUANT_ALWAYS_INLINE float clampTo(float v, float lo, float hi) {
  v = lo > v ? lo : v;
  return hi < v ? hi : v;
}
QUANT_ALWAYS_INLINE int32_t clampTo(int32_t v, int32_t lo, int32_t hi) {
  v = lo > v ? lo : v;
  return hi < v ? hi : v;
}

//===----------------------------------------------------------------------===//
// Integer storage: clamp(R((x - minval) / scale), lo, hi) + offset. For zp the
// minval is 0 (x - 0 is x) and lo, hi are the range less the zero point, for
// minval the offset is the range's lower end.
//===----------------------------------------------------------------------===//

template <bool counting>
QUANT_ALWAYS_INLINE uint8_t intCode(float x, float minval, float scale,
                                    float lo, float hi, int32_t offset,
                                    int32_t &clipped) {
  const float v = (zeroIfNaN(x) - minval) / scale;
  if (!counting)
    return static_cast<uint8_t>(bitsOf(clampTo(v, lo, hi) + roundingMagic) +
                                static_cast<uint32_t>(offset));
  // Two codes beyond either end tell whether the clamp mattered.
  const int32_t rounded = roundToInt(clampTo(v, lo - 2.0f, hi + 2.0f));
  const int32_t kept =
      clampTo(rounded, static_cast<int32_t>(lo), static_cast<int32_t>(hi));
  clipped += rounded != kept ? 1 : 0;
  return static_cast<uint8_t>(kept + offset);
}

template <bool counting>
QUANT_ALWAYS_INLINE int32_t intCodes(const float *__restrict x, int64_t count,
                                     float minval, float scale, float lo,
                                     float hi, int32_t offset,
                                     uint8_t *__restrict codes) {
  int32_t clipped = 0;
  for (int64_t i = 0; i < count; ++i)
    codes[i] = intCode<counting>(x[i], minval, scale, lo, hi, offset, clipped);
  return clipped;
}

template <bool counting, bool hasZeroPoint, bool hasMinval>
QUANT_ALWAYS_INLINE int32_t intCodesByElement(
    const float *__restrict x, int64_t count, const float *__restrict scales,
    const int32_t *__restrict zeroPoints, const float *__restrict minvals,
    float codeMin, float codeMax, uint8_t *__restrict codes) {
  int32_t clipped = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t offset = hasMinval      ? static_cast<int32_t>(codeMin)
                           : hasZeroPoint ? zeroPoints[i]
                                          : 0;
    const float shift = static_cast<float>(offset);
    codes[i] =
        intCode<counting>(x[i], hasMinval ? minvals[i] : 0.0f, scales[i],
                          codeMin - shift, codeMax - shift, offset, clipped);
  }
  return clipped;
}

template <bool counting>
QUANT_ALWAYS_INLINE int64_t quantizeInts(const CodeFormat &format,
                                         const RowParams &params,
                                         const float *x, Run run,
                                         uint8_t *codes) {
  const float codeMin = static_cast<float>(format.range.min);
  const float codeMax = static_cast<float>(format.range.max);
  if (run.blockSize == 1) {
    const float *scales = params.scales + run.column;
    if (params.minvals)
      return intCodesByElement<counting, false, true>(
          x, run.count, scales, nullptr, params.minvals + run.column, codeMin,
          codeMax, codes);
    if (params.zeroPoints)
      return intCodesByElement<counting, true, false>(
          x, run.count, scales, params.zeroPoints + run.column, nullptr,
          codeMin, codeMax, codes);
    return intCodesByElement<counting, false, false>(
        x, run.count, scales, nullptr, nullptr, codeMin, codeMax, codes);
  }
  int64_t clipped = 0;
  forEachBlock(run, [&](int64_t first, int64_t count, int64_t unit) {
    const int32_t offset = params.minvals      ? static_cast<int32_t>(codeMin)
                           : params.zeroPoints ? params.zeroPoints[unit]
                                               : 0;
    const float shift = static_cast<float>(offset);
    clipped += intCodes<counting>(x + first, count,
                                  params.minvals ? params.minvals[unit] : 0.0f,
                                  params.scales[unit], codeMin - shift,
                                  codeMax - shift, offset, codes + first);
  });
  return clipped;
}

template <typename Code>
QUANT_ALWAYS_INLINE void intValues(const Code *__restrict codes, int64_t count,
                                   float scale, int32_t offset,
                                   float *__restrict x) {
  for (int64_t i = 0; i < count; ++i)
    x[i] = static_cast<float>(codes[i] - offset) * scale;
}
template <typename Code>
QUANT_ALWAYS_INLINE void intValues(const Code *__restrict codes, int64_t count,
                                   float scale, int32_t offset, float minval,
                                   float *__restrict x) {
  for (int64_t i = 0; i < count; ++i)
    x[i] = static_cast<float>(codes[i] - offset) * scale + minval;
}

template <typename Code>
QUANT_ALWAYS_INLINE void
dequantizeInts(const CodeFormat &format, const RowParams &params,
               const Code *__restrict codes, Run run, float *__restrict x) {
  const int32_t codeMin = static_cast<int32_t>(format.range.min);
  if (run.blockSize == 1) {
    const float *__restrict scales = params.scales + run.column;
    if (params.minvals) {
      const float *__restrict minvals = params.minvals + run.column;
      for (int64_t i = 0; i < run.count; ++i)
        x[i] = static_cast<float>(codes[i] - codeMin) * scales[i] + minvals[i];
    } else if (params.zeroPoints) {
      const int32_t *__restrict zeros = params.zeroPoints + run.column;
      for (int64_t i = 0; i < run.count; ++i)
        x[i] = static_cast<float>(codes[i] - zeros[i]) * scales[i];
    } else {
      for (int64_t i = 0; i < run.count; ++i)
        x[i] = static_cast<float>(codes[i]) * scales[i];
    }
    return;
  }
  forEachBlock(run, [&](int64_t first, int64_t count, int64_t unit) {
    const float scale = params.scales[unit];
    if (params.minvals)
      intValues(codes + first, count, scale, codeMin, params.minvals[unit],
                x + first);
    else
      intValues(codes + first, count, scale,
                params.zeroPoints ? params.zeroPoints[unit] : 0, x + first);
  });
}

//===----------------------------------------------------------------------===//
// Floating-point storage: cast(clamp(x / scale)).
//===----------------------------------------------------------------------===//

/// Half way between the largest finite value and the next one, were the
/// exponent unbounded. The tie goes to the even mantissa, which is the larger
/// neighbour's except in f8E4M3FN.
template <typename Format> struct Limits;
template <> struct Limits<F8E4M3FN> {
  static constexpr float tie = 464.0f;
  static constexpr bool tieRoundsUp = false;
};
template <> struct Limits<F8E5M2> {
  static constexpr float tie = 61440.0f;
  static constexpr bool tieRoundsUp = true;
};
template <> struct Limits<F4E2M1FN> {
  static constexpr float tie = 7.0f;
  static constexpr bool tieRoundsUp = true;
};

template <typename Format, bool counting>
QUANT_ALWAYS_INLINE uint8_t floatCode(float x, float scale, float lo, float hi,
                                      int32_t &clipped) {
  const float v = zeroIfNaN(x) / scale;
  if (counting) {
    const float magnitude = v < 0.0f ? -v : v;
    clipped += (Limits<Format>::tieRoundsUp ? magnitude >= Limits<Format>::tie
                                            : magnitude > Limits<Format>::tie)
                   ? 1
                   : 0;
  }
  return static_cast<uint8_t>(Format::encodeClamped(clampTo(v, lo, hi)));
}

template <typename Format, bool counting>
QUANT_ALWAYS_INLINE int64_t quantizeFloats(const CodeFormat &format,
                                           const RowParams &params,
                                           const float *__restrict x, Run run,
                                           uint8_t *__restrict codes) {
  const float lo = static_cast<float>(format.range.min);
  const float hi = static_cast<float>(format.range.max);
  int32_t clipped = 0;
  if (run.blockSize == 1) {
    const float *__restrict scales = params.scales + run.column;
    for (int64_t i = 0; i < run.count; ++i)
      codes[i] = floatCode<Format, counting>(x[i], scales[i], lo, hi, clipped);
    return clipped;
  }
  int64_t total = 0;
  forEachBlock(run, [&](int64_t first, int64_t count, int64_t unit) {
    const float scale = params.scales[unit];
    int32_t clippedHere = 0;
    for (int64_t i = 0; i < count; ++i)
      codes[first + i] =
          floatCode<Format, counting>(x[first + i], scale, lo, hi, clippedHere);
    total += clippedHere;
  });
  return total;
}

template <typename Format>
QUANT_ALWAYS_INLINE void dequantizeFloats(const RowParams &params,
                                          const uint8_t *__restrict codes,
                                          Run run, float *__restrict x) {
  if (run.blockSize == 1) {
    const float *__restrict scales = params.scales + run.column;
    for (int64_t i = 0; i < run.count; ++i)
      x[i] = Format::decode(codes[i]) * scales[i];
    return;
  }
  forEachBlock(run, [&](int64_t first, int64_t count, int64_t unit) {
    const float scale = params.scales[unit];
    for (int64_t i = 0; i < count; ++i)
      x[first + i] = Format::decode(codes[first + i]) * scale;
  });
}

template <bool counting>
QUANT_ALWAYS_INLINE int64_t quantizeAny(const CodeFormat &format,
                                        const RowParams &params, const float *x,
                                        Run run, uint8_t *codes) {
  switch (format.storage) {
  case StorageType::Float8E4M3FN:
    return quantizeFloats<F8E4M3FN, counting>(format, params, x, run, codes);
  case StorageType::Float8E5M2:
    return quantizeFloats<F8E5M2, counting>(format, params, x, run, codes);
  case StorageType::Float4E2M1FN:
    return quantizeFloats<F4E2M1FN, counting>(format, params, x, run, codes);
  default:
    return quantizeInts<counting>(format, params, x, run, codes);
  }
}

} // namespace

namespace quant_mlir::numerics::detail {

static QUANT_HOT int64_t quantizeCounting(const CodeFormat &format,
                                          const RowParams &params,
                                          const float *x, Run run,
                                          uint8_t *codes) {
  return quantizeAny<true>(format, params, x, run, codes);
}
static QUANT_HOT void quantizePlain(const CodeFormat &format,
                                    const RowParams &params, const float *x,
                                    Run run, uint8_t *codes) {
  quantizeAny<false>(format, params, x, run, codes);
}

void quantizeRun(const CodeFormat &format, const RowParams &params,
                 const float *x, Run run, uint8_t *codes, int64_t *clipped) {
  if (clipped)
    *clipped += quantizeCounting(format, params, x, run, codes);
  else
    quantizePlain(format, params, x, run, codes);
}

QUANT_HOT void dequantizeRun(const CodeFormat &format, const RowParams &params,
                             const uint8_t *codes, Run run, float *x) {
  switch (format.storage) {
  case StorageType::Float8E4M3FN:
    return dequantizeFloats<F8E4M3FN>(params, codes, run, x);
  case StorageType::Float8E5M2:
    return dequantizeFloats<F8E5M2>(params, codes, run, x);
  case StorageType::Float4E2M1FN:
    return dequantizeFloats<F4E2M1FN>(params, codes, run, x);
  default:
    break;
  }
  if (isSignedInteger(format.storage))
    return dequantizeInts(format, params,
                          reinterpret_cast<const int8_t *>(codes), run, x);
  return dequantizeInts(format, params, codes, run, x);
}

} // namespace quant_mlir::numerics::detail
