//===- ChoosePanels.cpp - The layout of weights for a target --------------===//
//
// What a panel is, numerics::PanelLayout says; what a target wants,
// PanelTarget.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"

#include "quant-mlir/Target/CPU.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::PanelLayout;
using numerics::StorageType;

/// What moves codes of 8 bits to signed ones, and shorter ones to unsigned
/// ones: bytes are multiplied as they are, and nibbles become bytes by `and`
/// and a shift.
static int64_t getOffset(StorageType storage) {
  switch (storage) {
  case StorageType::UInt8:
    return -128;
  case StorageType::Int4:
    return 8;
  case StorageType::Int2:
    return 2;
  default:
    return 0;
  }
}

/// Elements of all runs, filled up to whole tuples.
static int64_t getFilledSize(const PanelLayout &layout) {
  return layout.numOuter() * layout.tuplesPerRun() * layout.tupleSize();
}

/// Chooses `run` and `block`. Blocks of scales begin a tuple, or a group where
/// the kernel takes tuples apart, so that one step of it has one scale: the
/// dimension that is split is the outermost of the run. A kernel adds up what a
/// block has in each run.
static void chooseRun(PanelLayout &layout, int64_t run,
                      std::optional<std::pair<unsigned, int64_t>> block,
                      const PanelTarget &target) {
  layout.run = run;
  layout.block = 0;
  if (!block)
    return;
  ArrayRef<int64_t> dims = ArrayRef<int64_t>(layout.reduction).take_back(run);
  const int64_t *split = llvm::find(dims, int64_t(block->first));
  if (split == dims.end())
    return;
  int64_t inner = 1;
  for (const int64_t *dim = split + 1; dim != dims.end(); ++dim)
    inner *= layout.shape[*dim];
  layout.run = dims.end() - split;
  layout.block = block->second * inner;
  // Then they begin there anyway.
  int64_t unit = target.splitsTuples() ? layout.group : layout.tupleSize();
  if (layout.block % unit == 0)
    layout.block = 0;
}

/// Codes whose columns are rows of the kernel have no panels.
static bool hasByRows(ContractOp op, const ContractLoops &loops) {
  return loops.isResultByRows() && op.hasIntegerSum() &&
         op.getRhsCodesType().getElementTypeBitWidth() == 8;
}

/// Elements of a run beside each other that kernels of `target` read.
static int64_t getGroup(ContractOp op, bool isDepthwise,
                        const PanelTarget &target) {
  if (op.hasIntegerSum())
    return isDepthwise ? target.getDepthwiseGroup() : target.getDotGroup();
  return isDepthwise ? 1
                     : target.getValueGroup(
                           op.getRhsCodesType().getElementTypeBitWidth());
}

std::optional<PanelLayout> quant_mlir::choosePanels(ContractOp op,
                                                    const ContractLoops &loops,
                                                    const PanelTarget &target,
                                                    std::string &reason) {
  bool isByRows = hasByRows(op, loops);
  bool isDepthwise = loops.isDepthwise && !isByRows;
  if (isDepthwise && !loops.channel) {
    reason = "every channel has weights of its own, and channels are not the "
             "innermost dimension of lhs and result";
    return std::nullopt;
  }
  RankedTensorType codes = op.getRhsCodesType();
  AffineMap map = op.getRhsMap();
  SmallVector<int64_t> dimOfLoop(map.getNumDims(), -1);
  for (unsigned dim = 0; dim < map.getNumResults(); ++dim)
    dimOfLoop[map.getDimPosition(dim)] = dim;
  auto addDims = [&](std::vector<int64_t> &dims, ArrayRef<unsigned> from) {
    for (unsigned loop : from)
      dims.push_back(dimOfLoop[loop]);
  };

  PanelLayout layout;
  layout.shape = codes.getShape().vec();
  layout.width = codes.getElementTypeBitWidth();
  if (AffineAttr params = op.getRhsParamsAttr())
    layout.offset = getOffset(params.getStorage());
  // A depthwise window of codes is packed column by column, as its kernel walks
  // it: the loop of the smallest stride around a run of the others.
  SmallVector<unsigned> reduction = loops.reductionByStride;
  SmallVector<unsigned> moving(llvm::make_filter_range(
      reduction, [&](unsigned loop) { return loops.sizes[loop] != 1; }));
  bool hasColumns = isDepthwise && op.hasIntegerSum() && moving.size() > 1;
  if (hasColumns) {
    llvm::erase(reduction, moving.back());
    reduction.insert(reduction.begin(), moving.back());
  }
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  int64_t lhsRun = loops.lhsRun;
  bool isInOrder = block && target.takesPanelsInOrder() && !isDepthwise;
  if (isInOrder) {
    // What is left of the run is inside of the dimension that is split.
    auto split = llvm::find(reduction, map.getDimPosition(block->first));
    if (llvm::any_of(llvm::make_range(reduction.begin(), split),
                     [&](unsigned loop) { return loops.sizes[loop] != 1; }))
      lhsRun = std::min<int64_t>(lhsRun, reduction.end() - split - 1);
    std::rotate(reduction.begin(), split, split + 1);
  }
  addDims(layout.reduction, reduction);
  // Columns that follow each other do so in the result.
  SmallVector<unsigned> columns = loops.columns;
  llvm::sort(columns, [&](unsigned a, unsigned b) {
    int64_t strideA = loops.initStrides[a].value_or(ShapedType::kDynamic),
            strideB = loops.initStrides[b].value_or(ShapedType::kDynamic);
    // Not known: of an outer dimension.
    if ((strideA == ShapedType::kDynamic) != (strideB == ShapedType::kDynamic))
      return strideA == ShapedType::kDynamic;
    return strideA != strideB ? strideA > strideB : a < b;
  });
  if (isDepthwise) {
    for (unsigned loop : loops.batch)
      if (loop != *loops.channel)
        layout.batch.push_back(dimOfLoop[loop]);
    addDims(layout.batch, columns);
    layout.columns.push_back(dimOfLoop[*loops.channel]);
  } else {
    addDims(layout.batch, loops.batch);
    addDims(layout.columns, columns);
  }
  int64_t numColumns = loops.getSize(getRhsLoops(op, layout.columns));
  layout.panel = op.hasIntegerSum() && !isDepthwise
                     ? target.getCodePanelColumns(
                           numColumns, loops.getSize(loops.rows), layout.width)
                     : target.getPanelColumns(numColumns);
  layout.group = getGroup(op, isDepthwise, target);

  // Columns are the rows of the kernel: the codes of each follow each other.
  if (isByRows) {
    layout.panel = 1;
    chooseRun(layout, layout.reduction.size(), op.getReductionBlock(), target);
    return layout;
  }

  // A run that is contiguous in lhs is read from there. All reductions as one
  // run need the fewest bytes; a kernel then gathers lhs, which it has to do
  // anyway where lhs has no run, and which is worth it where an eighth would be
  // zeros.
  PanelLayout gathered = layout;
  chooseRun(gathered, layout.reduction.size() - hasColumns, block, target);
  chooseRun(layout, lhsRun, block, target);
  bool isSplitApart =
      block && !isInOrder &&
      !llvm::is_contained(ArrayRef(layout.reduction).take_back(layout.run),
                          int64_t(block->first));
  if (lhsRun == 0 || isDepthwise || isSplitApart)
    return gathered;
  bool isKnown = !ShapedType::isDynamic(loops.getSize(loops.reduction));
  if (isKnown && getFilledSize(layout) * 8 > getFilledSize(gathered) * 9)
    return gathered;
  return layout;
}

std::string quant_mlir::findNoLayoutReason(ContractOp op,
                                           const ContractLoops &loops,
                                           const PanelTarget &target) {
  if (!op.getLayout())
    return "";
  PanelLayout layout = op.getLayout()->getPanelLayout();
  bool isByRows = hasByRows(op, loops);
  PanelLayout wanted = layout;
  chooseRun(wanted, layout.run, op.getReductionBlock(), target);
  if (layout.group == getGroup(op, loops.isDepthwise && !isByRows, target) &&
      wanted.run == layout.run && wanted.block == layout.block &&
      (isByRows ? layout.panel == 1 : target.readsPanels(layout.panel)))
    return "";
  return ("its right-hand side is in another layout than " + target.getName() +
          " reads: undo that first, with quant-pack-weights{undo}")
      .str();
}
