//===- RangeSearch.cpp - Calibrators that search --------------------------===//
//
// Every candidate is tried: the answer is the minimiser over the grid, not a
// local one. What makes that quick is that a histogram has at most 2048 values,
// that bins without a count are left out, and that the array loops of the
// quantizer do the arithmetic of section 2: a candidate costs about 2 us, all
// of a unit 5 to 50 ms.
//
//===----------------------------------------------------------------------===//

#include "RangeSearch.h"

#include "Kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

static constexpr double infinity = std::numeric_limits<double>::infinity();

float detail::toFloatRange(double value) {
  constexpr double largest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -largest, largest));
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// Outer edges of the outermost bins with a count, and 0.
static std::pair<double, double> dataEnds(const Histogram &histogram) {
  const std::vector<uint64_t> &counts = histogram.counts();
  double lo = 0, hi = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0)
      continue;
    const int64_t bin = histogram.first() + static_cast<int64_t>(i);
    lo = std::min(lo, histogram.lowerEdge(bin));
    if (bin >= 0)
      hi = histogram.lowerEdge(bin + 1);
  }
  return {lo, hi};
}

/// `end` times i/steps, i = steps to `last`.
static std::vector<float> steps(double end, int steps, int last) {
  std::vector<float> ends;
  for (int i = steps; i >= last; --i)
    ends.push_back(toFloatRange(end * i / steps));
  return ends;
}

std::vector<FloatRange>
quant_mlir::numerics::candidateRanges(const Histogram &histogram,
                                      const QuantSpec &spec) {
  constexpr int fine = 2048, coarse = 128;
  auto [lo, hi] = dataEnds(histogram);
  const bool isFixed = spec.floatLo || spec.floatHi;
  std::vector<FloatRange> ranges;
  if (spec.scheme != Scheme::Asymmetric && !isFixed) {
    const double amax = std::max(-lo, hi);
    const float low = toFloatRange(lo), high = toFloatRange(hi);
    for (float end : steps(amax, fine, 1))
      ranges.push_back({std::max(-end, low), std::min(end, high)});
    return ranges;
  }
  // The smallest step of one end is 0 only where the other end is not.
  auto ends = [&](const std::optional<float> &fixed, double data,
                  bool isAlone) -> std::vector<float> {
    if (fixed)
      return {*fixed};
    if (data == 0)
      return {0.0f};
    return steps(data, isAlone ? fine : coarse, isAlone ? 1 : 0);
  };
  const bool hiIsAlone = spec.floatLo || lo == 0;
  const bool loIsAlone = spec.floatHi || hi == 0;
  const std::vector<float> highs = ends(spec.floatHi, hi, hiIsAlone);
  for (float low : ends(spec.floatLo, lo, loIsAlone))
    for (float high : highs)
      if (low != 0 || high != 0 || (lo == 0 && hi == 0))
        ranges.push_back({low, high});
  return ranges;
}

//===----------------------------------------------------------------------===//
// Objectives
//===----------------------------------------------------------------------===//

namespace {
/// The bins with a count: their middles and counts, and room for what becomes
/// of them.
struct Bins {
  std::vector<float> values;
  std::vector<double> counts;
  std::vector<double> before;    ///< sums of the counts of all bins before
  std::vector<double> countLogs; ///< count * log(count)
  double width = 0;
  std::vector<uint8_t> codes;
  std::vector<float> quantized;

  explicit Bins(const Histogram &histogram) : before(1, 0.0) {
    const std::vector<uint64_t> &all = histogram.counts();
    width = histogram.lowerEdge(1);
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] == 0)
        continue;
      const double bin = histogram.first() + static_cast<double>(i);
      values.push_back(toFloatRange((bin + 0.5) * width));
      const double count = static_cast<double>(all[i]);
      counts.push_back(count);
      countLogs.push_back(count * std::log(count));
      before.push_back(before.back() + count);
    }
    codes.resize(values.size());
    quantized.resize(values.size());
  }

  /// Quantizes bins first..first+count-1 with the parameters of the range;
  /// false where it has none.
  bool quantize(const QuantSpec &spec, FloatRange range, size_t first,
                size_t count) {
    UnitParams params;
    if (paramsFromRange(spec, range.min, range.max, params) != ParamError::None)
      return false;
    const CodeFormat format = {spec.storage, spec.formulation,
                               rangeInUse(spec)};
    // A null pointer says that the formulation has none.
    const bool hasMinval = spec.formulation == Formulation::MinVal;
    const RowParams row = {&params.scale, hasMinval ? nullptr : &params.zeroPoint,
                           hasMinval ? &params.minval : nullptr};
    const int64_t size = static_cast<int64_t>(count);
    const Run run = {size, 0, std::max<int64_t>(size, 1)};
    quantizeRun(format, row, values.data() + first, run, codes.data() + first,
                nullptr);
    dequantizeRun(format, row, codes.data() + first, run,
                  quantized.data() + first);
    return true;
  }
};

double squareError(Bins &bins, const QuantSpec &spec, FloatRange range) {
  if (!bins.quantize(spec, range, 0, bins.values.size()))
    return infinity;
  return weightedSquareError(bins.values.data(), bins.quantized.data(),
                             bins.counts.data(),
                             static_cast<int64_t>(bins.values.size()));
}

double divergence(Bins &bins, const QuantSpec &spec, FloatRange range) {
  const std::vector<float> &values = bins.values;
  const std::vector<double> &counts = bins.counts;
  const size_t first = static_cast<size_t>(
      std::lower_bound(values.begin(), values.end(), range.min) -
      values.begin());
  const size_t last = static_cast<size_t>(
      std::upper_bound(values.begin(), values.end(), range.max) -
      values.begin());
  if (first >= last || !bins.quantize(spec, range, first, last - first))
    return infinity;
  const double total = bins.before.back();
  const double below = bins.before[first];
  const double above = total - bins.before[last];
  const double inside = total - below - above;

  // sum p log(p / q) with p = clipped / total, q = group / (bins * inside),
  // where bins of one value make a group.
  double sum = 0;
  for (size_t i = first; i < last;) {
    double group = 0, clipped = 0, own = 0;
    size_t j = i;
    for (; j < last && bins.quantized[j] == bins.quantized[i]; ++j) {
      const double p =
          counts[j] + (j == first ? below : 0) + (j + 1 == last ? above : 0);
      group += counts[j];
      clipped += p;
      own += p == counts[j] ? bins.countLogs[j] : p * std::log(p);
    }
    sum += own;
    sum -= clipped * std::log(group / static_cast<double>(j - i));
    i = j;
  }
  return sum / total + std::log(inside / total);
}
} // namespace

double quant_mlir::numerics::meanSquareObjective(const Histogram &histogram,
                                                 const QuantSpec &spec,
                                                 FloatRange range) {
  Bins bins(histogram);
  return squareError(bins, spec, range);
}

double quant_mlir::numerics::divergenceObjective(const Histogram &histogram,
                                                 const QuantSpec &spec,
                                                 FloatRange range) {
  Bins bins(histogram);
  return divergence(bins, spec, range);
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

namespace {
class Searching : public Calibrator {
public:
  using Calibrator::Calibrator;
  bool usesHistogram() const override { return true; }
  bool dependsOnStorage() const override { return true; }

  FloatRange resolve(const Histogram &histogram,
                     const CalibrationRequest &request) const override {
    if (histogram.total() == 0)
      return {};
    Bins bins(histogram);
    const std::vector<FloatRange> ranges =
        candidateRanges(histogram, request.spec);
    // The widest stays where nothing is better, and where no range has
    // parameters, which is then the reader's error.
    FloatRange best = ranges.front();
    double least = infinity;
    for (const FloatRange &range : ranges) {
      if (!isAllowed(bins, request.spec, range) && range != ranges.front())
        continue;
      const double value = objective(bins, request.spec, range);
      if (value < least - tolerance()) {
        least = value;
        best = range;
      }
    }
    return best;
  }

private:
  virtual double objective(Bins &bins, const QuantSpec &spec,
                           FloatRange range) const = 0;
  virtual bool isAllowed(const Bins &bins, const QuantSpec &spec,
                         FloatRange range) const {
    return true;
  }
  /// By how much a narrower range has to be better.
  virtual double tolerance() const { return 0; }
};

class Mse final : public Searching {
public:
  Mse() : Searching("mse") {}

private:
  double objective(Bins &bins, const QuantSpec &spec,
                   FloatRange range) const override {
    return squareError(bins, spec, range);
  }
};

class Entropy final : public Searching {
public:
  Entropy() : Searching("entropy") {}

private:
  double objective(Bins &bins, const QuantSpec &spec,
                   FloatRange range) const override {
    return divergence(bins, spec, range);
  }
  /// At least as many bins as codes: with fewer, nothing is lost by quantizing,
  /// and a range of one bin would be without any divergence.
  bool isAllowed(const Bins &bins, const QuantSpec &spec,
                 FloatRange range) const override {
    const double codes =
        std::ldexp(1.0, static_cast<int>(bitWidth(spec.storage)));
    return static_cast<double>(range.max) - range.min >= codes * bins.width;
  }
  /// Rounding of the sums.
  double tolerance() const override { return 1e-12; }
};
} // namespace

std::unique_ptr<Calibrator> detail::makeMseCalibrator() {
  return std::make_unique<Mse>();
}
std::unique_ptr<Calibrator> detail::makeEntropyCalibrator() {
  return std::make_unique<Entropy>();
}
