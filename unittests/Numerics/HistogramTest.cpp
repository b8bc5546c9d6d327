//===- HistogramTest.cpp --------------------------------------------------===//
//
// Against the definition, computed for all values at once.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Histogram.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace quant_mlir::numerics;

namespace {
/// Every width is tried, from the finest.
Histogram define(const std::vector<float> &values) {
  if (values.empty())
    return {};
  for (int width = -149;; ++width) {
    auto bin = [&](float value) {
      return std::floor(std::ldexp(double(value), -width));
    };
    double low = 0, high = 0;
    for (float value : values) {
      low = std::min(low, bin(value));
      high = std::max(high, bin(value));
    }
    if (high - low + 1 > 2048)
      continue;
    std::vector<uint64_t> counts(size_t(high - low) + 1);
    for (float value : values)
      ++counts[size_t(bin(value) - low)];
    return Histogram(width, int(low), counts);
  }
}

void expectEqual(const Histogram &found, const Histogram &wanted) {
  EXPECT_EQ(found.widthLog2(), wanted.widthLog2());
  EXPECT_EQ(found.first(), wanted.first());
  EXPECT_EQ(found.counts(), wanted.counts());
}

std::vector<std::vector<float>> makeData() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::cauchy_distribution<float> heavy;
  std::vector<std::vector<float>> data;
  auto make = [&](auto value) {
    std::vector<float> &values = data.emplace_back(5000);
    std::generate(values.begin(), values.end(), value);
  };
  make([&] { return normal(random); });
  make([&] { return heavy(random); });
  make([&] { return -std::fabs(normal(random)); });
  make([&] { return 100 + normal(random); });
  make([&] { return 0.0f; });
  make([&] { return -0.0f; });
  make([&] { return 3.0f; });
  make([&] { return -3.0f; });
  make([&] { return 1e-45f; });
  make([&] { return -1e-45f; });
  make([&] { return 1e-42f * normal(random); });
  make([&] { return std::ldexp(normal(random), int(25 * normal(random))); });
  data.push_back({3.4028234e38f, -3.4028234e38f, 1e-45f, -1e-45f});
  data.push_back({2047.999f, 2048.0f, 1.0f});
  data.push_back({-1e-45f, 1e20f});
  data.push_back({});
  return data;
}

TEST(Histogram, HasTheBinsThatTheRangeGives) {
  for (const std::vector<float> &values : makeData()) {
    Histogram histogram;
    histogram.add(values.data(), int64_t(values.size()));
    expectEqual(histogram, define(values));
    EXPECT_EQ(histogram.total(), values.size());
    EXPECT_FALSE(Histogram::checkParts(histogram.widthLog2(), histogram.first(),
                                       histogram.counts()));
  }
}

TEST(Histogram, DependsNeitherOnOrderNorOnParts) {
  std::mt19937 random(2);
  for (std::vector<float> values : makeData()) {
    Histogram wanted = define(values);
    for (int trial = 0; trial < 4; ++trial) {
      std::shuffle(values.begin(), values.end(), random);
      Histogram added, parts[3];
      for (size_t i = 0, n; i < values.size(); i += n) {
        n = std::min<size_t>(1 + random() % 1500, values.size() - i);
        added.add(values.data() + i, int64_t(n));
        parts[random() % 3].add(values.data() + i, int64_t(n));
      }
      expectEqual(added, wanted);
      Histogram merged;
      for (const Histogram &part : parts)
        merged.merge(part);
      expectEqual(merged, wanted);
    }
  }
}

TEST(Histogram, GrowsOverAllMagnitudes) {
  std::vector<float> values = {-1e-45f, 3e-45f, -1e-40f, 1e-30f, -1e-20f,
                               1.0f,    -2e20f, 3e38f,   -3e38f};
  Histogram wanted = define(values), one, merged;
  for (float value : values)
    one.addOne(value);
  expectEqual(one, wanted);
  for (size_t i = values.size(); i-- > 0;) {
    Histogram single;
    single.add(&values[i], 1);
    merged.merge(single);
  }
  expectEqual(merged, wanted);
}

TEST(Histogram, RefusesPartsThatAreNone) {
  EXPECT_FALSE(Histogram::checkParts(0, 0, {}));
  EXPECT_FALSE(Histogram::checkParts(0, -1, {1, 2}));
  EXPECT_TRUE(Histogram::checkParts(-150, 0, {1}));
  EXPECT_TRUE(Histogram::checkParts(119, 0, {1}));
  EXPECT_TRUE(Histogram::checkParts(0, 1, {1}));
  EXPECT_TRUE(Histogram::checkParts(0, -2, {1, 2}));
  EXPECT_TRUE(Histogram::checkParts(0, 0, std::vector<uint64_t>(2049)));
  EXPECT_TRUE(Histogram::checkParts(0, 0, {1ull << 62, 1ull << 62}));
}
} // namespace
