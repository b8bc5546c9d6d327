//===- QuantToCPU.cpp - The integer form as loops over vectors ------------===//
//
// The pass; patterns are in a file for each family of operations.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_QUANTTOCPUPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

/// Whether more than one loop of the window walks a padded dimension.
static bool hasWindowOverPadding(PoolOp op) {
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  ArrayRef<int64_t> padding = form.getInputPadding();
  SmallVector<unsigned> walked(form.getNumLoops(), 0);
  for (auto [dim, expr] :
       llvm::enumerate(op.getOperandMaps().front().getResults())) {
    if (padding.empty() || (!padding[2 * dim] && !padding[2 * dim + 1]))
      continue;
    LinearExpr linear = *getLinearExpr(expr, form.getNumLoops());
    unsigned walkers = 0;
    for (auto [loop, factor] : llvm::enumerate(linear.factors))
      if (factor != 0 && !form.isParallelLoop(loop)) {
        ++walkers;
        if (++walked[loop] > 1)
          return true;
      }
    if (walkers != 1)
      return true;
  }
  return false;
}

std::string quant_mlir::findNoKernelReason(Operation *op,
                                           const CPUTarget &target) {
  if (auto contract = dyn_cast<ContractOp>(op)) {
    std::optional<LayoutAttr> layout = contract.getLayout();
    bool isByRows = layout && layout->getPanel() == 1;
    if (contract.hasIntegerSum() && analyzeLoops(contract).isDepthwise &&
        !isByRows)
      return findNoDepthwiseKernelReason(contract, target);
    return findNoKernelReason(contract, target);
  }
  if (auto pool = dyn_cast<PoolOp>(op)) {
    if (!numerics::isInteger(pool.getParams().getStorage()))
      return "it is of codes in floating point";
    if (pool.getWide())
      return "an int32 may not hold its sum";
    if (hasWindowOverPadding(pool))
      return "its padding is not walked by one loop of the window";
  }
  return "";
}

namespace {
struct QuantToCPUPass
    : public quant_mlir::impl::QuantToCPUPassBase<QuantToCPUPass> {
  using QuantToCPUPassBase::QuantToCPUPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    CPUTargetOptions options;
    options.cpu = cpu;
    options.features = features;
    options.triple = triple;
    llvm::Expected<CPUTarget> found = CPUTarget::get(options);
    if (!found)
      return emitError(UnknownLoc::get(context))
             << llvm::toString(found.takeError());
    target = std::make_shared<CPUTarget>(std::move(*found));
    RewritePatternSet set(context);
    populateContractToCPUPatterns(set, *target, threads);
    populateDepthwiseToCPUPatterns(set, *target);
    populateElementwiseToCPUPatterns(set, *target);
    populatePoolToCPUPatterns(set, *target);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    int64_t count = 0;
    auto isKernel = [](Operation *op) {
      return isa<IntegerFormOpInterface>(op) && op->getNumResults() == 0;
    };
    getOperation()->walk([&](Operation *op) { count += isKernel(op); });
    walkAndApplyPatterns(getOperation(), patterns);
    WalkResult left = getOperation()->walk([&](Operation *op) {
      if (!isKernel(op))
        return WalkResult::advance();
      op->emitOpError() << "has no kernel for this processor: expected a form "
                           "that one is known for; lower it before buffers "
                           "are made, by the reference lowering";
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      return signalPassFailure();
    numKernels += count;
  }

private:
  std::shared_ptr<const CPUTarget> target;
  FrozenRewritePatternSet patterns;
};
} // namespace
