//===- PackActivations.cpp - Right-hand sides that are computed -----------===//
//
// A product of two activations (Q * K^T, P * V) has no weights that
// quant-pack-weights could have packed. A kernel of its own lays the codes out
// as panels and adds up their columns, in the arena; what multiplies them is
// the kernel of weights:
//
//   %p, %s = quant.pack_columns ins(%codes) in <panels, …> outs(…)
//   quant.contract … rhs(%p in <panels, …> sums %s …)
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::PanelLayout;

/// Before `op`, which has the layout.
static PackColumnsOp buildPack(OpBuilder &builder, ContractOp op) {
  Location loc = op.getLoc();
  LayoutAttr layout = *op.getLayout();
  int64_t size = layout.getPackedSize(layout.getCodesType());
  Value panels = tensor::EmptyOp::create(builder, loc, ArrayRef<int64_t>(size),
                                         builder.getI8Type());
  Value sums = tensor::EmptyOp::create(builder, loc, op.getSumsShape(),
                                       builder.getI32Type());
  return PackColumnsOp::create(
      builder, loc, TypeRange{panels.getType(), sums.getType()}, op.getRhs(),
      panels, sums, *op.getRhsParams(), layout);
}

std::string quant_mlir::packActivations(ContractOp op,
                                        const GPUTarget &target) {
  if (!op.getRhsCodesType().hasStaticShape())
    return "the size of a batch, column or reduction is not known";
  std::string reason;
  std::optional<PanelLayout> layout =
      choosePanels(op, analyzeLoops(op), target, reason);
  if (!layout)
    return reason;
  op.setLayoutAttr(
      LayoutAttr::get(op.getContext(), op.getRhsCodesType(), *layout));
  reason = findNoGPUKernelReason(op, target);
  if (reason.empty() && !op.hasIntegerSum())
    reason = "its right-hand side is computed, and products are not of "
             "integers";
  if (reason.empty()) {
    OpBuilder builder(op);
    PackColumnsOp pack = buildPack(builder, op);
    reason = findNoGPUKernelReason(pack, target);
    if (reason.empty()) {
      op.getRhsMutable().assign(pack->getResult(0));
      op.getSumsMutable().assign(pack->getResult(1));
      return "";
    }
    reason = "its right-hand side is computed, and " + reason;
    pack.erase();
  }
  op.removeLayoutAttr();
  return reason;
}
