//===- RangeKernels.cpp - Ends of blocks, and what is not finite ----------===//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "FloatFormat.h"

#include <algorithm>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
QUANT_ALWAYS_INLINE void extendOne(const float *__restrict x, int64_t count,
                                   float &min, float &max) {
  int32_t low = orderedBits(min), high = orderedBits(max);
  for (int64_t i = 0; i < count; ++i) {
    const int32_t bits = orderedBits(x[i]);
    low = bits < low ? bits : low;
    high = bits > high ? bits : high;
  }
  min = fromOrderedBits(low);
  max = fromOrderedBits(high);
}

QUANT_ALWAYS_INLINE float minOf(float a, float b) { return a < b ? a : b; }
QUANT_ALWAYS_INLINE float maxOf(float a, float b) { return a > b ? a : b; }

/// out[i] = op(in[2 i], in[2 i + 1]).
template <typename Op>
QUANT_ALWAYS_INLINE void halve(const float *__restrict in, int64_t count,
                               float *__restrict out, Op op) {
  for (int64_t i = 0; i < count; ++i)
    out[i] = op(in[2 * i], in[2 * i + 1]);
}

constexpr int64_t blockLanes = 8;

/// Whole blocks of a multiple of eight elements. A reduction across a vector
/// costs more than all the rest of a block of 32, so blocks are reduced to
/// eight lanes each, and the lanes of many blocks together.
QUANT_ALWAYS_INLINE void extendBlocks(const float *__restrict x, int64_t blocks,
                                      int64_t blockSize, float *__restrict mins,
                                      float *__restrict maxs) {
  constexpr int64_t lanes = blockLanes, batch = 64;
  float low[batch * lanes], high[batch * lanes];
  float halfLow[batch * lanes / 2], halfHigh[batch * lanes / 2];
  for (int64_t first = 0; first < blocks; first += batch) {
    const int64_t count = std::min(batch, blocks - first);
    for (int64_t b = 0; b < count; ++b) {
      const float *block = x + (first + b) * blockSize;
      float laneLow[lanes], laneHigh[lanes];
      for (int64_t lane = 0; lane < lanes; ++lane)
        laneLow[lane] = laneHigh[lane] = block[lane];
      for (int64_t i = lanes; i < blockSize; i += lanes)
        for (int64_t lane = 0; lane < lanes; ++lane) {
          laneLow[lane] = minOf(block[i + lane], laneLow[lane]);
          laneHigh[lane] = maxOf(block[i + lane], laneHigh[lane]);
        }
      for (int64_t lane = 0; lane < lanes; ++lane) {
        low[b * lanes + lane] = laneLow[lane];
        high[b * lanes + lane] = laneHigh[lane];
      }
    }
    halve(low, count * 4, halfLow, minOf);
    halve(high, count * 4, halfHigh, maxOf);
    halve(halfLow, count * 2, low, minOf);
    halve(halfHigh, count * 2, high, maxOf);
    halve(low, count, halfLow, minOf);
    halve(high, count, halfHigh, maxOf);
    for (int64_t b = 0; b < count; ++b) {
      mins[first + b] = minOf(halfLow[b], mins[first + b]);
      maxs[first + b] = maxOf(halfHigh[b], maxs[first + b]);
    }
  }
}
} // namespace

namespace quant_mlir::numerics::detail {

QUANT_HOT void extendRanges(const float *__restrict x, Run run,
                            float *__restrict mins, float *__restrict maxs) {
  if (run.blockSize == 1) {
    mins += run.column;
    maxs += run.column;
    for (int64_t i = 0; i < run.count; ++i) {
      mins[i] = x[i] < mins[i] ? x[i] : mins[i];
      maxs[i] = x[i] > maxs[i] ? x[i] : maxs[i];
    }
    return;
  }
  if (run.blockSize % blockLanes == 0 && run.column % run.blockSize == 0 &&
      run.blockSize <= run.count) {
    const int64_t unit = run.column / run.blockSize;
    const int64_t blocks = run.count / run.blockSize;
    extendBlocks(x, blocks, run.blockSize, mins + unit, maxs + unit);
    x += blocks * run.blockSize;
    run.column += blocks * run.blockSize;
    run.count -= blocks * run.blockSize;
  }
  forEachBlock(run, [&](int64_t first, int64_t count, int64_t unit) {
    extendOne(x + first, count, mins[unit], maxs[unit]);
  });
}

QUANT_HOT int64_t countNonFinite(const void *source, ExpressedType type,
                                 int64_t count) {
  // Partial counts in the elements' own width vectorize best; a run is short
  // enough for them not to overflow.
  constexpr int64_t part = 4096;
  int64_t total = 0;
  for (int64_t first = 0; first < count; first += part) {
    const int64_t stop = std::min(count, first + part);
    if (type == ExpressedType::F32) {
      const uint32_t *bits = static_cast<const uint32_t *>(source);
      uint32_t found = 0;
      for (int64_t i = first; i < stop; ++i)
        found += (bits[i] & infBits) == infBits ? 1 : 0;
      total += found;
    } else {
      const uint16_t *bits = static_cast<const uint16_t *>(source);
      const uint16_t mask = type == ExpressedType::F16 ? 0x7c00 : 0x7f80;
      uint16_t found = 0;
      for (int64_t i = first; i < stop; ++i)
        found += (bits[i] & mask) == mask ? 1 : 0;
      total += found;
    }
  }
  return total;
}

} // namespace quant_mlir::numerics::detail
