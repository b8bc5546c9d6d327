//===- SmallFloatTest.cpp - Narrow floats against tables ------------------===//
//
// Every code of every format, every midpoint between neighbours and its
// binary32 neighbours, every 16-bit input, and millions of binary32 bit
// patterns.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/SmallFloat.h"

#include "Oracle.h"

#include "gtest/gtest.h"

#include <random>

using namespace quant_mlir::numerics;
using oracle::fromBits;
using oracle::toBits;

namespace {
struct Case {
  const char *name;
  const oracle::Format &(*table)();
  uint32_t (*encode)(float);
  float (*decode)(uint32_t);
  unsigned width;
};

const Case cases[] = {
    {"f16", oracle::f16, [](float x) -> uint32_t { return encodeF16(x); },
     [](uint32_t c) { return decodeF16(uint16_t(c)); }, 16},
    {"bf16", oracle::bf16, [](float x) -> uint32_t { return encodeBF16(x); },
     [](uint32_t c) { return decodeBF16(uint16_t(c)); }, 16},
    {"f8E4M3FN", oracle::e4m3,
     [](float x) -> uint32_t { return encodeF8E4M3FN(x); },
     [](uint32_t c) { return decodeF8E4M3FN(uint8_t(c)); }, 8},
    {"f8E5M2", oracle::e5m2,
     [](float x) -> uint32_t { return encodeF8E5M2(x); },
     [](uint32_t c) { return decodeF8E5M2(uint8_t(c)); }, 8},
    {"f4E2M1FN", oracle::e2m1,
     [](float x) -> uint32_t { return encodeF4E2M1FN(x); },
     [](uint32_t c) { return decodeF4E2M1FN(uint8_t(c)); }, 4},
};

class SmallFloat : public testing::TestWithParam<Case> {
protected:
  void check(float x) {
    ASSERT_EQ(GetParam().encode(x), GetParam().table().encode(x))
        << GetParam().name << " of " << std::hexfloat << x;
  }
  void checkBothSigns(float x) {
    check(x);
    check(-x);
  }
};

TEST_P(SmallFloat, DecodesEveryCode) {
  const Case &c = GetParam();
  for (uint32_t code = 0; code < (1u << c.width); ++code) {
    double expected = c.table().decode(code);
    float actual = c.decode(code);
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(actual)) << code;
    else
      EXPECT_EQ(toBits(actual), toBits(float(expected))) << code;
  }
}

TEST_P(SmallFloat, EncodeInvertsDecode) {
  const Case &c = GetParam();
  for (uint32_t code = 0; code < (1u << c.width); ++code) {
    float value = c.decode(code);
    if (!std::isnan(value)) {
      EXPECT_EQ(c.encode(value), code);
    }
  }
}

TEST_P(SmallFloat, RoundsMidpointsToEvenAndTheirNeighboursToNearest) {
  const oracle::Format &table = GetParam().table();
  for (size_t code = 0; code + 1 < table.values.size(); ++code) {
    float low = float(table.values[code]);
    float middle = float((table.values[code] + table.values[code + 1]) / 2);
    for (float x : {low, middle})
      for (float y : {x, std::nextafter(x, 0.0f), std::nextafter(x, 1e38f)})
        checkBothSigns(y);
  }
}

TEST_P(SmallFloat, EncodesEverySixteenBitInput) {
  for (uint32_t code = 0; code < 65536; ++code) {
    check(float(oracle::f16().decode(code)));
    check(float(oracle::bf16().decode(code)));
  }
}

TEST_P(SmallFloat, EncodesRandomBitPatterns) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000000; ++i)
    check(fromBits(uint32_t(random())));
  // Most patterns are far outside the narrow formats: as many inside.
  const double max = GetParam().table().values.back();
  std::uniform_real_distribution<double> exponent(-30, 1);
  for (int i = 0; i < 1000000; ++i)
    checkBothSigns(float(max * std::exp2(exponent(random))));
}

TEST_P(SmallFloat, EncodesSpecialValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (float x : {0.0f, infinity, std::numeric_limits<float>::max(),
                  std::numeric_limits<float>::min(),
                  std::numeric_limits<float>::denorm_min()})
    checkBothSigns(x);
  for (uint32_t nan : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xffffffffu})
    EXPECT_EQ(GetParam().encode(fromBits(nan)), GetParam().table().nanCode);
}

INSTANTIATE_TEST_SUITE_P(Formats, SmallFloat, testing::ValuesIn(cases),
                         [](const testing::TestParamInfo<Case> &info) {
                           return std::string(info.param.name);
                         });

TEST(SmallFloatOverflow, IsInfinityNaNOrSaturation) {
  EXPECT_EQ(encodeF16(65519.99f), 0x7bff);
  EXPECT_EQ(encodeF16(65520.0f), 0x7c00);
  EXPECT_EQ(encodeBF16(-std::numeric_limits<float>::max()), 0xff80);
  EXPECT_EQ(encodeF8E5M2(61439.0f), 0x7b);
  EXPECT_EQ(encodeF8E5M2(-61440.0f), 0xfc);
  EXPECT_EQ(encodeF8E4M3FN(464.0f), 0x7e);
  EXPECT_EQ(encodeF8E4M3FN(465.0f), 0x7f);
  EXPECT_EQ(encodeF8E4M3FN(-465.0f), 0x7f);
  EXPECT_EQ(encodeF4E2M1FN(1e30f), 0x7);
  EXPECT_EQ(encodeF4E2M1FN(-7.0f), 0xf);
}

TEST(E8M0, DecodesEveryCode) {
  for (int code = 0; code < 255; ++code)
    EXPECT_EQ(decodeE8M0(uint8_t(code)), std::ldexp(1.0, code - 127)) << code;
  EXPECT_TRUE(std::isnan(decodeE8M0(255)));
}

TEST(E8M0, EncodesPowersOfTwoExactlyAndTiesToTheEvenCode) {
  for (int code = 0; code < 255; ++code) {
    float power = float(std::ldexp(1.0, code - 127));
    EXPECT_EQ(encodeE8M0(power), code);
    float tie = float(std::ldexp(1.5, code - 127));
    EXPECT_EQ(encodeE8M0(tie), code % 2 == 0 ? code : code + 1);
    EXPECT_EQ(encodeE8M0(std::nextafter(tie, 0.0f)), code);
    EXPECT_EQ(encodeE8M0(std::nextafter(tie, INFINITY)), code + 1);
  }
}

TEST(E8M0, HasNoZeroNoSignAndNoInfinity) {
  for (float x : {0.0f, -0.0f, -1.0f, INFINITY, -INFINITY, NAN})
    EXPECT_EQ(encodeE8M0(x), 255) << x;
  EXPECT_EQ(encodeE8M0(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(encodeE8M0(std::numeric_limits<float>::max()), 255);
}

TEST(RoundToType, KeepsF32AndRoundsTheOthers) {
  std::mt19937 random(2);
  for (int i = 0; i < 100000; ++i) {
    float x = fromBits(uint32_t(random()));
    if (std::isnan(x))
      continue;
    EXPECT_EQ(toBits(roundToScaleType(x, ScaleType::F32)), toBits(x));
    EXPECT_EQ(toBits(roundToExpressedType(x, ExpressedType::F32)), toBits(x));
    for (auto [scale, expressed] :
         {std::pair(ScaleType::F16, ExpressedType::F16),
          std::pair(ScaleType::BF16, ExpressedType::BF16)}) {
      uint32_t bits = toBits(oracle::roundTo(x, expressed));
      EXPECT_EQ(toBits(roundToScaleType(x, scale)), bits);
      EXPECT_EQ(toBits(roundToExpressedType(x, expressed)), bits);
    }
  }
  EXPECT_EQ(roundToScaleType(0.7f, ScaleType::F8E8M0FNU), 0.5f);
  EXPECT_EQ(roundToScaleType(0.8f, ScaleType::F8E8M0FNU), 1.0f);
}
} // namespace
