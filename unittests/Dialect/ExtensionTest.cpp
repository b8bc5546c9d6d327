//===- ExtensionTest.cpp - Our operations inside upstream's dialect -------===//

#include "quant-mlir/Dialect/Quant/IR/QuantExtension.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Somebody else's operation of one of our names.
class ForeignQuantizeOp
    : public Op<ForeignQuantizeOp, OpTrait::ZeroResults, OpTrait::ZeroRegions,
                OpTrait::ZeroSuccessors, OpTrait::ZeroOperands> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ForeignQuantizeOp)
  using Op::Op;
  static StringRef getOperationName() { return "quant.quantize"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
};

TEST(ExtensionTest, OperationsComeWithTheDialect) {
  DialectRegistry registry;
  registerQuantExtension(registry);
  MLIRContext context(registry);
  context.loadDialect<mlir::quant::QuantDialect>();
  EXPECT_TRUE(RegisteredOperationName::lookup("quant.quantize", &context));
  EXPECT_TRUE(context.getLoadedDialect<QParamsDialect>());
}

TEST(ExtensionTest, OperationsComeToALoadedDialect) {
  MLIRContext context;
  context.loadDialect<mlir::quant::QuantDialect>();
  EXPECT_FALSE(RegisteredOperationName::lookup("quant.quantize", &context));
  DialectRegistry registry;
  registerQuantExtension(registry);
  context.appendDialectRegistry(registry);
  EXPECT_TRUE(RegisteredOperationName::lookup("quant.quantize", &context));
}

TEST(ExtensionTest, RegisteringTwiceIsHarmless) {
  DialectRegistry first, second;
  registerQuantExtension(first);
  registerQuantExtension(first);
  registerQuantExtension(second);
  MLIRContext context(first);
  context.loadDialect<mlir::quant::QuantDialect>();
  context.appendDialectRegistry(second);
  EXPECT_EQ(RegisteredOperationName::lookup("quant.quantize", &context)
                ->getTypeID(),
            TypeID::get<QuantizeOp>());
}

TEST(ExtensionTest, UpstreamOperationsStay) {
  DialectRegistry registry;
  registerQuantExtension(registry);
  MLIRContext context(registry);
  context.loadDialect<mlir::quant::QuantDialect>();
  EXPECT_TRUE(RegisteredOperationName::lookup("quant.qcast", &context));
}

TEST(ExtensionDeathTest, AnotherOperationOfTheNameIsFatal) {
  MLIRContext context;
  auto *dialect = context.getOrLoadDialect<mlir::quant::QuantDialect>();
  RegisteredOperationName::insert<ForeignQuantizeOp>(*dialect);
  DialectRegistry registry;
  registerQuantExtension(registry);
  EXPECT_DEATH(context.appendDialectRegistry(registry),
               "expected to add the operation 'quant.quantize' to the quant "
               "dialect, found another one of that name");
}

} // namespace
