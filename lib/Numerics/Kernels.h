//===- Kernels.h - Array loops of the quantizer -----------------*- C++ -*-===//
//
// The loops in which whole tensors spend their time, over contiguous runs of
// binary32 values and one-byte codes. They are plain branch-free C++ that the
// compiler vectorizes; on x86-64 each is compiled for three instruction sets
// and chosen once at load time. All of them compute the scalar definitions of
// Params.h and SmallFloat.h bit for bit. Private to this library.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_NUMERICS_KERNELS_H
#define QUANT_MLIR_LIB_NUMERICS_KERNELS_H

#include "quant-mlir/Numerics/Histogram.h"
#include "quant-mlir/Numerics/Tensor.h"

#include "FloatFormat.h"

// An indirect function is resolved before a sanitizer's run time is up, so
// instrumented builds have the baseline only.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer) ||                                         \
    __has_feature(undefined_behavior_sanitizer)
#define QUANT_NO_CLONES
#endif
#endif
#if defined(__x86_64__) && defined(__ELF__) && defined(__clang__) &&           \
    !defined(QUANT_NO_CLONES)
#define QUANT_HOT                                                              \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define QUANT_HOT
#endif

namespace quant_mlir::numerics::detail {

/// Section 3 as numbers: what a QuantSpec asks of every unit.
struct ParamRule {
  ScaleType scaleType;
  bool asymmetric;
  bool hasZeroPoint;
  bool hasMinval;
  float codeMin, codeMax; ///< range in use
  float divisor;          ///< of amax, or of hi - lo
  int32_t midpoint;       ///< symmetric zero point
  int32_t maxExponent;    ///< emax, for E8M0 scales
  bool fixedLo, fixedHi;
  float lo, hi; ///< where fixed
};
ParamRule makeParamRule(const QuantSpec &spec);

/// Parameters of `count` units from their data's ends. `zeroPoints` and
/// `minvals` may be null where the rule has none. False where a range, scale or
/// minval is not finite; the numbers are then meaningless.
bool unitParams(const ParamRule &rule, const float *mins, const float *maxs,
                int64_t count, float *scales, int32_t *zeroPoints,
                float *minvals);

/// A run of `count` elements inside one row of the innermost dimension, which
/// is cut into blocks of `blockSize`; the first element stands in column
/// `column`. Unit arrays are indexed by column / blockSize.
struct Run {
  int64_t count;
  int64_t column;
  int64_t blockSize;
};

/// Calls `body(first, count, unit)` for each part of the run that lies in one
/// block.
template <typename Body>
QUANT_ALWAYS_INLINE void forEachBlock(Run run, Body body) {
  int64_t unit = run.column / run.blockSize;
  int64_t end = (unit + 1) * run.blockSize - run.column;
  for (int64_t i = 0; i < run.count; ++unit) {
    const int64_t stop = end < run.count ? end : run.count;
    body(i, stop - i, unit);
    i = stop;
    end += run.blockSize;
  }
}

/// Parameters of the units of one row; null where the formulation has none.
struct RowParams {
  const float *scales;
  const int32_t *zeroPoints;
  const float *minvals;
};

/// Widens the ends of each unit by the run's values. NaN is not looked for.
void extendRanges(const float *x, Run run, float *mins, float *maxs);

/// Codes of a run; adds to `*clipped`, where given, the elements for which the
/// clamp changed the rounded code.
void quantizeRun(const CodeFormat &format, const RowParams &params,
                 const float *x, Run run, uint8_t *codes, int64_t *clipped);
void dequantizeRun(const CodeFormat &format, const RowParams &params,
                   const uint8_t *codes, Run run, float *x);

/// Conversions between an expressed type in memory and binary32.
void widen(const void *source, ExpressedType type, int64_t count, float *dest);
void narrow(const float *source, int64_t count, ExpressedType type, void *dest);
/// Rounds in place to the type's values.
void roundTo(ExpressedType type, int64_t count, float *x);

/// Adds the errors of `quantized` against `source` to the sums of `error`.
void measure(const float *source, const float *quantized, int64_t count,
             QuantError &error);

/// How many of the elements are NaN or infinite.
int64_t countNonFinite(const void *source, ExpressedType type, int64_t count);

/// The ends of what is finite, and how many elements are not.
struct FiniteScan {
  FloatRange range;
  int64_t nan = 0;
  int64_t inf = 0;
};
/// Adds `count` elements to the result.
void scanFinite(const float *x, int64_t count, FiniteScan &result);

/// A float's bits with the magnitude flipped for negative numbers order as
/// integers do, and the integer minimum, being associative, vectorizes.
QUANT_ALWAYS_INLINE int32_t orderedBits(float x) {
  const int32_t bits = static_cast<int32_t>(bitsOf(x));
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
QUANT_ALWAYS_INLINE float fromOrderedBits(int32_t bits) {
  return floatOf(static_cast<uint32_t>(bits ^ ((bits >> 31) & 0x7fffffff)));
}
/// Those of the infinities: the ends of a range with nothing in it.
constexpr int32_t emptyLow = static_cast<int32_t>(infBits);
constexpr int32_t emptyHigh = ~emptyLow;
QUANT_ALWAYS_INLINE bool isFinite(float x) {
  return (bitsOf(x) & infBits) != infBits;
}

/// Widens the ends of `count` units, as ordered bits, by one element each, and
/// counts what is not finite; `result.range` stays as it is.
void scanColumns(const float *x, int64_t count, int32_t *lows, int32_t *highs,
                 FiniteScan &result);

/// out[i] = floor(x[i] * scale) - low, for finite x and a power of two `scale`;
/// the results must fit in 31 bits.
void binIndices(const float *x, int64_t count, double scale, int32_t low,
                int32_t *out);

/// sum of weights[i] * (y[i] - x[i])^2 in binary64, as eight interleaved sums
/// that are added at the end.
double weightedSquareError(const float *x, const float *y,
                           const double *weights, int64_t count);

} // namespace quant_mlir::numerics::detail

#endif // QUANT_MLIR_LIB_NUMERICS_KERNELS_H
