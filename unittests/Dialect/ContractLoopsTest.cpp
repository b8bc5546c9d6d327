//===- ContractLoopsTest.cpp - What the loops of a contraction are --------===//

#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

#include "quant-mlir/InitAll.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace quant_mlir;

using Loops = SmallVector<unsigned>;
using Sizes = SmallVector<int64_t>;

namespace {

class ContractLoopsTest : public testing::Test {
protected:
  /// The loops of a contraction of codes whose operands have these types
  /// (`tensor<4x70xi8>`, or a buffer) and maps over `dims`.
  ContractLoops analyze(StringRef dims, StringRef lhsMap, StringRef lhs,
                        StringRef rhsMap, StringRef rhs, StringRef initMap,
                        StringRef init, StringRef padding = "") {
    auto map = [&](StringRef results) {
      return ("affine_map<(" + dims + ") -> (" + results + ")>").str();
    };
    std::string params = "as <int8, per_tensor, scale = 0.5> : ";
    std::string text = ("func.func @f(%x: " + lhs + ", %w: " + rhs +
                        ", %o: " + init + ") {\n")
                           .str();
    bool isTensor = init.starts_with("tensor");
    if (isTensor)
      text += "%y = ";
    text += "quant.contract lhs(%x " + params + lhs.str() + ") rhs(%w " +
            params + rhs.str() + ") outs(%o " + params + init.str() +
            ") maps [" + map(lhsMap) + ", " + map(rhsMap) + ", " +
            map(initMap) + "] " + padding.str();
    if (isTensor)
      text += " -> " + init.str();
    text += "\nreturn\n}";

    DialectRegistry registry;
    registerAllDialects(registry);
    registry.insert<func::FuncDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    ContractLoops loops;
    if (module)
      module->walk([&](ContractOp op) { loops = analyzeLoops(op); });
    return loops;
  }

  ContractLoops analyzeConv(StringRef lhsMap, StringRef lhs,
                            StringRef padding = "") {
    return analyze("n, h, w, f, i, j, c", lhsMap, lhs, "i, j, c, f",
                   "tensor<3x3x16x32xi8>", "n, h, w, f",
                   "tensor<1x10x10x32xi8>", padding);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(ContractLoopsTest, Matmul) {
  ContractLoops loops =
      analyze("m, n, k", "m, k", "tensor<?x70xi8>", "k, n", "tensor<70x24xi8>",
              "m, n", "tensor<?x24xi8>");
  EXPECT_TRUE(loops.batch.empty());
  EXPECT_EQ(loops.rows, (Loops{0}));
  EXPECT_EQ(loops.columns, (Loops{1}));
  EXPECT_EQ(loops.reduction, (Loops{2}));
  EXPECT_EQ(loops.sizes, (Sizes{ShapedType::kDynamic, 24, 70}));
  EXPECT_EQ(loops.lhsStrides, (LoopStrides{70, 0, 1}));
  EXPECT_EQ(loops.rhsStrides, (LoopStrides{0, 1, 24}));
  EXPECT_EQ(loops.initStrides, (LoopStrides{24, 1, 0}));
  EXPECT_EQ(loops.lhsRun, 1u);
  EXPECT_FALSE(loops.isDepthwise);
  EXPECT_EQ(loops.getSize(loops.rows), ShapedType::kDynamic);
  EXPECT_EQ(loops.getSize(loops.reduction), 70);
  EXPECT_TRUE(loops.biasStrides.empty());
}

TEST_F(ContractLoopsTest, TransposedLhsHasNoRun) {
  EXPECT_EQ(analyze("m, n, k", "k, m", "tensor<70x4xi8>", "n, k",
                    "tensor<24x70xi8>", "m, n", "tensor<4x24xi8>")
                .lhsRun,
            0u);
  // One row: its elements lie beside each other whatever the order is.
  EXPECT_EQ(analyze("m, n, k", "k, m", "tensor<70x1xi8>", "n, k",
                    "tensor<24x70xi8>", "m, n", "tensor<1x24xi8>")
                .lhsRun,
            1u);
}

TEST_F(ContractLoopsTest, BatchMatmul) {
  ContractLoops loops =
      analyze("b, m, n, k", "b, m, k", "tensor<2x4x70xi8>", "b, k, n",
              "tensor<2x70x24xi8>", "b, m, n", "tensor<2x4x24xi8>");
  EXPECT_EQ(loops.batch, (Loops{0}));
  EXPECT_EQ(loops.rows, (Loops{1}));
  EXPECT_EQ(loops.columns, (Loops{2}));
  EXPECT_FALSE(loops.isDepthwise);
}

TEST_F(ContractLoopsTest, ConvOfChannelsLast) {
  ContractLoops loops =
      analyzeConv("n, h + i, w + j, c", "tensor<1x12x12x16xi8>");
  EXPECT_EQ(loops.rows, (Loops{0, 1, 2}));
  EXPECT_EQ(loops.columns, (Loops{3}));
  EXPECT_EQ(loops.reductionByStride, (Loops{4, 5, 6}));
  EXPECT_EQ(loops.lhsStrides, (LoopStrides{2304, 192, 16, 0, 192, 16, 1}));
  EXPECT_EQ(loops.lhsRun, 2u);
  // A row of the kernel is not the whole width.
  EXPECT_FALSE(loops.areMergeable(1, 2));
  EXPECT_FALSE(loops.areMergeable(4, 5));
  EXPECT_TRUE(loops.areMergeable(5, 6));
}

TEST_F(ContractLoopsTest, ConvWithPaddingHasStridesOfThePaddedTensor) {
  ContractLoops loops =
      analyzeConv("n, h + i, w + j, c", "tensor<1x10x10x16xi8>",
                  "padding [0, 0, 1, 1, 1, 1, 0, 0]");
  EXPECT_EQ(loops.lhsStrides, (LoopStrides{2304, 192, 16, 0, 192, 16, 1}));
  EXPECT_EQ(loops.lhsRun, 2u);
}

TEST_F(ContractLoopsTest, DilationEndsTheRunAtTheChannel) {
  ContractLoops loops =
      analyzeConv("n, h + i * 2, w + j * 2, c", "tensor<1x14x14x16xi8>");
  EXPECT_EQ(loops.lhsRun, 1u);
}

TEST_F(ContractLoopsTest, StrideOfRowsDoesNotEndTheRun) {
  ContractLoops loops =
      analyzeConv("n, h * 2 + i, w * 2 + j, c", "tensor<1x21x21x16xi8>");
  EXPECT_EQ(loops.lhsRun, 2u);
  EXPECT_EQ(loops.lhsStrides[2], 32);
}

TEST_F(ContractLoopsTest, ConvOfChannelsFirst) {
  ContractLoops loops =
      analyzeConv("n, c, h + i, w + j", "tensor<1x16x12x12xi8>");
  // Three neighbours, then the next row.
  EXPECT_EQ(loops.reductionByStride, (Loops{6, 4, 5}));
  EXPECT_EQ(loops.lhsRun, 1u);
  EXPECT_EQ(
      analyzeConv("n, c, h + i, w + j * 2", "tensor<1x16x12x14xi8>").lhsRun,
      0u);
}

TEST_F(ContractLoopsTest, PointwiseConvMergesRowsAndSkipsLoopsOfOne) {
  ContractLoops loops =
      analyze("n, h, w, f, i, j, c", "n, h + i, w + j, c",
              "tensor<2x10x10x16xi8>", "i, j, c, f", "tensor<1x1x16x32xi8>",
              "n, h, w, f", "tensor<2x10x10x32xi8>");
  EXPECT_EQ(loops.lhsRun, 3u);
  EXPECT_TRUE(loops.areMergeable(1, 2));
  EXPECT_TRUE(loops.areMergeable(0, 1));
  EXPECT_FALSE(loops.areMergeable(2, 3));
}

TEST_F(ContractLoopsTest, OneInputChannel) {
  ContractLoops loops =
      analyze("n, h, w, f, i, j, c", "n, h + i, w + j, c",
              "tensor<1x12x12x1xi8>", "f, i, j, c", "tensor<32x3x3x1xi8>",
              "n, h, w, f", "tensor<1x10x10x32xi8>");
  EXPECT_EQ(loops.reductionByStride, (Loops{4, 5, 6}));
  EXPECT_EQ(loops.lhsRun, 2u);
}

TEST_F(ContractLoopsTest, Depthwise) {
  ContractLoops loops =
      analyze("n, h, w, c, i, j", "n, h + i, w + j, c", "tensor<1x12x12x64xi8>",
              "i, j, c", "tensor<3x3x64xi8>", "n, h, w, c",
              "tensor<1x10x10x64xi8>");
  EXPECT_TRUE(loops.isDepthwise);
  EXPECT_EQ(loops.batch, (Loops{3}));
  EXPECT_EQ(loops.channel, 3u);
  EXPECT_EQ(loops.lhsRun, 0u);
}

TEST_F(ContractLoopsTest, DepthwiseWithAMultiplierOfOne) {
  ContractLoops loops =
      analyze("n, h, w, c, m, i, j", "n, h + i, w + j, c",
              "tensor<1x12x12x64xi8>", "i, j, c, m", "tensor<3x3x64x1xi8>",
              "n, h, w, c, m", "tensor<1x10x10x64x1xi8>");
  EXPECT_TRUE(loops.isDepthwise);
  EXPECT_EQ(loops.channel, 3u);
  loops = analyze("n, h, w, c, m, i, j", "n, h + i, w + j, c",
                  "tensor<1x12x12x64xi8>", "i, j, c, m", "tensor<3x3x64x2xi8>",
                  "n, h, w, c, m", "tensor<1x10x10x64x2xi8>");
  EXPECT_FALSE(loops.isDepthwise);
}

TEST_F(ContractLoopsTest, DepthwiseOfChannelsFirstHasNoChannelToWalk) {
  ContractLoops loops =
      analyze("n, h, w, c, i, j", "n, c, h + i, w + j", "tensor<1x64x12x12xi8>",
              "c, i, j", "tensor<64x3x3xi8>", "n, c, h, w",
              "tensor<1x64x10x10xi8>");
  EXPECT_TRUE(loops.isDepthwise);
  EXPECT_EQ(loops.channel, std::nullopt);
}

TEST_F(ContractLoopsTest, BuffersHaveTheirOwnStrides) {
  ContractLoops loops = analyze(
      "m, n, k", "m, k", "memref<4x70xi8, strided<[128, 1], offset: 3>>",
      "k, n", "memref<70x24xi8>", "m, n",
      "memref<4x24xi8, strided<[?, 1]>>");
  EXPECT_EQ(loops.lhsStrides, (LoopStrides{128, 0, 1}));
  EXPECT_EQ(loops.initStrides, (LoopStrides{std::nullopt, 1, 0}));
  EXPECT_EQ(loops.lhsRun, 1u);
  EXPECT_EQ(analyze("m, n, k", "m, k", "memref<4x70xi8, strided<[140, 2]>>",
                    "k, n", "memref<70x24xi8>", "m, n", "memref<4x24xi8>")
                .lhsRun,
            0u);
}

TEST_F(ContractLoopsTest, DynamicSizesEndWhatIsKnown) {
  ContractLoops loops =
      analyze("m, n, k, l", "m, k, l", "tensor<4x8x?xi8>", "k, l, n",
              "tensor<8x?x24xi8>", "m, n", "tensor<4x24xi8>");
  EXPECT_EQ(loops.lhsStrides, (LoopStrides{std::nullopt, 0, std::nullopt, 1}));
  EXPECT_EQ(loops.reductionByStride, (Loops{2, 3}));
  EXPECT_EQ(loops.lhsRun, 1u);
}

} // namespace
