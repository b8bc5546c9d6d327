//===- IntegerFormTiling.cpp - Tiles of the integer form ------------------===//
//
// Operands are sliced as the maps say, and the operation itself does not
// change: a tile of it is the same operation on slices. So a loop stays whole
// where the operation would have to change with the position of the tile:
//
// - reductions, as an operation of this form ends with a requantization;
// - loops of padded dimensions, whose border only some tiles have;
// - loops of rhs that its parameters go along: they are attributes, and the
//   position of a tile is a value;
// - all loops of rhs where that is packed.
//
// A remark says which. Kernels tile inside, where none of this matters.
//
//===----------------------------------------------------------------------===//

#include "IntegerFormModels.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Loops of one tile; what of each operand it reads.
class Tile {
public:
  Tile(IntegerFormOpInterface form, OpBuilder &builder,
       ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes);

  FailureOr<TilingResult> build();

private:
  /// Why loops cannot be tiled as asked; a remark where they cannot.
  LogicalResult check();
  LogicalResult checkRhs(ContractOp op);
  bool isPadded(unsigned dim) {
    ArrayRef<int64_t> padding = form.getInputPadding();
    return !padding.empty() &&
           (padding[2 * dim] != 0 || padding[2 * dim + 1] != 0);
  }
  /// The part of a dimension with `expr`; that of the whole operand, if no loop
  /// of it is tiled.
  bool getRange(AffineExpr expr, OpFoldResult &offset, OpFoldResult &size);
  Value slice(Value operand, AffineMap map);
  Value slicePerUnit(Value operand, AffineMap map);
  Value createSlice(Value operand, ArrayRef<OpFoldResult> offsets,
                    ArrayRef<OpFoldResult> sizes);

  IntegerFormOpInterface form;
  OpBuilder &builder;
  Location loc;
  ArrayRef<OpFoldResult> offsets, sizes;
  SmallVector<bool> isWhole;
  SmallVector<Operation *> slices;
};

Tile::Tile(IntegerFormOpInterface form, OpBuilder &builder,
           ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes)
    : form(form), builder(builder), loc(form->getLoc()), offsets(offsets),
      sizes(sizes) {
  SmallVector<OpFoldResult> all = form.getLoopSizes(builder, loc);
  for (auto [offset, size, whole] : llvm::zip_equal(offsets, sizes, all)) {
    FailureOr<bool> isEqual = ValueBoundsConstraintSet::areEqual(size, whole);
    isWhole.push_back(isConstantIntValue(offset, 0) && succeeded(isEqual) &&
                      *isEqual);
  }
}

LogicalResult Tile::checkRhs(ContractOp op) {
  RankedTensorType codes = op.getRhsCodesType();
  // Values have no parameters that a tile could split.
  FailureOr<SmallVector<int64_t>> blocks =
      SmallVector<int64_t>(codes.getRank(), -1);
  if (AffineAttr params = op.getRhsParamsAttr())
    blocks = params.getGranularity().getBlockSizes(
        codes.getShape(), [&] { return op.emitOpError(); });
  if (failed(blocks))
    return failure();
  for (auto [dim, block] : llvm::enumerate(*blocks)) {
    unsigned loop = op.getRhsMap().getDimPosition(dim);
    if (isWhole[loop])
      continue;
    if (op.getLayout())
      return op.emitRemark() << "loop " << loop
                             << " stays whole: rhs is packed; tile before "
                                "packing";
    // Operands are sliced.
    if (block != -1 && block < codes.getDimSize(dim) && !op.isRhsDynamic())
      return op.emitRemark() << "loop " << loop
                             << " stays whole: parameters of rhs go along it, "
                             << op.getRhsParamsAttr().getGranularity();
  }
  return success();
}

LogicalResult Tile::check() {
  for (unsigned loop = 0, e = form.getNumLoops(); loop != e; ++loop)
    if (!form.isParallelLoop(loop) && !isWhole[loop])
      return form->emitRemark() << "loop " << loop
                                << " stays whole: it is a reduction, and what "
                                   "follows the sum needs "
                                   "all of it";
  for (auto [dim, expr] :
       llvm::enumerate(form.getOperandMaps().front().getResults())) {
    if (!isPadded(dim))
      continue;
    for (unsigned loop = 0, e = form.getNumLoops(); loop != e; ++loop)
      if (expr.isFunctionOfDim(loop) && !isWhole[loop])
        return form->emitRemark()
               << "loop " << loop << " stays whole: dimension " << dim
               << " of the input is padded";
  }
  if (auto contract = dyn_cast<ContractOp>(form.getOperation()))
    return checkRhs(contract);
  return success();
}

bool Tile::getRange(AffineExpr expr, OpFoldResult &offset, OpFoldResult &size) {
  unsigned numLoops = form.getNumLoops();
  LinearExpr linear = *getLinearExpr(expr, numLoops);
  bool isTiled = false;
  // The constant stays in the map, so it belongs to the size.
  AffineExpr start = builder.getAffineConstantExpr(0);
  AffineExpr length = builder.getAffineConstantExpr(linear.constant + 1);
  for (unsigned loop = 0; loop != numLoops; ++loop) {
    int64_t factor = linear.factors[loop];
    if (factor == 0)
      continue;
    isTiled |= !isWhole[loop];
    AffineExpr dim = builder.getAffineDimExpr(loop);
    start = start + dim * factor;
    length = length + (dim - 1) * factor;
  }
  if (!isTiled)
    return false;
  offset = affine::makeComposedFoldedAffineApply(builder, loc, start, offsets);
  size = affine::makeComposedFoldedAffineApply(builder, loc, length, sizes);
  return true;
}

Value Tile::createSlice(Value operand, ArrayRef<OpFoldResult> sliceOffsets,
                        ArrayRef<OpFoldResult> sliceSizes) {
  SmallVector<OpFoldResult> strides(sliceSizes.size(), builder.getIndexAttr(1));
  auto op = tensor::ExtractSliceOp::create(builder, loc, operand, sliceOffsets,
                                           sliceSizes, strides);
  slices.push_back(op);
  return op;
}

Value Tile::slice(Value operand, AffineMap map) {
  SmallVector<OpFoldResult> sliceSizes =
      tensor::getMixedSizes(builder, loc, operand);
  SmallVector<OpFoldResult> sliceOffsets(sliceSizes.size(),
                                         builder.getIndexAttr(0));
  bool isTiled = false;
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    isTiled |= getRange(expr, sliceOffsets[dim], sliceSizes[dim]);
  return isTiled ? createSlice(operand, sliceOffsets, sliceSizes) : operand;
}

/// Scales and zero points of a side with `map`: of one element, or one for each
/// row (column).
Value Tile::slicePerUnit(Value operand, AffineMap map) {
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<OpFoldResult> sliceSizes =
      tensor::getMixedSizes(builder, loc, operand);
  SmallVector<OpFoldResult> sliceOffsets(sliceSizes.size(),
                                         builder.getIndexAttr(0));
  bool isTiled = false;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.getDimSize(dim) != 1)
      isTiled |=
          getRange(map.getResult(dim), sliceOffsets[dim], sliceSizes[dim]);
  return isTiled ? createSlice(operand, sliceOffsets, sliceSizes) : operand;
}

/// %y = quant.op ins(%x) outs(%o)
///   -> %y = quant.op ins(extract_slice %x) outs(extract_slice %o)
FailureOr<TilingResult> Tile::build() {
  Operation *op = form.getOperation();
  if (op->getNumResults() == 0)
    return op->emitOpError() << "expected tensors to make tiles of, found "
                                "buffers";
  if (failed(check()))
    return failure();
  SmallVector<Value> operands(op->getOperands());
  auto contract = dyn_cast<ContractOp>(op);
  for (auto [operand, map] :
       llvm::zip_equal(form.getMappedOperands(), form.getOperandMaps())) {
    // Packed codes have no dimensions; their loops are whole.
    if (contract && contract.getLayout() &&
        operand == &contract.getRhsMutable())
      continue;
    operands[operand->getOperandNumber()] = slice(operand->get(), map);
  }
  auto sliceUnits = [&](MutableOperandRange range, AffineMap map) {
    if (!range.empty())
      operands[range[0].getOperandNumber()] = slicePerUnit(range[0].get(), map);
  };
  if (contract) {
    sliceUnits(contract.getScaleMutable(), contract.getLhsMap());
    sliceUnits(contract.getZeroPointMutable(), contract.getLhsMap());
    sliceUnits(contract.getRhsScaleMutable(), contract.getRhsMap());
    sliceUnits(contract.getRhsZeroPointMutable(), contract.getRhsMap());
  }
  int64_t init = cast<DestinationStyleOpInterface>(op)
                     .getDpsInitOperand(0)
                     ->getOperandNumber();
  Operation *tiled =
      mlir::clone(builder, op, operands[init].getType(), operands);
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), slices};
}

template <typename OpTy>
struct TilingModel
    : public TilingInterface::ExternalModel<TilingModel<OpTy>, OpTy> {
  using Positions = ArrayRef<OpFoldResult>;

  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    auto form = cast<IntegerFormOpInterface>(op);
    SmallVector<utils::IteratorType> types;
    for (unsigned loop = 0, e = form.getNumLoops(); loop != e; ++loop)
      types.push_back(form.isParallelLoop(loop)
                          ? utils::IteratorType::parallel
                          : utils::IteratorType::reduction);
    return types;
  }

  SmallVector<Range> getIterationDomain(Operation *op,
                                        OpBuilder &builder) const {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(op);
    SmallVector<Range> ranges;
    for (OpFoldResult size :
         cast<IntegerFormOpInterface>(op).getLoopSizes(builder, op->getLoc()))
      ranges.push_back(
          {builder.getIndexAttr(0), size, builder.getIndexAttr(1)});
    return ranges;
  }

  FailureOr<TilingResult> getTiledImplementation(Operation *op,
                                                 OpBuilder &builder,
                                                 Positions offsets,
                                                 Positions sizes) const {
    return Tile(cast<IntegerFormOpInterface>(op), builder, offsets, sizes)
        .build();
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &, unsigned, Positions offsets,
                        Positions sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    AffineMap map = cast<IntegerFormOpInterface>(op).getOperandMaps().back();
    for (unsigned dim = 0, e = map.getNumResults(); dim != e; ++dim) {
      resultOffsets.push_back(offsets[map.getDimPosition(dim)]);
      resultSizes.push_back(sizes[map.getDimPosition(dim)]);
    }
    return success();
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &builder, unsigned, Positions offsets,
      Positions sizes, SmallVectorImpl<OpFoldResult> &loopOffsets,
      SmallVectorImpl<OpFoldResult> &loopSizes) const {
    auto form = cast<IntegerFormOpInterface>(op);
    loopSizes.assign(form.getLoopSizes(builder, op->getLoc()));
    loopOffsets.assign(loopSizes.size(), builder.getIndexAttr(0));
    AffineMap map = form.getOperandMaps().back();
    for (unsigned dim = 0, e = map.getNumResults(); dim != e; ++dim) {
      loopOffsets[map.getDimPosition(dim)] = offsets[dim];
      loopSizes[map.getDimPosition(dim)] = sizes[dim];
    }
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &builder, unsigned number,
                          Positions offsets, Positions sizes) const {
    SmallVector<OpFoldResult> loopOffsets, loopSizes;
    if (failed(getIterationDomainTileFromResultTile(
            op, builder, number, offsets, sizes, loopOffsets, loopSizes)))
      return failure();
    return getTiledImplementation(op, builder, loopOffsets, loopSizes);
  }
};

template <typename... OpTys> void attach(MLIRContext *context) {
  (OpTys::template attachInterface<TilingModel<OpTys>>(*context), ...);
}

} // namespace

void quant_mlir::attachIntegerFormTiling(MLIRContext *context) {
  attach<ContractOp, AddOp, MulOp, PoolOp>(context);
}
