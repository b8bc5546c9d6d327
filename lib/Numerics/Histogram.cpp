//===- Histogram.cpp - Counts of values, in bins of 2^n -------------------===//

#include "quant-mlir/Numerics/Histogram.h"

#include "Kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace quant_mlir::numerics;

/// 2^-widthLog2, always a normal binary64 number.
static double scaleOf(int widthLog2) {
  const uint64_t bits = static_cast<uint64_t>(1023 - widthLog2) << 52;
  double scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return scale;
}

/// The bin of a value; exact, since scaling by a power of two is exact in
/// binary64 for every binary32 number and width.
static int64_t binOf(float value, int widthLog2) {
  return static_cast<int64_t>(
      std::floor(static_cast<double>(value) * scaleOf(widthLog2)));
}

/// The bin, of a width 2^shift times as large, that a bin lies in.
static int64_t coarsen(int64_t bin, int shift) {
  return bin >> std::min(shift, 62);
}

static bool fits(int64_t low, int64_t high) {
  return high - low < Histogram::maxBins;
}

std::optional<std::string>
Histogram::checkParts(int64_t widthLog2, int64_t first,
                      const std::vector<uint64_t> &counts) {
  if (widthLog2 < minWidthLog2 || widthLog2 > maxWidthLog2)
    return "expected a width_log2 from " + std::to_string(minWidthLog2) +
           " to " + std::to_string(maxWidthLog2) + ", found " +
           std::to_string(widthLog2);
  const int64_t size = static_cast<int64_t>(counts.size());
  if (size > maxBins)
    return "expected at most " + std::to_string(maxBins) + " counts, found " +
           std::to_string(size);
  if (size == 0)
    return std::nullopt;
  if (first > 0 || first <= -size)
    return "expected the bin of 0 among the " + std::to_string(size) +
           " bins from 'first', found " + std::to_string(first);
  uint64_t total = 0;
  for (uint64_t count : counts) {
    if (count > INT64_MAX - total)
      return "expected counts whose sum fits in 63 bits";
    total += count;
  }
  return std::nullopt;
}

uint64_t Histogram::total() const {
  uint64_t sum = 0;
  for (uint64_t count : bins)
    sum += count;
  return sum;
}

double Histogram::lowerEdge(int64_t bin) const {
  return std::ldexp(static_cast<double>(bin), width);
}

void Histogram::cover(int newWidth, int64_t newLow, int64_t newHigh) {
  // Everything as bins of the new width, and that as fine as it fits.
  int shift = bins.empty() ? 0 : newWidth - width;
  int64_t high = low + static_cast<int64_t>(bins.size()) - 1;
  if (!bins.empty()) {
    newLow = std::min<int64_t>(newLow, coarsen(low, shift));
    newHigh = std::max<int64_t>(newHigh, coarsen(high, shift));
  }
  while (!fits(newLow, newHigh)) {
    newLow >>= 1;
    newHigh >>= 1;
    ++newWidth;
    ++shift;
  }
  if (!bins.empty() && shift == 0 && newLow == low && newHigh == high)
    return;
  std::vector<uint64_t> counts(static_cast<size_t>(newHigh - newLow + 1));
  for (size_t i = 0; i < bins.size(); ++i)
    counts[static_cast<size_t>(coarsen(low + static_cast<int64_t>(i), shift) -
                               newLow)] += bins[i];
  width = newWidth;
  low = static_cast<int>(newLow);
  bins = std::move(counts);
}

void Histogram::add(const float *values, int64_t count) {
  detail::FiniteScan scan;
  detail::scanFinite(values, count, scan);
  add(values, count, scan.range);
}

void Histogram::add(const float *values, int64_t count, FloatRange range) {
  if (count == 0)
    return;
  range.include(0.0f);
  // The finest width for these values, from slightly too fine upwards; never
  // finer than what is there.
  const float largest = std::max(-range.min, range.max);
  int fine = largest == 0 ? minWidthLog2 : std::ilogb(largest) - 11;
  fine = std::max(fine, bins.empty() ? minWidthLog2 : width);
  while (!fits(binOf(range.min, fine), binOf(range.max, fine)))
    ++fine;
  cover(fine, binOf(range.min, fine), binOf(range.max, fine));

  constexpr int64_t chunk = 1024;
  int32_t indices[chunk];
  const double scale = scaleOf(width);
  uint64_t *const data = bins.data();
  for (int64_t i = 0; i < count; i += chunk) {
    const int64_t size = std::min(chunk, count - i);
    detail::binIndices(values + i, size, scale, low, indices);
    for (int64_t j = 0; j < size; ++j)
      ++data[indices[j]];
  }
}

void Histogram::addOne(float value) {
  const double scaled = static_cast<double>(value) * scaleOf(width);
  if (scaled >= low && scaled < low + static_cast<double>(bins.size())) {
    ++bins[static_cast<size_t>(static_cast<int64_t>(std::floor(scaled)) - low)];
    return;
  }
  add(&value, 1, {value, value});
}

void Histogram::merge(const Histogram &other) {
  if (other.bins.empty())
    return;
  const int newWidth =
      bins.empty() ? other.width : std::max(width, other.width);
  const int shift = newWidth - other.width;
  const int64_t otherHigh =
      other.low + static_cast<int64_t>(other.bins.size()) - 1;
  cover(newWidth, coarsen(other.low, shift), coarsen(otherHigh, shift));
  const int distance = width - other.width;
  for (size_t i = 0; i < other.bins.size(); ++i)
    bins[static_cast<size_t>(
        coarsen(other.low + static_cast<int64_t>(i), distance) - low)] +=
        other.bins[i];
}
