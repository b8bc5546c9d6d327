//===- FusePool.cpp - Averages and maxima over windows --------------------===//
//
//   %x = quant.dequantize %qx <X>
//   %s = sum(%x)                    ->   quant.pool average ins(%qx as <X>)
//   %a = %s / n                            outs(…) maps […] window […]
//   %q = quant.quantize %a <X>
//
//   %m = max(%qx)                   ->   quant.pool max ins(%qx as <X>) …
//
//===----------------------------------------------------------------------===//

#include "AccumulatorBound.h"
#include "BiasChannels.h"
#include "FuseGroup.h"
#include "PoolWindow.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

static Operation *createPool(OpBuilder &builder, Location loc, PoolKind kind,
                             Value input, AffineAttr params, Value init,
                             const PoolWindow &window,
                             ArrayRef<int64_t> padding, bool countPadding) {
  return PoolOp::create(
      builder, loc, TypeRange(init.getType()),
      PoolKindAttr::get(builder.getContext(), kind), input, init, params,
      builder.getAffineMapArrayAttr({window.inputMap, window.initMap}),
      builder.getDenseI64ArrayAttr(window.sizes),
      padding.empty() ? DenseI64ArrayAttr()
                      : builder.getDenseI64ArrayAttr(padding),
      countPadding ? builder.getUnitAttr() : UnitAttr(), FloatAttr(),
      FloatAttr(), /*wide=*/UnitAttr());
}

FuseResult quant_mlir::detail::fuseAverage(const ActivationGroup &group) {
  auto scaling = dyn_cast<linalg::LinalgOp>(group.anchor);
  if (!scaling || group.inputs.size() != 1)
    return {nullptr, "it is no structured operation of one input"};
  OpOperand *operand = group.inputs.front();
  DequantizeOp dequantize = getStaticDequantize(operand->get());
  if (!dequantize)
    return {nullptr, operand->get().getDefiningOp<DequantizeOp>()
                         ? "its input has no one constant scale"
                         : "its input is in floating point"};
  AffineAttr params = dequantize.getParams();
  if (!numerics::isInteger(params.getStorage()))
    return {nullptr, "its input is not of integers"};
  QuantizedUsers users = findQuantizedUsers(group.output);
  if (!users.params)
    return {nullptr,
            "its result is used as values, or by quantizes that disagree"};
  if (!haveEqualContents(users.params, params))
    return {nullptr, "its result has other parameters than its input"};

  // From the first sum to the division.
  auto sum = cast<linalg::LinalgOp>(operand->getOwner());
  std::optional<PoolWindow> window = getWindow(sum, operand);
  SmallVector<Operation *> moves;
  linalg::LinalgOp last = sum;
  for (Operation *op = *sum->user_begin(); op != scaling.getOperation();
       op = *op->user_begin()) {
    auto next = dyn_cast<linalg::LinalgOp>(op);
    if (!next || next.getNumReductionLoops() == 0) {
      if (!isElementwiseMove(op))
        return {nullptr, "'" + op->getName().getStringRef().str() +
                             "' stands between its sum and its division"};
      moves.push_back(op);
      continue;
    }
    window =
        compose(getWindow(next, next.getDpsInputOperand(0)), *window, moves);
    if (!window)
      return {nullptr, "a reshape between its sums changes more than "
                       "dimensions of size one"};
    moves.clear();
    last = next;
  }

  OpBuilder builder(group.output.getDefiningOp());
  Location loc = group.anchor->getLoc();
  Value input = dequantize.getInput();
  SmallVector<int64_t> padding;
  if (std::optional<Padding> pad = takePadding(input, getZeroPoint(params))) {
    input = pad->source;
    padding = pad->sizes;
  }
  FuseResult result;
  Counting counting =
      findCounting(scaling, *window, cast<RankedTensorType>(input.getType()),
                   cast<RankedTensorType>(last->getResult(0).getType()),
                   padding, !moves.empty(), result.reason);
  if (counting == Counting::Unknown)
    return result;
  Value init = tensor::EmptyOp::create(
      builder, loc, getBufferSizes(builder, last.getDpsInits()[0]),
      params.getStorageElementType());
  Operation *pool =
      createPool(builder, loc, PoolKind::Average, input, params, init, *window,
                 padding, counting == Counting::Padding);
  if (Attribute name = group.anchor->getAttr("quant.name"))
    pool->setAttr("quant.name", name);
  if (!keepIfValid(pool, result.reason))
    return result;
  if (std::string overflow = proveAccumulator(cast<PoolOp>(pool));
      !overflow.empty()) {
    cast<PoolOp>(pool).setWide(true);
    remarkWide(pool, overflow);
  }
  Value value = pool->getResult(0);
  for (Operation *move : moves)
    value = applyMove(builder, move, value);
  replaceOutput(group.output, users, value);
  result.fused = pool;
  return result;
}

/// Parameters of codes, from what makes or reads them through moves.
static AffineAttr findParams(Value codes) {
  SetVector<Value> values;
  values.insert(codes);
  auto isMove = [](Operation *op) {
    auto move = dyn_cast_or_null<QuantizableOpInterface>(op);
    return move && move.getValueEffect() == ValueEffect::Moves;
  };
  for (unsigned i = 0; i < values.size(); ++i) {
    Operation *def = values[i].getDefiningOp();
    if (auto quantize = dyn_cast_or_null<QuantizeOp>(def))
      return quantize.getParams();
    if (auto contract = dyn_cast_or_null<ContractOp>(def))
      return contract.getInitParamsAttr();
    if (auto add = dyn_cast_or_null<AddOp>(def))
      return add.getInitParams();
    if (auto mul = dyn_cast_or_null<MulOp>(def))
      return mul.getInitParams();
    if (auto pool = dyn_cast_or_null<PoolOp>(def))
      return pool.getParams();
    for (Operation *user : values[i].getUsers())
      if (auto dequantize = dyn_cast<DequantizeOp>(user))
        return dequantize.getParams();
      else if (isMove(user) && user->getNumResults() == 1)
        values.insert(user->getResult(0));
    if (isMove(def))
      for (OpOperand *source :
           cast<QuantizableOpInterface>(def).getValueSources())
        values.insert(source->get());
  }
  return {};
}

/// The code that all elements are, a fill's or a constant's.
static std::optional<int64_t> getSplatCode(Value value, bool isSigned) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  APInt code;
  if (!matchPattern(value, m_ConstantInt(&code)))
    return std::nullopt;
  return isSigned ? code.getSExtValue() : int64_t(code.getZExtValue());
}

OpOperand *quant_mlir::detail::findMaximumInput(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1 ||
      op->getNumResults() != 1 || !op.getBlock() || op.getBlock()->empty() ||
      op.getBlock()->getTerminator()->getNumOperands() != 1)
    return nullptr;
  Operation *choice =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  auto quantizable = dyn_cast<QuantizableOpInterface>(op.getOperation());
  if (!isa_and_nonnull<arith::MaxSIOp, arith::MaxUIOp>(choice) ||
      !quantizable || quantizable.getValueEffect() != ValueEffect::Moves ||
      !llvm::all_of(choice->getOperands(), llvm::IsaPred<BlockArgument>))
    return nullptr;
  // Of codes, what the maximum begins with may be a value like others.
  SmallVector<OpOperand *> sources = quantizable.getValueSources();
  llvm::erase_if(sources,
                 [&](OpOperand *source) { return op.isDpsInit(source); });
  if (sources.size() != 1 ||
      !getElementTypeOrSelf(sources[0]->get().getType()).isInteger(8))
    return nullptr;
  return sources[0];
}

FuseResult quant_mlir::detail::fuseMaximum(linalg::LinalgOp op) {
  OpOperand *source = findMaximumInput(op);
  if (!source)
    return {};
  Value input = source->get();
  Operation *choice =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  bool isSigned = isa<arith::MaxSIOp>(choice);
  AffineAttr params = findParams(input);
  if (!params || !isStaticPerTensor(params) ||
      params.getStorageElementType() != getElementTypeOrSelf(input.getType()) ||
      numerics::isSignedInteger(params.getStorage()) != isSigned)
    return {nullptr, "no one set of constant parameters of its codes is known"};
  std::optional<int64_t> begin = getSplatCode(
      op.getDpsInits()[0], numerics::isSignedInteger(params.getStorage()));
  if (!begin || *begin > params.getQuantMin())
    return {nullptr, "it begins with a code above the smallest one"};

  OpBuilder builder(op);
  SmallVector<int64_t> padding;
  if (std::optional<Padding> pad = takePadding(input, params.getQuantMin())) {
    input = pad->source;
    padding = pad->sizes;
  }
  Value init = tensor::EmptyOp::create(
      builder, op.getLoc(), getBufferSizes(builder, op.getDpsInits()[0]),
      params.getStorageElementType());
  FuseResult result;
  Operation *pool = createPool(builder, op.getLoc(), PoolKind::Max, input,
                               params, init, getWindow(op, source), padding,
                               /*countPadding=*/false);
  if (Attribute name = op->getAttr("quant.name"))
    pool->setAttr("quant.name", name);
  if (!keepIfValid(pool, result.reason))
    return result;
  op->getResult(0).replaceAllUsesWith(pool->getResult(0));
  result.fused = pool;
  return result;
}
