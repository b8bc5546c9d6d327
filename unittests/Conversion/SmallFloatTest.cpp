//===- SmallFloatTest.cpp - Casts of narrow floats in machine code --------===//
//
// arith.truncf and arith.extf of tensors of fp8, fp4 and E8M0, which the
// reference lowering takes apart into scalars and integer arithmetic, against
// the library: every code, and for rounding every upper half of a binary32 with
// the lower halves around a tie, then random patterns.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

using namespace quant_mlir;
using namespace quant_mlir::test;

namespace {

struct SmallFloat {
  const char *type;
  unsigned width;
  uint8_t (*encode)(float);
  float (*decode)(uint8_t);
};

const SmallFloat smallFloats[] = {
    {"f8E4M3FN", 8, numerics::encodeF8E4M3FN, numerics::decodeF8E4M3FN},
    {"f8E5M2", 8, numerics::encodeF8E5M2, numerics::decodeF8E5M2},
    {"f4E2M1FN", 4, numerics::encodeF4E2M1FN, numerics::decodeF4E2M1FN},
    {"f8E8M0FNU", 8, numerics::encodeE8M0, numerics::decodeE8M0},
};

std::string castFunction(const char *op, const char *from, const char *to) {
  std::string input = tensorType({-1}, from), output = tensorType({-1}, to);
  return std::string("func.func @") + op + "_" + from + "_" + to +
         "(%x: " + input + ") -> " + output + " {\n  %r = arith." + op +
         " %x : " + input + " to " + output + "\n  return %r : " + output +
         "\n}\n";
}

std::vector<float> roundingInputs() {
  std::vector<float> values;
  auto add = [&](uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    values.push_back(value);
  };
  for (uint32_t upper = 0; upper < 0x10000; ++upper)
    for (uint32_t lower : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      add(upper << 16 | lower);
  std::mt19937 random(1);
  for (int i = 0; i < 1 << 18; ++i)
    add(random());
  return values;
}

TEST(SmallFloatTest, CastsAgreeWithNumerics) {
  std::string source;
  for (const SmallFloat &small : smallFloats) {
    source += castFunction("truncf", "f32", small.type);
    source += castFunction("extf", small.type, "f32");
    source += castFunction("extf", small.type, "bf16");
  }
  auto jit = JitModule::compile(source);
  ASSERT_TRUE(jit);
  std::vector<float> values = roundingInputs();
  Buffer input = Buffer::of<float>(values, {int64_t(values.size())});
  for (const SmallFloat &small : smallFloats) {
    SCOPED_TRACE(small.type);
    Buffer codes =
        jit->call(std::string("truncf_f32_") + small.type, input, 1, 1);
    int failures = 0;
    for (size_t i = 0; i < values.size(); ++i)
      if (codes.bytes[i] != small.encode(values[i]) && failures++ < 5)
        ADD_FAILURE() << values[i] << " expected "
                      << int(small.encode(values[i])) << ", found "
                      << int(codes.bytes[i]);

    std::vector<uint8_t> all(1u << small.width);
    for (size_t code = 0; code < all.size(); ++code)
      all[code] = uint8_t(code);
    Buffer codesBuffer = Buffer::of<uint8_t>(all, {int64_t(all.size())});
    Buffer wide = jit->call(std::string("extf_") + small.type + "_f32",
                            codesBuffer, 1, 4);
    Buffer half = jit->call(std::string("extf_") + small.type + "_bf16",
                            codesBuffer, 1, 2);
    for (uint8_t code : all) {
      float expected = small.decode(code);
      EXPECT_EQ(wide.as<uint32_t>()[code],
                encode(numerics::ExpressedType::F32, expected));
      EXPECT_EQ(half.as<uint16_t>()[code],
                encode(numerics::ExpressedType::BF16, expected));
    }
  }
}

} // namespace
