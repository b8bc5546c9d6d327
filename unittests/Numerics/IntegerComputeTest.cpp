//===- IntegerComputeTest.cpp - Section 6 against wide arithmetic ---------===//

#include "quant-mlir/Numerics/IntegerCompute.h"

#include "Oracle.h"

#include "gtest/gtest.h"

#include <random>

using namespace quant_mlir::numerics;

namespace {
constexpr CodeRange int8 = {-128, 127}, uint8 = {0, 255}, narrow = {-127, 127};
constexpr int32_t int32Min = std::numeric_limits<int32_t>::min();
constexpr int32_t int32Max = std::numeric_limits<int32_t>::max();

int32_t clampCode(double rounded, int32_t z, CodeRange range) {
  double code = rounded + z;
  return int32_t(code < range.min   ? range.min
                 : code > range.max ? range.max
                                    : code);
}

struct Random {
  std::mt19937_64 engine{7};
  int32_t integer(int64_t low, int64_t high) {
    return int32_t(std::uniform_int_distribution<int64_t>(low, high)(engine));
  }
  /// Of any magnitude between 2^low and 2^high.
  float positive(double low, double high) {
    return float(
        std::exp2(std::uniform_real_distribution<double>(low, high)(engine)));
  }
  int32_t accumulator() {
    int bits = integer(1, 31);
    return integer(-(int64_t(1) << bits), (int64_t(1) << bits) - 1);
  }
};

TEST(Bias, IsRoundedFromBinary64) {
  Random random;
  for (int i = 0; i < 300000; ++i) {
    float sx = random.positive(-20, 4), sw = random.positive(-20, 4);
    float bias = random.positive(-30, 10) * (i % 2 ? 1 : -1);
    double value = oracle::R(double(bias) / (double(sx) * double(sw)));
    std::optional<int32_t> actual = quantizeBias(bias, sx, sw);
    if (value < int32Min || value > int32Max)
      EXPECT_FALSE(actual.has_value()) << bias << " " << sx << " " << sw;
    else
      EXPECT_EQ(actual, int32_t(value)) << bias << " " << sx << " " << sw;
  }
}

TEST(Bias, RoundsTiesToEven) {
  EXPECT_EQ(quantizeBias(0.5f, 1, 1), 0);
  EXPECT_EQ(quantizeBias(1.5f, 1, 1), 2);
  EXPECT_EQ(quantizeBias(-2.5f, 1, 1), -2);
  EXPECT_EQ(quantizeBias(0.625f, 0.5f, 0.5f), 2);
  EXPECT_EQ(quantizeBias(-0.0f, 1, 1), 0);
}

TEST(Bias, DoesNotFitBeyondInt32) {
  EXPECT_EQ(quantizeBias(-0x1p31f, 1, 1), int32Min);
  EXPECT_EQ(quantizeBias(0x1p31f, 1, 1), std::nullopt);
  EXPECT_EQ(quantizeBias(0x1.fffffep30f, 1, 1), 2147483520);
  EXPECT_EQ(quantizeBias(-0x1.000002p31f, 1, 1), std::nullopt);
  // The literal is 2^31 in binary32.
  EXPECT_EQ(quantizeBias(2147483647.5f, 1, 1), std::nullopt);
  EXPECT_EQ(quantizeBias(INFINITY, 1, 1), std::nullopt);
  EXPECT_EQ(quantizeBias(NAN, 1, 1), std::nullopt);
  EXPECT_EQ(quantizeBias(1, 1e-30f, 1e-30f), std::nullopt);
}

TEST(Multipliers, AreRoundedOnceFromBinary64) {
  Random random;
  for (int i = 0; i < 200000; ++i) {
    float a = random.positive(-30, 10), b = random.positive(-30, 10),
          y = random.positive(-30, 10);
    EXPECT_EQ(requantMultiplier(a, b, y),
              float(double(a) * double(b) / double(y)));
    EXPECT_EQ(mulMultiplier(a, b, y), float(double(a) * double(b) / double(y)));
    EXPECT_EQ(outputMultiplier(a, b), float(double(a) * double(b)));
    EXPECT_EQ(scaledBias(-a, y), float(double(-a) / double(y)));
    EXPECT_EQ(addMultiplier(a, y), float(double(a) / double(y)));
  }
}

TEST(Multipliers, DifferFromBinary32Arithmetic) {
  // Where the order and width matter: found by search, kept as witnesses.
  Random random;
  int different = 0;
  for (int i = 0; i < 1000; ++i) {
    float a = random.positive(-3, 3), b = random.positive(-3, 3),
          y = random.positive(-3, 3);
    different +=
        requantMultiplier(a, b, y) != oracle::div(oracle::mul(a, b), y);
  }
  EXPECT_GT(different, 50);
}

TEST(Requantize, RoundsAfterEachOperation) {
  Random random;
  for (int i = 0; i < 500000; ++i) {
    int32_t acc = random.accumulator(), z = random.integer(-128, 127);
    float m = random.positive(-32, 1);
    float b = random.positive(-3, 9) * (i % 2 ? 1 : -1);
    int32_t qr = random.integer(-128, 127), zr = random.integer(-128, 127);
    float mr = random.positive(-6, 6);
    float product = oracle::mul(float(acc), m);
    EXPECT_EQ(requantize(acc, m, z, int8),
              clampCode(oracle::R(product), z, int8));
    EXPECT_EQ(requantizeWithBias(acc, m, b, z, int8),
              clampCode(oracle::R(oracle::add(product, b)), z, int8));
    float residual = oracle::mul(float(qr - zr), mr);
    EXPECT_EQ(requantizeWithResidual(acc, m, qr, zr, mr, z, int8),
              clampCode(oracle::R(oracle::add(product, residual)), z, int8));
  }
}

// A second term that brings the sum to a tie, where one rounding more or less
// changes the code; random terms hardly ever show it.
TEST(Requantize, RoundsAfterEachOperationNearTies) {
  Random random;
  int fusedDiffers = 0;
  for (int i = 0; i < 200000; ++i) {
    int32_t acc = random.accumulator(), z = random.integer(-8, 8);
    float m = float(random.positive(0, 6) / (std::fabs(double(acc)) + 1));
    float product = oracle::mul(float(acc), m);
    double tie = random.integer(-60, 60) + 0.5;
    float b = float(tie - double(product));
    double sum = oracle::R(oracle::add(product, b));
    fusedDiffers += sum != oracle::R(float(double(acc) * double(m) + b));
    EXPECT_EQ(requantizeWithBias(acc, m, b, z, int8), clampCode(sum, z, int8));
    EXPECT_EQ(requantizeWithResidual(acc, m, 4, 3, b, z, int8),
              clampCode(sum, z, int8));

    int32_t qa = random.integer(0, 255), za = random.integer(0, 255);
    float ma = random.positive(-8, 0);
    product = oracle::mul(float(qa - za), ma);
    b = float(tie - double(product));
    EXPECT_EQ(addCodes(qa, za, ma, 4, 3, b, z, int8),
              clampCode(oracle::R(oracle::add(product, b)), z, int8));
    EXPECT_EQ(addCodes(4, 3, b, qa, za, ma, z, int8),
              clampCode(oracle::R(oracle::add(product, b)), z, int8));
  }
  EXPECT_GT(fusedDiffers, 1000);
}

TEST(Requantize, RoundsTiesToEvenBeforeTheZeroPoint) {
  EXPECT_EQ(requantize(1, 0.5f, 3, int8), 3);
  EXPECT_EQ(requantize(3, 0.5f, 3, int8), 5);
  EXPECT_EQ(requantize(-1, 0.5f, 3, int8), 3);
  EXPECT_EQ(requantize(-5, 0.5f, 3, int8), 1);
  EXPECT_EQ(requantizeWithBias(1, 0.25f, 0.25f, 1, int8), 1);
}

TEST(Requantize, SaturatesToTheRangeInUse) {
  EXPECT_EQ(requantize(int32Max, 1e30f, -128, int8), 127);
  EXPECT_EQ(requantize(int32Min, 1e30f, 127, int8), -128);
  EXPECT_EQ(requantize(int32Min, 1.0f, 0, narrow), -127);
  EXPECT_EQ(requantize(int32Max, 1.0f, 255, uint8), 255);
  EXPECT_EQ(requantize(int32Min, 1.0f, 0, uint8), 0);
  EXPECT_EQ(requantizeWithBias(0, 1.0f, -INFINITY, 0, int8), -128);
  EXPECT_EQ(requantizeWithBias(0, 1.0f, NAN, 5, int8), 5);
  // 127 + 0.5 is a tie, clamped either way.
  EXPECT_EQ(requantize(255, 0.5f, 0, int8), 127);
}

TEST(Add, AddsTwoRoundedProducts) {
  Random random;
  for (int i = 0; i < 300000; ++i) {
    int32_t qa = random.integer(0, 255), za = random.integer(0, 255);
    int32_t qb = random.integer(0, 255), zb = random.integer(0, 255);
    int32_t z = random.integer(0, 255);
    float ma = random.positive(-10, 3), mb = random.positive(-10, 3);
    float sum = oracle::add(oracle::mul(float(qa - za), ma),
                            oracle::mul(float(qb - zb), mb));
    EXPECT_EQ(addCodes(qa, za, ma, qb, zb, mb, z, uint8),
              clampCode(oracle::R(sum), z, uint8));
  }
}

TEST(Mul, ScalesTheIntegerProduct) {
  Random random;
  for (int i = 0; i < 300000; ++i) {
    int32_t qa = random.integer(0, 255), za = random.integer(0, 255);
    int32_t qb = random.integer(0, 255), zb = random.integer(0, 255);
    int32_t z = random.integer(0, 255);
    float m = random.positive(-16, 1);
    float v = oracle::mul(float((qa - za) * (qb - zb)), m);
    EXPECT_EQ(mulCodes(qa, za, qb, zb, m, z, uint8),
              clampCode(oracle::R(v), z, uint8));
  }
}

TEST(Average, DividesTheSumByTheCount) {
  for (int32_t n = 1; n <= 50; ++n)
    for (int32_t sum = -256 * n; sum <= 256 * n; sum += 1 + n / 8)
      EXPECT_EQ(
          averageCodes(sum, n, 3, int8),
          clampCode(oracle::R(oracle::div(float(sum), float(n))), 3, int8));
  EXPECT_EQ(averageCodes(5, 2, 0, int8), 2);
  EXPECT_EQ(averageCodes(7, 2, 0, int8), 4);
  EXPECT_EQ(averageCodes(-5, 2, 0, int8), -2);
}

TEST(Bound, IsTheCodeOfTheClampsEnd) {
  Random random;
  for (int i = 0; i < 100000; ++i) {
    float sy = random.positive(-20, 5);
    int32_t z = random.integer(-128, 127);
    EXPECT_EQ(boundCode(6.0f, sy, z, int8),
              clampCode(oracle::R(float(6.0 / double(sy))), z, int8));
  }
  EXPECT_EQ(boundCode(0.0f, 0.1f, -7, int8), -7);
  EXPECT_EQ(boundCode(INFINITY, 0.1f, 0, int8), 127);
  EXPECT_EQ(boundCode(-INFINITY, 0.1f, 0, uint8), 0);
}

TEST(AccumulatorProof, IsExactAndStrict) {
  EXPECT_TRUE(proveAccumulator(1, int32Max, 1, 0).holds);
  EXPECT_FALSE(proveAccumulator(1, int64_t(1) << 31, 1, 0).holds);
  EXPECT_TRUE(proveAccumulator(1, int32Max - 5, 1, 5).holds);
  EXPECT_FALSE(proveAccumulator(1, int32Max - 5, 1, 6).holds);
  EXPECT_EQ(proveAccumulator(1, int32Max - 5, 1, 6).bound, int64_t(1) << 31);
  EXPECT_EQ(proveAccumulator(33025, 255, 255, 0).bound, 2147450625);
  EXPECT_TRUE(proveAccumulator(33025, 255, 255, 33022).holds);
  EXPECT_FALSE(proveAccumulator(33025, 255, 255, 33023).holds);
  EXPECT_TRUE(proveAccumulator(0, 255, 255, 0).holds);
}

TEST(AccumulatorProof, SaturatesInsteadOfWrapping) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  AccumulatorProof proof = proveAccumulator(most, 255, 255, 0);
  EXPECT_FALSE(proof.holds);
  EXPECT_EQ(proof.bound, most);
  proof = proveAccumulator(most, 1, 1, 1);
  EXPECT_FALSE(proof.holds);
  EXPECT_EQ(proof.bound, most);
  // 2^32 * 2^32 wraps to 0 in 64 bits.
  proof = proveAccumulator(int64_t(1) << 32, int64_t(1) << 32, 1, 0);
  EXPECT_EQ(proof.bound, most);
  proof = proveAccumulator(most, 255, 0, 3);
  EXPECT_TRUE(proof.holds);
  EXPECT_EQ(proof.bound, 3);
}

TEST(AccumulatorProof, MatchesWideProducts) {
  Random random;
  for (int i = 0; i < 100000; ++i) {
    int64_t k = int64_t(random.positive(0, 45)),
            x = int64_t(random.positive(0, 20)),
            w = int64_t(random.positive(0, 20)),
            b = int64_t(random.positive(0, 31));
    // Exact while the product fits; long double only decides whether it does.
    long double wide = (long double)k * x * w + b;
    AccumulatorProof proof = proveAccumulator(k, x, w, b);
    if (wide > 9.3e18L)
      EXPECT_EQ(proof.bound, std::numeric_limits<int64_t>::max());
    else if (wide < 9.2e18L)
      EXPECT_EQ(proof.bound, k * x * w + b);
    EXPECT_EQ(proof.holds, wide < 0x1p31L);
  }
}

TEST(AccumulatorProof, LargestReductionHoldsAndTheNextDoesNot) {
  for (int64_t x : {1, 3, 127, 128, 255})
    for (int64_t w : {1, 2, 7, 8, 127, 128, 255}) {
      int64_t k = maxReductionSize(x, w);
      EXPECT_TRUE(proveAccumulator(k, x, w, 0).holds) << x << " " << w;
      EXPECT_FALSE(proveAccumulator(k + 1, x, w, 0).holds) << x << " " << w;
    }
  EXPECT_EQ(maxReductionSize(0, 255), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(maxReductionSize(int64_t(1) << 40, int64_t(1) << 40), 0);
}

TEST(AccumulatorProof, LargestCodeIsMeasuredFromTheZeroPoint) {
  EXPECT_EQ(maxAbsCode(int8, 0), 128);
  EXPECT_EQ(maxAbsCode(narrow, 0), 127);
  EXPECT_EQ(maxAbsCode(int8, -128), 255);
  EXPECT_EQ(maxAbsCode(int8, 127), 255);
  EXPECT_EQ(maxAbsCode(uint8, 0), 255);
  EXPECT_EQ(maxAbsCode(uint8, 128), 128);
  EXPECT_EQ(maxAbsCode({0, 15}, 8), 8);
}
} // namespace
