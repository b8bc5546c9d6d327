//===- PoolWindow.cpp - Windows, and what averages divide by --------------===//
//
// What an average divides by is evaluated at every position of the result, so
// that a constant and a count of the elements inside the borders are one case.
//
//===----------------------------------------------------------------------===//

#include "PoolWindow.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace quant_mlir::detail;

/// Beyond this many positions a divisor that depends on them is not evaluated.
static constexpr int64_t maxPositions = 1 << 20;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

PoolWindow quant_mlir::detail::getWindow(linalg::LinalgOp op,
                                         OpOperand *input) {
  PoolWindow window{op.getMatchingIndexingMap(input),
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

std::optional<PoolWindow>
quant_mlir::detail::compose(PoolWindow outer, const PoolWindow &inner,
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
  PoolWindow result{
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

/// The positions of a window that are not padding.
static int64_t countInside(const PoolWindow &window, ArrayRef<int64_t> loops,
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

Counting quant_mlir::detail::findCounting(linalg::LinalgOp scaling,
                                          const PoolWindow &window,
                                          RankedTensorType input,
                                          RankedTensorType sum,
                                          ArrayRef<int64_t> padding,
                                          bool hasMoves, std::string &reason) {
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
