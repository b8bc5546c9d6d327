//===- GranularityTest.cpp - Which parameters an element gets -------------===//
//
// Quantize and dequantize over every kind of granularity: whole tensors,
// several axes, ragged blocks in any dimension, -1 sizes, rank 0, no elements,
// one row, static and dynamic shapes. Codes and values are compared with a loop
// that looks up the block of every element.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

#include <numeric>

using namespace quant_mlir;
using namespace quant_mlir::test;
using numerics::ExpressedType;
using numerics::ScaleType;
using numerics::StorageType;

namespace {

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
    {"per_channel<[0, 2]>", {2, 3, 4}, {1, -1, 1}},
    {"per_channel<[0]>", {1, 9}, {1, -1}},
    {"per_block<[2, 1]>", {5, 3}, {2, 1}},
    {"per_block<[-1, 4]>", {3, 10}, {-1, 4}},
    {"per_block<[3, 100]>", {7, 5}, {3, 100}},
    {"per_block<[2, 3, 1, 4]>", {3, 4, 2, 9}, {2, 3, 1, 4}},
    {"per_block<[32]>", {65}, {32}},
    {"per_block<[4]>", {4}, {4}},
    {"per_block<[4]>", {1}, {4}},
    // Parameters that are kept as resources.
    {"per_channel<[0, 1]>", {40, 41}, {1, 1}},
    // Several vectors, and what is left beside them.
    {"per_tensor", {5, 83}, {}},
    {"per_channel<[0]>", {3, 151}, {1, -1}},
    {"per_channel<[1]>", {5, 67}, {-1, 1}},
    {"per_block<[1, 32]>", {3, 107}, {1, 32}},
    {"per_block<[2, 24]>", {3, 55}, {2, 24}},
};

numerics::BlockGeometry geometryOf(const Case &test) {
  std::vector<int64_t> sizes = test.sizes;
  if (sizes.empty())
    sizes.assign(test.shape.size(), -1);
  return numerics::BlockGeometry(test.shape, sizes);
}

/// Shape of the parameters: rank 0 for per_tensor.
std::vector<int64_t> paramShapeOf(const Case &test) {
  std::vector<int64_t> shape;
  for (size_t dim = 0; dim < test.sizes.size(); ++dim) {
    int64_t size = test.sizes[dim] == -1 ? test.shape[dim] : test.sizes[dim];
    shape.push_back((test.shape[dim] + size - 1) / size);
  }
  return shape;
}

int64_t countOf(const std::vector<int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

/// Index of the unit that element `linear` belongs to.
int64_t unitOf(const Case &test, int64_t linear) {
  std::vector<int64_t> params = paramShapeOf(test);
  std::vector<int64_t> index(test.shape.size());
  for (size_t dim = test.shape.size(); dim-- > 0;) {
    index[dim] = linear % test.shape[dim];
    linear /= test.shape[dim];
  }
  int64_t unit = 0;
  for (size_t dim = 0; dim < params.size(); ++dim)
    unit = unit * params[dim] +
           (test.sizes[dim] == -1 ? 0 : index[dim] / test.sizes[dim]);
  return unit;
}

class GranularityTest : public testing::TestWithParam<JitOptions> {};

/// {attributes, operands} x {static, dynamic} for every case; constant
/// parameters cannot split dynamic dimensions.
TEST_P(GranularityTest, EveryElementUsesItsOwnUnit) {
  std::mt19937 random(11);
  const Format formats[] = {
      {StorageType::UInt4, false, true, false, ScaleType::F16, false},
      {StorageType::Int8, true, false, false, ScaleType::F32, false},
      {StorageType::Int8, true, false, false, ScaleType::F32, true},
      {StorageType::Float8E4M3FN, false, false, false, ScaleType::F8E8M0FNU,
       true},
  };
  struct Function {
    Case test;
    Format format;
    Params params;
    std::string name;
  };
  std::vector<Function> functions;
  std::string source;
  for (const Case &test : cases)
    for (const Format &format : formats)
      for (bool isDynamicShape : {false, true}) {
        if (isDynamicShape && !format.isDynamic && !test.sizes.empty())
          continue;
        std::vector<int64_t> paramShape = paramShapeOf(test);
        Params params =
            randomParams(format, countOf(paramShape), -6, 2, random);
        std::vector<int64_t> shape = test.shape, typeShape = paramShape;
        if (isDynamicShape) {
          shape.assign(shape.size(), -1);
          for (size_t dim = 0; dim < typeShape.size(); ++dim)
            if (test.sizes[dim] != -1)
              typeShape[dim] = -1;
        }
        std::string name = "f" + std::to_string(functions.size());
        for (bool isQuantize : {false, true})
          source += makeFunction({(isQuantize ? "q" : "d") + name, isQuantize,
                                  ExpressedType::F32, shape, test.granularity,
                                  typeShape},
                                 format, params);
        functions.push_back({test, format, params, name});
      }
  auto jit = JitModule::compile(source, GetParam());
  ASSERT_TRUE(jit);

  std::uniform_real_distribution<float> near(-40, 40);
  for (const auto &[test, format, params, name] : functions) {
    SCOPED_TRACE(name + ": " + test.granularity);
    int64_t count = countOf(test.shape);
    std::vector<float> values(count);
    for (float &value : values)
      value = near(random);
    std::vector<Buffer> arguments = {Buffer::of<float>(values, test.shape)};
    if (format.isDynamic) {
      arguments.push_back(params.scales(format.scaleType, paramShapeOf(test)));
      if (format.hasZeroPoint)
        arguments.push_back(params.zeroPoints(paramShapeOf(test)));
    }
    unsigned rank = test.shape.size();
    Buffer codes = jit->call("q" + name, arguments, rank, 1);
    ASSERT_EQ(codes.shape, test.shape);
    arguments[0] = codes;
    Buffer result = jit->call("d" + name, arguments, rank, 4);
    ASSERT_EQ(result.shape, test.shape);
    unsigned width = numerics::bitWidth(format.storage);
    for (int64_t i = 0; i < count; ++i) {
      const numerics::UnitParams &unit = params.units[unitOf(test, i)];
      numerics::CodeFormat code = format.codeFormat();
      int32_t expected = numerics::quantize(values[i], code, unit);
      EXPECT_EQ(codes.bytes[i], uint32_t(expected) & ((1u << width) - 1));
      EXPECT_EQ(result.as<float>()[i],
                numerics::dequantize(expected, code, unit));
    }
  }
}

/// The array functions of the library, which have a geometry of their own, on
/// ragged blocks of a weight.
TEST_P(GranularityTest, RaggedBlocksAgreeWithQuantizeTensor) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 3);
  const Case test{"per_block<[32, 1]>", {70, 24}, {32, 1}};
  numerics::BlockGeometry geometry = geometryOf(test);
  std::vector<float> values(geometry.numElements());
  for (float &value : values)
    value = normal(random);
  for (StorageType storage : {StorageType::Int4, StorageType::UInt8}) {
    numerics::QuantSpec spec;
    spec.storage = storage;
    spec.scheme = numerics::Scheme::Asymmetric;
    numerics::FloatData data{values.data(), ExpressedType::F32};
    numerics::TensorParams tensor;
    ASSERT_FALSE(bool(numerics::computeParams(spec, geometry, data, tensor)));
    std::vector<uint8_t> codes(values.size());
    numerics::quantizeTensor(tensor, geometry, data, codes.data());
    std::vector<float> restored(values.size());
    numerics::dequantizeTensor(tensor, geometry, codes.data(),
                               ExpressedType::F32, restored.data());

    Format format{storage, /*hasZeroPoint=*/true};
    Params params;
    for (size_t unit = 0; unit < tensor.scales.size(); ++unit)
      params.units.push_back({tensor.scales[unit], tensor.zeroPoints[unit], 0});
    FunctionSpec function{"q",
                          true,
                          ExpressedType::F32,
                          test.shape,
                          test.granularity,
                          geometry.paramShape()};
    std::string source = makeFunction(function, format, params);
    function.name = "d";
    function.isQuantize = false;
    source += makeFunction(function, format, params);
    auto jit = JitModule::compile(source, GetParam());
    ASSERT_TRUE(jit);
    Buffer found = jit->call("q", Buffer::of<float>(values, test.shape), 2, 1);
    uint8_t mask = 0xff >> (8 - numerics::bitWidth(storage));
    for (uint8_t &code : codes)
      code &= mask;
    EXPECT_EQ(found.bytes, codes);
    EXPECT_EQ(jit->call("d", found, 2, 4).bytes,
              Buffer::of<float>(restored, test.shape).bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Code, GranularityTest,
                         testing::Values(JitOptions{0},
                                         JitOptions{0, /*vectors=*/true}),
                         getName);

} // namespace
