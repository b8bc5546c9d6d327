//===- ErrorStatisticsTest.cpp --------------------------------------------===//

#include "quant-mlir/ErrorReport/ErrorStatistics.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <random>
#include <set>

using namespace quant_mlir;
using namespace quant_mlir::numerics;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(ErrorStatistics, SplitsTheErrorIntoLocalAndInherited) {
  const float f[] = {3, 4, 0, 0}, q[] = {4, 4, 0, -2}, l[] = {3, 5, 0, 0};
  ErrorStatistics statistics;
  statistics.add(f, q, l, 4);
  EXPECT_EQ(statistics.getCount(), 4u);
  EXPECT_DOUBLE_EQ(statistics.getReferenceRms(), 2.5);
  EXPECT_DOUBLE_EQ(statistics.getTotal().power, 1 + 4);
  EXPECT_DOUBLE_EQ(statistics.getTotal().maxAbs, 2);
  EXPECT_DOUBLE_EQ(statistics.getLocal().power, 1);
  EXPECT_DOUBLE_EQ(statistics.getInherited().power, 1 + 1 + 4);
  EXPECT_DOUBLE_EQ(*statistics.getSqnrDb(statistics.getTotal()),
                   10 * std::log10(25.0 / 5.0));
}

TEST(ErrorStatistics, BatchesOfAnySizeGiveTheSameSums) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> f(5000), q(5000), l(5000);
  double power = 0, largest = 0;
  for (size_t i = 0; i < f.size(); ++i) {
    f[i] = normal(random);
    l[i] = f[i] + 0.1f * normal(random);
    q[i] = l[i] + 0.2f * normal(random);
    double error = double(q[i]) - double(f[i]);
    power += error * error;
    largest = std::max(largest, std::abs(error));
  }
  ErrorStatistics whole, parts;
  whole.add(f.data(), q.data(), l.data(), 5000);
  for (int i = 0; i < 5000; i += 8)
    parts.add(&f[i], &q[i], &l[i], 8);
  for (const ErrorStatistics *statistics : {&whole, &parts}) {
    EXPECT_DOUBLE_EQ(statistics->getTotal().power, power);
    EXPECT_DOUBLE_EQ(statistics->getTotal().maxAbs, largest);
    EXPECT_EQ(statistics->getErrors().total(), 5000u);
  }
  EXPECT_TRUE(whole.getErrors() == parts.getErrors());
  EXPECT_TRUE(whole.getReferenceValues() == parts.getReferenceValues());
  EXPECT_TRUE(whole.getQuantizedValues() == parts.getQuantizedValues());
}

TEST(ErrorStatistics, NonFiniteElementsAreCountedAndLeftOut) {
  const float f[] = {1, nan, 1, infinity, 2}, q[] = {1, 1, nan, infinity, 3},
              l[] = {1, 1, 1, 1, infinity};
  ErrorStatistics statistics;
  statistics.add(f, q, l, 5);
  EXPECT_EQ(statistics.getCount(), 1u);
  EXPECT_EQ(statistics.getNonFinite(), 4u);
  EXPECT_EQ(statistics.getTotal().power, 0);
}

TEST(ErrorStatistics, SqnrOfNothingAndOfNothingButError) {
  ErrorStatistics empty, exact, zeros;
  const float zero[] = {0, 0}, one[] = {1, 1};
  exact.add(one, one, one, 2);
  zeros.add(zero, one, zero, 2);
  for (const ErrorStatistics *statistics : {&empty, &exact}) {
    EXPECT_FALSE(statistics->getSqnrDb(statistics->getTotal()));
    EXPECT_EQ(statistics->getOrderedSqnrDb(statistics->getTotal()), infinity);
  }
  EXPECT_FALSE(zeros.getSqnrDb(zeros.getTotal()));
  EXPECT_EQ(zeros.getOrderedSqnrDb(zeros.getTotal()), -infinity);
  EXPECT_EQ(empty.getReferenceRms(), 0);
  ErrorStatistics lost;
  const float nans[] = {nan, nan};
  lost.add(nans, one, one, 2);
  EXPECT_FALSE(lost.getSqnrDb(lost.getTotal()));
  EXPECT_EQ(lost.getOrderedSqnrDb(lost.getTotal()), -infinity);
}

TEST(ErrorStatistics, LargestAndSmallestNumbers) {
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  const float f[] = {largest, smallest}, q[] = {-largest, 0};
  ErrorStatistics statistics;
  statistics.add(f, q, f, 2);
  EXPECT_DOUBLE_EQ(statistics.getTotal().maxAbs, 2.0 * largest);
  EXPECT_NEAR(*statistics.getSqnrDb(statistics.getTotal()),
              -20 * std::log10(2.0), 1e-9);
  EXPECT_EQ(statistics.getErrors().total(), 2u);
}

TEST(CodeStatistics, CountsCodesAndClipping) {
  TensorParams params;
  params.format = {StorageType::Int8, Formulation::ZeroPoint, {-128, 127}};
  params.scales = {0.5f};
  params.zeroPoints = {3};
  BlockGeometry geometry({6}, {-1});
  CodeStatistics statistics(params.format);
  EXPECT_EQ(statistics.getNumCodes(), 256);
  EXPECT_EQ(statistics.getUsedShare(), 0);
  EXPECT_EQ(statistics.getClippedShare(), 0);
  // 62.0 / 0.5 + 3 = 127 fits, 62.5 does not.
  const float values[] = {0, 0.1f, 0.5f, 62.0f, 62.5f, -100.0f};
  statistics.add(params, geometry, values);
  EXPECT_EQ(statistics.getCount(), 6u);
  EXPECT_EQ(statistics.getClipped(), 2u);
  EXPECT_EQ(statistics.getUsedCodes(), 4); // 3, 4, 127, -128
}

TEST(CodeStatistics, NonFiniteValuesAreCountedAsTheyAreQuantized) {
  TensorParams params;
  params.format = {StorageType::UInt8, Formulation::ZeroPoint, {0, 255}};
  params.scales = {1.0f};
  params.zeroPoints = {128};
  CodeStatistics statistics(params.format);
  const float values[] = {nan, infinity, -infinity, 0};
  statistics.add(params, BlockGeometry({4}, {-1}), values);
  EXPECT_EQ(statistics.getClipped(), 2u);
  EXPECT_EQ(statistics.getUsedCodes(), 3); // 128 twice, 255, 0
}

TEST(CodeStatistics, NumberOfCodesFollowsTheRangeInUse) {
  auto getNumCodes = [](StorageType type, CodeRange range) {
    return CodeStatistics({type, Formulation::ZeroPoint, range}).getNumCodes();
  };
  EXPECT_EQ(getNumCodes(StorageType::Int8, {-127, 127}), 255);
  EXPECT_EQ(getNumCodes(StorageType::UInt4, {0, 15}), 16);
  EXPECT_EQ(getNumCodes(StorageType::Int2, {-2, 1}), 4);
  // Both zeros are one; e4m3fn has two NaNs, e5m2 six, and two infinities.
  EXPECT_EQ(getNumCodes(StorageType::Float8E4M3FN, {-448, 448}), 253);
  EXPECT_EQ(getNumCodes(StorageType::Float8E5M2, {-57344, 57344}), 247);
  EXPECT_EQ(getNumCodes(StorageType::Float4E2M1FN, {-6, 6}), 15);
}

TEST(CodeStatistics, ZerosOfFloatStorageAreOneCode) {
  CodeStatistics statistics(
      {StorageType::Float8E4M3FN, Formulation::ZeroPoint, {-448, 448}});
  const uint8_t codes[] = {0x00, 0x80, 0x38, 0xb8};
  statistics.addCodes(codes, 4);
  EXPECT_EQ(statistics.getUsedCodes(), 3);
}

TEST(CodeStatistics, Minval) {
  TensorParams params;
  params.format = {StorageType::UInt4, Formulation::MinVal, {0, 15}};
  params.scales = {1.0f};
  params.minvals = {-4.0f};
  CodeStatistics statistics(params.format);
  const float values[] = {-5, -4, 0, 11, 12};
  statistics.add(params, BlockGeometry({5}, {-1}), values);
  EXPECT_EQ(statistics.getClipped(), 2u);
  EXPECT_EQ(statistics.getUsedCodes(), 3); // 0, 4, 15
}

TEST(CoarsenedHistogram, KeepsCountsAndSides) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> values(10000);
  for (float &value : values)
    value = normal(random);
  uint64_t negative = 0;
  for (float value : values)
    negative += value < 0;
  Histogram fine;
  fine.add(values.data(), 10000);
  for (int maxBins : {2, 3, 10, 64, 5000}) {
    Histogram coarse = coarsen(fine, maxBins);
    EXPECT_LE(coarse.counts().size(), size_t(maxBins));
    EXPECT_EQ(coarse.total(), 10000u);
    uint64_t below = 0;
    for (int bin = coarse.first(); bin < 0; ++bin)
      below += coarse.counts()[bin - coarse.first()];
    EXPECT_EQ(below, negative);
  }
  // The bins are the ones that the wide values alone would have.
  Histogram wide = coarsenTo(fine, 0);
  EXPECT_EQ(wide.widthLog2(), 0);
  EXPECT_EQ(wide.first(),
            int(std::floor(*std::min_element(values.begin(), values.end()))));
  EXPECT_EQ(coarsenTo(fine, 200).counts().size(), 2u);
  EXPECT_TRUE(coarsen(Histogram(), 2).isEmpty());
}

} // namespace
