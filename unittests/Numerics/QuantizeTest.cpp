//===- QuantizeTest.cpp - Section 2, exhaustively -------------------------===//
//
// Every f16 and every bf16 value, every binary32 value that could be a tie, and
// random bit patterns, through every format with scales of every kind; scalar
// functions and array loops alike.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <random>

using namespace support;
using oracle::fromBits;
using oracle::toBits;

namespace {
struct Config {
  CodeFormat format;
  UnitParams params;
};

std::vector<float> scalesOf(StorageType type) {
  std::vector<float> scales = {0x1p-126f, 0x1p-10f, 1.0f, 0x1p125f};
  if (type == StorageType::Float4E2M1FN)
    return scales;
  scales = {1.0f,          0x1p-23f, 0.01234567f, 0.1f,
            3.7e-5f,       1.5e30f,  100.0f,      0.0999755859375f /*f16*/,
            0.10009765625f /*bf16*/};
  if (isFloat(type))
    scales.insert(scales.end(), {0x1p-126f, 0x1p-3f, 0x1p112f});
  return scales;
}

/// Every storage type and formulation, the narrow range, zero points in the
/// middle, at the ends and between, minvals of the section 3 kind and others.
std::vector<Config> configs() {
  std::vector<Config> result;
  for (StorageType type : integerTypes) {
    std::vector<CodeRange> ranges = {fullRange(type)};
    if (isSignedInteger(type))
      ranges.push_back(narrowRange(type));
    for (CodeRange range : ranges)
      for (float scale : scalesOf(type)) {
        int min = int(range.min), max = int(range.max);
        for (int zero : {min, (min + max + 1) / 2, max, min + 1})
          result.push_back(
              {{type, Formulation::ZeroPoint, range}, {scale, zero, 0.0f}});
        for (float minval : {0.0f, float(-scale * (range.max - range.min) / 2),
                             float(-scale * range.max * 0.77), 0.3f})
          result.push_back(
              {{type, Formulation::MinVal, range}, {scale, 0, minval}});
      }
  }
  for (StorageType type : floatTypes)
    for (float scale : scalesOf(type))
      result.push_back(
          {{type, Formulation::ZeroPoint, fullRange(type)}, {scale, 0, 0.0f}});
  return result;
}

std::string describe(const Config &c) {
  return std::string(name(c.format.storage)) + " " +
         std::string(name(c.format.formulation)) + " [" +
         std::to_string(c.format.range.min) + ", " +
         std::to_string(c.format.range.max) + "] scale " +
         std::to_string(c.params.scale) + " zero " +
         std::to_string(c.params.zeroPoint) + " minval " +
         std::to_string(c.params.minval);
}

TensorParams perTensor(const Config &c) {
  TensorParams params;
  params.format = c.format;
  params.scales = {c.params.scale};
  if (c.format.formulation == Formulation::MinVal)
    params.minvals = {c.params.minval};
  else if (c.params.zeroPoint)
    params.zeroPoints = {c.params.zeroPoint};
  return params;
}

/// The same parameters for each of `columns` columns: the loops whose
/// parameters are arrays.
TensorParams perColumn(const Config &c, int64_t columns) {
  TensorParams params = perTensor(c);
  params.scales.assign(columns, c.params.scale);
  if (!params.zeroPoints.empty())
    params.zeroPoints.assign(columns, c.params.zeroPoint);
  if (!params.minvals.empty())
    params.minvals.assign(columns, c.params.minval);
  return params;
}

/// Checks the scalar function and three kinds of loop over `values`, counting
/// clipped elements in one of them.
void check(const Config &c, const std::vector<float> &values,
           const std::vector<uint8_t> &memory, ExpressedType type) {
  const int64_t count = int64_t(values.size());
  const oracle::Unit unit = toOracle(c.format, c.params);
  std::vector<uint8_t> expected(count);
  int64_t expectedClipped = 0;
  for (int64_t i = 0; i < count; ++i) {
    bool clipped;
    int code = oracle::quantize(unit, values[i], &clipped);
    expectedClipped += clipped;
    expected[i] = uint8_t(code);
    ASSERT_EQ(quantize(values[i], c.format, c.params), code)
        << describe(c) << " of " << std::hexfloat << values[i];
  }
  const int64_t columns = 64;
  ASSERT_EQ(count % columns, 0);
  const BlockGeometry whole({count}, {-1}),
      last({count / columns, columns}, {-1, 1});
  std::vector<uint8_t> codes(count);
  const FloatData source = {memory.data(), type};
  auto compare = [&](const char *loop) {
    for (int64_t i = 0; i < count; ++i)
      ASSERT_EQ(int(codes[i]), int(expected[i]))
          << loop << " " << describe(c) << " of " << std::hexfloat << values[i];
  };
  quantizeTensor(perTensor(c), whole, source, codes.data());
  compare("one block");
  quantizeTensor(perColumn(c, columns), last, source, codes.data());
  compare("blocks of one");
  QuantError error;
  quantizeTensor(perTensor(c), whole, source, codes.data(), &error);
  compare("one block, counting");
  ASSERT_EQ(error.clipped, expectedClipped) << describe(c);
  error = QuantError();
  quantizeTensor(perColumn(c, columns), last, source, codes.data(), &error);
  compare("blocks of one, counting");
  ASSERT_EQ(error.clipped, expectedClipped) << describe(c);
}

void checkSixteenBits(ExpressedType type) {
  std::vector<uint8_t> memory(2 * 65536);
  for (uint32_t i = 0; i < 65536; ++i) {
    memory[2 * i] = uint8_t(i);
    memory[2 * i + 1] = uint8_t(i >> 8);
  }
  const std::vector<float> values = fromMemory(memory, type);
  for (const Config &c : configs())
    check(c, values, memory, type);
}

TEST(Quantize, EveryF16Value) { checkSixteenBits(ExpressedType::F16); }
TEST(Quantize, EveryBF16Value) { checkSixteenBits(ExpressedType::BF16); }

TEST(Quantize, TiesAndTheirNeighbours) {
  for (const Config &c : configs()) {
    std::vector<float> values = {0.0f,
                                 -0.0f,
                                 INFINITY,
                                 -INFINITY,
                                 NAN,
                                 -std::numeric_limits<float>::max(),
                                 std::numeric_limits<float>::max(),
                                 std::numeric_limits<float>::denorm_min(),
                                 -std::numeric_limits<float>::denorm_min()};
    std::vector<double> middles;
    if (const oracle::Format *format = oracle::storage(c.format.storage).format)
      for (size_t i = 0; i + 1 < format->values.size(); ++i)
        for (double sign : {1.0, -1.0})
          middles.push_back(sign * (format->values[i] + format->values[i + 1]) /
                            2);
    else
      for (int q = -260; q <= 260; ++q)
        middles.push_back(q + 0.5);
    for (double middle : middles) {
      float x = float(middle * double(c.params.scale) + c.params.minval);
      for (int step = 0; step < 3; ++step) {
        values.push_back(x);
        x = std::nextafter(x, step == 0 ? INFINITY : -INFINITY);
        if (step == 1)
          x = std::nextafter(x, -INFINITY);
      }
    }
    while (values.size() % 64)
      values.push_back(0.25f);
    check(c, values, toMemory(values, ExpressedType::F32), ExpressedType::F32);
  }
}

TEST(Quantize, RandomBitPatterns) {
  std::mt19937 random(6);
  for (const Config &c : configs()) {
    std::vector<float> values(8192);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = fromBits(uint32_t(random()));
      // Most patterns saturate: half are drawn from the range in use.
      if (i % 2)
        values[i] = float((double(random()) / 4294967296.0 * 1.2 - 0.6) *
                              (c.format.range.max - c.format.range.min) *
                              double(c.params.scale) +
                          c.params.minval);
    }
    check(c, values, toMemory(values, ExpressedType::F32), ExpressedType::F32);
  }
}

TEST(Quantize, Int32Saturates) {
  const CodeFormat format = {StorageType::Int32, Formulation::ZeroPoint,
                             fullRange(StorageType::Int32)};
  const UnitParams one = {1.0f, 0, 0.0f};
  EXPECT_EQ(quantize(1e20f, format, one), 2147483647);
  EXPECT_EQ(quantize(-INFINITY, format, one), -2147483647 - 1);
  EXPECT_EQ(quantize(2.5f, format, one), 2);
  EXPECT_EQ(quantize(NAN, format, one), 0);
  EXPECT_EQ(quantize(2147483520.0f, format, one), 2147483520);
  EXPECT_EQ(dequantize(2147483647, format, one), 2147483648.0f);
  EXPECT_EQ(dequantize(-2147483647 - 1, format, one), -2147483648.0f);
}

TEST(Quantize, NaNIsTheCodeOfZero) {
  for (const Config &c : configs())
    EXPECT_EQ(quantize(NAN, c.format, c.params),
              quantize(0.0f, c.format, c.params))
        << describe(c);
}

TEST(Quantize, IsMonotonic) {
  for (const Config &c : configs()) {
    // Bit patterns of float storage order like sign and magnitude.
    auto order = [&](int32_t code) {
      const oracle::Format *format = oracle::storage(c.format.storage).format;
      return format ? format->decode(uint32_t(code)) : double(code);
    };
    double previous = -INFINITY;
    for (int i = -2000; i <= 2000; ++i) {
      float x = float(i / 1500.0 * c.format.range.max * double(c.params.scale));
      double code = order(quantize(x, c.format, c.params));
      ASSERT_GE(code, previous) << describe(c) << " at " << x;
      previous = code;
    }
  }
}

TEST(Quantize, IsInvariantUnderPowersOfTwo) {
  std::mt19937 random(8);
  for (Config c : configs()) {
    // Away from overflow and denormals on both sides.
    if (c.params.scale < 1e-6f || c.params.scale > 1e6f)
      continue;
    Config scaled = c;
    const float power = 0x1p-17f;
    scaled.params.scale *= power;
    scaled.params.minval *= power;
    for (int i = 0; i < 500; ++i) {
      float x = float((double(random()) / 4294967296.0 - 0.5) *
                      c.format.range.max * double(c.params.scale));
      ASSERT_EQ(quantize(x, c.format, c.params),
                quantize(x * power, scaled.format, scaled.params))
          << describe(c) << " at " << x;
    }
  }
}

TEST(Quantize, ZeroIsExactWithAZeroPoint) {
  for (const Config &c : configs()) {
    if (c.format.formulation == Formulation::MinVal)
      continue;
    for (float zero : {0.0f, -0.0f})
      EXPECT_EQ(
          dequantize(quantize(zero, c.format, c.params), c.format, c.params),
          0.0f)
          << describe(c);
  }
}

TEST(Quantize, SignedZeroIsKeptByFloatStorage) {
  for (StorageType type : floatTypes) {
    const CodeFormat format = {type, Formulation::ZeroPoint, fullRange(type)};
    const uint32_t signBit = oracle::storage(type).format->signBit();
    EXPECT_EQ(uint32_t(quantize(-0.0f, format, {1, 0, 0})), signBit);
    EXPECT_EQ(uint32_t(quantize(-1e-30f, format, {1, 0, 0})), signBit);
    EXPECT_EQ(quantize(0.0f, format, {1, 0, 0}), 0);
    EXPECT_TRUE(std::signbit(dequantize(int(signBit), format, {1, 0, 0})));
  }
}

/// Codes of the range in use: finite ones for float storage.
std::vector<uint8_t> codesInUse(const CodeFormat &format) {
  std::vector<uint8_t> codes;
  if (const oracle::Format *table = oracle::storage(format.storage).format) {
    for (uint32_t code = 0; code < 2 * table->signBit(); ++code)
      if (std::isfinite(table->decode(code)))
        codes.push_back(uint8_t(code));
  } else {
    for (int code = int(format.range.min); code <= int(format.range.max);
         ++code)
      codes.push_back(uint8_t(code));
  }
  return codes;
}

TEST(Dequantize, EveryCode) {
  for (const Config &c : configs()) {
    const oracle::Unit unit = toOracle(c.format, c.params);
    std::vector<uint8_t> codes = codesInUse(c.format);
    const int64_t count = int64_t(codes.size());
    for (ExpressedType type : expressedTypes) {
      std::vector<uint8_t> whole(count * 4), elements(count * 4);
      if (type != ExpressedType::F32) {
        whole.resize(count * 2);
        elements.resize(count * 2);
      }
      dequantizeTensor(perTensor(c), BlockGeometry({count}, {-1}), codes.data(),
                       type, whole.data());
      dequantizeTensor(perColumn(c, count), BlockGeometry({count}, {1}),
                       codes.data(), type, elements.data());
      std::vector<float> expected(count);
      for (int64_t i = 0; i < count; ++i) {
        int32_t code = extend(codes[i], c.format.storage);
        float value = oracle::dequantize(unit, code);
        ASSERT_EQ(toBits(dequantize(code, c.format, c.params)), toBits(value))
            << describe(c) << " of " << code;
        expected[i] = oracle::roundTo(value, type);
      }
      EXPECT_EQ(whole, toMemory(expected, type)) << describe(c);
      EXPECT_EQ(elements, toMemory(expected, type)) << describe(c);
    }
  }
}

bool roundTrips(const CodeFormat &format, const UnitParams &params,
                ExpressedType type) {
  for (uint8_t byte : codesInUse(format)) {
    int32_t code = extend(byte, format.storage);
    float value = oracle::roundTo(dequantize(code, format, params), type);
    if (quantize(value, format, params) != code)
      return false;
  }
  return true;
}

TEST(RoundTrip, IsTheRuleOfSectionTwo) {
  const CodeFormat zp = {
      StorageType::Int8, Formulation::ZeroPoint, {-128, 127}};
  EXPECT_TRUE(roundTripIsIdentity(zp, ExpressedType::F32, -128, 127));
  EXPECT_TRUE(roundTripIsIdentity(zp, ExpressedType::F16, -128, 127));
  EXPECT_TRUE(roundTripIsIdentity(zp, ExpressedType::BF16, 0, 0));
  EXPECT_FALSE(roundTripIsIdentity(zp, ExpressedType::BF16, 1, 1) &&
               roundTripIsIdentity(zp, ExpressedType::BF16, 0, 1));
  EXPECT_FALSE(roundTripIsIdentity(zp, ExpressedType::BF16, -2, 0));
  const CodeFormat minval = {
      StorageType::Int8, Formulation::MinVal, {-128, 127}};
  EXPECT_TRUE(roundTripIsIdentity(minval, ExpressedType::F32, 0, 0));
  EXPECT_TRUE(roundTripIsIdentity(minval, ExpressedType::F16, 0, 0));
  EXPECT_FALSE(roundTripIsIdentity(minval, ExpressedType::BF16, 0, 0));
  const CodeFormat uint8 = {
      StorageType::UInt8, Formulation::ZeroPoint, {0, 255}};
  EXPECT_TRUE(roundTripIsIdentity(uint8, ExpressedType::BF16, 128, 128));
  EXPECT_FALSE(roundTripIsIdentity(uint8, ExpressedType::BF16, 0, 128));
}

// What is claimed must hold. What is not claimed may hold all the same, but the
// claim must not be empty either.
TEST(RoundTrip, HoldsWhereverItIsClaimed) {
  std::mt19937 random(9);
  std::uniform_real_distribution<double> exponent(-140, 128), mantissa(1, 2);
  int64_t claimed = 0, refused = 0;
  for (const QuantSpec &spec : allowedSpecs())
    for (int i = 0; i < 60; ++i) {
      // Ordinary magnitudes as often as extreme ones.
      double power = i % 2 ? exponent(random) : exponent(random) / 20;
      float min = -float(std::exp2(power)),
            max = float(mantissa(random) * -min);
      if (i % 3 == 0)
        min = 0;
      UnitParams unit;
      if (paramsFromRange(spec, min, max, unit) != ParamError::None)
        continue;
      if (i % 5 == 0 && spec.scaleType == ScaleType::F32)
        unit.scale = float(std::exp2(power)); // written by hand
      TensorParams params;
      params.format = {spec.storage, spec.formulation, rangeInUse(spec)};
      params.scales = {unit.scale};
      if (spec.formulation == Formulation::MinVal)
        params.minvals = {unit.minval};
      else if (isInteger(spec.storage))
        params.zeroPoints = {unit.zeroPoint};
      for (ExpressedType type : expressedTypes) {
        if (!roundTripIsIdentity(params, type)) {
          ++refused;
          continue;
        }
        ++claimed;
        ASSERT_TRUE(roundTrips(params.format, unit, type))
            << support::describe(spec) << " scale " << unit.scale << " zero "
            << unit.zeroPoint << " minval " << unit.minval << " in "
            << name(type);
      }
    }
  EXPECT_GT(claimed, 5000);
  EXPECT_GT(refused, 1000);
}

TEST(RoundTrip, IsNotClaimedForScalesThatLeaveTheExpressedType) {
  TensorParams params;
  params.format = {StorageType::Int8, Formulation::ZeroPoint, {-128, 127}};
  params.scales = {0.01f, 1000.0f};
  EXPECT_TRUE(roundTripIsIdentity(params, ExpressedType::F32));
  EXPECT_FALSE(roundTripIsIdentity(params, ExpressedType::F16));
  EXPECT_FALSE(roundTrips(params.format, {1000.0f, 0, 0}, ExpressedType::F16));
  params.scales = {1e-9f};
  EXPECT_FALSE(roundTripIsIdentity(params, ExpressedType::F16));
  EXPECT_FALSE(roundTrips(params.format, {1e-9f, 0, 0}, ExpressedType::F16));
}
} // namespace
