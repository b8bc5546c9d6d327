//===- EmbedderOpTest.cpp - An embedder's operation is quantized ----------===//
//
// A dialect of someone else's with one operation, a matrix multiplication that
// says so through QuantizableOpInterface; the passes, which have never heard of
// it, treat it like those of linalg.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/InitAll.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// acme.linear(x, w): w has the shape (out, in). It implements the interface
/// itself.
class LinearOp
    : public Op<LinearOp, OpTrait::OneResult, OpTrait::ZeroRegions,
                OpTrait::ZeroSuccessors, OpTrait::NOperands<2>::Impl,
                QuantizableOpInterface::Trait> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LinearOp)
  using Op::Op;
  static StringRef getOperationName() { return "acme.linear"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }

  StringRef getQuantizableKind() { return "linear"; }
  SmallVector<QuantizableOperand> getQuantizableOperands() {
    return {{&(*this)->getOpOperand(1),
             {DimRole::OutputChannel, DimRole::Reduction}}};
  }
};

/// acme.dense(x, w): w has the shape (in, out). What the dimensions of x mean is
/// said but where the attribute `opaque` is there.
class DenseOp
    : public Op<DenseOp, OpTrait::OneResult, OpTrait::ZeroRegions,
                OpTrait::ZeroSuccessors, OpTrait::NOperands<2>::Impl,
                QuantizableOpInterface::Trait> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DenseOp)
  using Op::Op;
  static StringRef getOperationName() { return "acme.dense"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }

  StringRef getQuantizableKind() { return "dense"; }
  SmallVector<QuantizableOperand> getQuantizableOperands() {
    SmallVector<DimRole> roles = {DimRole::OutputChannel, DimRole::Reduction};
    if ((*this)->hasAttr("opaque"))
      roles.clear();
    return {{&(*this)->getOpOperand(0), roles},
            {&(*this)->getOpOperand(1),
             {DimRole::Reduction, DimRole::OutputChannel}}};
  }
};

/// acme.scale(x, w) does not implement the interface; a model of it is attached
/// from outside.
class ScaleOp
    : public Op<ScaleOp, OpTrait::OneResult, OpTrait::ZeroRegions,
                OpTrait::ZeroSuccessors, OpTrait::NOperands<2>::Impl> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ScaleOp)
  using Op::Op;
  static StringRef getOperationName() { return "acme.scale"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
};

struct ScaleModel
    : public QuantizableOpInterface::ExternalModel<ScaleModel, ScaleOp> {
  StringRef getQuantizableKind(Operation *) const { return "scale"; }
  SmallVector<QuantizableOperand> getQuantizableOperands(Operation *op) const {
    return {{&op->getOpOperand(1), {DimRole::Batch}}};
  }
};

class AcmeDialect : public Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AcmeDialect)
  explicit AcmeDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<AcmeDialect>()) {
    addOperations<LinearOp, DenseOp, ScaleOp>();
    ScaleOp::attachInterface<ScaleModel>(*context);
  }
  static StringRef getDialectNamespace() { return "acme"; }
};

class EmbedderOpTest : public ::testing::Test {
protected:
  EmbedderOpTest() {
    DialectRegistry registry;
    registry.insert<AcmeDialect, arith::ArithDialect, func::FuncDialect,
                    linalg::LinalgDialect, tensor::TensorDialect>();
    quant_mlir::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The model after the weight pass; null where that fails.
  OwningOpRef<ModuleOp> quantize(StringRef source,
                                 const QuantizeWeightsPassOptions &options) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(source, &context);
    EXPECT_TRUE(module);
    PassManager pm(&context);
    pm.addPass(createQuantizeWeightsPass(options));
    if (!module || failed(pm.run(*module)))
      return nullptr;
    return module;
  }

  /// The model after both passes, with one unit per row.
  OwningOpRef<ModuleOp> quantizeDynamic(StringRef source) {
    OwningOpRef<ModuleOp> module = quantize(source, options());
    PassManager pm(&context);
    QuantizeDynamicPassOptions rows;
    rows.granularity = "per_row";
    pm.addPass(createQuantizeDynamicPass(rows));
    if (!module || failed(pm.run(*module)))
      return nullptr;
    return module;
  }

  static QuantizeWeightsPassOptions options() {
    QuantizeWeightsPassOptions result;
    result.weightThreshold = 0;
    return result;
  }

  template <typename OpTy>
  static OpTy find(ModuleOp module) {
    OpTy found;
    module->walk([&](OpTy op) { found = op; });
    return found;
  }

  MLIRContext context;
};

constexpr StringLiteral linear = R"(
  func.func @main(%x: tensor<4x6xf32>) -> tensor<4x3xf32> {
    %w = arith.constant dense<0.5> : tensor<3x6xf32>
    %0 = "acme.linear"(%x, %w) : (tensor<4x6xf32>, tensor<3x6xf32>) -> tensor<4x3xf32>
    return %0 : tensor<4x3xf32>
  })";

constexpr StringLiteral scale = R"(
  func.func @main(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
    %w = arith.constant dense<0.5> : tensor<6xf32>
    %0 = "acme.scale"(%x, %w) : (tensor<4x6xf32>, tensor<6xf32>) -> tensor<4x6xf32>
    return %0 : tensor<4x6xf32>
  })";

constexpr StringLiteral dense = R"(
  func.func @main(%x: tensor<4x6xf32>) -> tensor<4x3xf32> {
    %w = arith.constant dense<0.5> : tensor<6x3xf32>
    %0 = "acme.dense"(%x, %w) : (tensor<4x6xf32>, tensor<6x3xf32>) -> tensor<4x3xf32>
    return %0 : tensor<4x3xf32>
  })";

constexpr StringLiteral opaque = R"(
  func.func @main(%x: tensor<4x6xf32>) -> tensor<4x3xf32> {
    %w = arith.constant dense<0.5> : tensor<6x3xf32>
    %0 = "acme.dense"(%x, %w) {opaque} : (tensor<4x6xf32>, tensor<6x3xf32>) -> tensor<4x3xf32>
    return %0 : tensor<4x3xf32>
  })";

TEST_F(EmbedderOpTest, WeightIsQuantizedByItsRoles) {
  OwningOpRef<ModuleOp> module = quantize(linear, options());
  ASSERT_TRUE(module);
  auto weight =
      find<LinearOp>(*module)->getOperand(1).getDefiningOp<DequantizeOp>();
  ASSERT_TRUE(weight);
  EXPECT_EQ(weight.getParams().getGranularity(),
            PerChannelAttr::get(&context, {0}));
}

TEST_F(EmbedderOpTest, BlocksAreAlongItsReduction) {
  QuantizeWeightsPassOptions blocks = options();
  blocks.granularity = "per_block";
  blocks.blockSize = {2};
  OwningOpRef<ModuleOp> module = quantize(linear, blocks);
  ASSERT_TRUE(module);
  auto weight =
      find<LinearOp>(*module)->getOperand(1).getDefiningOp<DequantizeOp>();
  ASSERT_TRUE(weight);
  EXPECT_EQ(weight.getParams().getGranularity(),
            PerBlockAttr::get(&context, {1, 2}));
}

TEST_F(EmbedderOpTest, ExternalModelIsAsGood) {
  OwningOpRef<ModuleOp> module = quantize(scale, options());
  ASSERT_TRUE(module);
  auto weight =
      find<ScaleOp>(*module)->getOperand(1).getDefiningOp<DequantizeOp>();
  ASSERT_TRUE(weight);
  EXPECT_EQ(weight.getParams().getGranularity(),
            PerChannelAttr::get(&context, {0}));
}

TEST_F(EmbedderOpTest, NameIsFixed) {
  OwningOpRef<ModuleOp> module = quantize(linear, options());
  ASSERT_TRUE(module);
  auto name =
      find<LinearOp>(*module)->getAttrOfType<StringAttr>("quant.name");
  ASSERT_TRUE(name);
  EXPECT_EQ(name.getValue(), "main/acme.linear#0");
}

TEST_F(EmbedderOpTest, RowsOfItsDataFollowFromRoles) {
  OwningOpRef<ModuleOp> module = quantizeDynamic(dense);
  ASSERT_TRUE(module);
  auto range = find<DynamicRangeOp>(*module);
  ASSERT_TRUE(range);
  EXPECT_EQ(range.getSpec().getGranularity(),
            PerChannelAttr::get(&context, {0}));
  auto data =
      find<DenseOp>(*module)->getOperand(0).getDefiningOp<DequantizeOp>();
  ASSERT_TRUE(data);
  EXPECT_EQ(data.getScale(), range.getScale());
}

TEST_F(EmbedderOpTest, DataWithoutRolesIsOneUnit) {
  std::string remark;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    remark = diagnostic.str();
  });
  OwningOpRef<ModuleOp> module = quantizeDynamic(opaque);
  ASSERT_TRUE(module);
  auto range = find<DynamicRangeOp>(*module);
  ASSERT_TRUE(range);
  EXPECT_EQ(range.getSpec().getGranularity(), PerTensorAttr::get(&context));
  EXPECT_NE(remark.find("which of its dimensions are rows is not known"),
            std::string::npos);
}

TEST_F(EmbedderOpTest, OperationThatNamesNoDataIsReported) {
  std::string remark;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    remark = diagnostic.str();
  });
  OwningOpRef<ModuleOp> module = quantizeDynamic(linear);
  ASSERT_TRUE(module);
  EXPECT_FALSE(find<DynamicRangeOp>(*module));
  EXPECT_NE(remark.find("names no operand beside the quantized weight"),
            std::string::npos);
}

TEST_F(EmbedderOpTest, SkippedWeightIsReported) {
  QuantizeWeightsPassOptions threshold = options();
  threshold.weightThreshold = 1000;
  std::string remark;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    remark = diagnostic.str();
  });
  OwningOpRef<ModuleOp> module = quantize(linear, threshold);
  ASSERT_TRUE(module);
  EXPECT_EQ(remark, "the weight of 'main/acme.linear#0' stays in floating "
                    "point: 18 elements, fewer than weight-threshold 1000");
}

} // namespace
