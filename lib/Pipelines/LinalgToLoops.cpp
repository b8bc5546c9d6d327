//===- LinalgToLoops.cpp - Loops for what has no kernel -------------------===//
//
// As upstream's conversions, but what is small stays on one thread: waking the
// others and waiting for them takes longer than a softmax of ten elements.
//
//===----------------------------------------------------------------------===//

#include "LoweringPasses.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace {

class LinalgToLoopsPass
    : public PassWrapper<LinalgToLoopsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LinalgToLoopsPass)

  explicit LinalgToLoopsPass(bool parallel) : parallel(parallel) {}

  StringRef getArgument() const override { return "linalg-to-loops"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<affine::AffineDialect, memref::MemRefDialect,
                    scf::SCFDialect>();
  }

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      rewriter.setInsertionPoint(op);
      FailureOr<linalg::LinalgLoops> loops =
          parallel && quant_mlir::isWorthThreads(op)
              ? linalg::linalgOpToParallelLoops(rewriter, op)
              : linalg::linalgOpToLoops(rewriter, op);
      // What is left here is named by the check at the end of the lowering.
      if (succeeded(loops))
        rewriter.eraseOp(op);
    }
  }

private:
  bool parallel;
};

} // namespace

std::unique_ptr<Pass> quant_mlir::createLinalgToLoopsPass(bool parallel) {
  return std::make_unique<LinalgToLoopsPass>(parallel);
}
