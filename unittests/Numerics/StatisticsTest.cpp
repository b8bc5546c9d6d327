//===- StatisticsTest.cpp -------------------------------------------------===//
//
// Every layout against the definition, element by element.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Statistics.h"

#include "quant-mlir/Numerics/SmallFloat.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <random>

using namespace quant_mlir::numerics;

namespace {
struct Layout {
  std::vector<int64_t> sizes, strides;
  int64_t offset;
};

std::vector<Layout> makeLayouts() {
  return {
      {{}, {}, 0},
      {{7}, {1}, 0},
      {{7}, {3}, 2},
      {{7}, {-2}, 13},
      {{5000}, {1}, 0},
      {{3, 4}, {4, 1}, 0},
      {{3, 4}, {1, 3}, 0},
      {{3, 4}, {9, 2}, 5},
      {{3, 4}, {0, 1}, 0},
      {{2, 3, 4}, {12, 4, 1}, 0},
      {{2, 3, 4}, {1, 2, 6}, 0},
      {{2, 1, 3, 1}, {3, 3, 1, 1}, 1},
      {{2, 5, 3, 33}, {495, 99, 33, 1}, 0},
      {{4, 0, 3}, {0, 3, 1}, 0},
      {{60, 50}, {1, 60}, 0},
  };
}

float read(const std::vector<float> &wide, ExpressedType type, int64_t index,
           const std::vector<uint16_t> &narrow) {
  if (type == ExpressedType::F32)
    return wide[index];
  return type == ExpressedType::F16 ? decodeF16(narrow[index])
                                    : decodeBF16(narrow[index]);
}

TEST(Statistics, SeesEachElementOnceWhateverTheLayout) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  std::vector<float> wide(6000);
  std::vector<uint16_t> narrow(wide.size());
  for (ExpressedType type :
       {ExpressedType::F32, ExpressedType::F16, ExpressedType::BF16}) {
    for (size_t i = 0; i < wide.size(); ++i) {
      wide[i] = random() % 50 == 0   ? std::numeric_limits<float>::infinity()
                : random() % 50 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                     : normal(random);
      narrow[i] =
          type == ExpressedType::F16 ? encodeF16(wide[i]) : encodeBF16(wide[i]);
    }
    for (const Layout &layout : makeLayouts()) {
      int64_t rank = layout.sizes.size(), total = 1;
      for (int64_t size : layout.sizes)
        total *= size;
      for (uint64_t channels = 0; channels < (uint64_t(1) << rank);
           ++channels) {
        int64_t units = 1;
        for (int64_t dim = 0; dim < rank; ++dim)
          if (channels >> dim & 1)
            units *= layout.sizes[dim];
        std::vector<FloatRange> ranges(units);
        std::vector<std::vector<float>> values(units);
        int64_t nan = 0, inf = 0, finite = 0;
        for (int64_t linear = 0; linear < total; ++linear) {
          int64_t rest = linear, at = layout.offset, unit = 0, step = 1;
          for (int64_t dim = rank; dim-- > 0;) {
            int64_t index = rest % layout.sizes[dim];
            rest /= layout.sizes[dim];
            at += index * layout.strides[dim];
            if (channels >> dim & 1) {
              unit += index * step;
              step *= layout.sizes[dim];
            }
          }
          float value = read(wide, type, at, narrow);
          if (std::isnan(value)) {
            ++nan;
          } else if (std::isinf(value)) {
            ++inf;
          } else {
            ++finite;
            ranges[unit].include(value);
            values[unit].push_back(value);
          }
        }

        Statistics statistics(/*withHistograms=*/true);
        statistics.beginBatch();
        const void *data =
            type == ExpressedType::F32
                ? static_cast<const void *>(wide.data() + layout.offset)
                : narrow.data() + layout.offset;
        ASSERT_TRUE(statistics.add({data, type, rank, layout.sizes.data(),
                                    layout.strides.data(), channels}));
        EXPECT_EQ(statistics.count(), finite);
        EXPECT_EQ(statistics.nan(), nan);
        EXPECT_EQ(statistics.inf(), inf);
        EXPECT_EQ(statistics.batches(), total == 0 ? 0 : 1);
        if (total == 0) {
          EXPECT_EQ(statistics.numUnits(), 0);
          continue;
        }
        ASSERT_EQ(statistics.numUnits(), units);
        for (int64_t unit = 0; unit < units; ++unit) {
          EXPECT_EQ(statistics.batchRange(unit), ranges[unit]);
          Histogram histogram;
          histogram.add(values[unit].data(), values[unit].size());
          EXPECT_TRUE(statistics.histograms()[unit] == histogram);
        }
      }
    }
  }
}

StridedTensor vectorOf(const std::vector<float> &values, int64_t &size,
                       int64_t &stride, uint64_t channels) {
  size = values.size();
  stride = 1;
  return {values.data(), ExpressedType::F32, 1, &size, &stride, channels};
}

TEST(Statistics, TakesTheUnionInABatchAndStartsAnewInTheNext) {
  Statistics statistics(/*withHistograms=*/false);
  int64_t size, stride;
  statistics.beginBatch();
  EXPECT_TRUE(statistics.add(vectorOf({1, 2}, size, stride, 0)));
  EXPECT_TRUE(statistics.add(vectorOf({-1, 0, 1}, size, stride, 0)));
  EXPECT_EQ(statistics.batchRange(0), (FloatRange{-1, 2}));
  EXPECT_EQ(statistics.batches(), 1);
  statistics.beginBatch();
  EXPECT_TRUE(statistics.batchRange(0).isEmpty());
  EXPECT_TRUE(statistics.add(vectorOf({5}, size, stride, 0)));
  EXPECT_EQ(statistics.batchRange(0), (FloatRange{5, 5}));
  EXPECT_EQ(statistics.batches(), 2);
  EXPECT_EQ(statistics.count(), 6);
  EXPECT_TRUE(statistics.histograms().empty());
}

TEST(Statistics, RefusesAnotherNumberOfChannels) {
  Statistics statistics(/*withHistograms=*/false);
  int64_t size, stride;
  statistics.beginBatch();
  EXPECT_TRUE(statistics.add(vectorOf({1, 2}, size, stride, 1)));
  EXPECT_FALSE(statistics.add(vectorOf({1, 2, 3}, size, stride, 1)));
  EXPECT_EQ(statistics.count(), 2);
}
} // namespace
