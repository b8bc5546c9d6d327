//===- TensorTest.cpp - Blocked tensors against the oracle ----------------===//
//
// Shapes of rank 0 to 5 with ragged blocks of every size, one element at a time
// by its full index on the oracle's side.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <random>

using namespace support;
using oracle::toBits;

namespace {
struct Random {
  std::mt19937 engine;
  explicit Random(uint32_t seed) : engine(seed) {}
  int64_t integer(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
  }
  double real(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine);
  }
};

std::string describe(const std::vector<int64_t> &values) {
  std::string text = "[";
  for (int64_t value : values)
    text += std::to_string(value) + " ";
  return text + "]";
}

std::vector<float> randomValues(Random &random, int64_t count,
                                ExpressedType type) {
  std::vector<float> values(count);
  double power = random.real(-12, 8);
  for (float &value : values) {
    int64_t kind = random.integer(0, 19);
    value = kind == 0   ? 0.0f
            : kind == 1 ? -0.0f
                        : float(random.real(-1, 1) * std::exp2(power));
    if (kind == 2)
      value = float(value * 1e-4);
    value = oracle::roundTo(value, type);
  }
  return values;
}

/// Everything the library does with a tensor, against the oracle.
void check(const QuantSpec &spec, const BlockGeometry &geometry,
           const std::vector<float> &values, ExpressedType type) {
  const std::string where =
      support::describe(spec) + " in " + std::string(name(type)) + " " +
      describe(geometry.shape) + " by " + describe(geometry.blockSizes);
  const int64_t count = int64_t(values.size());
  ASSERT_EQ(geometry.numElements(), count) << where;
  int64_t units = 1;
  std::vector<int64_t> paramShape;
  for (size_t d = 0; d < geometry.shape.size(); ++d) {
    int64_t dim = geometry.shape[d], block = geometry.blockSizes[d];
    int64_t size = block == -1 || block > dim ? dim : block;
    paramShape.push_back(dim == 0 ? 0 : dim / size + (dim % size ? 1 : 0));
    units *= paramShape.back();
  }
  ASSERT_EQ(geometry.paramShape(), paramShape) << where;
  ASSERT_EQ(geometry.numUnits(), units) << where;

  std::vector<float> mins(units, INFINITY), maxs(units, -INFINITY);
  std::vector<int64_t> unitOf(count);
  for (int64_t i = 0; i < count; ++i) {
    unitOf[i] = oracle::unitOf(geometry.shape, geometry.blockSizes, i);
    mins[unitOf[i]] = std::fmin(mins[unitOf[i]], values[i]);
    maxs[unitOf[i]] = std::fmax(maxs[unitOf[i]], values[i]);
  }
  std::vector<oracle::Unit> expected(units);
  TensorError expectedError;
  for (int64_t unit = 0; unit < units && !expectedError; ++unit) {
    oracle::Failure failure =
        oracle::params(toOracle(spec), mins[unit], maxs[unit], expected[unit]);
    if (failure != oracle::Failure::None)
      expectedError = {toError(failure), unit};
  }

  const std::vector<uint8_t> memory = toMemory(values, type);
  const FloatData source = {memory.data(), type};
  TensorParams params, fusedParams;
  TensorError error = computeParams(spec, geometry, source, params);
  std::vector<uint8_t> codes(count), fusedCodes(count);
  QuantError measured, fusedMeasured;
  TensorError fusedError = quantizeTensor(spec, geometry, source, fusedParams,
                                          fusedCodes.data(), &fusedMeasured);
  for (const TensorError &actual : {error, fusedError}) {
    ASSERT_EQ(actual.error, expectedError.error) << where;
    ASSERT_EQ(actual.unit, expectedError.unit) << where;
  }
  if (expectedError)
    return;

  const bool hasZero =
      isInteger(spec.storage) && spec.formulation == Formulation::ZeroPoint &&
      (spec.scheme == Scheme::Asymmetric || !isSignedInteger(spec.storage));
  const bool hasMinval = spec.formulation == Formulation::MinVal;
  for (const TensorParams *actual : {&params, &fusedParams}) {
    ASSERT_EQ(int64_t(actual->scales.size()), units) << where;
    ASSERT_EQ(int64_t(actual->zeroPoints.size()), hasZero ? units : 0) << where;
    ASSERT_EQ(int64_t(actual->minvals.size()), hasMinval ? units : 0) << where;
    for (int64_t unit = 0; unit < units; ++unit) {
      ASSERT_EQ(toBits(actual->scales[unit]), toBits(expected[unit].scale))
          << where << " unit " << unit;
      if (hasZero) {
        ASSERT_EQ(actual->zeroPoints[unit], expected[unit].zero) << where;
      }
      if (hasMinval) {
        ASSERT_EQ(actual->minvals[unit], expected[unit].minval) << where;
      }
      ASSERT_EQ(actual->format.range.min, expected[unit].min) << where;
      ASSERT_EQ(actual->format.range.max, expected[unit].max) << where;
    }
  }

  quantizeTensor(params, geometry, source, codes.data());
  std::vector<uint8_t> measuredCodes(count);
  quantizeTensor(params, geometry, source, measuredCodes.data(), &measured);
  ASSERT_EQ(codes, measuredCodes) << where;
  ASSERT_EQ(codes, fusedCodes) << where;

  long double signal = 0, noise = 0;
  double worst = 0;
  int64_t clippedCount = 0;
  std::vector<float> dequantized(count);
  for (int64_t i = 0; i < count; ++i) {
    const oracle::Unit &unit = expected[unitOf[i]];
    bool clipped;
    int code = oracle::quantize(unit, values[i], &clipped);
    ASSERT_EQ(int(codes[i]), int(uint8_t(code)))
        << where << " element " << i << " of " << std::hexfloat << values[i];
    dequantized[i] = oracle::roundTo(oracle::dequantize(unit, code), type);
    double difference = double(dequantized[i]) - double(values[i]);
    signal += double(values[i]) * double(values[i]);
    noise += difference * difference;
    worst = std::fmax(worst, std::fabs(difference));
    clippedCount += clipped;
  }
  for (const QuantError *actual : {&measured, &fusedMeasured}) {
    EXPECT_NEAR(actual->signalPower, double(signal), 1e-12 * double(signal));
    // -128 steps of 65504 / 127.5 overflow f16: the dequantized value is then
    // infinite, and so is the error.
    if (std::isinf(worst))
      EXPECT_EQ(actual->noisePower, INFINITY) << where;
    else
      EXPECT_NEAR(actual->noisePower, double(noise), 1e-12 * double(noise))
          << where;
    EXPECT_EQ(actual->maxAbsError, worst) << where;
    EXPECT_EQ(actual->clipped, clippedCount) << where;
  }

  std::vector<uint8_t> back(memory.size());
  dequantizeTensor(params, geometry, codes.data(), type, back.data());
  ASSERT_EQ(back, toMemory(dequantized, type)) << where;
}

TEST(Tensor, RandomShapesAndBlocks) {
  Random random(20);
  const std::vector<QuantSpec> specs = allowedSpecs();
  for (int i = 0; i < 4000; ++i) {
    QuantSpec spec = specs[random.integer(0, int64_t(specs.size()) - 1)];
    if (random.integer(0, 4) == 0)
      spec.floatLo = -float(random.real(0, 2));
    if (random.integer(0, 4) == 0)
      spec.floatHi = float(random.real(0.01, 2));
    std::vector<int64_t> shape, blocks;
    int64_t rank = random.integer(0, 5);
    for (int64_t d = 0; d < rank; ++d) {
      int64_t largest = rank <= 2 ? 70 : 7;
      int64_t dim = random.integer(random.integer(0, 20) == 0 ? 0 : 1, largest);
      shape.push_back(dim);
      int64_t kind = random.integer(0, 3);
      blocks.push_back(kind == 0   ? -1
                       : kind == 1 ? 1
                                   : random.integer(1, dim + 2));
    }
    int64_t count = 1;
    for (int64_t dim : shape)
      count *= dim;
    ExpressedType type = expressedTypes[random.integer(0, 2)];
    check(spec, BlockGeometry(shape, blocks), randomValues(random, count, type),
          type);
  }
}

// Longer than a buffer, than a vector and than a slab, and ragged at each.
TEST(Tensor, LongRows) {
  Random random(21);
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>>
      geometries = {{{5003}, {-1}},
                    {{5003}, {32}},
                    {{5003}, {1}},
                    {{3, 2500}, {1, 2049}},
                    {{3, 2500}, {-1, 1}},
                    {{3, 2500}, {2, 32}},
                    {{401, 331}, {1, 32}},
                    {{401, 331}, {32, 1}},
                    {{401, 331}, {-1, -1}},
                    {{401, 331}, {1, -1}},
                    {{401, 331}, {100, 7}},
                    {{3, 3, 40, 33}, {-1, -1, 32, 1}},
                    {{70, 40, 3, 3}, {1, 32, -1, -1}}};
  for (const auto &[shape, blocks] : geometries)
    for (ExpressedType type : expressedTypes)
      for (QuantSpec spec : {QuantSpec{StorageType::Int8,
                                       Scheme::Symmetric,
                                       Formulation::ZeroPoint,
                                       ScaleType::F32,
                                       {},
                                       {}},
                             QuantSpec{StorageType::UInt4,
                                       Scheme::Asymmetric,
                                       Formulation::ZeroPoint,
                                       ScaleType::F16,
                                       {},
                                       {}},
                             QuantSpec{StorageType::Int4,
                                       Scheme::Asymmetric,
                                       Formulation::MinVal,
                                       ScaleType::BF16,
                                       {},
                                       {}},
                             QuantSpec{StorageType::Float4E2M1FN,
                                       Scheme::Symmetric,
                                       Formulation::ZeroPoint,
                                       ScaleType::F8E8M0FNU,
                                       {},
                                       {}}}) {
        int64_t count = 1;
        for (int64_t dim : shape)
          count *= dim;
        check(spec, BlockGeometry(shape, blocks),
              randomValues(random, count, type), type);
      }
}

TEST(Tensor, DegenerateContents) {
  for (const QuantSpec &spec : allowedSpecs())
    for (ExpressedType type : expressedTypes)
      for (float value :
           {0.0f, -0.0f, 1.0f, -1.0f, 0.75f, 0x1p-24f, -0x1p-14f, 60000.0f}) {
        float rounded = oracle::roundTo(value, type);
        check(spec, BlockGeometry({}, {}), {rounded}, type);
        check(spec, BlockGeometry({3, 4}, {1, 3}),
              std::vector<float>(12, rounded), type);
        // One channel of zeros among others.
        std::vector<float> values(24, rounded);
        std::fill(values.begin() + 8, values.begin() + 16, 0.0f);
        check(spec, BlockGeometry({3, 8}, {1, -1}), values, type);
      }
}

TEST(Tensor, ErrorNamesTheFirstUnit) {
  for (ScaleType scale : {ScaleType::F32, ScaleType::F16, ScaleType::BF16})
    for (Formulation form : {Formulation::ZeroPoint, Formulation::MinVal})
      for (Scheme scheme : schemes) {
        QuantSpec spec = {StorageType::Int8, scheme, form, scale, {}, {}};
        std::vector<float> values(400 * 300, 0.5f);
        values[0] = 60000.0f;
        check(spec, BlockGeometry({400, 300}, {1, -1}), values,
              ExpressedType::F32);
        values[5 * 300 + 7] = 70000.0f; // beyond f16 as a minval
        values[350 * 300 + 7] = -3e38f; // beyond f16 as a scale
        values[350 * 300 + 8] = 3e38f;  // beyond f32 as hi - lo
        for (std::vector<int64_t> blocks :
             {std::vector<int64_t>{1, -1}, {1, 32}, {-1, 1}, {-1, -1}})
          check(spec, BlockGeometry({400, 300}, blocks), values,
                ExpressedType::F32);
        values[350 * 300 + 9] = INFINITY;
        check(spec, BlockGeometry({400, 300}, {32, 16}), values,
              ExpressedType::F32);
      }
}

TEST(Tensor, EmptyTensorsHaveNoUnits) {
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{0}, {3, 0}, {0, 3}, {2, 0, 5}})
    for (int64_t block : {-1, 1, 2})
      for (ExpressedType type : expressedTypes)
        check({},
              BlockGeometry(shape, std::vector<int64_t>(shape.size(), block)),
              {}, type);
}

TEST(Tensor, ErrorAccumulatesOverCalls) {
  const std::vector<float> values = {1.0f, -0.3f, 0.2f};
  TensorParams params;
  const BlockGeometry geometry({3}, {-1});
  const FloatData source = {values.data(), ExpressedType::F32};
  ASSERT_FALSE(computeParams({}, geometry, source, params));
  uint8_t codes[3];
  QuantError once, twice;
  quantizeTensor(params, geometry, source, codes, &once);
  quantizeTensor(params, geometry, source, codes, &twice);
  quantizeTensor(params, geometry, source, codes, &twice);
  EXPECT_EQ(twice.noisePower, 2 * once.noisePower);
  EXPECT_EQ(twice.clipped, 2 * once.clipped);
  EXPECT_EQ(twice.maxAbsError, once.maxAbsError);
  EXPECT_NEAR(once.sqnrDb(),
              10 * std::log10(once.signalPower / once.noisePower), 1e-12);
  EXPECT_EQ(QuantError().sqnrDb(), INFINITY);
}

// The largest value of symmetric int8 lies at 127.5 steps and rounds to 128.
TEST(Tensor, ClippedCountsCodesThatTheClampChanged) {
  const std::vector<float> values = {127.5f, -127.5f, 127.49f, 126.5f};
  TensorParams params;
  params.format = {StorageType::Int8, Formulation::ZeroPoint, {-128, 127}};
  params.scales = {1.0f};
  uint8_t codes[4];
  QuantError error;
  quantizeTensor(params, BlockGeometry({4}, {-1}),
                 {values.data(), ExpressedType::F32}, codes, &error);
  EXPECT_EQ(error.clipped, 1);
  EXPECT_EQ(int8_t(codes[0]), 127);
  EXPECT_EQ(int8_t(codes[1]), -128);
  EXPECT_EQ(int8_t(codes[3]), 126);
}

TEST(NonFinite, CountsAndNamesTheFirst) {
  Random random(22);
  for (ExpressedType type : expressedTypes)
    for (int64_t count : {0, 1, 7, 4096, 10000}) {
      std::vector<float> values(count);
      for (float &value : values)
        value = oracle::roundTo(float(random.real(-1, 1)), type);
      for (int64_t bad : {0, 1, 5}) {
        std::vector<float> broken = values;
        for (int64_t i = 0; i < bad && count > 0; ++i)
          broken[random.integer(0, count - 1)] = i % 3 == 0   ? INFINITY
                                                 : i % 3 == 1 ? NAN
                                                              : -INFINITY;
        int64_t expected = 0, first = -1;
        for (int64_t i = 0; i < count; ++i)
          if (!std::isfinite(broken[i])) {
            ++expected;
            first = first < 0 ? i : first;
          }
        std::vector<uint8_t> memory = toMemory(broken, type);
        NonFinite actual = findNonFinite({memory.data(), type}, count);
        EXPECT_EQ(actual.count, expected);
        EXPECT_EQ(actual.firstIndex, first);
      }
      // A whole tensor of them must not wrap a narrow counter.
      std::vector<uint8_t> memory(
          toMemory(std::vector<float>(count, INFINITY), type));
      EXPECT_EQ(findNonFinite({memory.data(), type}, count).count, count);
    }
}
} // namespace
