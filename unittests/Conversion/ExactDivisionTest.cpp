//===- ExactDivisionTest.cpp - Quotients from integers against IEEE 754 ---===//
//
// buildExactDivision on every combination of signs, exponents and significands
// at their ends, on ties of normal and denormal results, and on random bits.
// The device's own quotient, which is for 0, infinities and NaN only, is made
// wrong, as Vulkan allows.
//
//===----------------------------------------------------------------------===//

#include "../../lib/Conversion/QuantToGPU/SPIRV/SPIRV.h"
#include "JitModule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/bit.h"

#include <cmath>
#include <random>

using namespace quant_mlir;
using namespace quant_mlir::test;

namespace {

constexpr const char *source = R"(
#id = affine_map<(i) -> (i)>
func.func @f(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %a, %c0 : tensor<?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%a, %b : tensor<?xf32>, tensor<?xf32>) outs(%empty : tensor<?xf32>) {
  ^bb0(%x: f32, %y: f32, %out: f32):
    %q = arith.divf %x, %y : f32
    linalg.yield %q : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
)";

/// `source` with its division by integers.
std::string makeSource() {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  context.loadAllAvailableDialects();
  mlir::arith::DivFOp division;
  module->walk([&](mlir::arith::DivFOp op) { division = op; });
  mlir::OpBuilder builder(division);
  mlir::Location loc = division.getLoc();
  mlir::Value exact =
      buildExactDivision(builder, loc, division.getLhs(), division.getRhs());
  division.getResult().replaceAllUsesWith(exact);
  division.erase();
  module->walk([&](mlir::arith::DivFOp own) {
    builder.setInsertionPointAfter(own);
    mlir::Value factor = mlir::arith::ConstantOp::create(
        builder, loc, builder.getF32FloatAttr(1.0000005f));
    auto wrong = mlir::arith::MulFOp::create(builder, loc, own, factor);
    own.getResult().replaceAllUsesExcept(wrong, wrong);
  });
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  return text;
}

class ExactDivision : public testing::Test {
protected:
  void SetUp() override {
    module = JitModule::compile(makeSource());
    ASSERT_TRUE(module);
  }

  void check(const std::vector<float> &a, const std::vector<float> &b) {
    ASSERT_EQ(a.size(), b.size());
    std::vector<int64_t> shape{int64_t(a.size())};
    Buffer result = module->call(
        "f", {Buffer::of<float>(a, shape), Buffer::of<float>(b, shape)}, 1, 4);
    llvm::ArrayRef<float> quotients = result.as<float>();
    ASSERT_EQ(quotients.size(), a.size());
    int64_t wrong = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      float expected = a[i] / b[i];
      bool isSame = std::isnan(expected)
                        ? std::isnan(quotients[i])
                        : llvm::bit_cast<uint32_t>(expected) ==
                              llvm::bit_cast<uint32_t>(quotients[i]);
      if (!isSame && ++wrong <= 5)
        ADD_FAILURE() << std::hexfloat << a[i] << " / " << b[i] << ": expected "
                      << expected << ", found " << quotients[i];
    }
    EXPECT_EQ(wrong, 0);
  }

  std::unique_ptr<JitModule> module;
};

} // namespace

TEST_F(ExactDivision, EndsOfExponentsAndSignificands) {
  std::vector<float> values;
  for (uint32_t sign : {0u, 1u})
    for (uint32_t exponent : {0u, 1u, 2u, 23u, 24u, 25u, 100u, 126u, 127u, 128u,
                              150u, 230u, 253u, 254u, 255u})
      for (uint32_t fraction :
           {0u, 1u, 2u, 3u, 0x400000u, 0x555555u, 0x7ffffeu, 0x7fffffu})
        values.push_back(
            llvm::bit_cast<float>(sign << 31 | exponent << 23 | fraction));
  std::vector<float> a, b;
  for (float x : values)
    for (float y : values) {
      a.push_back(x);
      b.push_back(y);
    }
  check(a, b);
}

TEST_F(ExactDivision, RandomBits) {
  std::mt19937 random(1);
  std::vector<float> a, b;
  for (int i = 0; i < 1000000; ++i) {
    a.push_back(llvm::bit_cast<float>(uint32_t(random())));
    b.push_back(llvm::bit_cast<float>(uint32_t(random())));
  }
  check(a, b);
}

/// Products that are exact in binary32, and their neighbours: quotients are at
/// or next to what has no bits behind the last one.
TEST_F(ExactDivision, TiesOfDenormalResults) {
  std::mt19937 random(2);
  std::vector<float> a, b;
  for (int i = 0; i < 200000; ++i) {
    // q = odd / 2 units of the smallest denormal: a tie.
    float divisor =
        std::ldexp(1.0f, int(random() % 100) - 20) * float(1 + random() % 255);
    double quotient = std::ldexp(double(2 * (random() % 1000) + 1), -150);
    auto dividend = float(double(divisor) * quotient);
    for (float x : {dividend, std::nextafter(dividend, INFINITY),
                    std::nextafter(dividend, 0.0f)}) {
      a.push_back(x);
      b.push_back(divisor);
    }
  }
  check(a, b);
}
