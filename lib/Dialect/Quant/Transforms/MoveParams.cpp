//===- MoveParams.cpp - Parameters of values that have moved --------------===//
//
// Parameters per channel or per block follow a move that leaves the dimensions
// that they split whole, next to none that joins them: then the same numbers,
// in another shape and order, are the parameters of the result.
//
//===----------------------------------------------------------------------===//

#include "MoveOnCodes.h"

#include "StridedCopy.h"

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/WholeDim.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// For each dimension of a source of a move the dimension of the result that
/// has its indices, each at its place; nullopt where there is none.
using DimMap = SmallVector<std::optional<int64_t>>;

static DimMap identity(int64_t rank) {
  DimMap result;
  for (int64_t dim = 0; dim < rank; ++dim)
    result.push_back(dim);
  return result;
}

static DimMap mapLinalg(linalg::LinalgOp op, OpOperand &source) {
  AffineMap sourceMap = op.getMatchingIndexingMap(&source);
  AffineMap resultMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  DimMap result;
  for (AffineExpr expr : sourceMap.getResults()) {
    std::optional<unsigned> position = resultMap.getResultPosition(expr);
    if (isa<AffineDimExpr>(expr) && position)
      result.push_back(*position);
    else
      result.push_back(std::nullopt);
  }
  return result;
}

static DimMap mapExpand(tensor::ExpandShapeOp op) {
  DimMap result;
  for (const ReassociationIndices &group : op.getReassociationIndices())
    result.push_back(findWholeDim(group, op.getResultType().getShape()));
  return result;
}

static DimMap mapCollapse(tensor::CollapseShapeOp op) {
  DimMap result(op.getSrcType().getRank());
  for (auto [index, group] : llvm::enumerate(op.getReassociationIndices()))
    if (auto whole = findWholeDim(group, op.getSrcType().getShape()))
      result[*whole] = index;
  return result;
}

/// A slice, of the source of tensor.extract_slice or the result of
/// insert_slice, that covers a dimension wholly.
static DimMap mapSlice(OffsetSizeAndStrideOpInterface op,
                       RankedTensorType outer,
                       const llvm::SmallBitVector &dropped, bool isInner) {
  DimMap result;
  int64_t inner = 0;
  for (int64_t dim = 0; dim < outer.getRank(); ++dim) {
    bool isWhole = op.getStaticOffsets()[dim] == 0 &&
                   op.getStaticStrides()[dim] == 1 &&
                   !outer.isDynamicDim(dim) &&
                   op.getStaticSizes()[dim] == outer.getDimSize(dim);
    std::optional<int64_t> target;
    if (isWhole && !dropped[dim])
      target = isInner ? dim : inner;
    if (!isInner || !dropped[dim])
      result.push_back(target);
    inner += !dropped[dim];
  }
  return result;
}

static DimMap mapDims(OpOperand &source) {
  int64_t rank = cast<RankedTensorType>(source.get().getType()).getRank();
  return TypeSwitch<Operation *, DimMap>(source.getOwner())
      .Case([&](linalg::LinalgOp op) { return mapLinalg(op, source); })
      .Case([](tensor::ExpandShapeOp op) { return mapExpand(op); })
      .Case([](tensor::CollapseShapeOp op) { return mapCollapse(op); })
      .Case([&](tensor::CastOp op) { return identity(rank); })
      .Case([](tensor::ExtractSliceOp op) {
        return mapSlice(op, op.getSourceType(), op.getDroppedDims(),
                        /*isInner=*/false);
      })
      .Case([&](tensor::InsertSliceOp op) {
        if (&source == &op.getDestMutable())
          return identity(rank);
        return mapSlice(op, op.getDestType(), op.getDroppedDims(),
                        /*isInner=*/true);
      })
      .Case([&](tensor::PadOp op) {
        DimMap result = identity(rank);
        for (int64_t dim = 0; dim < rank; ++dim)
          if (op.getStaticLow()[dim] != 0 || op.getStaticHigh()[dim] != 0)
            result[dim] = std::nullopt;
        return result;
      })
      .Case([&](tensor::ConcatOp op) {
        DimMap result = identity(rank);
        result[op.getDim()] = std::nullopt;
        return result;
      })
      .Default([&](Operation *) { return DimMap(rank); });
}

/// The same elements with dimensions of `counts` in another `order`: that of
/// dimension i of the result is order[i]. Null where they are not in memory.
static ElementsAttr permute(ElementsAttr elements, ArrayRef<int64_t> counts,
                            ArrayRef<int64_t> order, ArrayRef<int64_t> shape) {
  if (!elements || llvm::is_sorted(order))
    return reshapeElements(elements, shape);
  bool isSplat;
  std::optional<ArrayRef<char>> bytes = getRawBytes(elements, isSplat);
  if (!bytes)
    return {};
  auto type = RankedTensorType::get(shape, elements.getElementType());
  if (isSplat)
    return makeElements(type, *bytes, "parameters");
  SmallVector<int64_t> strides = rowMajorStrides(counts), sizes, from;
  for (int64_t dim : order) {
    sizes.push_back(counts[dim]);
    from.push_back(strides[dim]);
  }
  StridedCopy move{sizes, {from, 0}, {rowMajorStrides(sizes), 0}};
  return makeElements(type, bytes->size(), "parameters",
                      [&](MutableArrayRef<char> result) {
                        copy(move, bytes->size() / type.getNumElements(),
                             bytes->data(), result.data());
                      });
}

AffineAttr quant_mlir::detail::moveParams(AffineAttr params,
                                          OpOperand &source) {
  if (isa<PerTensorAttr>(params.getGranularity()))
    return params;
  auto sourceType = dyn_cast<RankedTensorType>(source.get().getType());
  auto resultType =
      dyn_cast<RankedTensorType>(source.getOwner()->getResult(0).getType());
  if (!sourceType || !resultType || params.isDynamic())
    return {};
  // Without elements there are no units.
  if (llvm::is_contained(sourceType.getShape(), 0) ||
      llvm::is_contained(resultType.getShape(), 0))
    return {};
  MLIRContext *context = params.getContext();
  FailureOr<SmallVector<int64_t>> sizes =
      params.getGranularity().getBlockSizes(sourceType.getShape(), [&] {
        return emitError(UnknownLoc::get(context));
      });
  if (failed(sizes))
    return {};

  DimMap dims = mapDims(source);
  SmallVector<int64_t> movedSizes(resultType.getRank(), -1);
  SmallVector<int64_t> shape(resultType.getRank(), 1);
  SmallVector<int64_t> counts, order;
  SmallVector<std::pair<int64_t, int64_t>> targets;
  for (auto [dim, size] : llvm::enumerate(*sizes)) {
    int64_t extent = sourceType.getDimSize(dim);
    if (size == -1 || (!ShapedType::isDynamic(extent) && size >= extent))
      continue;
    std::optional<int64_t> target = dims[dim];
    // The same extent on both sides, which a cast or a broadcast may hide.
    if (!target || ShapedType::isDynamic(extent) ||
        resultType.getDimSize(*target) != extent)
      return {};
    movedSizes[*target] = size;
    shape[*target] = llvm::divideCeil(extent, size);
    targets.push_back({*target, int64_t(counts.size())});
    counts.push_back(shape[*target]);
  }
  llvm::sort(targets);
  for (auto [target, dim] : targets)
    order.push_back(dim);
  GranularityAttrInterface granularity =
      getGranularity(context, resultType.getShape(), movedSizes);
  if (isa<PerTensorAttr>(granularity))
    shape.clear();
  ElementsAttr scale = permute(params.getScale(), counts, order, shape);
  ElementsAttr zeroPoint = permute(params.getZeroPoint(), counts, order, shape);
  ElementsAttr minval = permute(params.getMinval(), counts, order, shape);
  if (!scale || bool(zeroPoint) != bool(params.getZeroPoint()) ||
      bool(minval) != bool(params.getMinval()))
    return {};
  return AffineAttr::get(context, params.getStorage(), params.getQuantMin(),
                         params.getQuantMax(), granularity, scale, zeroPoint,
                         minval);
}
