//===- KernelOps.cpp - Operations that kernels need -----------------------===//

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

#include "IntegerOpsVerify.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;

void PackColumnsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::addEffects(cast<DestinationStyleOpInterface>(getOperation()),
                     effects);
}

std::optional<std::pair<unsigned, int64_t>> PackColumnsOp::getReductionBlock() {
  ArrayRef<int64_t> shape = getLayout().getCodesType().getShape();
  FailureOr<SmallVector<int64_t>> sizes =
      getParams().getGranularity().getBlockSizes(shape,
                                                 [&] { return emitOpError(); });
  if (failed(sizes))
    return std::nullopt;
  for (int64_t dim : getLayout().getReduction())
    if ((*sizes)[dim] != -1 && (*sizes)[dim] < shape[dim])
      return std::pair<unsigned, int64_t>(dim, (*sizes)[dim]);
  return std::nullopt;
}

LogicalResult PackColumnsOp::verify() {
  LayoutAttr layout = getLayout();
  if (!layout.isPanels())
    return emitOpError() << "expected a layout of panels, found " << layout;
  numerics::StorageType storage = getParams().getStorage();
  if (!numerics::isInteger(storage))
    return emitOpError() << "expected integer codes, found " << getParams();
  auto input = cast<ShapedType>(getInput().getType());
  RankedTensorType codes = layout.getCodesType();
  // Behind quant-widen-storage codes of less than a byte are bytes.
  bool isWidened =
      input.getElementType().isInteger(8) && numerics::bitWidth(storage) < 8;
  if (codes.getElementType() != getParams().getStorageElementType() ||
      (!isWidened && codes.getElementType() != input.getElementType()) ||
      failed(verifyCompatibleShape(codes.getShape(), input.getShape())))
    return emitOpError() << "expected codes of the type that the layout names, "
                         << codes << ", of " << getParams() << ", found "
                         << input;
  auto emitError = [&] { return emitOpError() << "ins: "; };
  FailureOr<SmallVector<int64_t>> sizes =
      getParams().getGranularity().getBlockSizes(codes.getShape(), emitError);
  if (failed(sizes))
    return failure();
  int64_t blocks = llvm::count_if(layout.getReduction(), [&](int64_t dim) {
    return (*sizes)[dim] != -1 && (*sizes)[dim] < codes.getDimSize(dim);
  });
  if (blocks > 1)
    return emitOpError() << "expected codes split into blocks along one "
                            "reduction, found "
                         << getParams().getGranularity();

  auto panels = cast<ShapedType>(getPanels().getType());
  int64_t size = layout.getPackedSize(codes);
  if (panels.getRank() != 1 ||
      failed(verifyCompatibleShape(panels.getShape(), size)))
    return emitOpError() << "expected panels of rank 1 and " << size
                         << " bytes, found " << panels;
  SmallVector<int64_t> shape;
  if (std::optional<std::pair<unsigned, int64_t>> block = getReductionBlock())
    shape.push_back(
        llvm::divideCeil(codes.getDimSize(block->first), block->second));
  for (ArrayRef<int64_t> dims : {layout.getBatch(), layout.getColumns()})
    for (int64_t dim : dims)
      shape.push_back(codes.getDimSize(dim));
  auto sums = cast<ShapedType>(getSums().getType());
  if (failed(verifyCompatibleShape(sums.getShape(), shape)))
    return emitOpError() << "expected sums of "
                         << RankedTensorType::get(shape, sums.getElementType())
                         << ", that is, of blocks along a reduction, batches "
                            "and columns, found "
                         << sums;
  return success();
}

#define GET_OP_CLASSES
#include "quant-mlir/Dialect/Quant/IR/KernelOps.cpp.inc"
