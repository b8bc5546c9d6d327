//===- FuseSteps.cpp - What follows a contraction -------------------------===//
//
// A bias becomes a constant of one number per channel; reshapes inside the
// group go behind the operation, or in front of the residual. Where a step of
// the group has no place in the operation, the group ends before it, in values.
//
//===----------------------------------------------------------------------===//

#include "BiasChannels.h"
#include "ContractionFuser.h"
#include "IntegerSum.h"

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

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
  auto owner = cast<linalg::LinalgOp>(operand->getOwner());
  AffineMap map = owner.getMatchingIndexingMap(operand);
  // What is copied along dimensions is read where it comes from. Codes without
  // one constant scale are added as the values that they mean.
  while (true) {
    if (DequantizeOp dequantize = getStaticDequantize(added.value);
        dequantize && !params) {
      added.value = dequantize.getInput();
      params = dequantize.getParams();
    } else if (auto broadcast =
                   added.value.getDefiningOp<linalg::BroadcastOp>()) {
      added.value = broadcast.getInput();
      map = map.dropResults(broadcast.getDimensions());
    } else {
      break;
    }
  }
  // In dimensions of what it is added to.
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
  for (const GroupStep &step : steps) {
    if (step.kind == GroupStep::Move) {
      moves.push_back(step.op);
      pending.push_back(step.op);
      continue;
    }
    if (!addStep(step)) {
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
  return true;
}
