//===- Histogram.h - Counts of values, in bins of 2^n -----------*- C++ -*-===//
//
// docs/numerics.md section 5. Bin k is [k*w, (k+1)*w), w the smallest power of
// two for which at most 2048 bins cover all values and 0. So the bins follow
// from the smallest and the largest value alone: neither the order of values
// nor the parts in which they come matter, and two histograms merge exactly
// into that of all values. Memory is constant.
//
// w is at least 2^-149, the smallest binary32 number.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_HISTOGRAM_H
#define QUANT_MLIR_NUMERICS_HISTOGRAM_H

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace quant_mlir::numerics {

/// A closed interval of binary32 values; empty until something is in it.
struct FloatRange {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();

  bool isEmpty() const { return !(min <= max); }
  /// Widens to include a value, or another range.
  void include(float value) {
    min = value < min ? value : min;
    max = value > max ? value : max;
  }
  void include(const FloatRange &other) {
    min = other.min < min ? other.min : min;
    max = other.max > max ? other.max : max;
  }
  bool operator==(const FloatRange &o) const {
    return (min == o.min && max == o.max) || (isEmpty() && o.isEmpty());
  }
  bool operator!=(const FloatRange &o) const { return !(*this == o); }
};

class Histogram {
public:
  static constexpr int maxBins = 2048;
  static constexpr int minWidthLog2 = -149;
  static constexpr int maxWidthLog2 = 118; ///< for +-FLT_MAX

  Histogram() = default;
  /// From its parts; `checkParts` must have nothing to say about them.
  Histogram(int widthLog2, int first, std::vector<uint64_t> counts)
      : width(widthLog2), low(first), bins(std::move(counts)) {}

  /// Why these cannot be the parts of a histogram, worded as "expected …, found
  /// …"; nullopt where they can. All but trailing and leading zero counts is
  /// checked: whether w is the smallest follows from the first and last bin.
  static std::optional<std::string>
  checkParts(int64_t widthLog2, int64_t first,
             const std::vector<uint64_t> &counts);

  bool isEmpty() const { return bins.empty(); }
  /// log2 of the width of a bin.
  int widthLog2() const { return width; }
  /// Index k of the first bin, at most 0.
  int first() const { return low; }
  /// One per bin, the bin of 0 among them; empty before the first value.
  const std::vector<uint64_t> &counts() const { return bins; }
  uint64_t total() const;
  /// A bin's lower end, exact.
  double lowerEdge(int64_t bin) const;

  /// Counts values, which must be finite.
  void add(const float *values, int64_t count);
  /// The same where the values' smallest and largest are known.
  void add(const float *values, int64_t count, FloatRange range);
  void addOne(float value);
  /// Adds all that another histogram has counted.
  void merge(const Histogram &other);

  bool operator==(const Histogram &o) const {
    return width == o.width && low == o.low && bins == o.bins;
  }

private:
  /// Makes the bins cover `newLow`..`newHigh` at the width `newWidth` or wider.
  void cover(int newWidth, int64_t newLow, int64_t newHigh);

  int width = minWidthLog2;
  int low = 0;
  std::vector<uint64_t> bins;
};

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_HISTOGRAM_H
