//===- VerifyIntegerForm.cpp - What belongs in level 2 --------------------===//
//
// What level 1 and level 2 have in common is in FormChecks.cpp. Beyond that: no
// kernel is left that quant-fuse has not looked at, and no accumulator
// overflows.
//
//===----------------------------------------------------------------------===//

#include "AccumulatorBound.h"
#include "FormChecks.h"
#include "FuseGroup.h"

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Quant/IR/Quant.h"

namespace quant_mlir {
#define GEN_PASS_DEF_VERIFYINTEGERFORMPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-verify-integer-form"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

namespace {

class VerifyIntegerFormPass
    : public quant_mlir::impl::VerifyIntegerFormPassBase<
          VerifyIntegerFormPass> {
public:
  void runOnOperation() override {
    FormChecks checks(getOperation(), /*level=*/2);
    checks.check();
    getOperation()->walk(
        [&](FunctionOpInterface function) { checkKernels(function, checks); });
    getOperation()->walk([&](Operation *op) {
      std::string overflow;
      if (auto contract = dyn_cast<ContractOp>(op))
        overflow = proveAccumulator(contract);
      else if (auto pool = dyn_cast<PoolOp>(op))
        overflow = proveAccumulator(pool);
      else
        return;
      if (!overflow.empty())
        checks.complain(op, Twine("expected a sum that an int32 holds: ") +
                                overflow +
                                ": write 'wide' behind its maps, which "
                                "quant-fuse does");
      else
        ++numProven;
    });
    unsigned count = checks.emitErrors();
    numRejected += count;
    if (count != 0)
      signalPassFailure();
  }

private:
  /// A kernel on dequantized values is here because quant-fuse says why.
  void checkKernels(FunctionOpInterface function, FormChecks &checks) {
    auto check = [&](Operation *op) {
      if (!op->hasAttr(notFusedAttrName))
        checks.complain(op, Twine("expected one operation on codes for this "
                                  "kernel, or the attribute ") +
                                notFusedAttrName +
                                " with the reason, found neither: run "
                                "quant-fuse first");
    };
    ActivationGroups groups(function);
    for (const ActivationGroup &group : groups.getGroups())
      if (group.isQuantizable() && hasIntegerKernel(group) && readsCodes(group))
        check(group.anchor);
    function->walk([&](linalg::LinalgOp op) {
      if (findMaximumInput(op))
        check(op);
    });
  }
};

} // namespace
