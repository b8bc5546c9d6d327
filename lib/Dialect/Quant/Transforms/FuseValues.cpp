//===- FuseValues.cpp - Contractions of values as one operation -----------===//
//
// What computes in floating point, of a float model or what quantization left:
// the kernels of quant.contract take values too, with weights of values or of
// codes. Groups are those of quant-fuse, and fused in the same way, but nothing
// becomes codes, so that what is computed stays the same up to the order of
// sums.
//
//===----------------------------------------------------------------------===//

#include "FuseGroup.h"

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

namespace quant_mlir {
#define GEN_PASS_DEF_FUSEVALUESPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fuse-values"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// A contraction of floats; sums of integers are not ours.
static bool isOfValues(const ActivationGroup &group) {
  bool isContraction = llvm::StringSwitch<bool>(group.getKind())
                           .Cases({"matmul", "conv", "depthwise_conv"}, true)
                           .Default(false);
  return isContraction && group.isQuantizable() &&
         isa<linalg::LinalgOp>(group.anchor) &&
         llvm::all_of(group.anchor->getOperandTypes(), [](Type type) {
           return isa<FloatType>(getElementTypeOrSelf(type));
         });
}

namespace {

class FuseValuesPass
    : public quant_mlir::impl::FuseValuesPassBase<FuseValuesPass> {
public:
  using FuseValuesPassBase::FuseValuesPassBase;

  void runOnOperation() override {
    getOperation()->walk([&](FunctionOpInterface function) {
      ActivationGroups groups(function);
      for (const ActivationGroup &group : groups.getGroups())
        if (isOfValues(group))
          note(group.anchor, fuseContraction(group, /*onValues=*/true));
      eraseDeadOps(function);
    });
  }

private:
  void note(Operation *op, const FuseResult &result) {
    if (result.fused)
      ++numFused;
    if (result.reason.empty())
      return;
    ++numDeclined;
    remarkLeft(op, result, "is lowered to loops");
  }
};

} // namespace
