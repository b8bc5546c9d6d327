//===- CompareTest.cpp ----------------------------------------------------===//

#include "quant-mlir/Support/Compare.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace quant_mlir;

template <typename T>
static NdArray make(DType dtype, llvm::ArrayRef<int64_t> shape,
                    std::vector<T> values) {
  NdArray array(dtype, shape);
  std::copy(values.begin(), values.end(), array.data<T>());
  return array;
}
static NdArray doubles(std::vector<double> values) {
  return make<double>(DType::Float64, {static_cast<int64_t>(values.size())},
                      values);
}
static llvm::Expected<Comparison> compareArrays(const NdArray &found,
                                                const NdArray &reference) {
  return compare(found, reference, "result 0", "ref.npy");
}
static std::string errorOf(const NdArray &found, const NdArray &reference) {
  auto result = compareArrays(found, reference);
  return result ? "" : llvm::toString(result.takeError());
}

TEST(CompareTest, measuresErrorAndPower) {
  auto result = compareArrays(doubles({1, 2, 3}), doubles({1, 2.5, 3}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->maxAbsError, 0.5);
  EXPECT_NEAR(*result->sqnrDb, 10 * std::log10((1 + 6.25 + 9) / 0.25), 1e-12);
}

TEST(CompareTest, exactMatchHasNoRatio) {
  double nan = std::nan(""), inf = HUGE_VAL;
  for (const NdArray &array : {doubles({1, 2}), doubles({}), doubles({0, 0}),
                               doubles({nan, inf, -inf, 1})}) {
    auto result = compareArrays(array, array);
    ASSERT_TRUE(bool(result));
    EXPECT_EQ(result->maxAbsError, 0);
    EXPECT_FALSE(result->sqnrDb.has_value());
  }
}

TEST(CompareTest, powersNeitherOverflowNorVanish) {
  for (double scale : {1e300, 1e-300, 1e-310}) {
    auto result =
        compareArrays(doubles({2 * scale, scale}), doubles({scale, scale}));
    ASSERT_TRUE(bool(result));
    EXPECT_NEAR(*result->sqnrDb, 10 * std::log10(2.0), 1e-9) << scale;
  }
}

TEST(CompareTest, comparesAcrossTypes) {
  auto result = compareArrays(make<int8_t>(DType::Int8, {2}, {-1, 3}),
                              make<float>(DType::Float32, {2}, {-1, 4}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->maxAbsError, 1);
}

TEST(CompareTest, comparesIntegersExactly) {
  int64_t large = (int64_t(1) << 53);
  auto result = compareArrays(make<int64_t>(DType::Int64, {1}, {large + 1}),
                              make<int64_t>(DType::Int64, {1}, {large}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->maxAbsError, 1);
  result =
      compareArrays(make<int64_t>(DType::Int64, {1}, {-1}),
                    make<uint64_t>(DType::UInt64, {1},
                                   {std::numeric_limits<uint64_t>::max()}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->maxAbsError, 0x1p64);
}

TEST(CompareTest, refusesWhatHasNoFiniteAnswer) {
  double nan = std::nan(""), inf = HUGE_VAL;
  EXPECT_EQ(errorOf(doubles({1, 2}), doubles({1})),
            "cannot compare: result 0 is 2, 'ref.npy' is 1");
  EXPECT_EQ(errorOf(doubles({1, nan}), doubles({1, 2})),
            "cannot compare: element 1 of result 0 is nan, of 'ref.npy' 2");
  EXPECT_EQ(errorOf(doubles({1}), doubles({inf})),
            "cannot compare: element 0 of result 0 is 1, of 'ref.npy' inf");
  EXPECT_EQ(errorOf(doubles({-inf}), doubles({inf})),
            "cannot compare: element 0 of result 0 is -inf, of 'ref.npy' inf");
  EXPECT_EQ(errorOf(doubles({1, 0.25}), doubles({0, 0})),
            "cannot compare: 'ref.npy' is zero everywhere, so that SQNR is "
            "undefined (max abs error 1)");
  EXPECT_EQ(errorOf(doubles({1.7e308}), doubles({-1.7e308})),
            "cannot compare: the difference of result 0 and 'ref.npy' "
            "overflows binary64");
}

static llvm::Expected<Top1> score(const NdArray &scores,
                                  const NdArray &labels) {
  return top1(scores, labels, "result 0", "labels.npy");
}

TEST(Top1Test, countsRowsWhoseFirstMaximumIsTheLabel) {
  float nan = std::nanf("");
  NdArray scores =
      make<float>(DType::Float32, {4, 3},
                  {0, 1, 0, /**/ 2, 2, 1, /**/ 5, 6, 7, /**/ nan, 1, 0});
  auto result = score(scores, make<int64_t>(DType::Int64, {4}, {1, 0, 1, 1}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->correct, 2);
  EXPECT_EQ(result->count, 4);
  EXPECT_EQ(result->fraction(), 0.5);
  // One column of labels, and integer scores.
  result = score(make<int8_t>(DType::Int8, {2, 1, 2}, {-3, -1, 4, 2}),
                 make<uint8_t>(DType::UInt8, {2, 1}, {1, 0}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->correct, 2);
}

TEST(Top1Test, refusesLabelsThatDoNotFit) {
  NdArray scores = make<float>(DType::Float32, {2, 2}, {0, 1, 1, 0});
  auto errorOf = [&](const NdArray &array, const NdArray &labels) {
    auto result = score(array, labels);
    return result ? std::string() : llvm::toString(result.takeError());
  };
  EXPECT_EQ(errorOf(scores, doubles({0, 1})),
            "'labels.npy' is float64; expected labels of an integer type");
  EXPECT_EQ(errorOf(scores, make<int8_t>(DType::Int8, {3}, {0, 1, 1})),
            "'labels.npy' is 3; expected 2 labels, one per row of result 0 "
            "(2x2)");
  EXPECT_EQ(errorOf(scores, make<int8_t>(DType::Int8, {2}, {0, 2})),
            "'labels.npy': label 1 is 2; expected 0 to 1, an index into the 2 "
            "classes of result 0");
  EXPECT_EQ(errorOf(scores, make<int8_t>(DType::Int8, {2}, {-1, 0})),
            "'labels.npy': label 0 is -1; expected 0 to 1, an index into the 2 "
            "classes of result 0");
  EXPECT_EQ(errorOf(doubles({1, 2}), make<int8_t>(DType::Int8, {2}, {0, 0})),
            "cannot score: result 0 is 2; expected samples x classes, neither "
            "of them 0");
}
