//===- FuseContraction.cpp - Matrix products and convolutions -------------===//
//
//   %x = quant.dequantize %qx <X>        %w = quant.dequantize %qw <W>
//   %0 = anchor(%x, %w) onto bias   ->   quant.contract lhs(%qx as <X>)
//   %1 = clamp(%0 + residual)              rhs(%qw as <W>) bias(…) residual(…)
//   %q = quant.quantize %1 <Y>             outs(… as <Y>) maps […] low … high …
//
// The maps are the anchor's. Reshapes inside the group go behind the operation,
// or in front of the residual; a bias becomes a constant of one number per
// channel. Where a step of the group has no place in the operation, the group
// ends before it, in values.
//
//===----------------------------------------------------------------------===//

#include "AccumulatorBound.h"
#include "BiasChannels.h"
#include "ContractionFuser.h"
#include "MoveOnCodes.h"

#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static bool hasSum(AffineMap map) {
  return llvm::any_of(map.getResults(), [](AffineExpr expr) {
    return !isa<AffineDimExpr, AffineConstantExpr>(expr);
  });
}

bool ContractionFuser::findOperands() {
  if (!anchor)
    return decline(
        "it is no structured operation, and its loops are not known");
  SmallVector<OpOperand *> operands = group.weights;
  for (OpOperand *input : group.inputs)
    if (input != group.residual)
      operands.push_back(input);
  if (operands.size() != 2)
    return decline("expected two operands that are multiplied, found " +
                   Twine(operands.size()));
  rhsOperand = operands[0];
  lhsOperand = operands[1];
  // Of two activations the first is lhs, unless the second one has windows.
  if (group.weights.empty() && !hasSum(mapOf(lhsOperand)))
    std::swap(lhsOperand, rhsOperand);
  if (hasSum(mapOf(rhsOperand)))
    return decline("both its operands have windows");
  if (!initMap().isProjectedPermutation())
    return decline("it scatters its result, as a transposed convolution does");
  return true;
}

bool ContractionFuser::readLhs() {
  lhs = lhsOperand->get();
  lhsMap = mapOf(lhsOperand);
  int64_t padCode = 0;
  auto dequantize = lhs.getDefiningOp<DequantizeOp>();
  if (dequantize && !onValues) {
    AffineAttr params = dequantize.getParams();
    if (params.getMinval())
      return decline("its input has a minval, which is for weights");
    if (params.getStorage() == numerics::StorageType::Int32)
      return decline("its input is int32, which is for biases");
    if (!params.isDynamic() && !isa<PerTensorAttr>(params.getGranularity()))
      return decline("its input has more than one scale");
    lhs = dequantize.getInput();
    lhsParams = params;
    scale = dequantize.getScale();
    zeroPoint = dequantize.getZeroPoint();
    padCode = params.isDynamic() ? 0 : getZeroPoint(params);
  }
  if (zeroPoint)
    return true;
  if (std::optional<Padding> pad = takePadding(lhs, padCode)) {
    lhs = pad->source;
    padding = pad->sizes;
  }
  return true;
}

/// Codes, or where those will not do, values; what is constant is folded.
bool ContractionFuser::readRhs() {
  rhsMap = mapOf(rhsOperand);
  if (!readDequantizedRhs()) {
    if (!onValues)
      return false;
    reason.clear();
    rhsParams = AffineAttr();
    rhsMap = mapOf(rhsOperand);
    rhs = dropUnitDims(builder, rhsOperand->get(), rhsMap, rhsParams);
  }
  if (!rhs.getDefiningOp<arith::ConstantOp>())
    if (Value constant = foldConstantMoves(rhs))
      rhs = constant;
  return true;
}

/// A weight is moved on its codes.
bool ContractionFuser::readDequantizedRhs() {
  SmallVector<Operation *> weightMoves;
  Value value = rhsOperand->get();
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  while (!dequantize) {
    Operation *op = value.getDefiningOp();
    if (!op || !isElementwiseMove(op))
      return decline(group.weights.empty()
                         ? "its second operand is in floating point"
                         : "its weight is in floating point");
    weightMoves.push_back(op);
    value = cast<QuantizableOpInterface>(op).getValueSources()[0]->get();
    dequantize = value.getDefiningOp<DequantizeOp>();
  }
  // Codes are decoded to f32: what is rounded to less stays what it is.
  if (onValues && !getElementTypeOrSelf(dequantize.getOutput()).isF32())
    return decline("its weight is dequantized to less than f32");
  rhsParams = dequantize.getParams();
  if (rhsParams.isDynamic() && !lhsParams)
    return decline("the scale of its second operand is known at run time only, "
                   "and its first operand is in floating point");
  if (rhsParams.getStorage() == numerics::StorageType::Int32)
    return decline("its second operand is int32, which is for biases");
  rhs = dequantize.getInput();
  if (rhsParams.isDynamic())
    return readDynamicRhs(dequantize, weightMoves);
  for (Operation *move : llvm::reverse(weightMoves)) {
    rhsParams = moveParams(
        rhsParams, *cast<QuantizableOpInterface>(move).getValueSources()[0]);
    if (!rhsParams)
      return decline("its weight is moved in a way that its scales cannot "
                     "follow");
    rhs = applyMove(builder, move, rhs);
  }
  rhs = dropUnitDims(builder, rhs, rhsMap, rhsParams);
  if (!rhs)
    return decline("its weight has scales along a dimension without a loop");
  return true;
}

/// Scale and zero point of the second operand stay operands. One number for all
/// is the same behind any move.
bool ContractionFuser::readDynamicRhs(DequantizeOp dequantize,
                                      ArrayRef<Operation *> moves) {
  rhsScale = dequantize.getScale();
  rhsZeroPoint = dequantize.getZeroPoint();
  bool isOne = cast<RankedTensorType>(rhsScale.getType()).getRank() == 0;
  bool hasUnits = llvm::any_of(rhsMap.getResults(), [](AffineExpr expr) {
    return isa<AffineConstantExpr>(expr);
  });
  if (!isOne && (hasUnits || !moves.empty()))
    return decline("its second operand is moved, and its scales, which are "
                   "known at run time only, are not");
  for (Operation *move : llvm::reverse(moves))
    rhs = applyMove(builder, move, rhs);
  AffineAttr none;
  rhs = dropUnitDims(builder, rhs, rhsMap, none);
  return true;
}

//===----------------------------------------------------------------------===//
// The operation
//===----------------------------------------------------------------------===//

Operation *ContractionFuser::build() {
  Type element = getElementTypeOrSelf(output.getType());
  if (!isa<Float32Type, Float16Type, BFloat16Type>(element)) {
    decline("its result is no tensor of f32, f16 or bf16");
    return nullptr;
  }
  builder.setInsertionPoint(output.getDefiningOp());
  // f16 values cannot be added to f32 ones and the like, but to codes.
  if (residual && !residualParams && !users.params)
    if (getElementTypeOrSelf(residual.getType()) != element) {
      decline("what it adds is of another type than its result");
      return nullptr;
    }
  AffineAttr initParams = users.params;
  Value init = tensor::EmptyOp::create(
      builder, loc, getBufferSizes(builder, anchor.getDpsInits()[0]),
      initParams ? initParams.getStorageElementType() : element);
  SmallVector<Attribute> maps;
  for (AffineMap map : {lhsMap, rhsMap, biasMap, residualMap, initMap()})
    if (map)
      maps.push_back(AffineMapAttr::get(map));
  auto contract = ContractOp::create(
      builder, loc, TypeRange(init.getType()), lhs, scale, zeroPoint, rhs,
      rhsScale, rhsZeroPoint, /*sums=*/Value(), bias, residual, init, lhsParams,
      rhsParams,
      /*layout=*/LayoutAttr(), residualParams, initParams,
      builder.getArrayAttr(maps),
      padding.empty() ? DenseI64ArrayAttr()
                      : builder.getDenseI64ArrayAttr(padding),
      getBound(builder, bounds.lo), getBound(builder, bounds.hi),
      /*wide=*/UnitAttr());
  if (Attribute name = group.anchor->getAttr("quant.name"))
    contract->setAttr("quant.name", name);
  if (!keepIfValid(contract, reason))
    return nullptr;
  if (std::string overflow = proveAccumulator(contract); !overflow.empty()) {
    contract.setWide(true);
    remarkWide(contract, overflow);
  }
  return contract;
}

FuseResult ContractionFuser::run() {
  builder.setInsertionPoint(group.output.getDefiningOp());
  if (!findOperands() || !readLhs() || !readRhs() || !findEnd())
    return {nullptr, reason};
  std::string rest = reason;
  reason.clear();
  Operation *contract = build();
  if (!contract)
    return {nullptr, reason};
  Value result = contract->getResult(0);
  for (Operation *move : moves)
    result = applyMove(builder, move, result);
  if (result.getType() != output.getType() && !users.params)
    result = tensor::CastOp::create(builder, loc, output.getType(), result);
  replaceOutput(output, users, result);
  return {contract, rest, left};
}

FuseResult quant_mlir::detail::fuseContraction(const ActivationGroup &group,
                                               bool onValues) {
  return ContractionFuser(group, onValues).run();
}
