//===- DynamicRangeTest.cpp - Ranges at run time against the numerics -----===//
//
// quant.dynamic_range for every request that the contract allows, on rows whose
// ranges have every exponent, ties, zeros, denormals, NaN, Inf and the ends of
// binary32, and for every kind of granularity, static and dynamic. Scales and
// zero points must be those of numerics::paramsFromRange bit for bit.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

#include "quant-mlir/Numerics/SmallFloat.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace quant_mlir;
using namespace quant_mlir::test;
using numerics::ExpressedType;
using numerics::QuantSpec;
using numerics::ScaleType;
using numerics::Scheme;
using numerics::StorageType;

namespace {

constexpr float maxFloat = std::numeric_limits<float>::max();

/// Every storage, scheme and scale type that the contract allows, and fixed
/// ends of the range.
std::vector<QuantSpec> allSpecs() {
  std::vector<QuantSpec> specs;
  for (int storage = 0; storage <= int(StorageType::Float4E2M1FN); ++storage)
    for (int scheme = 0; scheme <= int(Scheme::Asymmetric); ++scheme)
      for (int scale = 0; scale <= int(ScaleType::F8E8M0FNU); ++scale) {
        QuantSpec spec;
        spec.storage = StorageType(storage);
        spec.scheme = Scheme(scheme);
        spec.scaleType = ScaleType(scale);
        if (!numerics::checkSpec(spec))
          specs.push_back(spec);
      }
  for (StorageType storage :
       {StorageType::Int8, StorageType::UInt4, StorageType::Float8E4M3FN})
    for (Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric})
      for (int ends = 1; ends < 4; ++ends) {
        QuantSpec spec;
        spec.storage = storage;
        spec.scheme = scheme;
        if (ends & 1)
          spec.floatLo = -1.5f;
        if (ends & 2)
          spec.floatHi = 6.0f;
        if (!numerics::checkSpec(spec))
          specs.push_back(spec);
      }
  return specs;
}

std::string specText(const QuantSpec &spec, const std::string &granularity) {
  std::string text =
      std::string(numerics::name(spec.storage)) + ", " +
      std::string(numerics::name(spec.scheme)) + ", " + granularity +
      ", scale_type = " + std::string(numerics::name(spec.scaleType));
  auto end = [](std::optional<float> value) {
    return value ? std::to_string(*value) : std::string("none");
  };
  if (spec.floatLo || spec.floatHi)
    text += ", float_range = [" + end(spec.floatLo) + ", " + end(spec.floatHi) +
            "]";
  return text;
}

/// Functions that give the scales, `s` + name, and the zero points, `z` + name.
std::string makeFunctions(const std::string &name, const QuantSpec &spec,
                          const std::string &granularity,
                          ExpressedType expressed,
                          const std::vector<int64_t> &shape,
                          const std::vector<int64_t> &paramShape) {
  std::string input = tensorType(shape, std::string(numerics::name(expressed)));
  std::string scale = tensorType(paramShape, scaleType(spec.scaleType));
  std::string zeroPoint = tensorType(paramShape, "i32");
  bool hasZeroPoint = numerics::hasZeroPoint(spec);
  auto function = [&](const std::string &prefix, const std::string &result,
                      const std::string &value) {
    return "func.func @" + prefix + name + "(%x: " + input + ") -> " + result +
           " {\n  %s" + (hasZeroPoint ? ", %z" : "") +
           " = quant.dynamic_range %x <" + specText(spec, granularity) +
           "> : " + input + " -> " + scale +
           (hasZeroPoint ? ", " + zeroPoint : "") + "\n  return " + value +
           " : " + result + "\n}\n";
  };
  std::string text = function("s", scale, "%s");
  if (hasZeroPoint)
    text += function("z", zeroPoint, "%z");
  return text;
}

/// Bits of a scale as its type stores it.
uint32_t scaleBits(ScaleType type, float scale) {
  switch (type) {
  case ScaleType::F32:
    return encode(ExpressedType::F32, scale);
  case ScaleType::F16:
    return numerics::encodeF16(scale);
  case ScaleType::BF16:
    return numerics::encodeBF16(scale);
  case ScaleType::F8E8M0FNU:
    return numerics::encodeE8M0(scale);
  }
  return 0;
}

unsigned scaleWidth(ScaleType type) {
  return type == ScaleType::F32 ? 4 : type == ScaleType::F8E8M0FNU ? 1 : 2;
}

float largestScale(ScaleType type) {
  return type == ScaleType::F16    ? 65504.0f
         : type == ScaleType::BF16 ? 0x1.fep127f
                                   : maxFloat;
}

/// What the contract says for the finite ones of some elements.
numerics::UnitParams expectedParams(const QuantSpec &spec,
                                    llvm::ArrayRef<float> values) {
  float lo = 0, hi = 0;
  for (float value : values) {
    if (!std::isfinite(value))
      continue;
    lo = std::min(lo, value);
    hi = std::max(hi, value);
  }
  numerics::UnitParams params;
  if (paramsFromRange(spec, lo, hi, params) == numerics::ParamError::None)
    return params;
  // An error at compile time; at run time the largest scale, and the zero point
  // from it.
  params.scale = largestScale(spec.scaleType);
  params.zeroPoint = 0;
  if (numerics::hasZeroPoint(spec)) {
    numerics::CodeRange range = numerics::rangeInUse(spec);
    double zero =
        range.min - std::nearbyint(spec.floatLo.value_or(lo) / params.scale);
    params.zeroPoint =
        spec.scheme == Scheme::Asymmetric
            ? int32_t(std::min(std::max(zero, range.min), range.max))
            : int32_t(numerics::isSignedInteger(spec.storage)
                          ? 0
                          : (range.max + 1) / 2);
  }
  return params;
}

/// Calls both functions and compares every unit; `units[i]` are the elements of
/// unit i.
void expectParams(JitModule &jit, const std::string &name,
                  const QuantSpec &spec, const Buffer &input, unsigned rank,
                  const std::vector<std::vector<float>> &units) {
  SCOPED_TRACE(name + ": " + specText(spec, ""));
  Buffer scales = jit.call("s" + name, input, rank, scaleWidth(spec.scaleType));
  Buffer zeroPoints;
  if (numerics::hasZeroPoint(spec))
    zeroPoints = jit.call("z" + name, input, rank, 4);
  ASSERT_EQ(scales.bytes.size(), units.size() * scaleWidth(spec.scaleType));
  int failures = 0;
  for (size_t i = 0; i < units.size(); ++i) {
    numerics::UnitParams expected = expectedParams(spec, units[i]);
    uint32_t found = scaleWidth(spec.scaleType) == 4 ? scales.as<uint32_t>()[i]
                     : scaleWidth(spec.scaleType) == 2
                         ? scales.as<uint16_t>()[i]
                         : scales.bytes[i];
    int32_t zeroPoint =
        numerics::hasZeroPoint(spec) ? zeroPoints.as<int32_t>()[i] : 0;
    if ((found != scaleBits(spec.scaleType, expected.scale) ||
         zeroPoint != expected.zeroPoint) &&
        failures++ < 5)
      ADD_FAILURE() << "unit " << i << ": expected " << expected.scale << ", "
                    << expected.zeroPoint << ", found scale bits " << found
                    << ", " << zeroPoint;
  }
}

/// Rows of few elements, so that one of them decides each end.
std::vector<std::vector<float>> extremeRows(size_t count, size_t columns,
                                            std::mt19937 &random) {
  const float special[] = {0.0f,       -0.0f,     NAN,       INFINITY,
                           -INFINITY,  maxFloat,  -maxFloat, 0x1p-149f,
                           -0x1p-149f, 0x1p-126f, 65504.0f,  0x1p-23f,
                           -0x1p-23f};
  std::vector<std::vector<float>> rows;
  std::uniform_int_distribution<uint32_t> bits;
  std::uniform_real_distribution<float> unit(-1, 1);
  std::uniform_int_distribution<int> exponent(-40, 40);
  for (size_t row = 0; row < count; ++row) {
    std::vector<float> values;
    float scale = std::ldexp(1.0f, exponent(random));
    for (size_t column = 0; column < columns; ++column) {
      uint32_t pattern = bits(random);
      float any;
      std::memcpy(&any, &pattern, sizeof(any));
      switch (row % 4) {
      case 0: // one magnitude
        values.push_back(unit(random) * scale);
        break;
      case 1: // all of them
        values.push_back(any);
        break;
      case 2: // one side, and ties of the zero point
        values.push_back(float(int(pattern % 512)) * 0.5f *
                         (row % 8 == 2 ? -scale : scale));
        break;
      default:
        values.push_back(special[pattern % std::size(special)]);
        break;
      }
    }
    rows.push_back(std::move(values));
  }
  // Without any finite element, and of zeros.
  rows[3].assign(columns, NAN);
  rows[7].assign(columns, -INFINITY);
  rows[11].assign(columns, -0.0f);
  return rows;
}

/// The elements of `rows` as `expressed` holds them, which replaces them.
Buffer makeInput(ExpressedType expressed,
                 std::vector<std::vector<float>> &rows) {
  Buffer buffer;
  buffer.shape = {int64_t(rows.size()), int64_t(rows.front().size())};
  for (std::vector<float> &row : rows)
    for (float &value : row) {
      uint32_t bits = encode(expressed, value);
      auto *bytes = reinterpret_cast<const uint8_t *>(&bits);
      buffer.bytes.insert(buffer.bytes.end(), bytes,
                          bytes + byteWidth(expressed));
      value = decode(expressed, bytes);
    }
  return buffer;
}

class DynamicRangeTest : public testing::TestWithParam<JitOptions> {};

TEST_P(DynamicRangeTest, AllSpecsAgreeWithNumerics) {
  std::mt19937 random(5);
  const size_t rows = 2048;
  struct Function {
    std::string name;
    QuantSpec spec;
    ExpressedType expressed;
  };
  std::vector<Function> functions;
  std::string source;
  for (const QuantSpec &spec : allSpecs())
    for (ExpressedType expressed :
         {ExpressedType::F32, ExpressedType::F16, ExpressedType::BF16}) {
      // What differs is one widening; one scale type shows it.
      if (expressed != ExpressedType::F32 && spec.scaleType != ScaleType::F32)
        continue;
      std::string name = std::to_string(functions.size());
      source += makeFunctions(
          name, spec,
          spec.storage == StorageType::Float4E2M1FN ? "per_block<[1, 32]>"
                                                    : "per_channel<[0]>",
          expressed, {-1, -1},
          {-1, spec.storage == StorageType::Float4E2M1FN ? -1 : 1});
      functions.push_back({name, spec, expressed});
    }
  auto jit = JitModule::compile(source, GetParam());
  ASSERT_TRUE(jit);
  for (const auto &[name, spec, expressed] : functions) {
    // More than a vector, several of them, and some elements beside.
    bool isLong =
        GetParam().vectors && spec.storage != StorageType::Float4E2M1FN;
    std::vector<std::vector<float>> units =
        extremeRows(rows, isLong ? 83 : 3, random);
    Buffer input = makeInput(expressed, units);
    expectParams(*jit, name, spec, input, 2, units);
  }
}

struct Case {
  std::string granularity;
  std::vector<int64_t> shape;
  std::vector<int64_t> sizes; ///< block sizes; empty for per_tensor
};

const Case cases[] = {
    {"per_tensor", {}, {}},
    {"per_tensor", {3, 5}, {}},
    {"per_tensor", {0, 5}, {}},
    {"per_channel<[1]>", {3, 5}, {-1, 1}},
    {"per_channel<[1]>", {0, 5}, {-1, 1}},
    {"per_channel<[0]>", {0, 5}, {1, -1}},
    {"per_channel<[0, 2]>", {2, 3, 4}, {1, -1, 1}},
    {"per_channel<[0]>", {1, 9}, {1, -1}},
    {"per_block<[2, 1]>", {5, 3}, {2, 1}},
    {"per_block<[-1, 4]>", {3, 10}, {-1, 4}},
    {"per_block<[3, 100]>", {7, 5}, {3, 100}},
    {"per_block<[2, 3, 1, 4]>", {3, 4, 2, 9}, {2, 3, 1, 4}},
    {"per_block<[32]>", {65}, {32}},
    {"per_block<[4]>", {4}, {4}},
    // Several vectors, and what is left beside them.
    {"per_tensor", {5, 83}, {}},
    {"per_channel<[0]>", {3, 151}, {1, -1}},
    {"per_channel<[1]>", {5, 67}, {-1, 1}},
    {"per_block<[1, 32]>", {3, 107}, {1, 32}},
    {"per_block<[2, 24]>", {3, 55}, {2, 24}},
};

/// Elements of every unit of a row-major tensor; paramShape is filled in.
std::vector<std::vector<float>> splitUnits(const Case &test,
                                           llvm::ArrayRef<float> values,
                                           std::vector<int64_t> &paramShape) {
  std::vector<int64_t> sizes;
  for (size_t dim = 0; dim < test.sizes.size(); ++dim) {
    // A whole dimension is one block also where it has no elements.
    bool isWhole = test.sizes[dim] == -1;
    sizes.push_back(isWhole ? std::max<int64_t>(test.shape[dim], 1)
                            : test.sizes[dim]);
    paramShape.push_back(
        isWhole ? 1 : (test.shape[dim] + sizes[dim] - 1) / sizes[dim]);
  }
  int64_t count = std::accumulate(paramShape.begin(), paramShape.end(),
                                  int64_t(1), std::multiplies<int64_t>());
  std::vector<std::vector<float>> units(count);
  for (int64_t i = 0; i < int64_t(values.size()); ++i) {
    int64_t unit = 0, stride = 1, rest = i;
    for (size_t dim = test.shape.size(); dim-- > 0;) {
      int64_t index = rest % test.shape[dim];
      rest /= test.shape[dim];
      if (sizes.empty())
        continue;
      unit += index / sizes[dim] * stride;
      stride *= paramShape[dim];
    }
    units[unit].push_back(values[i]);
  }
  return units;
}

class DynamicRangeGranularityTest : public testing::TestWithParam<JitOptions> {
};

TEST_P(DynamicRangeGranularityTest, EveryUnitHasItsOwnRange) {
  std::mt19937 random(17);
  std::vector<QuantSpec> specs(3);
  specs[0].scheme = Scheme::Asymmetric;
  specs[1].scaleType = ScaleType::F16;
  specs[2].storage = StorageType::Float8E4M3FN;
  specs[2].scaleType = ScaleType::F8E8M0FNU;
  struct Function {
    std::string name;
    Case test;
    QuantSpec spec;
  };
  std::vector<Function> functions;
  std::string source;
  for (const Case &test : cases)
    for (const QuantSpec &spec : specs)
      for (bool isDynamic : {false, true}) {
        std::string name = std::to_string(functions.size());
        std::vector<int64_t> shape = test.shape, paramShape;
        splitUnits(test, {}, paramShape);
        if (isDynamic) {
          shape.assign(shape.size(), -1);
          for (size_t dim = 0; dim < paramShape.size(); ++dim)
            if (test.sizes[dim] != -1)
              paramShape[dim] = -1;
        }
        source += makeFunctions(name, spec, test.granularity,
                                ExpressedType::F32, shape, paramShape);
        functions.push_back({name, test, spec});
      }
  auto jit = JitModule::compile(source, GetParam());
  ASSERT_TRUE(jit);
  std::normal_distribution<float> normal(1, 3);
  for (const auto &[name, test, spec] : functions) {
    SCOPED_TRACE(test.granularity);
    int64_t count = std::accumulate(test.shape.begin(), test.shape.end(),
                                    int64_t(1), std::multiplies<int64_t>());
    std::vector<float> values(count);
    for (float &value : values)
      value = normal(random);
    std::vector<int64_t> paramShape;
    std::vector<std::vector<float>> units =
        splitUnits(test, values, paramShape);
    expectParams(*jit, name, spec, Buffer::of<float>(values, test.shape),
                 paramShape.size(), units);
  }
}

INSTANTIATE_TEST_SUITE_P(Code, DynamicRangeTest,
                         testing::Values(JitOptions{0}, JitOptions{3},
                                         JitOptions{3, /*vectors=*/true}),
                         getName);

INSTANTIATE_TEST_SUITE_P(Code, DynamicRangeGranularityTest,
                         testing::Values(JitOptions{0},
                                         JitOptions{0, /*vectors=*/true}),
                         getName);

} // namespace
