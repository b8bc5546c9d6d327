//===- CompiledFunctionTest.cpp -------------------------------------------===//

#include "quant-mlir/Execution/CompiledFunction.h"
#include "quant-mlir/Execution/ModelFile.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace quant_mlir;

namespace {
class CompiledFunctionTest : public testing::Test {
protected:
  CompiledFunctionTest()
      : context(makeRegistry(), mlir::MLIRContext::Threading::DISABLED) {}

  static mlir::DialectRegistry makeRegistry() {
    mlir::DialectRegistry registry;
    registerExecutionDialects(registry);
    return registry;
  }

  std::unique_ptr<CompiledFunction>
  compile(llvm::StringRef source, const CompileOptions &options = {}) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
    if (!module)
      return nullptr;
    auto function =
        CompiledFunction::compile(*module, "main", options, "test.mlir");
    if (function)
      return std::move(*function);
    ADD_FAILURE() << llvm::toString(function.takeError());
    return nullptr;
  }

  mlir::MLIRContext context;
};

NdArray floats(llvm::ArrayRef<int64_t> shape, std::vector<float> values) {
  NdArray array(DType::Float32, shape);
  std::copy(values.begin(), values.end(), array.data<float>());
  return array;
}
std::vector<float> values(const NdArray &array) {
  return {array.data<float>(), array.data<float>() + array.numElements()};
}
} // namespace

TEST_F(CompiledFunctionTest, runsMoreThanOnce) {
  auto function = compile(R"(
    func.func @main(%a: tensor<?xf32>) -> tensor<?xf32> {
      %0 = arith.addf %a, %a : tensor<?xf32>
      return %0 : tensor<?xf32>
    })");
  ASSERT_TRUE(function);
  ASSERT_EQ(function->getArguments().size(), 1u);
  EXPECT_EQ(function->getArguments()[0].type, "tensor<?xf32>");
  EXPECT_TRUE(function->getArguments()[0].isDynamic(0));
  llvm::SmallVector<NdArray> outputs;
  for (int64_t size : {1, 3, 0, 100}) {
    NdArray input(DType::Float32, {size});
    std::fill_n(input.data<float>(), size, 1.5f);
    ASSERT_FALSE(bool(function->invoke(input, outputs)));
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(values(outputs[0]), std::vector<float>(size, 3.0f));
  }
  EXPECT_EQ(getNumLiveBuffers(), 0);
}

/// Results that are an argument, a constant, one buffer twice, or any of them
/// depending on data: each is the caller's, no more and no less.
TEST_F(CompiledFunctionTest, resultsAreOwnedOnce) {
  auto function = compile(R"(
    func.func @main(%p: i1, %a: tensor<2xf32>)
        -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>,
            tensor<2xf32>) {
      %c = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
      %0 = arith.addf %a, %a : tensor<2xf32>
      %1 = scf.if %p -> tensor<2xf32> {
        scf.yield %a : tensor<2xf32>
      } else {
        scf.yield %c : tensor<2xf32>
      }
      return %a, %c, %0, %0, %1
        : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>,
          tensor<2xf32>
    })");
  ASSERT_TRUE(function);
  llvm::SmallVector<NdArray> outputs;
  for (bool which : {true, false, true}) {
    NdArray flag(DType::Bool, {});
    flag.bytes[0] = which;
    const NdArray inputs[] = {flag, floats({2}, {1, 2})};
    ASSERT_FALSE(bool(function->invoke(inputs, outputs)));
    EXPECT_EQ(values(outputs[0]), (std::vector<float>{1, 2}));
    EXPECT_EQ(values(outputs[1]), (std::vector<float>{5, 6}));
    EXPECT_EQ(values(outputs[2]), (std::vector<float>{2, 4}));
    EXPECT_EQ(values(outputs[3]), (std::vector<float>{2, 4}));
    EXPECT_EQ(values(outputs[4]),
              (which ? std::vector<float>{1, 2} : std::vector<float>{5, 6}));
    EXPECT_EQ(getNumLiveBuffers(), 0);
  }
}

TEST_F(CompiledFunctionTest, argumentsAreNotWritten) {
  auto function = compile(R"(
    func.func @main(%a: tensor<2xf32>, %x: f32) -> tensor<2xf32> {
      %c0 = arith.constant 0 : index
      %0 = tensor.insert %x into %a[%c0] : tensor<2xf32>
      return %0 : tensor<2xf32>
    })");
  ASSERT_TRUE(function);
  const NdArray inputs[] = {floats({2}, {1, 2}), floats({}, {7})};
  llvm::SmallVector<NdArray> outputs;
  ASSERT_FALSE(bool(function->invoke(inputs, outputs)));
  EXPECT_EQ(values(outputs[0]), (std::vector<float>{7, 2}));
  EXPECT_EQ(values(inputs[0]), (std::vector<float>{1, 2}));
}

TEST_F(CompiledFunctionTest, timesEveryRun) {
  auto function = compile(R"(
    func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
      return %a : tensor<2xf32>
    })");
  ASSERT_TRUE(function);
  auto times = function->bench(floats({2}, {1, 2}), 5);
  ASSERT_TRUE(bool(times));
  EXPECT_EQ(times->size(), 5u);
  EXPECT_EQ(getNumLiveBuffers(), 0);
}

TEST_F(CompiledFunctionTest, refusesArraysThatDoNotFit) {
  auto function = compile(R"(
    func.func @main(%a: tensor<2x?xf32>) -> tensor<2x?xf32> {
      return %a : tensor<2x?xf32>
    })");
  ASSERT_TRUE(function);
  llvm::SmallVector<NdArray> outputs;
  auto errorOf = [&](llvm::ArrayRef<NdArray> inputs) {
    return llvm::toString(function->invoke(inputs, outputs));
  };
  EXPECT_EQ(errorOf(floats({3, 1}, {1, 2, 3})),
            "argument 0 is tensor<2x?xf32>, found 3x1 float32");
  EXPECT_EQ(errorOf(floats({2}, {1, 2})),
            "argument 0 is tensor<2x?xf32>, found 2 float32");
  EXPECT_EQ(errorOf(NdArray(DType::Float64, {2, 1})),
            "argument 0 is tensor<2x?xf32>, which takes float32, found 2x1 "
            "float64; convert it with .astype('float32')");
  EXPECT_EQ(errorOf({}), "the function takes 1 arguments, found 0");
  EXPECT_EQ(errorOf(floats({2, 1}, {1, 2})), "");
}

/// An error at run time leaves the function as usable as before.
TEST_F(CompiledFunctionTest, failsAndRunsAgain) {
  auto function = compile(R"(
    func.func @main(%p: i1) -> i1 {
      cf.assert %p, "p must hold"
      return %p : i1
    })");
  ASSERT_TRUE(function);
  llvm::SmallVector<NdArray> outputs;
  NdArray flag(DType::Bool, {});
  EXPECT_EQ(llvm::toString(function->invoke(flag, outputs)),
            "'test.mlir': failed at run time: p must hold");
  flag.bytes[0] = 1;
  EXPECT_EQ(llvm::toString(function->invoke(flag, outputs)), "");
}

static float twice(float x) { return 2 * x; }

/// How an embedder's own ops reach the engine: passes before bufferization, and
/// functions that they call.
TEST_F(CompiledFunctionTest, callsFunctionsOfTheEmbedder) {
  CompileOptions options;
  bool called = false;
  options.addOwnLowering = [&](mlir::OpPassManager &) { called = true; };
  options.symbols = {{"embedder_twice", reinterpret_cast<void *>(twice)}};
  auto function = compile(R"(
    func.func private @embedder_twice(f32) -> f32
    func.func @main(%a: f32) -> f32 {
      %0 = call @embedder_twice(%a) : (f32) -> f32
      return %0 : f32
    })",
                          options);
  ASSERT_TRUE(function);
  EXPECT_TRUE(called);
  llvm::SmallVector<NdArray> outputs;
  ASSERT_FALSE(bool(function->invoke(floats({}, {4}), outputs)));
  EXPECT_EQ(values(outputs[0]), (std::vector<float>{8}));
}
