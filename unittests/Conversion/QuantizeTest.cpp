//===- QuantizeTest.cpp - The reference lowering against the numerics -----===//
//
// Every storage type x formulation: quantize on all 65536 values of f16 and of
// bf16 and on f32 ties, edges and random bit patterns; dequantize on all codes
// to every expressed type. Machine code and the library must agree bit for bit,
// optimized and not.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

#include <cmath>

using namespace quant_mlir;
using namespace quant_mlir::test;
using numerics::ExpressedType;
using numerics::StorageType;

namespace {

constexpr ExpressedType allExpressed[] = {
    ExpressedType::F32, ExpressedType::F16, ExpressedType::BF16};

/// Where parameters are operands, only the quotient and the clamp differ, so
/// f32 is enough; MXFP4 has no other form.
bool isTested(const Format &format, ExpressedType expressed) {
  return expressed == ExpressedType::F32 || !format.isDynamic ||
         format.storage == StorageType::Float4E2M1FN;
}

std::string functionName(const char *op, ExpressedType expressed,
                         const Format &format) {
  return std::string(op) + "_" + std::string(numerics::name(expressed)) + "_" +
         format.name();
}

/// One row per unit; MXFP4 has blocks of 32 along a row, which all get the
/// row's scale.
struct Rows {
  int64_t rows;
  int64_t columns;

  bool isBlocked(const Format &format) const {
    return format.storage == StorageType::Float4E2M1FN;
  }
  std::string granularity(const Format &format) const {
    return isBlocked(format) ? "per_block<[1, 32]>" : "per_channel<[0]>";
  }
  std::vector<int64_t> paramType(const Format &format) const {
    return {format.isDynamic ? -1 : rows, isBlocked(format) ? -1 : 1};
  }
  std::vector<int64_t> shape(const Format &format) const {
    return {format.isDynamic ? -1 : rows, -1};
  }
  std::vector<Buffer> arguments(const Format &format, const Params &params,
                                Buffer input) const {
    std::vector<Buffer> result = {std::move(input)};
    if (!format.isDynamic)
      return result;
    int64_t blocks = isBlocked(format) ? (columns + 31) / 32 : 1;
    Params repeated;
    for (const numerics::UnitParams &unit : params.units)
      repeated.units.insert(repeated.units.end(), blocks, unit);
    result.push_back(repeated.scales(format.scaleType, {rows, blocks}));
    if (format.hasZeroPoint)
      result.push_back(repeated.zeroPoints({rows, blocks}));
    return result;
  }
};

/// f32 inputs for one unit: the ties between codes with their neighbours, the
/// edges of the type, and random bit patterns, half of them near the unit's
/// range.
std::vector<float> f32Inputs(const Format &format,
                             const numerics::UnitParams &unit, size_t count,
                             std::mt19937 &random) {
  std::vector<float> values = {0.0f,
                               -0.0f,
                               INFINITY,
                               -INFINITY,
                               NAN,
                               -NAN,
                               std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::lowest(),
                               std::numeric_limits<float>::denorm_min(),
                               -std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::min(),
                               8388608.5f * unit.scale,
                               2147483648.0f * unit.scale,
                               -2147483648.0f * unit.scale,
                               2147483520.0f * unit.scale};
  for (int half = -516; half <= 516; ++half) {
    float tie = float(half) * 0.5f * unit.scale + unit.minval;
    for (float value :
         {tie, std::nextafterf(tie, -INFINITY), std::nextafterf(tie, INFINITY)})
      values.push_back(value);
  }
  std::uniform_real_distribution<float> near(-300, 300);
  std::uniform_int_distribution<uint32_t> bits;
  while (values.size() < count) {
    uint32_t pattern = bits(random);
    float value;
    std::memcpy(&value, &pattern, sizeof(value));
    values.push_back(value);
    values.push_back(near(random) * unit.scale);
  }
  values.resize(count);
  return values;
}

Buffer makeInput(const Format &format, ExpressedType expressed,
                 const Params &params, const Rows &rows, std::mt19937 &random) {
  if (expressed == ExpressedType::F32) {
    std::vector<float> values;
    for (const numerics::UnitParams &unit : params.units) {
      std::vector<float> row = f32Inputs(format, unit, rows.columns, random);
      values.insert(values.end(), row.begin(), row.end());
    }
    return Buffer::of<float>(values, {rows.rows, rows.columns});
  }
  std::vector<uint16_t> values;
  for (int64_t row = 0; row < rows.rows; ++row)
    for (int64_t column = 0; column < rows.columns; ++column)
      values.push_back(uint16_t(column));
  return Buffer::of<uint16_t>(values, {rows.rows, rows.columns});
}

void expectQuantized(const Format &format, ExpressedType expressed,
                     const Params &params, const Rows &rows,
                     const Buffer &input, const Buffer &output) {
  numerics::CodeFormat code = format.codeFormat();
  unsigned width = numerics::bitWidth(format.storage);
  uint32_t mask = width == 32 ? ~0u : (1u << width) - 1;
  int failures = 0;
  for (int64_t i = 0, e = rows.rows * rows.columns; i < e; ++i) {
    const numerics::UnitParams &unit = params.units[i / rows.columns];
    float value = decode(expressed, &input.bytes[i * byteWidth(expressed)]);
    uint32_t expected = uint32_t(numerics::quantize(value, code, unit)) & mask;
    uint32_t found = width == 32 ? output.as<uint32_t>()[i] : output.bytes[i];
    if (expected != found && failures++ < 5)
      ADD_FAILURE() << format.name() << ": " << value << " / " << unit.scale
                    << " (zero point " << unit.zeroPoint << ", minval "
                    << unit.minval << ") expected " << expected << ", found "
                    << found;
  }
}

std::vector<int32_t> allCodes(StorageType storage, std::mt19937 &random) {
  std::vector<int32_t> codes;
  if (storage != StorageType::Int32) {
    for (int32_t code = 0; code < 1 << numerics::bitWidth(storage); ++code)
      codes.push_back(code);
    return codes;
  }
  std::uniform_int_distribution<int32_t> any(INT32_MIN, INT32_MAX);
  codes = {0, 1, -1, INT32_MIN, INT32_MAX, 16777217, -16777217};
  while (codes.size() < 256)
    codes.push_back(any(random));
  return codes;
}

void expectDequantized(const Format &format, ExpressedType expressed,
                       const Params &params, llvm::ArrayRef<int32_t> codes,
                       const Buffer &output) {
  numerics::CodeFormat codeFormat = format.codeFormat();
  unsigned width = numerics::bitWidth(format.storage);
  int failures = 0;
  int64_t i = 0;
  for (const numerics::UnitParams &unit : params.units) {
    for (int32_t code : codes) {
      int32_t number = code;
      if (numerics::isSignedInteger(format.storage))
        number = int32_t(uint32_t(code) << (32 - width)) >> (32 - width);
      uint32_t expected =
          encode(expressed, numerics::dequantize(number, codeFormat, unit));
      uint32_t found = expressed == ExpressedType::F32
                           ? output.as<uint32_t>()[i]
                           : output.as<uint16_t>()[i];
      ++i;
      // The contract has no NaN payloads.
      bool equal = expected == found ||
                   (isNaN(expressed, expected) && isNaN(expressed, found));
      if (!equal && failures++ < 5)
        ADD_FAILURE() << format.name() << ": code " << number << " * "
                      << unit.scale << " (zero point " << unit.zeroPoint
                      << ", minval " << unit.minval << ") expected bits "
                      << expected << ", found " << found;
    }
  }
}

class QuantizeTest : public testing::TestWithParam<JitOptions> {};

TEST_P(QuantizeTest, AllFormatsAgreeWithNumerics) {
  std::mt19937 random(20240229);
  const Rows rows{GetParam().optLevel ? 6 : 2, 65536};
  struct Function {
    FunctionSpec spec;
    Format format;
    Params params;
  };
  std::vector<Function> functions;
  std::string source;
  for (const Format &format : allFormats())
    for (ExpressedType expressed : allExpressed) {
      if (!isTested(format, expressed))
        continue;
      Params params = randomParams(format, rows.rows, -12, 4, random);
      FunctionSpec spec{functionName("quantize", expressed, format),
                        /*isQuantize=*/true,
                        expressed,
                        rows.shape(format),
                        rows.granularity(format),
                        rows.paramType(format)};
      source += makeFunction(spec, format, params);
      functions.push_back({spec, format, params});
    }
  auto jit = JitModule::compile(source, GetParam());
  ASSERT_TRUE(jit);
  for (const auto &[spec, format, params] : functions) {
    SCOPED_TRACE(spec.name);
    Buffer input = makeInput(format, spec.expressed, params, rows, random);
    Buffer output = jit->call(spec.name, rows.arguments(format, params, input),
                              2, format.codeWidth());
    expectQuantized(format, spec.expressed, params, rows, input, output);
  }
}

TEST_P(QuantizeTest, AllCodesDequantizeAsNumerics) {
  std::mt19937 random(7);
  struct Function {
    FunctionSpec spec;
    Format format;
    Params params;
  };
  std::vector<Function> functions;
  std::string source;
  for (const Format &format : allFormats())
    for (ExpressedType expressed : allExpressed) {
      if (!isTested(format, expressed))
        continue;
      Rows rows{64, 0};
      // Results from below the smallest denormal of f16 and bf16 to beyond the
      // largest value.
      bool isHalf = format.scaleType == numerics::ScaleType::F16;
      Params params = isHalf ? randomParams(format, 32, -24, 15, random)
                             : randomParams(format, 32, -126, 120, random);
      Params more = randomParams(format, 32, -24, 4, random);
      params.units.insert(params.units.end(), more.units.begin(),
                          more.units.end());
      FunctionSpec spec{functionName("dequantize", expressed, format),
                        /*isQuantize=*/false,
                        expressed,
                        rows.shape(format),
                        rows.granularity(format),
                        rows.paramType(format)};
      source += makeFunction(spec, format, params);
      functions.push_back({spec, format, params});
    }
  auto jit = JitModule::compile(source, GetParam());
  ASSERT_TRUE(jit);
  for (const auto &[spec, format, params] : functions) {
    SCOPED_TRACE(spec.name);
    std::vector<int32_t> codes = allCodes(format.storage, random);
    Rows rows{int64_t(params.units.size()), int64_t(codes.size())};
    Buffer input;
    input.shape = {rows.rows, rows.columns};
    for (int64_t row = 0; row < rows.rows; ++row)
      for (int32_t code : codes) {
        auto *bytes = reinterpret_cast<const uint8_t *>(&code);
        input.bytes.insert(input.bytes.end(), bytes,
                           bytes + format.codeWidth());
      }
    Buffer output = jit->call(spec.name, rows.arguments(format, params, input),
                              2, byteWidth(spec.expressed));
    expectDequantized(format, spec.expressed, params, codes, output);
  }
}

INSTANTIATE_TEST_SUITE_P(Code, QuantizeTest,
                         testing::Values(JitOptions{0}, JitOptions{3},
                                         JitOptions{3, /*vectors=*/true}),
                         getName);

} // namespace
