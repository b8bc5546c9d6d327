//===- Fuse.cpp - From the quantized to the integer form ------------------===//
//
// Which operations are one kernel is ActivationGroups' to say. Each group is
// tried once, in order: uses of its codes are replaced, and what is dead is
// erased when all are done, so that the analysis stays valid. What stays behind
// is named in a remark, and carries the reason as an attribute, which
// quant-verify-integer-form asks for.
//
//===----------------------------------------------------------------------===//

#include "AccumulatorBound.h"
#include "FuseGroup.h"

#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Dialect/Quant/Transforms/QuantReport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

namespace quant_mlir {
#define GEN_PASS_DEF_FUSEPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fuse"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

bool quant_mlir::detail::hasIntegerKernel(const ActivationGroup &group) {
  return llvm::StringSwitch<bool>(group.getKind())
      .Cases({"matmul", "conv", "depthwise_conv", "conv_transpose"}, true)
      .Cases({"add", "mul", "average_pool"}, true)
      .Default(false);
}

bool quant_mlir::detail::readsCodes(const ActivationGroup &group) {
  auto isDequantized = [](OpOperand *operand) {
    Value value = operand->get();
    while (Operation *op = value.getDefiningOp()) {
      if (isa<DequantizeOp>(op))
        return true;
      if (!isElementwiseMove(op))
        return false;
      value = cast<QuantizableOpInterface>(op).getValueSources()[0]->get();
    }
    return false;
  };
  return llvm::any_of(group.weights, isDequantized) ||
         llvm::any_of(group.inputs, isDequantized);
}

static FuseResult fuse(const ActivationGroup &group) {
  StringRef kind = group.getKind();
  if (kind == "add" || kind == "mul")
    return fuseElementwise(group);
  if (kind == "average_pool")
    return fuseAverage(group);
  return fuseContraction(group);
}

namespace {

class FusePass : public quant_mlir::impl::FusePassBase<FusePass> {
public:
  using FusePassBase::FusePassBase;

  void runOnOperation() override {
    skipped.clear();
    getOperation()->walk(
        [&](FunctionOpInterface function) { runOnFunction(function); });
    if (failed(appendSkipped(getOperation(), report, skipped)))
      signalPassFailure();
  }

private:
  void runOnFunction(FunctionOpInterface function) {
    ActivationGroups groups(function);
    for (const ActivationGroup &group : groups.getGroups())
      if (group.isQuantizable() && hasIntegerKernel(group) && readsCodes(group))
        note(group.anchor, fuse(group));
    SmallVector<linalg::LinalgOp> maxima;
    function->walk([&](linalg::LinalgOp op) { maxima.push_back(op); });
    for (linalg::LinalgOp op : maxima)
      note(op, fuseMaximum(op));
    eraseDeadOps(function);
  }

  void note(Operation *op, const FuseResult &result) {
    if (result.fused)
      ++numFused;
    if (result.reason.empty())
      return;
    ++numDeclined;
    remarkLeft(op, result, "stays in the quantized form");
    if (Operation *left = result.fused ? result.left : op)
      left->setAttr(notFusedAttrName,
                    StringAttr::get(op->getContext(), result.reason));
    skipped.push_back({getQuantName(op).str(), describeLoc(op->getLoc()),
                       "fusion: " + result.reason});
  }

  std::vector<QuantReport::SkippedEntry> skipped;
};

} // namespace
