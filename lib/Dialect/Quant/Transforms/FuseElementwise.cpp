//===- FuseElementwise.cpp - Sums and products of two activations ---------===//
//
//   %a = quant.dequantize %qa <A>
//   %b = quant.dequantize %qb <B>
//   %0 = add(%a, %b)               ->   quant.add lhs(%qa as <A>) rhs(%qb as
//   <B>) %1 = clamp(%0)                        outs(… as <Y>) maps […] low …
//   high … %q = quant.quantize %1 <Y>
//
// Both operands and the result have one scale each and codes of 8-bit integers.
// A broadcast is a map.
//
//===----------------------------------------------------------------------===//

#include "BiasChannels.h"
#include "FuseGroup.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

static bool isInteger8(AffineAttr params) {
  return params.getStorage() == numerics::StorageType::Int8 ||
         params.getStorage() == numerics::StorageType::UInt8;
}

FuseResult quant_mlir::detail::fuseElementwise(const ActivationGroup &group) {
  auto anchor = dyn_cast<linalg::LinalgOp>(group.anchor);
  if (!anchor)
    return {nullptr,
            "it is no structured operation, and its loops are not known"};
  if (group.inputs.size() != 2)
    return {nullptr, "it has no two different operands"};
  OpBuilder builder(group.output.getDefiningOp());
  Location loc = anchor.getLoc();
  Value codes[2];
  AffineAttr params[2];
  AffineMap maps[2];
  for (unsigned i = 0; i < 2; ++i) {
    OpOperand *operand = group.inputs[i];
    StringRef which = i == 0 ? "first" : "second";
    DequantizeOp dequantize = getStaticDequantize(operand->get());
    if (!dequantize)
      return {nullptr, ("its " + which + " operand is " +
                        (operand->get().getDefiningOp<DequantizeOp>()
                             ? "of codes without one constant scale"
                             : "in floating point"))
                           .str()};
    params[i] = dequantize.getParams();
    if (!isInteger8(params[i]))
      return {nullptr,
              ("its " + which + " operand is not of 8-bit integers").str()};
    maps[i] = anchor.getMatchingIndexingMap(operand);
    codes[i] = dropUnitDims(builder, dequantize.getInput(), maps[i], params[i]);
  }
  QuantizedUsers users = findQuantizedUsers(group.output);
  if (!users.params)
    return {nullptr, "its result is used as values, or by quantizes that "
                     "disagree"};
  if (!isInteger8(users.params))
    return {nullptr, "its result is not quantized to 8-bit integers"};
  // What follows an addition is a clamp, and moves before it.
  SmallVector<Operation *> moves;
  for (const GroupStep &step : getSteps(group))
    if (step.kind == GroupStep::Move)
      moves.push_back(step.op);

  AffineMap initMap =
      anchor.getMatchingIndexingMap(anchor.getDpsInitOperand(0));
  Value init = tensor::EmptyOp::create(
      builder, loc, getBufferSizes(builder, anchor.getDpsInits()[0]),
      users.params.getStorageElementType());
  auto create = [&](auto tag) -> Operation * {
    using OpTy = decltype(tag);
    return OpTy::create(
        builder, loc, TypeRange(init.getType()), codes[0], codes[1], init,
        params[0], params[1], users.params,
        builder.getAffineMapArrayAttr({maps[0], maps[1], initMap}),
        getBound(builder, group.bounds.lo), getBound(builder, group.bounds.hi));
  };
  Operation *fused =
      group.getKind() == "mul" ? create(MulOp()) : create(AddOp());
  if (Attribute name = group.anchor->getAttr("quant.name"))
    fused->setAttr("quant.name", name);
  FuseResult result;
  if (!keepIfValid(fused, result.reason))
    return result;
  Value value = fused->getResult(0);
  for (Operation *move : moves)
    value = applyMove(builder, move, value);
  replaceOutput(group.output, users, value);
  result.fused = fused;
  return result;
}
