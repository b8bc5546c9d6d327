//===- Calibrator.cpp - From observed data to a range ---------------------===//
//
// The registry, and the calibrators that take no search. Those that do are in
// RangeSearch.cpp.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Calibrator.h"

#include "RangeSearch.h"

#include <algorithm>
#include <limits>
#include <mutex>

using namespace quant_mlir::numerics;

Calibrator::~Calibrator() = default;

namespace {
class GlobalMinMax : public Calibrator {
public:
  GlobalMinMax() : Calibrator("global_minmax") {}
};

class MovingAverage : public Calibrator {
public:
  MovingAverage() : Calibrator("moving_average") {}
  bool dependsOnOrder() const override { return true; }
  void addBatch(FloatRange &running, FloatRange batch) const override {
    batch.include(0.0f);
    if (running.isEmpty()) {
      running = batch;
      return;
    }
    constexpr float c = 0.01f;
    running.min = running.min + c * (batch.min - running.min);
    running.max = running.max + c * (batch.max - running.max);
  }
};

class Percentile : public Calibrator {
public:
  Percentile() : Calibrator("percentile") {}
  bool usesHistogram() const override { return true; }
  FloatRange resolve(const Histogram &histogram,
                     const CalibrationRequest &request) const override;
};
} // namespace

FloatRange Percentile::resolve(const Histogram &histogram,
                               const CalibrationRequest &request) const {
  const std::vector<uint64_t> &counts = histogram.counts();
  const uint64_t total = histogram.total();
  if (total == 0)
    return {};
  const double wanted =
      static_cast<double>(total) * (request.percentile / 100.0);
  const double width = histogram.lowerEdge(1);
  // Counts are whole numbers up to 2^53 at the least: the sums are exact.
  auto distance = [&](auto begin, auto end) {
    double below = 0;
    double last = 0;
    for (auto it = begin; it != end; ++it) {
      const double count = static_cast<double>(*it);
      if (*it != 0) {
        last = static_cast<double>(it - begin) + 1;
        if (below + count >= wanted)
          return static_cast<double>(it - begin) + (wanted - below) / count;
      }
      below += count;
    }
    return last;
  };
  // Bins from the lowest edge upwards, and from the highest downwards.
  const double first = histogram.first();
  const double size = static_cast<double>(counts.size());
  const double hi = first + distance(counts.begin(), counts.end());
  const double lo = first + size - distance(counts.rbegin(), counts.rend());
  FloatRange range = {detail::toFloatRange(lo * width),
                      detail::toFloatRange(hi * width)};
  range.include(0.0f);
  return range;
}

//===----------------------------------------------------------------------===//
// Registry
//===----------------------------------------------------------------------===//

namespace {
struct Registry {
  std::mutex mutex;
  std::vector<std::unique_ptr<Calibrator>> calibrators;

  Registry() {
    calibrators.push_back(std::make_unique<MovingAverage>());
    calibrators.push_back(std::make_unique<GlobalMinMax>());
    calibrators.push_back(std::make_unique<Percentile>());
    calibrators.push_back(detail::makeMseCalibrator());
    calibrators.push_back(detail::makeEntropyCalibrator());
  }
  const Calibrator *find(std::string_view name) const {
    for (const std::unique_ptr<Calibrator> &calibrator : calibrators)
      if (calibrator->name() == name)
        return calibrator.get();
    return nullptr;
  }
};

Registry &registry() {
  static Registry instance;
  return instance;
}
} // namespace

bool quant_mlir::numerics::registerCalibrator(
    std::unique_ptr<Calibrator> calibrator) {
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  // `static` names what weights do.
  if (calibrator->name() == "static" || all.find(calibrator->name()))
    return false;
  all.calibrators.push_back(std::move(calibrator));
  return true;
}

const Calibrator *quant_mlir::numerics::findCalibrator(std::string_view name) {
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  return all.find(name);
}

std::string quant_mlir::numerics::calibratorNames() {
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  std::string names;
  for (const std::unique_ptr<Calibrator> &calibrator : all.calibrators)
    names += (names.empty() ? "" : ", ") + calibrator->name();
  return names;
}
