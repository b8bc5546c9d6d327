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

#include "GPUKernel.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::PanelLayout;

/// The bytes of panels of codes of `sizes`. Where those are not known there is
/// a chunk at least: kernels may read one that they do not need.
static OpFoldResult countBytes(KernelBuilder &host, LayoutAttr layout,
                               ArrayRef<OpFoldResult> sizes) {
  RankedTensorType codes = layout.getCodesType();
  if (codes.hasStaticShape())
    return host.builder.getIndexAttr(layout.getPackedSize(codes));
  auto count = [&](ArrayRef<int64_t> dims) {
    OpFoldResult product = host.builder.getIndexAttr(1);
    for (int64_t dim : dims)
      product = host.mul(product, sizes[dim]);
    return product;
  };
  ArrayRef<int64_t> reduction = layout.getReduction();
  OpFoldResult panels =
                   ceilDiv(host, count(layout.getColumns()), layout.getPanel()),
               tuples =
                   ceilDiv(host, count(reduction.take_back(layout.getRun())),
                           layout.getPanelLayout().tupleSize());
  OpFoldResult bytes =
      host.builder.getIndexAttr(layout.getPanel() * layout.getGroup());
  for (OpFoldResult factor :
       {tuples, count(reduction.drop_back(layout.getRun())), panels,
        count(layout.getBatch())})
    bytes = host.mul(factor, bytes);
  return arith::MaxUIOp::create(host.builder, host.loc, host.index(bytes),
                                host.index(layout.getGroup()))
      .getResult();
}

/// Before `op`, which has the layout.
static PackColumnsOp buildPack(OpBuilder &builder, ContractOp op) {
  Location loc = op.getLoc();
  LayoutAttr layout = *op.getLayout();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, op.getRhs());
  KernelBuilder host(builder, loc);
  Value panels = tensor::EmptyOp::create(
      builder, loc, countBytes(host, layout, sizes), builder.getI8Type());
  SmallVector<OpFoldResult> sumSizes;
  for (ArrayRef<int64_t> dims : {layout.getBatch(), layout.getColumns()})
    for (int64_t dim : dims)
      sumSizes.push_back(sizes[dim]);
  SmallVector<int64_t> sumsShape = op.getSumsShape();
  if (sumsShape.size() > sumSizes.size())
    sumSizes.insert(sumSizes.begin(), builder.getIndexAttr(sumsShape.front()));
  Value sums =
      tensor::EmptyOp::create(builder, loc, sumSizes, builder.getI32Type());
  return PackColumnsOp::create(
      builder, loc, TypeRange{panels.getType(), sums.getType()}, op.getRhs(),
      panels, sums, *op.getRhsParams(), layout);
}

std::string quant_mlir::packActivations(ContractOp op,
                                        const GPUTarget &target) {
  ContractLoops loops = analyzeLoops(op);
  if (op.getReductionBlock() &&
      ShapedType::isDynamic(loops.getSize(loops.reduction)))
    return "the size of a reduction beside its blocks is not known";
  std::string reason;
  std::optional<PanelLayout> layout = choosePanels(op, loops, target, reason);
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
