//===- ContractLoops.cpp - What the loops of a contraction are ------------===//

#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

using namespace mlir;
using namespace quant_mlir;

/// Strides of the dimensions of `type`; `padding` is what surrounds a tensor.
static LoopStrides getDimStrides(ShapedType type, ArrayRef<int64_t> padding) {
  LoopStrides result(type.getRank());
  if (auto buffer = dyn_cast<MemRefType>(type)) {
    SmallVector<int64_t> strides;
    int64_t offset;
    if (succeeded(buffer.getStridesAndOffset(strides, offset)))
      for (auto [dim, stride] : llvm::enumerate(strides))
        if (!ShapedType::isDynamic(stride))
          result[dim] = stride;
    return result;
  }
  int64_t stride = 1;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    result[dim] = stride;
    if (type.isDynamicDim(dim))
      break;
    stride *= type.getDimSize(dim);
    if (!padding.empty())
      stride = *result[dim] *
               (type.getDimSize(dim) + padding[2 * dim] + padding[2 * dim + 1]);
  }
  return result;
}

static LoopStrides getLoopStrides(ShapedType type, AffineMap map,
                                  ArrayRef<int64_t> padding = {}) {
  LoopStrides dims = getDimStrides(type, padding);
  LoopStrides result(map.getNumDims(), 0);
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    LinearExpr linear = *getLinearExpr(expr, map.getNumDims());
    for (auto [stride, factor] : llvm::zip_equal(result, linear.factors)) {
      if (factor == 0 || !stride)
        continue;
      if (dims[dim])
        *stride += factor * *dims[dim];
      else
        stride = std::nullopt;
    }
  }
  return result;
}

/// Whether a loop of `stride` goes on where one of `size` and `inner` ends.
static bool goesOn(std::optional<int64_t> stride, int64_t size,
                   std::optional<int64_t> inner) {
  // Neither loop is one of the operand: its address stays.
  if (stride == 0 && inner == 0)
    return true;
  return stride && inner && !ShapedType::isDynamic(size) &&
         *stride == size * *inner;
}

static unsigned countRun(const ContractLoops &loops) {
  // Where the next loop has to go on, in elements; dynamic once it is not
  // known.
  std::optional<int64_t> next = 1;
  unsigned run = 0;
  for (unsigned loop : llvm::reverse(loops.reductionByStride)) {
    if (loops.sizes[loop] != 1) {
      if (!next || loops.lhsStrides[loop] != next)
        break;
      next = ShapedType::isDynamic(loops.sizes[loop])
                 ? std::optional<int64_t>()
                 : *next * loops.sizes[loop];
    }
    ++run;
  }
  return run;
}

ArrayRef<unsigned> ContractLoops::getLoops(LoopRole role) const {
  switch (role) {
  case LoopRole::Batch:
    return batch;
  case LoopRole::Row:
    return rows;
  case LoopRole::Column:
    return columns;
  case LoopRole::Reduction:
    return reduction;
  }
  llvm_unreachable("a role of a loop");
}

int64_t ContractLoops::getSize(ArrayRef<unsigned> loops) const {
  int64_t size = 1;
  for (unsigned loop : loops) {
    if (ShapedType::isDynamic(sizes[loop]))
      return ShapedType::kDynamic;
    size *= sizes[loop];
  }
  return size;
}

bool ContractLoops::isResultByRows() const {
  if (getSize(columns) == 1 && !(isDepthwise && !channel))
    return false;
  return llvm::any_of(rows, [&](unsigned loop) {
    return sizes[loop] != 1 && !ShapedType::isDynamic(sizes[loop]) &&
           initStrides[loop] == 1;
  });
}

bool ContractLoops::areContiguous(ArrayRef<unsigned> inOrder,
                                  const LoopStrides &strides) const {
  int64_t next = 1;
  for (unsigned loop : llvm::reverse(inOrder)) {
    if (sizes[loop] == 1)
      continue;
    if (strides[loop] != next)
      return false;
    next *= sizes[loop];
  }
  return true;
}

SmallVector<unsigned> quant_mlir::getRhsLoops(ContractOp op,
                                              ArrayRef<int64_t> dims) {
  SmallVector<unsigned> loops;
  for (int64_t dim : dims)
    loops.push_back(op.getRhsMap().getDimPosition(dim));
  return loops;
}

bool ContractLoops::areMergeable(unsigned outer, unsigned inner) const {
  for (const LoopStrides *strides :
       {&lhsStrides, &rhsStrides, &initStrides, &biasStrides, &residualStrides})
    if (!strides->empty() &&
        !goesOn((*strides)[outer], sizes[inner], (*strides)[inner]))
      return false;
  return roles[outer] == roles[inner];
}

ContractLoops quant_mlir::analyzeLoops(ContractOp op) {
  ContractLoops loops;
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  AffineMap lhs = op.getLhsMap(), rhs = op.getRhsMap();
  loops.sizes = form.getStaticLoopSizes();
  for (unsigned loop = 0, e = form.getNumLoops(); loop != e; ++loop) {
    bool isLhs = lhs.isFunctionOfDim(loop), isRhs = rhs.isFunctionOfDim(loop);
    LoopRole role = !form.isParallelLoop(loop) ? LoopRole::Reduction
                    : isLhs && isRhs           ? LoopRole::Batch
                    : isLhs                    ? LoopRole::Row
                                               : LoopRole::Column;
    loops.roles.push_back(role);
    (role == LoopRole::Batch    ? loops.batch
     : role == LoopRole::Row    ? loops.rows
     : role == LoopRole::Column ? loops.columns
                                : loops.reduction)
        .push_back(loop);
  }

  auto typeOf = [](Value value) { return cast<ShapedType>(value.getType()); };
  loops.lhsStrides =
      getLoopStrides(typeOf(op.getLhs()), lhs, op.getInputPadding());
  loops.rhsStrides = getLoopStrides(
      op.getLayout() ? ShapedType(op.getRhsCodesType()) : typeOf(op.getRhs()),
      rhs);
  loops.initStrides = getLoopStrides(typeOf(op.getInit()), op.getInitMap());
  if (op.getBias())
    loops.biasStrides = getLoopStrides(typeOf(op.getBias()), op.getBiasMap());
  if (op.getResidual())
    loops.residualStrides =
        getLoopStrides(typeOf(op.getResidual()), op.getResidualMap());

  if (Value scale = op.getRhsScale())
    loops.rhsScaleStrides =
        getLoopStrides(typeOf(scale), getColumnsMap(op, scale));
  if (Value zeroPoint = op.getRhsZeroPoint())
    loops.rhsZeroPointStrides =
        getLoopStrides(typeOf(zeroPoint), getColumnsMap(op, zeroPoint));

  loops.reductionByStride = loops.reduction;
  llvm::sort(loops.reductionByStride, [&](unsigned a, unsigned b) {
    std::optional<int64_t> strideA = loops.lhsStrides[a],
                           strideB = loops.lhsStrides[b];
    if (strideA.has_value() != strideB.has_value())
      return !strideA;
    if (strideA && *strideA != *strideB)
      return *strideA > *strideB;
    // Of equal strides the loop of size 1 is the inner one: it does not move.
    bool isOneA = loops.sizes[a] == 1, isOneB = loops.sizes[b] == 1;
    return isOneA == isOneB ? a < b : isOneB;
  });
  loops.lhsRun = countRun(loops);

  auto isLarge = [&](unsigned loop) { return loops.sizes[loop] != 1; };
  loops.isDepthwise = llvm::none_of(loops.columns, isLarge) &&
                      llvm::any_of(loops.batch, isLarge);
  if (loops.isDepthwise)
    for (unsigned loop : loops.batch)
      if (isLarge(loop) && loops.lhsStrides[loop] == 1 &&
          loops.initStrides[loop] == 1)
        loops.channel = loop;
  return loops;
}

/// `map` without what dimensions of size 1 of `value` would be indexed by.
static AffineMap dropUnits(ContractOp op, AffineMap map, Value value) {
  SmallVector<AffineExpr> exprs;
  for (auto [dim, size] :
       llvm::enumerate(cast<ShapedType>(value.getType()).getShape()))
    exprs.push_back(size == 1 ? getAffineConstantExpr(0, op.getContext())
                              : map.getResult(dim));
  return AffineMap::get(map.getNumDims(), 0, exprs, op.getContext());
}

AffineMap quant_mlir::getRowsMap(ContractOp op, Value value) {
  return dropUnits(op, op.getLhsMap(), value);
}

AffineMap quant_mlir::getColumnsMap(ContractOp op, Value value) {
  return dropUnits(op, op.getRhsMap(), value);
}
