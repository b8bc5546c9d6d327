//===- Statistics.cpp - What an observer sees -----------------------------===//
//
// A tensor is walked in the order of its memory: dimensions sorted by stride,
// and merged where one continues the other. Order does not matter to what is
// counted.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Statistics.h"

#include "Kernels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace quant_mlir::numerics;

struct Statistics::Dim {
  int64_t size;
  int64_t stride;
  int64_t unitStride; ///< 0: all indices are of one unit
};

void Statistics::beginBatch() {
  inBatch = false;
  std::fill(lows.begin(), lows.end(), detail::emptyLow);
  std::fill(highs.begin(), highs.end(), detail::emptyHigh);
}

FloatRange Statistics::batchRange(int64_t unit) const {
  if (lows[unit] > highs[unit])
    return {};
  // The sums make +0 of -0.
  return {detail::fromOrderedBits(lows[unit]) + 0.0f,
          detail::fromOrderedBits(highs[unit]) + 0.0f};
}

bool Statistics::add(const StridedTensor &tensor) {
  std::vector<Dim> dims;
  int64_t units = 1;
  for (int64_t i = tensor.rank; i-- > 0;) {
    const int64_t size = tensor.sizes[i];
    if (size == 0)
      return true;
    const bool isChannel = i < 64 && (tensor.channelDims >> i & 1);
    if (size != 1)
      dims.push_back({size, tensor.strides[i], isChannel ? units : 0});
    if (isChannel)
      units *= size;
  }
  if (lows.empty()) {
    lows.assign(units, detail::emptyLow);
    highs.assign(units, detail::emptyHigh);
    bins.resize(withHistograms ? units : 0);
  }
  if (units != numUnits())
    return false;
  if (!inBatch)
    ++numBatches;
  inBatch = true;

  // From the fastest to the slowest in memory.
  std::sort(dims.begin(), dims.end(), [](const Dim &a, const Dim &b) {
    return std::abs(a.stride) < std::abs(b.stride);
  });
  std::vector<Dim> merged;
  for (const Dim &dim : dims) {
    if (!merged.empty()) {
      Dim &inner = merged.back();
      if (dim.stride == inner.stride * inner.size &&
          dim.unitStride == inner.unitStride * inner.size) {
        inner.size *= dim.size;
        continue;
      }
    }
    merged.push_back(dim);
  }
  if (merged.empty())
    merged.push_back({1, 1, 0});

  // A histogram is worth more values at a time than one: the row is then a
  // dimension that stays in one unit, if there is one of some length.
  if (withHistograms && merged.front().unitStride != 0) {
    constexpr int64_t worthwhile = 16;
    auto inUnit =
        std::find_if(merged.begin(), merged.end(), [&](const Dim &dim) {
          return dim.unitStride == 0 && dim.size >= worthwhile;
        });
    if (inUnit != merged.end())
      std::rotate(merged.begin(), inUnit, inUnit + 1);
  }
  const Dim row = merged.front();
  const int64_t width = tensor.type == ExpressedType::F32 ? 4 : 2;
  const char *data = static_cast<const char *>(tensor.data);
  std::vector<int64_t> index(merged.size(), 0);
  int64_t unit = 0;
  for (;;) {
    addRow(data, tensor.type, row, unit);
    size_t i = 1;
    for (; i < merged.size(); ++i) {
      const Dim &dim = merged[i];
      data += dim.stride * width;
      unit += dim.unitStride;
      if (++index[i] < dim.size)
        break;
      data -= dim.size * dim.stride * width;
      unit -= dim.size * dim.unitStride;
      index[i] = 0;
    }
    if (i == merged.size())
      return true;
  }
}

template <typename T>
static void gather(const char *data, int64_t stride, int64_t count, T *out) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(out + i, data + i * stride * static_cast<int64_t>(sizeof(T)),
                sizeof(T));
}

void Statistics::addRow(const char *data, ExpressedType type, const Dim &row,
                        int64_t unit) {
  // Small enough that the second look, of the histogram, finds it in the cache.
  constexpr int64_t chunk = 2048;
  const bool isWide = type == ExpressedType::F32;
  const int64_t width = isWide ? 4 : 2;
  for (int64_t i = 0; i < row.size; i += chunk) {
    const int64_t count = std::min(chunk, row.size - i);
    const char *source = data + i * row.stride * width;
    float values[chunk];
    uint16_t narrow[chunk];
    const float *elements = values;
    if (isWide && row.stride == 1) {
      elements = reinterpret_cast<const float *>(source);
    } else if (isWide) {
      gather(source, row.stride, count, values);
    } else if (row.stride == 1) {
      detail::widen(source, type, count, values);
    } else {
      gather(source, row.stride, count, narrow);
      detail::widen(narrow, type, count, values);
    }
    if (row.unitStride == 0)
      addToUnit(elements, count, unit);
    else
      addAcrossUnits(elements, count, unit + i * row.unitStride,
                     row.unitStride);
  }
}

void Statistics::addToUnit(const float *values, int64_t count, int64_t unit) {
  detail::FiniteScan scan;
  detail::scanFinite(values, count, scan);
  const int64_t others = scan.nan + scan.inf;
  finite += count - others;
  numNaN += scan.nan;
  numInf += scan.inf;
  if (count == others)
    return;
  lows[unit] = std::min(lows[unit], detail::orderedBits(scan.range.min));
  highs[unit] = std::max(highs[unit], detail::orderedBits(scan.range.max));
  if (!withHistograms)
    return;
  if (others == 0) {
    bins[unit].add(values, count, scan.range);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    if (detail::isFinite(values[i]))
      bins[unit].addOne(values[i]);
}

void Statistics::addAcrossUnits(const float *values, int64_t count,
                                int64_t unit, int64_t step) {
  detail::FiniteScan scan;
  if (step == 1) {
    detail::scanColumns(values, count, lows.data() + unit, highs.data() + unit,
                        scan);
  } else {
    for (int64_t i = 0; i < count; ++i)
      detail::scanColumns(values + i, 1, lows.data() + unit + i * step,
                          highs.data() + unit + i * step, scan);
  }
  finite += count - scan.nan - scan.inf;
  numNaN += scan.nan;
  numInf += scan.inf;
  if (!withHistograms)
    return;
  for (int64_t i = 0; i < count; ++i)
    if (detail::isFinite(values[i]))
      bins[unit + i * step].addOne(values[i]);
}
