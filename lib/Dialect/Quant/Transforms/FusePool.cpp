//===- FusePool.cpp - Averages and maxima over windows --------------------===//
//
//   %x = quant.dequantize %qx <X>
//   %s = sum(%x)                    ->   quant.pool average ins(%qx as <X>)
//   %a = %s / n                            outs(…) maps […] window […]
//   %q = quant.quantize %a <X>
//
//   %m = max(%qx)                   ->   quant.pool max ins(%qx as <X>) …
//
// What an average divides by is evaluated at every position of the result, so
// that a constant and a count of the elements inside the borders are one case.
//
//===----------------------------------------------------------------------===//

#include "BiasChannels.h"
#include "FuseGroup.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// Beyond this many positions a divisor that depends on them is not evaluated.
static constexpr int64_t maxPositions = 1 << 20;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
/// A reduction over windows of one input: that of one operation, or of several,
/// each over what the one before it gives.
struct Window {
  AffineMap inputMap, initMap;
  SmallVector<int64_t> sizes; ///< of the reductions, in the order of the loops
};
} // namespace

static Window getWindow(linalg::LinalgOp op, OpOperand *input) {
  Window window{op.getMatchingIndexingMap(input),
                op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
                {}};
  for (auto [size, type] :
       llvm::zip_equal(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
    if (type == utils::IteratorType::reduction)
      window.sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return window;
}

/// For each dimension of the source of a reshape the expression that indexes
/// it, where the result is indexed by `exprs` and only dimensions of size one
/// come and go; false for any other move.
static bool indexSource(Operation *move, SmallVectorImpl<AffineExpr> &exprs) {
  MLIRContext *context = move->getContext();
  AffineExpr zero = getAffineConstantExpr(0, context);
  auto findWhole = [](ArrayRef<int64_t> group,
                      ArrayRef<int64_t> shape) -> std::optional<int64_t> {
    int64_t whole = group.front();
    for (int64_t dim : group) {
      if (shape[dim] == 1)
        continue;
      if (shape[whole] != 1 && whole != dim)
        return std::nullopt;
      whole = dim;
    }
    return whole;
  };
  SmallVector<AffineExpr> result;
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(move)) {
    for (auto &group : expand.getReassociationIndices()) {
      std::optional<int64_t> whole =
          findWhole(group, expand.getResultType().getShape());
      if (!whole)
        return false;
      result.push_back(exprs[*whole]);
    }
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(move)) {
    ArrayRef<int64_t> shape = collapse.getSrcType().getShape();
    result.assign(shape.size(), zero);
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices())) {
      std::optional<int64_t> whole = findWhole(group, shape);
      if (!whole)
        return false;
      result[*whole] = exprs[dim];
    }
  } else {
    return false;
  }
  exprs.assign(result);
  return true;
}

/// `outer` over what `inner` gives, behind `moves`.
static std::optional<Window> compose(Window outer, const Window &inner,
                                     ArrayRef<Operation *> moves) {
  SmallVector<AffineExpr> exprs(outer.inputMap.getResults());
  for (Operation *move : llvm::reverse(moves))
    if (!indexSource(move, exprs))
      return std::nullopt;
  // Loops: those of `outer`, then the reductions of `inner`.
  unsigned numLoops = outer.initMap.getNumDims();
  MLIRContext *context = outer.initMap.getContext();
  SmallVector<AffineExpr> replacements;
  for (unsigned loop = 0, e = inner.initMap.getNumDims(); loop != e; ++loop) {
    std::optional<unsigned> dim =
        inner.initMap.getResultPosition(getAffineDimExpr(loop, context));
    replacements.push_back(dim ? exprs[*dim]
                               : getAffineDimExpr(numLoops++, context));
  }
  Window result{
      inner.inputMap.replaceDimsAndSymbols(replacements, {}, numLoops, 0),
      AffineMap::get(numLoops, 0, outer.initMap.getResults(), context),
      outer.sizes};
  result.sizes.append(inner.sizes);
  return result;
}

//===----------------------------------------------------------------------===//
// Divisors
//===----------------------------------------------------------------------===//

/// What the body of `op` makes of 1.0 at a position of its loops, by the
/// folders of its operations; nullopt where it cannot be evaluated.
static std::optional<double> evaluate(linalg::LinalgOp op,
                                      ArrayRef<int64_t> position) {
  Builder builder(op->getContext());
  DenseMap<Value, Attribute> values;
  Block *body = op.getBlock();
  for (BlockArgument argument : body->getArguments())
    if (auto type = dyn_cast<FloatType>(argument.getType()))
      values[argument] = builder.getFloatAttr(type, 1.0);
  auto find = [&](Value value) -> Attribute {
    if (Attribute known = values.lookup(value))
      return known;
    Attribute constant;
    if (matchPattern(value, m_Constant(&constant)))
      return constant;
    return {};
  };
  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      values[index] = builder.getIndexAttr(position[index.getDim()]);
      continue;
    }
    SmallVector<Attribute> operands;
    for (Value operand : inner.getOperands())
      operands.push_back(find(operand));
    SmallVector<OpFoldResult> results;
    if (failed(inner.fold(operands, results)) || results.size() != 1)
      continue;
    auto attribute = dyn_cast<Attribute>(results[0]);
    values[inner.getResult(0)] =
        attribute ? attribute : find(cast<Value>(results[0]));
  }
  auto result =
      dyn_cast_or_null<FloatAttr>(find(body->getTerminator()->getOperand(0)));
  if (!result)
    return std::nullopt;
  return result.getValueAsDouble();
}

namespace {
/// How an average counts.
enum class Counting { Unknown, Inside, Padding };
} // namespace

/// The positions of a window that are not padding.
static int64_t countInside(const Window &window, ArrayRef<int64_t> loops,
                           ArrayRef<int64_t> inputShape,
                           ArrayRef<int64_t> padding,
                           ArrayRef<unsigned> reductions) {
  int64_t total = 1;
  for (int64_t size : window.sizes)
    total *= size;
  if (padding.empty())
    return total;
  SmallVector<int64_t> index(loops);
  int64_t inside = 0;
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = i;
    for (unsigned r = reductions.size(); r-- > 0;) {
      index[reductions[r]] = rest % window.sizes[r];
      rest /= window.sizes[r];
    }
    bool isInside = true;
    for (auto [dim, at] : llvm::enumerate(window.inputMap.compose(index))) {
      int64_t low = padding[2 * dim];
      isInside &= at >= low && at < low + inputShape[dim];
    }
    inside += isInside;
  }
  return inside;
}

/// Compares what `scaling` divides by with the elements of the windows.
static Counting findCounting(linalg::LinalgOp scaling, const Window &window,
                             RankedTensorType input, RankedTensorType sum,
                             ArrayRef<int64_t> padding, bool hasMoves,
                             std::string &reason) {
  bool dependsOnPosition = scaling.hasIndexSemantics();
  if (llvm::is_contained(window.sizes, -1)) {
    reason = "the size of its window is known at run time only";
    return Counting::Unknown;
  }
  int64_t total = 1;
  for (int64_t size : window.sizes)
    total *= size;
  auto isCount = [&](std::optional<double> value, int64_t count) {
    return value && std::abs(*value * double(count) - 1.0) <= 1e-5;
  };
  if (!dependsOnPosition) {
    std::optional<double> value = evaluate(scaling, {});
    if (isCount(value, total))
      return padding.empty() ? Counting::Inside : Counting::Padding;
    reason = "what it divides by is not the number of elements of its window";
    return Counting::Unknown;
  }
  if (hasMoves || !sum.hasStaticShape() || !input.hasStaticShape() ||
      sum.getNumElements() * total > maxPositions) {
    reason = "what it divides by depends on the position, and is not evaluated "
             "behind reshapes, for dynamic shapes and for more than 2^20 "
             "elements";
    return Counting::Unknown;
  }
  SmallVector<unsigned> reductions;
  for (unsigned loop = 0; loop < window.initMap.getNumDims(); ++loop)
    if (!window.initMap.isFunctionOfDim(loop))
      reductions.push_back(loop);
  // The loops of the division, which is elementwise, give those of the sum.
  AffineMap resultMap =
      scaling.getMatchingIndexingMap(scaling.getDpsInitOperand(0));
  bool isInside = true, isPadding = true;
  SmallVector<int64_t> position(sum.getRank(), 0);
  for (int64_t i = 0, e = sum.getNumElements(); i < e; ++i) {
    SmallVector<int64_t> divLoops(resultMap.getNumDims(), 0);
    for (auto [dim, expr] : llvm::enumerate(resultMap.getResults()))
      divLoops[cast<AffineDimExpr>(expr).getPosition()] = position[dim];
    SmallVector<int64_t> loops(window.initMap.getNumDims(), 0);
    for (auto [dim, expr] : llvm::enumerate(window.initMap.getResults()))
      loops[cast<AffineDimExpr>(expr).getPosition()] = position[dim];
    std::optional<double> value = evaluate(scaling, divLoops);
    isInside &= isCount(value, countInside(window, loops, input.getShape(),
                                           padding, reductions));
    isPadding &= isCount(value, total);
    if (!isInside && !isPadding)
      break;
    for (int64_t dim = sum.getRank() - 1; dim >= 0; --dim) {
      if (++position[dim] < sum.getDimSize(dim))
        break;
      position[dim] = 0;
    }
  }
  if (isInside)
    return Counting::Inside;
  if (isPadding)
    return Counting::Padding;
  reason = "what it divides by is not the number of elements of its window";
  return Counting::Unknown;
}

//===----------------------------------------------------------------------===//
// The operations
//===----------------------------------------------------------------------===//

static Operation *createPool(OpBuilder &builder, Location loc, PoolKind kind,
                             Value input, AffineAttr params, Value init,
                             const Window &window, ArrayRef<int64_t> padding,
                             bool countPadding) {
  return PoolOp::create(
      builder, loc, TypeRange(init.getType()),
      PoolKindAttr::get(builder.getContext(), kind), input, init, params,
      builder.getAffineMapArrayAttr({window.inputMap, window.initMap}),
      builder.getDenseI64ArrayAttr(window.sizes),
      padding.empty() ? DenseI64ArrayAttr()
                      : builder.getDenseI64ArrayAttr(padding),
      countPadding ? builder.getUnitAttr() : UnitAttr(), FloatAttr(),
      FloatAttr());
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
  std::optional<Window> window = getWindow(sum, operand);
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
