//===- StatisticsKernels.cpp - One look at observed values ----------------===//
//
// Ends, and counts of what is not finite, in one pass that vectorizes.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "FloatFormat.h"

#include <algorithm>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
/// Of fewer than 2^31 elements. `low` and `high` start from the ordered bits of
/// the infinities, which what is not finite becomes, and so leaves them alone.
QUANT_HOT void scan(const float *__restrict x, int32_t count, int32_t &low,
                    int32_t &high, int32_t &notFinite, int32_t &nan) {
  int32_t least = emptyLow, most = emptyHigh, others = 0, nans = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t bits = orderedBits(x[i]);
    const int32_t magnitude = static_cast<int32_t>(bitsOf(x[i]) & 0x7fffffff);
    const bool finite = magnitude < emptyLow;
    const int32_t forLow = finite ? bits : emptyLow;
    const int32_t forHigh = finite ? bits : emptyHigh;
    least = forLow < least ? forLow : least;
    most = forHigh > most ? forHigh : most;
    others += !finite;
    nans += magnitude > emptyLow;
  }
  low = least;
  high = most;
  notFinite = others;
  nan = nans;
}

QUANT_HOT void columns(const float *__restrict x, int32_t count,
                       int32_t *__restrict lows, int32_t *__restrict highs,
                       int32_t &notFinite, int32_t &nan) {
  int32_t others = 0, nans = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t bits = orderedBits(x[i]);
    const int32_t magnitude = static_cast<int32_t>(bitsOf(x[i]) & 0x7fffffff);
    const bool finite = magnitude < emptyLow;
    const int32_t forLow = finite ? bits : emptyLow;
    const int32_t forHigh = finite ? bits : emptyHigh;
    lows[i] = forLow < lows[i] ? forLow : lows[i];
    highs[i] = forHigh > highs[i] ? forHigh : highs[i];
    others += !finite;
    nans += magnitude > emptyLow;
  }
  notFinite = others;
  nan = nans;
}

QUANT_HOT double squareError(const float *__restrict x,
                             const float *__restrict y,
                             const double *__restrict weights, int64_t count) {
  constexpr int64_t lanes = 8;
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const double error = static_cast<double>(y[i + lane]) - x[i + lane];
      sums[lane] += weights[i + lane] * (error * error);
    }
  for (int64_t lane = 0; i < count; ++i, ++lane) {
    const double error = static_cast<double>(y[i]) - x[i];
    sums[lane] += weights[i] * (error * error);
  }
  double sum = 0;
  for (double part : sums)
    sum += part;
  return sum;
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

void detail::scanColumns(const float *x, int64_t count, int32_t *lows,
                         int32_t *highs, FiniteScan &result) {
  constexpr int64_t chunk = int64_t(1) << 30;
  for (int64_t i = 0; i < count; i += chunk) {
    int32_t notFinite, nan;
    columns(x + i, static_cast<int32_t>(std::min(chunk, count - i)), lows + i,
            highs + i, notFinite, nan);
    result.nan += nan;
    result.inf += notFinite - nan;
  }
}

void detail::binIndices(const float *x, int64_t count, double scale,
                        int32_t low, int32_t *out) {
  indices(x, count, scale, low, out);
}

double detail::weightedSquareError(const float *x, const float *y,
                                   const double *weights, int64_t count) {
  return squareError(x, y, weights, count);
}
