//===- CalibratorTest.cpp -------------------------------------------------===//
//
// Objectives against the scalar definitions of Params.h, and the search against
// trying all candidates. Whole calibrations are compared with the numpy oracle
// in test/quant-calibrate.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Calibrator.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

using namespace quant_mlir::numerics;

namespace {
Histogram histogramOf(const std::vector<float> &values) {
  Histogram histogram;
  histogram.add(values.data(), int64_t(values.size()));
  return histogram;
}

struct NamedHistogram {
  const char *name;
  Histogram histogram;
};

std::vector<NamedHistogram> makeHistograms() {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  auto make = [&](auto value, int count = 4000) {
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(), value);
    return histogramOf(values);
  };
  return {
      {"normal", make([&] { return normal(random); })},
      {"skewed", make([&] { return std::exp(normal(random)) - 0.5f; })},
      {"heavy", make([&] {
         return normal(random) / (0.01f + std::fabs(normal(random)));
       })},
      {"positive", make([&] { return std::max(0.0f, normal(random)); })},
      {"negative", make([&] { return -std::fabs(normal(random)); })},
      {"constant", make([&] { return 3.0f; })},
      {"zero", make([&] { return 0.0f; })},
      {"denormal", make([&] { return 1e-42f * normal(random); })},
      {"huge", histogramOf({3e38f, -3e38f, 1.0f})},
      {"outlier",
       [&] {
         std::vector<float> values(4000);
         for (float &value : values)
           value = normal(random);
         values[7] = 1000;
         return histogramOf(values);
       }()},
  };
}

std::vector<QuantSpec> makeSpecs() {
  std::vector<QuantSpec> specs;
  for (StorageType storage :
       {StorageType::Int8, StorageType::UInt8, StorageType::Int4,
        StorageType::UInt2, StorageType::Float8E4M3FN, StorageType::Float8E5M2})
    for (Scheme scheme : {Scheme::Symmetric, Scheme::SymmetricWithClipping,
                          Scheme::Asymmetric}) {
      QuantSpec spec;
      spec.storage = storage;
      spec.scheme = scheme;
      if (!checkSpec(spec))
        specs.push_back(spec);
    }
  return specs;
}

/// x' of the definition.
float requantized(float x, const QuantSpec &spec, const UnitParams &params) {
  CodeFormat format = {spec.storage, spec.formulation, rangeInUse(spec)};
  return dequantize(quantize(x, format, params), format, params);
}

double squareError(const Histogram &histogram, const QuantSpec &spec,
                   FloatRange range) {
  UnitParams params;
  if (paramsFromRange(spec, range.min, range.max, params) != ParamError::None)
    return INFINITY;
  double sum = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    double middle =
        std::ldexp(histogram.first() + double(i) + 0.5, histogram.widthLog2());
    float x = float(middle);
    if (histogram.counts()[i] == 0)
      continue;
    double error = double(requantized(x, spec, params)) - x;
    sum += double(histogram.counts()[i]) * error * error;
  }
  return sum;
}

double divergence(const Histogram &histogram, const QuantSpec &spec,
                  FloatRange range) {
  UnitParams params;
  if (paramsFromRange(spec, range.min, range.max, params) != ParamError::None)
    return INFINITY;
  struct Bin {
    double clipped, count;
    float value;
  };
  std::vector<Bin> bins;
  double below = 0, above = 0, total = 0, inside = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    double count = double(histogram.counts()[i]);
    float x = float(
        std::ldexp(histogram.first() + double(i) + 0.5, histogram.widthLog2()));
    if (count == 0)
      continue;
    total += count;
    if (x < range.min) {
      below += count;
    } else if (x > range.max) {
      above += count;
    } else {
      inside += count;
      bins.push_back({count, count, requantized(x, spec, params)});
    }
  }
  if (bins.empty())
    return INFINITY;
  bins.front().clipped += below;
  bins.back().clipped += above;
  std::map<float, std::pair<double, int>> groups;
  for (const Bin &bin : bins) {
    groups[bin.value].first += bin.count;
    groups[bin.value].second += 1;
  }
  double sum = 0;
  for (const Bin &bin : bins) {
    auto [mass, size] = groups[bin.value];
    double p = bin.clipped / total, q = mass / size / inside;
    sum += p * std::log(p / q);
  }
  return sum;
}

void expectNear(double found, double wanted, double absolute,
                const char *name) {
  if (std::isinf(wanted)) {
    EXPECT_EQ(found, wanted) << name;
    return;
  }
  EXPECT_NEAR(found, wanted, absolute + 1e-12 * std::fabs(wanted)) << name;
}

TEST(Calibrator, ObjectivesAreThoseOfTheDefinition) {
  for (const NamedHistogram &data : makeHistograms())
    for (const QuantSpec &spec : makeSpecs()) {
      auto ranges = candidateRanges(data.histogram, spec);
      for (size_t i = 0; i < ranges.size(); i += 1 + ranges.size() / 13) {
        expectNear(meanSquareObjective(data.histogram, spec, ranges[i]),
                   squareError(data.histogram, spec, ranges[i]), 0, data.name);
        expectNear(divergenceObjective(data.histogram, spec, ranges[i]),
                   divergence(data.histogram, spec, ranges[i]), 1e-12,
                   data.name);
      }
    }
}

TEST(Calibrator, ChoosesTheBestCandidate) {
  for (const NamedHistogram &data : makeHistograms())
    for (const QuantSpec &spec : makeSpecs()) {
      if (spec.storage == StorageType::Float8E5M2 ||
          (spec.scheme == Scheme::Asymmetric &&
           spec.storage != StorageType::Int8))
        continue;
      CalibrationRequest request;
      request.spec = spec;
      auto ranges = candidateRanges(data.histogram, spec);
      FloatRange mse = findCalibrator("mse")->resolve(data.histogram, request);
      FloatRange entropy =
          findCalibrator("entropy")->resolve(data.histogram, request);
      EXPECT_NE(std::find(ranges.begin(), ranges.end(), mse), ranges.end());
      EXPECT_NE(std::find(ranges.begin(), ranges.end(), entropy), ranges.end());
      double leastError = meanSquareObjective(data.histogram, spec, mse);
      double least = divergenceObjective(data.histogram, spec, entropy);
      double bins = std::ldexp(1.0, int(bitWidth(spec.storage)));
      double width = data.histogram.lowerEdge(1);
      // A part of them: that is enough to find a search that stops early.
      size_t step = ranges.size() > 3000 ? 67 : 3;
      for (size_t i = 0; i < ranges.size(); i += step) {
        EXPECT_GE(meanSquareObjective(data.histogram, spec, ranges[i]),
                  leastError);
        if (double(ranges[i].max) - ranges[i].min >= bins * width)
          EXPECT_GE(divergenceObjective(data.histogram, spec, ranges[i]),
                    least - 2e-12);
      }
    }
}

TEST(Calibrator, CandidatesEndAtTheData) {
  QuantSpec symmetric, asymmetric, fixed;
  asymmetric.scheme = Scheme::Asymmetric;
  fixed.scheme = Scheme::Asymmetric;
  fixed.floatHi = 6.0f;
  Histogram both = histogramOf({-1.0f, 3.0f});
  // Bins of 2^-8: the upper edge of that of 3.
  float hi = 3.0f + std::ldexp(1.0f, -8);
  auto ranges = candidateRanges(both, symmetric);
  EXPECT_EQ(ranges.size(), 2048u);
  EXPECT_EQ(ranges.front(), (FloatRange{-1.0f, hi}));
  EXPECT_EQ(ranges.back(), (FloatRange{-hi / 2048, hi / 2048}));
  ranges = candidateRanges(both, asymmetric);
  EXPECT_EQ(ranges.size(), 129u * 129 - 1);
  EXPECT_EQ(ranges.front(), (FloatRange{-1.0f, hi}));
  ranges = candidateRanges(both, fixed);
  EXPECT_EQ(ranges.size(), 2048u);
  EXPECT_EQ(ranges.front(), (FloatRange{-1.0f, 6.0f}));
  ranges = candidateRanges(histogramOf({-1.0f, -3.0f}), asymmetric);
  EXPECT_EQ(ranges.size(), 2048u);
  EXPECT_EQ(ranges.front(), (FloatRange{-3.0f, 0.0f}));
  ranges = candidateRanges(histogramOf({0.0f}), asymmetric);
  EXPECT_EQ(ranges.front(), (FloatRange{0.0f, std::ldexp(1.0f, -149)}));
}

FloatRange percentile(const Histogram &histogram, double p) {
  CalibrationRequest request;
  request.percentile = p;
  return findCalibrator("percentile")->resolve(histogram, request);
}

TEST(Calibrator, PercentileIsLinearInABin) {
  // 1000 values each in [-2, -1), [0, 1) and [1, 2): bins far finer than that,
  // and evenly filled.
  std::vector<float> values;
  for (int i = 0; i < 1024; ++i)
    for (float start : {-2.0f, 0.0f, 1.0f})
      values.push_back(start + float(i) / 1024);
  Histogram histogram = histogramOf(values);
  FloatRange range = percentile(histogram, 90);
  EXPECT_FLOAT_EQ(range.max, 1.7f);
  EXPECT_FLOAT_EQ(range.min, -1.7f);
  range = percentile(histogram, 100);
  EXPECT_FLOAT_EQ(range.max, 2.0f);
  EXPECT_FLOAT_EQ(range.min, -2.0f);
  // 60 % do not fall below 0.2, but 0 is always in the range.
  range = percentile(histogram, 60);
  EXPECT_FLOAT_EQ(range.max, 0.8f);
  EXPECT_EQ(range.min, 0.0f);
}

TEST(Calibrator, PercentileOfFewValues) {
  EXPECT_TRUE(percentile(Histogram(), 99).isEmpty());
  FloatRange range = percentile(histogramOf({-4.0f}), 99.999);
  EXPECT_EQ(range.max, 0.0f);
  EXPECT_NEAR(range.min, -4.0f, 1e-2);
  range = percentile(histogramOf({3.4e38f, -3.4e38f}), 100);
  EXPECT_TRUE(std::isfinite(range.min) && std::isfinite(range.max));
}

TEST(Calibrator, MovingAverageIncludesZeroAndStartsWithTheFirstBatch) {
  const Calibrator *calibrator = findCalibrator("moving_average");
  FloatRange running;
  calibrator->addBatch(running, {1.0f, 2.0f});
  EXPECT_EQ(running, (FloatRange{0.0f, 2.0f}));
  calibrator->addBatch(running, {-1.0f, 3.0f});
  EXPECT_EQ(running, (FloatRange{0.01f * -1.0f, 2.0f + 0.01f * 1.0f}));
  EXPECT_TRUE(calibrator->dependsOnOrder());
}

TEST(Calibrator, GlobalMinMaxKeepsTheEnds) {
  const Calibrator *calibrator = findCalibrator("global_minmax");
  FloatRange running;
  calibrator->addBatch(running, {1.0f, 2.0f});
  calibrator->addBatch(running, {0.5f, 1.0f});
  EXPECT_EQ(running, (FloatRange{0.5f, 2.0f}));
}

TEST(Calibrator, IsRegisteredByName) {
  class Halving : public Calibrator {
  public:
    Halving() : Calibrator("halving") {}
    void addBatch(FloatRange &running, FloatRange batch) const override {
      running = {batch.min / 2, batch.max / 2};
    }
  };
  EXPECT_EQ(findCalibrator("halving"), nullptr);
  EXPECT_EQ(findCalibrator("static"), nullptr);
  EXPECT_TRUE(registerCalibrator(std::make_unique<Halving>()));
  EXPECT_FALSE(registerCalibrator(std::make_unique<Halving>()));
  ASSERT_NE(findCalibrator("halving"), nullptr);
  FloatRange running;
  findCalibrator("halving")->addBatch(running, {-1.0f, 2.0f});
  EXPECT_EQ(running, (FloatRange{-0.5f, 1.0f}));
  EXPECT_EQ(calibratorNames(), "moving_average, global_minmax, percentile, "
                               "mse, entropy, halving");
}
} // namespace
