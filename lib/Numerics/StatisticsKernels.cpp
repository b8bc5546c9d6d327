//===- StatisticsKernels.cpp - One look at observed values ----------------===//
//
// Ends, and counts of what is not finite, in one pass that vectorizes: a
// float's bits with the magnitude flipped for negative numbers order as
// integers do.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "FloatFormat.h"

#include <algorithm>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
QUANT_ALWAYS_INLINE int32_t orderedBits(float x) {
  const int32_t bits = static_cast<int32_t>(bitsOf(x));
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
QUANT_ALWAYS_INLINE float fromOrderedBits(int32_t bits) {
  // The sum makes +0 of -0.
  return floatOf(static_cast<uint32_t>(bits ^ ((bits >> 31) & 0x7fffffff))) +
         0.0f;
}

/// Of fewer than 2^31 elements. `low` and `high` start from the ordered bits of
/// the infinities, which what is not finite becomes, and so leaves them alone.
QUANT_HOT void scan(const float *__restrict x, int32_t count, int32_t &low,
                    int32_t &high, int32_t &notFinite, int32_t &nan) {
  const int32_t top = static_cast<int32_t>(infBits);
  int32_t least = top, most = ~top, others = 0, nans = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t bits = orderedBits(x[i]);
    const int32_t magnitude = static_cast<int32_t>(bitsOf(x[i]) & 0x7fffffff);
    const bool finite = magnitude < top;
    const int32_t forLow = finite ? bits : top;
    const int32_t forHigh = finite ? bits : ~top;
    least = forLow < least ? forLow : least;
    most = forHigh > most ? forHigh : most;
    others += !finite;
    nans += magnitude > top;
  }
  low = least;
  high = most;
  notFinite = others;
  nan = nans;
}

QUANT_HOT void indices(const float *__restrict x, int64_t count, double scale,
                       int32_t low, int32_t *__restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    // Exact, and rounded down: a tiny negative value is in bin -1.
    const double scaled = static_cast<double>(x[i]) * scale;
    const int32_t truncated = static_cast<int32_t>(scaled);
    out[i] = truncated - (scaled < static_cast<double>(truncated)) - low;
  }
}
} // namespace

void detail::scanFinite(const float *x, int64_t count, FiniteScan &result) {
  constexpr int64_t chunk = int64_t(1) << 30;
  for (int64_t i = 0; i < count; i += chunk) {
    int32_t low, high, notFinite, nan;
    scan(x + i, static_cast<int32_t>(std::min(chunk, count - i)), low, high,
         notFinite, nan);
    if (low <= high)
      result.range.include({fromOrderedBits(low), fromOrderedBits(high)});
    result.nan += nan;
    result.inf += notFinite - nan;
  }
}

void detail::binIndices(const float *x, int64_t count, double scale,
                        int32_t low, int32_t *out) {
  indices(x, count, scale, low, out);
}
