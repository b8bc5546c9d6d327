//===- FitWeights.cpp - Weights as kernels of GPUs have them --------------===//
//
// Before they are packed. The codes are the same, and so is every number that
// the contraction computes.
//
//===----------------------------------------------------------------------===//

#include "FitWeights.h"

#include "ConstantCodes.h"

#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::StorageType;

/// The constant `rhs` in another type, of as many elements; null where it is no
/// constant.
static Value buildCodesAs(Value rhs, StorageType storage,
                          RankedTensorType type) {
  std::string reason;
  std::optional<ConstantCodes> constant = readCodes(rhs, reason);
  if (!constant)
    return Value();
  uint8_t mask = (1 << numerics::bitWidth(storage)) - 1,
          sign = numerics::isSignedInteger(storage) ? (mask + 1) / 2 : 0;
  std::vector<uint8_t> codes;
  codes.reserve(constant->codes.size());
  for (uint8_t code : constant->codes)
    codes.push_back(((code & mask) ^ sign) - sign);
  OpBuilder builder(rhs.getContext());
  builder.setInsertionPointAfterValue(rhs);
  return makeCodes(builder, rhs.getLoc(), type, codes, constant->name);
}

//===----------------------------------------------------------------------===//
// Codes of few bits
//===----------------------------------------------------------------------===//

/// Kernels unpack nibbles, and nothing where every channel has a filter of its
/// own.
static unsigned getKernelWidth(ContractOp op) {
  unsigned width = op.getRhsCodesType().getElementTypeBitWidth();
  if (!op.hasIntegerSum())
    return width == 2 ? 4 : width;
  return analyzeLoops(op).isDepthwise ? 8 : std::max(width, 4u);
}

///   rhs(%w as <int2, …> : tensor<…xi2>)
///   rhs(%v as <int4 range<[-2, 1]>, …> : tensor<…xi4>)
void WeightFitter::widen(ContractOp op) {
  AffineAttr params = op.getRhsParamsAttr();
  unsigned width = getKernelWidth(op);
  if (!numerics::isInteger(params.getStorage()) ||
      width <= op.getRhsCodesType().getElementTypeBitWidth())
    return;
  auto &[value, wide] = widened[{op.getRhs(), params, width}];
  if (!value) {
    bool isSigned = numerics::isSignedInteger(params.getStorage());
    StorageType storage =
        width == 8 ? (isSigned ? StorageType::Int8 : StorageType::UInt8)
                   : (isSigned ? StorageType::Int4 : StorageType::UInt4);
    wide = AffineAttr::get(op.getContext(), storage, params.getQuantMin(),
                           params.getQuantMax(), params.getGranularity(),
                           params.getScale(), params.getZeroPoint(),
                           params.getMinval());
    value =
        buildCodesAs(op.getRhs(), params.getStorage(),
                     op.getRhsCodesType().clone(wide.getStorageElementType()));
  }
  if (!value)
    return;
  op.getRhsMutable().assign(value);
  op.setRhsParamsAttr(wide);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// A dimension in two: the outer one of `outer` indices.
static SmallVector<int64_t> splitDim(ArrayRef<int64_t> shape, unsigned dim,
                                     int64_t outer, int64_t inner) {
  SmallVector<int64_t> result(shape);
  result[dim] = inner;
  result.insert(result.begin() + dim, outer);
  return result;
}

/// A loop in two, of which the inner one is `loop` + 1.
static AffineMap splitLoop(AffineMap map, unsigned loop) {
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> moved;
  for (unsigned i = 0; i < map.getNumDims(); ++i)
    moved.push_back(getAffineDimExpr(i < loop ? i : i + 1, context));
  SmallVector<AffineExpr> results;
  for (AffineExpr result : map.getResults()) {
    if (result == getAffineDimExpr(loop, context))
      results.append({result, getAffineDimExpr(loop + 1, context)});
    else
      results.push_back(result.replaceDims(moved));
  }
  return AffineMap::get(map.getNumDims() + 1, 0, results, context);
}

/// Parameters of `shape`, whose dimension `dim` becomes two: one index of the
/// outer one for each block, or for all where it has none. Those of one number
/// stay.
static AffineAttr splitParams(AffineAttr params, ArrayRef<int64_t> shape,
                              unsigned dim, ArrayRef<int64_t> splitShape) {
  if (isa<PerTensorAttr>(params.getGranularity()))
    return params;
  MLIRContext *context = params.getContext();
  SmallVector<int64_t> sizes = *params.getGranularity().getBlockSizes(
      shape, [&] { return emitError(UnknownLoc::get(context)); });
  bool isBlocked = sizes[dim] != -1 && sizes[dim] < shape[dim];
  sizes = splitDim(sizes, dim, isBlocked ? 1 : -1, -1);
  auto split = [&](ElementsAttr numbers) {
    if (!numbers)
      return numbers;
    ArrayRef<int64_t> counts = numbers.getShapedType().getShape();
    return reshapeElements(numbers, splitDim(counts, dim, counts[dim], 1));
  };
  return AffineAttr::get(
      context, params.getStorage(), params.getQuantMin(), params.getQuantMax(),
      getGranularity(context, splitShape, sizes), split(params.getScale()),
      split(params.getZeroPoint()), split(params.getMinval()));
}

/// tensor.expand_shape of a dimension; of `value` that has a rank.
static Value expandDim(OpBuilder &builder, Location loc, Value value,
                       unsigned dim, int64_t outer, int64_t inner) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t first = i <= dim ? i : i + 1;
    groups.push_back(i == dim ? ReassociationIndices{first, first + 1}
                              : ReassociationIndices{first});
  }
  auto split = RankedTensorType::get(
      splitDim(type.getShape(), dim, outer, inner), type.getElementType());
  return tensor::ExpandShapeOp::create(builder, loc, split, value, groups);
}

/// Blocks of channels under a window follow each other when they are the
/// outermost loop, and what they have of a position is read as one piece where
/// that is a loop of its own:
///
///   lhs(%x : tensor<8x8x64xi8>)
///   rhs(%w as <…, per_block<[1, -1, -1, 32]>, …> : tensor<9x3x3x64xi4>)
/// becomes
///   %y = tensor.expand_shape %x [[0], [1], [2, 3]]
///   lhs(%y : tensor<8x8x2x32xi8>)
///   rhs(%v as <…, per_channel<[0, 3]>, …> : tensor<9x3x3x2x32xi4>)
void WeightFitter::splitBlocks(ContractOp op) {
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  RankedTensorType codes = op.getRhsCodesType();
  if (!block || block->second == 1 ||
      codes.getDimSize(block->first) % block->second != 0)
    return;
  auto [rhsDim, size] = *block;
  unsigned loop = op.getRhsMap().getDimPosition(rhsDim);
  ContractLoops loops = analyzeLoops(op);
  auto outermost = llvm::find_if(loops.reductionByStride, [&](unsigned other) {
    return loops.sizes[other] != 1;
  });
  if (loops.isDepthwise || *outermost == loop)
    return;
  // Alone in a dimension of lhs.
  AffineMap lhsMap = op.getLhsMap();
  std::optional<unsigned> lhsDim =
      lhsMap.getResultPosition(getAffineDimExpr(loop, op.getContext()));
  ArrayRef<int64_t> padding = op.getInputPadding();
  if (!lhsDim || llvm::count_if(lhsMap.getResults(), [&](AffineExpr expr) {
                   return expr.isFunctionOfDim(loop);
                 }) != 1)
    return;
  if (!padding.empty() && (padding[2 * *lhsDim] || padding[2 * *lhsDim + 1]))
    return;
  auto lhsType = cast<RankedTensorType>(op.getLhs().getType());
  int64_t numBlocks = codes.getDimSize(rhsDim) / size;
  if (lhsType.getDimSize(*lhsDim) != numBlocks * size)
    return;

  auto &[value, params] =
      split[{op.getRhs(), op.getRhsParamsAttr(), int64_t(rhsDim)}];
  if (!value) {
    SmallVector<int64_t> shape =
        splitDim(codes.getShape(), rhsDim, numBlocks, size);
    params =
        splitParams(op.getRhsParamsAttr(), codes.getShape(), rhsDim, shape);
    value = buildCodesAs(op.getRhs(), params.getStorage(),
                         RankedTensorType::get(shape, codes.getElementType()));
  }
  if (!value)
    return;
  op.getRhsMutable().assign(value);
  op.setRhsParamsAttr(params);

  OpBuilder builder(op);
  auto expand = [&](MutableOperandRange operand, int64_t outer, int64_t inner) {
    if (operand.empty())
      return;
    Value from = operand[0].get();
    if (cast<RankedTensorType>(from.getType()).getRank() != 0)
      operand.assign(
          expandDim(builder, op.getLoc(), from, *lhsDim, outer, inner));
  };
  expand(op.getLhsMutable(), numBlocks, size);
  expand(op.getScaleMutable(), 1, 1);
  expand(op.getZeroPointMutable(), 1, 1);
  if (AffineAttr of = op.getLhsParamsAttr())
    op.setLhsParamsAttr(
        splitParams(of, lhsType.getShape(), *lhsDim,
                    cast<RankedTensorType>(op.getLhs().getType()).getShape()));
  if (!padding.empty()) {
    SmallVector<int64_t> wider(padding);
    wider.insert(wider.begin() + 2 * *lhsDim, 2, 0);
    op.setPadding(wider);
  }
  SmallVector<AffineMap> maps;
  for (AffineMap map : op.getOperandMaps())
    maps.push_back(splitLoop(map, loop));
  op.setMapsAttr(builder.getAffineMapArrayAttr(maps));
}

void WeightFitter::fit(ContractOp op, llvm::SetVector<Operation *> &replaced) {
  if (op.getLayout() || !op.getRhsParams() || op.isRhsDynamic() ||
      !isa<RankedTensorType>(op.getRhs().getType()) ||
      !op.getRhsCodesType().hasStaticShape())
    return;
  for (auto step : {&WeightFitter::widen, &WeightFitter::splitBlocks}) {
    Value before = op.getRhs();
    (this->*step)(op);
    if (op.getRhs() != before)
      replaced.insert(before.getDefiningOp());
  }
}
