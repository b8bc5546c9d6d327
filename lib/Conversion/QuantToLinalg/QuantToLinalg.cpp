//===- QuantToLinalg.cpp - The reference lowering -------------------------===//
//
// The pass, and the sequence of passes that makes plain linalg of both levels.
// The patterns of level 1 are in QuantizeToLinalg.cpp, DynamicRangeToLinalg.cpp,
// PackToLinalg.cpp and PanelsToLinalg.cpp, those of level 2 in ContractToLinalg.cpp,
// ElementwiseToLinalg.cpp and PoolToLinalg.cpp.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_QUANTTOLINALGPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

namespace {

struct QuantToLinalgPass
    : public quant_mlir::impl::QuantToLinalgPassBase<QuantToLinalgPass> {
  using QuantToLinalgPassBase::QuantToLinalgPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet first(context), second(context);
    populateIntegerFormToLinalgPatterns(first);
    populateQuantToLinalgPatterns(second);
    integerFormPatterns = std::move(first);
    quantizedForm = std::move(second);
    return success();
  }

  void runOnOperation() override {
    int64_t count = 0;
    getOperation()->walk([&](Operation *op) { count += isLowered(op); });
    // The driver does not come back to what it made, and packed codes of level 2
    // become an unpack.
    if (integerForm)
      walkAndApplyPatterns(getOperation(), integerFormPatterns);
    walkAndApplyPatterns(getOperation(), quantizedForm);
    // The driver skips unreachable blocks, and an embedder's layout may be one
    // that no pattern here knows.
    WalkResult left = getOperation()->walk([&](Operation *op) {
      if (!isLowered(op))
        return WalkResult::advance();
      op->emitOpError() << "was not lowered: expected tensors, reachable code "
                           "and a layout that the reference lowering knows";
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      return signalPassFailure();
    numLowered += count;
  }

private:
  bool isLowered(Operation *op) {
    return isa<QuantizeOp, DequantizeOp, DynamicRangeOp, PackOp, UnpackOp,
               ObserveOp>(op) ||
           (integerForm &&
            (isa<IntegerFormOpInterface>(op) || isa<PackColumnsOp>(op)));
  }

  FrozenRewritePatternSet integerFormPatterns, quantizedForm;
};

/// Without calibration, an observer is what it computes: %x.
struct LowerObserve : OpRewritePattern<ObserveOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ObserveOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, op.getInput());
    return success();
  }
};

} // namespace

void quant_mlir::populateQuantToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerObserve>(patterns.getContext());
  populateQuantizeToLinalgPatterns(patterns);
  populateDynamicRangeToLinalgPatterns(patterns);
  populatePackToLinalgPatterns(patterns);
  populatePanelsToLinalgPatterns(patterns);
}

void quant_mlir::populateIntegerFormToLinalgPatterns(
    RewritePatternSet &patterns) {
  populateContractToLinalgPatterns(patterns);
  populateElementwiseToLinalgPatterns(patterns);
  populatePoolToLinalgPatterns(patterns);
  populatePackColumnsToLinalgPatterns(patterns);
}

void quant_mlir::addReferenceLoweringPasses(OpPassManager &manager,
                                            bool integerForm) {
  QuantToLinalgPassOptions options;
  options.integerForm = integerForm;
  manager.addPass(createQuantToLinalgPass(options));
  // Lowered bodies hold codes as scalars, so only tensors are left to widen.
  manager.addPass(createWidenStoragePass());
  // Casts on tensors are scalars in generic bodies only now.
  manager.addPass(createSmallFloatToArithPass());
}
