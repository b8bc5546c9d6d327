//===- LowerTosa.cpp - tosa to linalg, where there is any -----------------===//
//
// Upstream's passes in upstream's order. What is chosen here: convolutions keep
// the layout of their weights, and no constant is folded into a compute op, so
// that every weight arrives as one arith.constant.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Pipelines/Pipelines.h"

#include "mlir/Conversion/TosaToArith/TosaToArith.h"
#include "mlir/Conversion/TosaToLinalg/TosaToLinalg.h"
#include "mlir/Conversion/TosaToSCF/TosaToSCF.h"
#include "mlir/Conversion/TosaToTensor/TosaToTensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace quant_mlir {
#define GEN_PASS_DEF_LOWERTOSAPASS
#include "quant-mlir/Pipelines/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

static void buildLowering(OpPassManager &pm) {
  // Control flow first: the conversion to linalg does not know tosa.yield.
  pm.addNestedPass<func::FuncOp>(createTosaToSCFPass());
  // No validation: it refuses dynamic shapes, and counts the values of a
  // tosa.pad's shape as dimensions and so refuses what upstream's own
  // decomposition of a strided transposed convolution gives. What does not
  // lower is found below.
  tosa::addTosaToLinalgPasses(pm, TosaToLinalgOptions(),
                              TosaToLinalgNamedOptions(),
                              /*validationOptions=*/std::nullopt);
  OpPassManager &function = pm.nest<func::FuncOp>();
  function.addPass(
      createTosaToArithPass(TosaToArithPassOptions{/*includeApplyRescale=*/true,
                                                   /*use32Bit=*/false}));
  function.addPass(createTosaToTensorPass());
  function.addPass(createCanonicalizerPass());
  function.addPass(createCSEPass());
}

static Operation *findTosaOp(ModuleOp module) {
  Operation *found = nullptr;
  module->walk([&](Operation *op) {
    if (!isa_and_nonnull<tosa::TosaDialect>(op->getDialect()))
      return WalkResult::advance();
    found = op;
    return WalkResult::interrupt();
  });
  return found;
}

namespace {
struct LowerTosaPass
    : public quant_mlir::impl::LowerTosaPassBase<LowerTosaPass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager pm(ModuleOp::getOperationName());
    buildLowering(pm);
    pm.getDependentDialects(registry);
  }

  void runOnOperation() override {
    if (!findTosaOp(getOperation()))
      return;
    OpPassManager pm(ModuleOp::getOperationName());
    buildLowering(pm);
    if (failed(runPipeline(pm, getOperation())))
      return signalPassFailure();
    if (Operation *left = findTosaOp(getOperation())) {
      emitError(left->getLoc())
          << "expected every tosa operation to lower to linalg, "
             "found '"
          << left->getName() << "': give it static shapes, or lower it first";
      return signalPassFailure();
    }
  }
};
} // namespace
