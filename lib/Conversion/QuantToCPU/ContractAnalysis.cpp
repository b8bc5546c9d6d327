//===- ContractAnalysis.cpp - What a kernel of a contraction needs --------===//
//
// What is known of one before any loop is made: its layout, loops of rows that
// are one, what is prepared for a block of rows. Which contractions have a
// kernel is in ContractReasons.cpp.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void ContractKernel::mergeRows() {
  SmallVector<const FlatOperand *> operands{&lhs, &init};
  for (const FlatOperand *operand : {&residual, &scale, &zeroPoint})
    if (operand->base)
      operands.push_back(operand);
  if (isExchanged && bias.base)
    operands.push_back(&bias);
  SmallVector<unsigned> order = orderLoops(init, loops.rows);
  // Where they are next to each other, too, some rows have padding, others not.
  if (!op.getInputPadding().empty()) {
    for (unsigned loop : order)
      if (getConstantIntValue(sizes[loop]) != 1)
        rowLoops.push_back({loop, sizes[loop]});
    return;
  }
  rowLoops = kernel.mergeLoops(order, sizes, operands);
}

void ContractKernel::readLayout() {
  LayoutAttr layout = *op.getLayout();
  rhs = op.getRhs();
  if (op.getSums())
    sums = kernel.flatten(
        op.getSums(), AffineMap::getMultiDimIdentityMap(
                          cast<MemRefType>(op.getSums().getType()).getRank(),
                          op.getContext()));
  batchLoops = getRhsLoops(op, layout.getBatch());
  columnLoops = getRhsLoops(op, layout.getColumns());
  columns = loops.getSize(columnLoops);
  panelColumns = columnStep = layout.getPanel();
  numPanels = llvm::divideCeil(columns, panelColumns);
  ArrayRef<int64_t> reduction = layout.getReduction();
  outer = getRhsLoops(op, reduction.drop_back(layout.getRun()));
  run = getRhsLoops(op, reduction.take_back(layout.getRun()));
  runSize = loops.getSize(run);
  runLength = attr(runSize);
  numColumns = attr(columns);
  rhsMoved = layout.getOffset();
  width = op.getRhsCodesType().getElementTypeBitWidth();
  numerics::PanelLayout panels = layout.getPanelLayout();
  tupleSize = panels.tupleSize();
  tupleBytes = panels.group * panels.panel * panels.elementBytes();
  if (std::optional<std::pair<unsigned, int64_t>> block =
          op.getReductionBlock()) {
    hasBlocks = true;
    blockSize = block->second;
    // A run is of the dimension that is split, and what is inside of it.
    for (int64_t dim : reduction.take_back(layout.getRun()).drop_front())
      blockSize *= op.getRhsCodesType().getDimSize(dim);
    numBlocks = llvm::divideCeil(runSize, blockSize);
  }
  sumsPerBlock = loops.getSize(batchLoops) * columns;
  runBytes =
      hasBlocks
          ? (runSize / blockSize * llvm::divideCeil(blockSize, tupleSize) +
             llvm::divideCeil(runSize % blockSize, tupleSize)) *
                tupleBytes
          : llvm::divideCeil(runSize, tupleSize) * tupleBytes;
  panelBytes = loops.getSize(outer) * runBytes;
}

void ContractKernel::analyze() {
  sizes = cast<IntegerFormOpInterface>(op.getOperation())
              .getLoopSizes(kernel.builder, kernel.loc);
  lhs = kernel.flatten(op.getLhs(), op.getLhsMap(), op.getInputPadding());
  init = kernel.flatten(op.getInit(), op.getInitMap());
  if (op.getBias())
    bias = kernel.flatten(op.getBias(), op.getBiasMap());
  if (op.getResidual()) {
    residual = kernel.flatten(op.getResidual(), op.getResidualMap());
    isResidualOfRows =
        !isExchanged && !loops.isDepthwise &&
        !loops.areContiguous(loops.columns, loops.residualStrides) &&
        llvm::all_of(loops.columns, [&](unsigned loop) {
          return loops.residualStrides[loop] == 0;
        });
  }
  if (op.getScale())
    scale = kernel.flatten(op.getScale(), getRowsMap(op, op.getScale()));
  if (op.getZeroPoint())
    zeroPoint =
        kernel.flatten(op.getZeroPoint(), getRowsMap(op, op.getZeroPoint()));

  if (op.getRhsScale())
    rhsScale =
        kernel.flatten(op.getRhsScale(), getColumnsMap(op, op.getRhsScale()));
  if (op.getRhsZeroPoint())
    rhsZeroPoint = kernel.flatten(op.getRhsZeroPoint(),
                                  getColumnsMap(op, op.getRhsZeroPoint()));

  reductionSize = blockSize =
      std::max<int64_t>(loops.getSize(loops.reduction), 0);
  if (isExchanged)
    exchangeSides();
  else if (op.getLayout())
    readLayout();
  else
    planPanels();
  analyzeColumns();
  if (usesTiles && width < 8)
    planUnpacking();
  lhsZero = dot.getLhsOffset();
  if (!op.isDynamic() && !isOfValues)
    lhsZero += getTensorZeroPoint(*op.getLhsParams());
  needsColumnSums =
      isExchanged ? !rhsOffset.isZero() : lhsZero != 0 || op.getZeroPoint();
  mergeRows();
  numRows = attr(1);
  for (const MergedLoop &loop : rowLoops)
    numRows = kernel.mul(numRows, loop.size);
  needsGather = !loops.isDepthwise && runSize != 1 && runSize != 0 &&
                !loops.areContiguous(run, loops.lhsStrides);
  if (usesTiles)
    planTiles();
  else
    planFlips();
  gatheredStride = reductionSize;
  if (usesTiles || flipsRows) {
    gatheredStride = llvm::alignTo(reductionSize, tileRowBytes);
    // An odd number of lines: otherwise rows of a tile share sets of the cache.
    if (gatheredStride % (2 * tileRowBytes) == 0)
      gatheredStride += tileRowBytes;
  }
  planScratch();
  planStream();
}

/// In the micro-kernel flips take the place of products, for each panel again;
/// a copy of a row flips whole registers, once for all panels.
void ContractKernel::planFlips() {
  if (!dot.flipsLhs() || loops.isDepthwise || runSize == 0)
    return;
  OpFoldResult rows = attr(1);
  for (const MergedLoop &loop : rowLoops)
    rows = kernel.mul(rows, loop.size);
  // Of fewer rows than a tile has, a step takes as long as its weights do.
  std::optional<int64_t> known = getConstantIntValue(rows);
  flipsRows =
      needsGather || !known || *known >= target.getTileRows(panelColumns);
  if (!flipsRows)
    return;
  needsGather = true;
  dot = dot.withMovedLhs();
}

int64_t ContractKernel::getTileRows(int64_t columns) const {
  if (!hasBlocks || isOfValues)
    return target.getTileRows(columns);
  // With blocks each sum has two registers.
  int64_t rows = target.getTileRows(2 * columns);
  return std::max<int64_t>(llvm::alignDown(rows, dot.getRows()), 1);
}

Value ContractKernel::buildReductionSize() {
  if (runSize != 0)
    return constantI32(reductionSize);
  return arith::IndexCastOp::create(kernel.builder, kernel.loc,
                                    kernel.builder.getI32Type(),
                                    kernel.index(runLength));
}

/// Bytes of scratch: on the stack, also on that of a thread. Tiles are so fast
/// that panels should be read for many rows at once.
int64_t ContractKernel::getMaxScratch() const {
  return usesTiles || flipsRows ? 512 << 10 : 128 << 10;
}

void ContractKernel::planScratch() {
  needsRowSums = !isExchanged && !isOfValues &&
                 (!rhsOffset.isZero() || !minval.values.empty());
  // Not of wide sums: an int32 holds sums of their codes, but not any products.
  if (!isOfValues && rhsOffset.isOne() && !rhsOffset.isZero() &&
      minval.values.empty() && !op.getWide())
    rowSumFactor = -int32_t(rhsOffset.values.front());
  // Sums of a block of rows' codes, of up to 8 bits with sign or without.
  hasPairs = hasBlocks && !isOfValues && width < 8 && dot.hasPairs() &&
             minval.values.empty() && rowSumFactor == 1 &&
             blockSize * getNumRuns() <= 128;
  if (hasPairs)
    rowSumFactor = -1;
  parallel = chooseParallel();
  int64_t tile = getRowUnit();
  int64_t known = getConstantIntValue(numRows).value_or(0);
  // Blocks are many enough for threads to have equal shares, and large enough
  // for a panel to be read once for several tiles.
  if (isScratchOfRowBlock())
    planRowBlocks(known);
  else if (parallel == Parallel::RowBlocks)
    rowsPerBlock =
        llvm::divideCeil(std::max<int64_t>(known / 32, 8 * tile), tile) * tile;
  if (!needsScratch())
    return;
  int64_t scratchRows = known;
  if (isScratchOfRowBlock()) {
    scratchRows = rowsPerBlock;
  } else if (!isScratchShared()) {
    rowsPerBlock =
        std::max<int64_t>(getMaxScratch() / getScratchPerRow() / tile, 1) *
        tile;
    if (known != 0)
      rowsPerBlock = std::min(rowsPerBlock, known);
    scratchRows = rowsPerBlock;
  }
  this->scratchRows = scratchRows;
}

int64_t ContractKernel::getScratchPerRow() const {
  int64_t bytes = lhs.element.getIntOrFloatBitWidth() / 8;
  return (needsGather ? gatheredStride * bytes : 0) +
         (needsTails ? getNumRuns() * tileRowBytes : 0) +
         (needsRowSums ? numBlocks * 4 : 0);
}

/// Processors fetch ahead by themselves, but within a page, and only once they
/// have seen a stream begin. Several streams at once begin at different times.
void ContractKernel::planStream() {
  // What the caches next to a core hold, they hold from call to call.
  constexpr int64_t leastBytes = 256 << 10;
  constexpr int64_t mostPanels = 4, leastShares = 16;
  if (usesTiles || isExchanged || loops.isDepthwise || ownsPanel() ||
      loops.getSize(batchLoops) * numPanels * panelBytes < leastBytes)
    return;
  std::optional<int64_t> rows = getConstantIntValue(numRows);
  int64_t mostRows = getTileRows(panelColumns);
  if (rows && *rows > mostRows)
    return;
  bytesAhead = 2048;
  int64_t shares = columns / columnStep;
  if (parallel == Parallel::Panels)
    shares /= leastShares;
  while (rows && panelsAbreast < mostPanels && 2 * panelsAbreast <= shares &&
         2 * panelsAbreast * *rows <= mostRows)
    panelsAbreast *= 2;
}
