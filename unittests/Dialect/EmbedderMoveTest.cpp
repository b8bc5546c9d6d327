//===- EmbedderMoveTest.cpp - An embedder's operation moves codes ---------===//
//
// A dialect of someone else's with operations that move values and say so
// through QuantizableOpInterface: one that works on any elements, one that does
// not.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/InitAll.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

template <typename ConcreteOp>
class MoveOp : public Op<ConcreteOp, OpTrait::OneResult, OpTrait::ZeroRegions,
                         OpTrait::ZeroSuccessors, OpTrait::OneOperand,
                         OpTrait::OpInvariants, QuantizableOpInterface::Trait> {
public:
  using Op<ConcreteOp, OpTrait::OneResult, OpTrait::ZeroRegions,
           OpTrait::ZeroSuccessors, OpTrait::OneOperand, OpTrait::OpInvariants,
           QuantizableOpInterface::Trait>::Op;
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
  LogicalResult verifyInvariantsImpl() { return success(); }

  ValueEffect getValueEffect() { return ValueEffect::Moves; }
  SmallVector<OpOperand *> getValueSources() {
    return {&(*this)->getOpOperand(0)};
  }
};

class FlipOp : public MoveOp<FlipOp> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FlipOp)
  using MoveOp::MoveOp;
  static StringRef getOperationName() { return "acme.flip"; }
};

class FloatFlipOp : public MoveOp<FloatFlipOp> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FloatFlipOp)
  using MoveOp::MoveOp;
  static StringRef getOperationName() { return "acme.float_flip"; }
  LogicalResult verifyInvariantsImpl() {
    auto type = cast<RankedTensorType>(getOperation()->getOperand(0).getType());
    return type.getElementType().isF32()
               ? success()
               : getOperation()->emitOpError("expects f32");
  }
};

class MovingDialect : public Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MovingDialect)
  explicit MovingDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<MovingDialect>()) {
    addOperations<FlipOp, FloatFlipOp>();
  }
  static StringRef getDialectNamespace() { return "acme"; }
};

class EmbedderMoveTest : public ::testing::Test {
protected:
  EmbedderMoveTest() {
    DialectRegistry registry;
    registry.insert<MovingDialect, func::FuncDialect>();
    quant_mlir::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The element type on which `op` works after clean-up, and the remarks.
  Type simplify(StringRef op, std::string &remarks) {
    std::string source =
        ("func.func @main(%q: tensor<4xi8>) -> tensor<4xf32> {\n"
         "  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : "
         "tensor<4xi8> -> tensor<4xf32>\n  %0 = \"" +
         op +
         "\"(%d) {acme.tag} : (tensor<4xf32>) -> tensor<4xf32>\n"
         "  return %0 : tensor<4xf32>\n}\n")
            .str();
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { remarks += diagnostic.str(); });
    module = parseSourceString<ModuleOp>(source, &context);
    PassManager pm(&context);
    pm.addPass(createSimplifyQuantizedFormPass());
    pm.addPass(createVerifyQuantizedFormPass());
    if (!module || failed(pm.run(*module)))
      return {};
    Type element;
    module->walk([&](Operation *found) {
      if (found->getName().getStringRef() != op)
        return;
      EXPECT_TRUE(found->hasAttr("acme.tag"));
      element = cast<RankedTensorType>(found->getResult(0).getType())
                    .getElementType();
    });
    return element;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(EmbedderMoveTest, WorksOnCodes) {
  std::string remarks;
  EXPECT_EQ(simplify("acme.flip", remarks), IntegerType::get(&context, 8));
  EXPECT_EQ(remarks, "");
}

TEST_F(EmbedderMoveTest, StaysWhereItDoesNotVerify) {
  std::string remarks;
  EXPECT_EQ(simplify("acme.float_flip", remarks), Float32Type::get(&context));
  EXPECT_EQ(
      remarks,
      "'acme.float_flip' moves floating-point values: it does not work on "
      "codes: 'acme.float_flip' op expects f32");
}

} // namespace
