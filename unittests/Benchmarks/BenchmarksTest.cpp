//===- BenchmarksTest.cpp - What subjects are judged by -------------------===//
//
// That a wrong result is seen, that operations are counted right, and that
// everybody has its turns. Results are computed here by plain loops.
//
//===----------------------------------------------------------------------===//

#include "Limits.h"
#include "Measure.h"
#include "Problem.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>

using namespace quant_mlir::bench;

static int32_t requantize(const Int8Problem &problem, int64_t sum,
                          int64_t channel) {
  double scale =
      double(problem.scaleA) * problem.scaleW[channel] / problem.scaleOut;
  double code = std::nearbyint(double(sum) * scale) + problem.zpOut;
  return problem.isOutputUnsigned()
             ? int32_t(std::min(std::max(code, 0.0), 255.0))
             : int32_t(std::min(std::max(code, -128.0), 127.0));
}

TEST(Problem, MatmulSeesOneWrongCode) {
  for (Activations activations : {Activations::Unsigned, Activations::Signed}) {
    Int8Problem problem(MatmulShape{3, 5, 7}, activations);
    std::vector<uint8_t> output(15);
    for (int m = 0; m < 3; ++m)
      for (int n = 0; n < 5; ++n) {
        int64_t sum = problem.bias[n];
        for (int k = 0; k < 7; ++k) {
          int32_t a = activations == Activations::Signed
                          ? int32_t(int8_t(problem.a[m * 7 + k]))
                          : int32_t(problem.a[m * 7 + k]);
          sum += int64_t(a - problem.zpA) * problem.w[k * 5 + n];
        }
        output[m * 5 + n] = uint8_t(requantize(problem, sum, n));
      }
    EXPECT_EQ(problem.difference(output.data(), true), 0);
    int32_t wrong = int32_t(int8_t(output[8])) > 0 ? -3 : 3;
    output[8] = uint8_t(output[8] + wrong);
    EXPECT_EQ(problem.difference(output.data(), true), 3);
  }
}

TEST(Problem, StridedConvWithPadding) {
  ConvShape shape{"", 6, 5, 3, 4, 3, 2, 0, 1, /*depthwise=*/false};
  ASSERT_EQ(shape.outHeight(), 3);
  ASSERT_EQ(shape.outWidth(), 2);
  FloatProblem problem(shape);
  std::vector<float> output;
  int64_t products = 0;
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 2; ++x)
      for (int n = 0; n < 4; ++n) {
        double sum = problem.bias[n];
        for (int ky = 0; ky < 3; ++ky)
          for (int kx = 0; kx < 3; ++kx)
            for (int c = 0; c < 3; ++c) {
              int row = 2 * y + ky, column = 2 * x + kx;
              if (row >= 6 || column >= 5)
                continue;
              ++products;
              sum += double(problem.a[(row * 5 + column) * 3 + c]) *
                     problem.w[((ky * 3 + kx) * 3 + c) * 4 + n];
            }
        output.push_back(float(sum));
      }
  EXPECT_LT(problem.difference(output.data(), true), 1e-6);
  EXPECT_EQ(shape.ops(), 2.0 * double(products));
  output[7] += 1.0f;
  EXPECT_GT(problem.difference(output.data(), true), 1e-3);
  output[7] = NAN;
  EXPECT_TRUE(std::isinf(problem.difference(output.data(), true)));
}

TEST(Problem, DepthwiseConvCountsOneInputPerChannel) {
  ConvShape shape{"", 7, 7, 8, 8, 3, 1, 1, 1, /*depthwise=*/true};
  // Of 3 x 7 taps along a dimension two meet padding.
  EXPECT_EQ(shape.ops(), 2.0 * 19 * 19 * 8);
}

TEST(Problem, BlocksHaveTheirOwnScales) {
  for (bool hasZeroPoints : {false, true}) {
    BlockProblem problem(MatmulShape{1, 2, 5}, /*block=*/4, hasZeroPoints);
    ASSERT_EQ(problem.numBlocks(), 2);
    std::vector<float> output;
    for (int n = 0; n < 2; ++n) {
      double sum = 0;
      for (int k = 0; k < 5; ++k) {
        int block = k < 4 ? 0 : 1;
        int zeroPoint = hasZeroPoints ? problem.zeroPoints[block * 2 + n] : 0;
        sum += double(problem.a[k]) * (problem.codes[k * 2 + n] - zeroPoint) *
               problem.scales[block * 2 + n];
      }
      output.push_back(float(sum));
    }
    EXPECT_LT(problem.difference(output.data()), 1e-6);
    EXPECT_EQ(problem.weightBytes(), 5 + 16 + (hasZeroPoints ? 2 : 0));
  }
}

TEST(Measure, EverybodyHasTurns) {
  std::string order;
  std::vector<Subject> subjects(2);
  subjects[0].run = [&] { order += 'a'; };
  subjects[1].run = [&] { order += 'b'; };
  MeasureOptions options;
  options.turnMicroseconds = 0;
  options.rounds = 4;
  options.minimumRuns = 3;
  std::vector<Timing> timings = measure(subjects, options);
  // Four calls each to warm up and to see how long they are; then turns of one
  // uncounted call and one counted, beginning with the next subject each round.
  EXPECT_EQ(order, "aaaabbbb"
                   "aabb"
                   "bbaa"
                   "aabb"
                   "bbaa");
  EXPECT_EQ(timings[0].runs, 4u);
  EXPECT_EQ(timings[1].runs, 4u);
}

TEST(Measure, MedianOfEvenAndOddCounts) {
  EXPECT_EQ(summarize({3, 1, 2}).median, 2);
  EXPECT_EQ(summarize({4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(summarize({3, 1, 2}).minimum, 1);
}

TEST(Limits, RatesArePositiveAndCallsAsLongAsAsked) {
  Limit limit = findInt8Limit(/*quick=*/true, /*withTiles=*/false);
  EXPECT_GT(limit.rate, 0);
  double ops = 0;
  makeLimitSubject(limit, 2, 100, ops).run();
  // Two threads, 100 microseconds at the rate of one.
  EXPECT_NEAR(ops, 2 * limit.rate * 1e5, 2 * limit.opsPerRound + 1);
}
