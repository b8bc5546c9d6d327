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
#include "FuseGroup.h"
#include "IntegerSum.h"
#include "MoveOnCodes.h"

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

namespace {

class ContractionFuser {
public:
  ContractionFuser(const ActivationGroup &group, bool onValues)
      : group(group), onValues(onValues),
        anchor(dyn_cast<linalg::LinalgOp>(group.anchor)), builder(group.anchor),
        loc(group.anchor->getLoc()) {}

  FuseResult run();

private:
  bool decline(const Twine &why) {
    reason = why.str();
    return false;
  }
  bool findOperands();
  bool readLhs();
  bool readRhs();
  bool readDequantizedRhs();
  bool findEnd();
  bool addStep(const GroupStep &step);
  bool readBias(OpOperand *operand);
  bool readResidual(OpOperand *operand, ArrayRef<Operation *> movesBefore);
  Operation *build();

  AffineMap mapOf(OpOperand *operand) {
    return anchor.getMatchingIndexingMap(operand);
  }
  AffineMap initMap() { return mapOf(anchor.getDpsInitOperand(0)); }

  const ActivationGroup &group;
  bool onValues;
  linalg::LinalgOp anchor;
  OpBuilder builder;
  Location loc;
  std::string reason;

  OpOperand *lhsOperand = nullptr, *rhsOperand = nullptr;
  Value lhs, scale, zeroPoint, rhs, bias, residual;
  AffineAttr lhsParams, rhsParams, residualParams;
  AffineMap lhsMap, rhsMap, biasMap, residualMap;
  SmallVector<int64_t> padding;
  FloatRange bounds{-std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::infinity()};

  /// Moves between the anchor and the end.
  SmallVector<Operation *> moves;
  Value output;              ///< where the group ends
  Operation *left = nullptr; ///< the step behind that
  QuantizedUsers users;
};

} // namespace

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
    if (arith::ConstantOp constant = foldConstantMoves(rhs))
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
  if (rhsParams.isDynamic())
    return decline("the scale of its second operand is known at run time only");
  if (rhsParams.getStorage() == numerics::StorageType::Int32)
    return decline("its second operand is int32, which is for biases");
  rhs = dequantize.getInput();
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

//===----------------------------------------------------------------------===//
// What follows the anchor
//===----------------------------------------------------------------------===//

/// One number per channel: an i32 constant in units of the accumulator where
/// there is such an accumulator and the constant is one, else an f32 constant.
bool ContractionFuser::readBias(OpOperand *operand) {
  std::optional<ChannelSpace> channels = getChannels(anchor, rhsOperand);
  if (!channels)
    return decline("the channels of its bias are not known");
  std::string ignored;
  std::optional<IntegerSum> sum = readIntegerSum(group, ignored);
  std::optional<Channels> values;
  bool isInteger = false;
  if (DequantizeOp quantized = findQuantizedBias(operand->get());
      quantized && lhsParams && sum && !getZeroPoint(quantized.getParams())) {
    values = quant_mlir::detail::readBias(group, *channels, BiasView::Codes);
    std::optional<Channels> scales =
        quant_mlir::detail::readBias(group, *channels, BiasView::Scales);
    isInteger = values && scales;
    auto at = [](const Channels &numbers, int64_t channel) {
      return float(numbers[numbers.size() == 1 ? 0 : channel]);
    };
    for (int64_t channel = 0; isInteger && channel < channels->count; ++channel)
      isInteger = at(*scales, channel) ==
                  numerics::outputMultiplier(sum->inputScale,
                                             at(sum->weightScales, channel));
  }
  if (!isInteger)
    values = quant_mlir::detail::readBias(group, *channels, BiasView::Values);
  if (!values)
    return decline("its bias is no constant of one number per channel");

  // Loops of the bias, row-major as the channels are. Of a single channel, any
  // loop of the weight's and the result's.
  SmallVector<AffineExpr> loops;
  SmallVector<int64_t> shape;
  for (AffineExpr expr : rhsMap.getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    bool isResult = initMap().isFunctionOfDim(loop);
    if (channels->strides[loop] ||
        (channels->count == 1 && isResult && loops.empty())) {
      loops.push_back(expr);
      shape.push_back(channels->sizes[loop]);
    }
  }
  values->resize(channels->count, values->front());
  biasMap =
      AffineMap::get(initMap().getNumDims(), 0, loops, anchor->getContext());
  auto make = [&](auto number, Type element) {
    SmallVector<decltype(number)> data;
    for (double value : *values)
      data.push_back(decltype(number)(value));
    std::string name = (getQuantName(group.anchor) + ".bias").str();
    return makeElements(RankedTensorType::get(shape, element),
                        ArrayRef<char>(reinterpret_cast<char *>(data.data()),
                                       data.size() * sizeof(number)),
                        name);
  };
  ElementsAttr elements = isInteger ? make(int32_t(), builder.getI32Type())
                                    : make(float(), builder.getF32Type());
  bias = arith::ConstantOp::create(builder, operand->get().getLoc(), elements);
  return true;
}

bool ContractionFuser::readResidual(OpOperand *operand,
                                    ArrayRef<Operation *> movesBefore) {
  IndexedValue added{operand->get(), {}};
  AffineAttr params;
  if (DequantizeOp dequantize = getStaticDequantize(added.value)) {
    added.value = dequantize.getInput();
    params = dequantize.getParams();
  }
  // In dimensions of what it is added to.
  auto owner = cast<linalg::LinalgOp>(operand->getOwner());
  AffineMap map = owner.getMatchingIndexingMap(operand);
  AffineMap dataMap = owner.getMatchingIndexingMap(owner.getDpsInitOperand(0));
  added.value = dropUnitDims(builder, added.value, map, params);
  for (AffineExpr expr : map.getResults()) {
    std::optional<unsigned> dim = dataMap.getResultPosition(expr);
    if (!dim)
      return decline("what it adds is not indexed by its own dimensions");
    added.dims.push_back(*dim);
  }
  for (Operation *move : llvm::reverse(movesBefore))
    if (!undoMove(builder, move, added))
      return decline("what it adds does not follow its reshapes");
  SmallVector<AffineExpr> loops;
  for (int64_t dim : added.dims)
    loops.push_back(initMap().getResult(dim));
  residual = added.value;
  residualParams = params;
  residualMap =
      AffineMap::get(initMap().getNumDims(), 0, loops, anchor->getContext());
  return true;
}

bool ContractionFuser::addStep(const GroupStep &step) {
  switch (step.kind) {
  case GroupStep::Move:
    return true;
  case GroupStep::Bias:
    return readBias(step.other);
  case GroupStep::Residual:
    return readResidual(step.other, moves);
  case GroupStep::Clamp:
    bounds = group.bounds;
    return true;
  }
  return true;
}

/// Takes in steps as far as they fit.
bool ContractionFuser::findEnd() {
  output = anchor->getResult(0);
  if (group.bias && group.bias->getOwner() == anchor && !readBias(group.bias))
    return false;
  if (group.residual && group.residual->getOwner() == anchor &&
      !readResidual(group.residual, {}))
    return false;
  SmallVector<GroupStep> steps = getSteps(group);
  SmallVector<Operation *> pending;
  bool isWhole = true;
  for (const GroupStep &step : steps) {
    if (step.kind == GroupStep::Move) {
      moves.push_back(step.op);
      pending.push_back(step.op);
      continue;
    }
    isWhole = addStep(step);
    if (!isWhole) {
      left = step.op;
      break;
    }
    output = step.op->getResult(0);
    pending.clear();
  }
  // Moves behind the last step that fits stay where they are.
  moves.pop_back_n(pending.size());
  if (onValues)
    return true;
  users = findQuantizedUsers(output);
  // A residual of values is added to values: the quantize stays behind.
  if (residual && !residualParams) {
    if (users.params && isWhole)
      reason = "what it adds is in floating point";
    users = {};
  }
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
  // f16 values cannot be added to f32 ones and the like.
  if (residual && !residualParams)
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
      /*sums=*/Value(), bias, residual, init, lhsParams, rhsParams,
      /*layout=*/LayoutAttr(), residualParams, initParams,
      builder.getArrayAttr(maps),
      padding.empty() ? DenseI64ArrayAttr()
                      : builder.getDenseI64ArrayAttr(padding),
      getBound(builder, bounds.lo), getBound(builder, bounds.hi));
  if (Attribute name = group.anchor->getAttr("quant.name"))
    contract->setAttr("quant.name", name);
  if (!keepIfValid(contract, reason))
    return nullptr;
  if (std::string proof = proveAccumulator(contract); !proof.empty()) {
    contract->erase();
    decline(proof);
    return nullptr;
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
