//===- ContractTiles.cpp - Rows of a contraction as tile registers --------===//
//
// How rows become tiles, and what is prepared of them. Products are in
// ContractTilePipeline.cpp, codes of less than a byte and blocks of scales in
// ContractTileBlocks.cpp.
//
// Registers are configured once for a block of rows: it takes as long as six
// steps. So all tiles have one number of rows, and the last one begins earlier
// than those before it end where rows are left over. A tile's rows have to be
// at one distance from each other. Where rows are several loops, tiles are
// parts of the innermost one; if those would be short, rows are gathered.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/Utils/PointerToBuffer.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

/// From as many panels on it is worth it to copy rows to where they are read
/// faster.
static constexpr int64_t minPanels = 4;

/// Whether blocks of scales have a step's size, and panels room as bytes.
static bool mayUnpack(ContractOp op, const ContractLoops &loops) {
  constexpr int64_t maxPanel = 512 << 10;
  if (loops.getSize(loops.reduction) * 2 * maxTileRows > maxPanel)
    return false;
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  if (!block)
    return true;
  if (loops.getSize(loops.reduction) !=
      op.getRhsCodesType().getDimSize(block->first))
    return false;
  int64_t steps = llvm::divideCeil(block->second, tileRowBytes);
  return block->second % (4 * steps) == 0 && !op.getRhsParams()->getMinval();
}

std::optional<int64_t> quant_mlir::findTileRows(ContractOp op,
                                                const CPUTarget &target,
                                                const ContractLoops &loops,
                                                bool isExchanged) {
  if (!target.hasTiles() || !op.hasIntegerSum() || op.getWide() ||
      (loops.isDepthwise && !isExchanged))
    return std::nullopt;
  bool isByte = op.getRhsCodesType().getElementTypeBitWidth() == 8;
  if (isByte ? op.getReductionBlock().has_value() : !mayUnpack(op, loops))
    return std::nullopt;
  if (ShapedType::isDynamic(loops.getSize(loops.reduction)) ||
      ShapedType::isDynamic(
          loops.getSize(isExchanged ? loops.rows : loops.columns)))
    return std::nullopt;
  // Panels of another processor are as wide as that wanted them.
  if (!isExchanged && op.getLayout() &&
      op.getLayout()->getPanel() > target.getTwoTileColumns())
    return std::nullopt;
  int64_t least = target.getLeastTiledRows(isByte ? 8 : 4);
  int64_t rows = loops.getSize(isExchanged ? loops.columns : loops.rows);
  if (!ShapedType::isDynamic(rows) && rows < least)
    return std::nullopt;
  return least;
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

/// Whether rows may begin with a line of the cache. A tile of rows that do not
/// takes twice as long to load, which no product hides.
static bool hasAlignedRows(ContractOp op, const FlatOperand &lhs,
                           ArrayRef<MergedLoop> rowLoops) {
  // What a caller gives may lie anywhere, what is computed here does not. The
  // arguments of an entry are pointers, and so is the arena.
  Value buffer = op.getLhs();
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  if (Value pointer = findPointerOf(buffer))
    buffer = pointer;
  if (isa<BlockArgument>(buffer))
    return false;
  return llvm::all_of(rowLoops, [&](const MergedLoop &loop) {
    std::optional<int64_t> stride = lhs.getStride(loop.loop);
    return stride && *stride % tileRowBytes == 0;
  });
}

void ContractKernel::planPanelsTogether() {
  constexpr int64_t minRows = 256, maxBytes = 512 << 10;
  // Blocks of a panel that stays in L1 are faster, but for where they go: with
  // so many rows those have more pages than a core knows the addresses of.
  bool isFew = getConstantIntValue(numRows).value_or(0) < minRows;
  if (panelBytes == 0 || (hasBlocks && isFew))
    return;
  // In equal shares: 33 panels are 17 and 16, not 32 and 1.
  int64_t most = std::max<int64_t>(maxBytes / panelBytes, 1);
  panelsTogether =
      llvm::divideCeil(numPanels, llvm::divideCeil(numPanels, most));
}

void ContractKernel::planTiles() {
  int64_t group = dot.getGroup();
  if (hasBlocks) {
    planTileBlocks();
  } else {
    // Whole lines of the cache.
    tileSteps = llvm::divideCeil(runSize, tileRowBytes);
    tileStep = std::min(tileRowBytes, int64_t(llvm::alignTo(runSize, group)));
    needsTails = runSize != tileStep * tileSteps;
    tailFirst = (tileSteps - 1) * tileStep;
    tailCount = runSize - tailFirst;
    tailBefore = tailFirst - (llvm::alignTo(runSize, group) - tileStep);
  }
  planPanelsTogether();
  needsGather |= numPanels >= minPanels && !hasAlignedRows(op, lhs, rowLoops);
  if (rowLoops.size() <= 1 || needsGather)
    return;
  // A product takes about as long as it has rows, but not less than nine. To
  // gather rows takes as long as the products of a panel with them.
  constexpr int64_t minTime = 9;
  std::optional<int64_t> line = getConstantIntValue(rowLoops.back().size);
  if (!line) {
    needsGather = true;
    return;
  }
  int64_t tiles = llvm::divideCeil(*line, maxTileRows);
  int64_t rows = llvm::divideCeil(*line, tiles);
  needsGather =
      tiles * std::max(rows, minTime) * numPanels > *line * (numPanels + 1);
  if (needsGather)
    return;
  tilesPerLine = tiles;
  tileRows = attr(rows);
}

OpFoldResult ContractKernel::getTileStride() {
  if (needsGather)
    return attr(gatheredStride);
  return rowLoops.empty() ? attr(0) : lhs.strides[rowLoops.back().loop];
}

int64_t ContractKernel::getRowUnit() const {
  if (!usesTiles)
    return target.getTileRows(panelColumns);
  if (tilesPerLine == 0)
    return 2 * maxTileRows;
  int64_t line = *getConstantIntValue(rowLoops.back().size);
  return line * llvm::divideCeil(2 * maxTileRows, line);
}

//===----------------------------------------------------------------------===//
// Tiles of rows
//===----------------------------------------------------------------------===//

static OpFoldResult ceilDiv(KernelBuilder &kernel, OpFoldResult a,
                            OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return kernel.builder.getIndexAttr(llvm::divideCeil(*x, *y));
  return arith::CeilDivUIOp::create(kernel.builder, kernel.loc, kernel.index(a),
                                    kernel.index(b))
      .getResult();
}

static OpFoldResult subtract(KernelBuilder &kernel, OpFoldResult a,
                             OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return kernel.builder.getIndexAttr(*x - *y);
  return arith::SubIOp::create(kernel.builder, kernel.loc, kernel.index(a),
                               kernel.index(b))
      .getResult();
}

template <typename Op>
static OpFoldResult choose(KernelBuilder &kernel, OpFoldResult a,
                           OpFoldResult b) {
  return Op::create(kernel.builder, kernel.loc, kernel.index(a),
                    kernel.index(b))
      .getResult();
}

void ContractKernel::withTiles(OpFoldResult count,
                               llvm::function_ref<void()> body) {
  OpBuilder &builder = kernel.builder;
  std::optional<int64_t> known = getConstantIntValue(count);
  if (tilesPerLine != 0) {
    int64_t line = *getConstantIntValue(rowLoops.back().size);
    tileCount =
        kernel.mul(ceilDiv(kernel, count, attr(line)), attr(tilesPerLine));
  } else {
    // With blocks tiles come one by one.
    int64_t together = hasBlocks || (known && *known <= maxTileRows) ? 1 : 2;
    tileCount = kernel.mul(ceilDiv(kernel, count, attr(together * maxTileRows)),
                           attr(together));
    // Of no rows there are no tiles, but registers have rows.
    OpFoldResult tiles =
        known ? tileCount : choose<arith::MaxUIOp>(kernel, tileCount, attr(1));
    tileRows = ceilDiv(kernel, count, tiles);
    if (!known)
      tileRows = choose<arith::MaxUIOp>(kernel, tileRows, attr(1));
  }

  int64_t rows = getConstantIntValue(tileRows).value_or(maxTileRows);
  TileShapes shapes;
  for (unsigned acc = 0; acc < firstLhsTile; ++acc)
    shapes[acc] = {rows, tileRowBytes};
  for (unsigned tile : {firstLhsTile, firstLhsTile + 1})
    shapes[tile] = {rows, tileStep};
  for (unsigned tile : {firstRhsTile, firstRhsTile + 1})
    shapes[tile] = {tileStep / dot.getGroup(), tileRowBytes};
  tileSums =
      allocate(attr((hasBlocks ? 1 : 2) * getTileSums()), builder.getI32Type());
  if (hasBlocks)
    tileTotals =
        allocate(attr(maxTileRows * panelColumns), builder.getF32Type());
  FlatOperand space;
  SmallVector<unsigned> dynamic;
  if (!getConstantIntValue(tileRows)) {
    space = allocate(attr(64), builder.getI8Type());
    dynamic = {0, 1, 2, 3, 4, 5};
  }
  AMXTiles tiles(kernel);
  tiles.configure(shapes, dynamic, kernel.index(tileRows), space);
  body();
  tiles.release();
}

ContractKernel::RowTile
ContractKernel::placeTile(Values &ivs, const Panel &panel, Value firstRow,
                          OpFoldResult count, OpFoldResult number) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  // The last pair may have one tile only: the other one is that again.
  std::optional<int64_t> known = getConstantIntValue(tileCount);
  bool isEven = hasBlocks || tilesPerLine == 0 || (known && *known % 2 == 0);
  OpFoldResult at = number;
  if (!isEven)
    at = choose<arith::MinUIOp>(kernel, at,
                                subtract(kernel, tileCount, attr(1)));

  RowTile tile;
  OpFoldResult inLine = at, line = attr(0), size = count;
  if (tilesPerLine != 0) {
    size = rowLoops.back().size;
    inLine = arith::RemUIOp::create(builder, loc, kernel.index(at),
                                    kernel.index(tilesPerLine))
                 .getResult();
    line = kernel.mul(arith::DivUIOp::create(builder, loc, kernel.index(at),
                                             kernel.index(tilesPerLine))
                          .getResult(),
                      size);
  }
  OpFoldResult begin = kernel.mul(inLine, tileRows);
  tile.first = begin;
  tile.done = attr(0);
  std::optional<int64_t> rows = getConstantIntValue(tileRows),
                         all = getConstantIntValue(size),
                         tiles = tilesPerLine != 0 ? tilesPerLine : known;
  // 400 rows are 25 tiles of 16, but 26 in pairs.
  if (!rows || !all || !tiles || *all != *rows * *tiles) {
    tile.first =
        choose<arith::MinUIOp>(kernel, begin, subtract(kernel, size, tileRows));
    tile.done = subtract(kernel, begin, tile.first);
  }
  if (!isEven) {
    Value isNew =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                              kernel.index(number), kernel.index(tileCount));
    tile.done =
        arith::SelectOp::create(builder, loc, isNew, kernel.index(tile.done),
                                kernel.index(tileRows))
            .getResult();
  }
  tile.first = kernel.add(line, tile.first);
  OpFoldResult first = kernel.add(firstRow, tile.first);
  tile.at = ivs;
  placeRow(tile.at, kernel.index(first));
  tile.row = buildRow(tile.at, panel, first, tile.first, attr(0));
  return tile;
}

ContractKernel::Row
ContractKernel::buildTileRow(Values &ivs, const Panel &panel, Value firstRow,
                             const RowTile &tile, OpFoldResult along) {
  OpFoldResult first = kernel.add(firstRow, tile.first);
  if (rowLoops.size() <= 1 || tilesPerLine != 0)
    return buildRow(tile.at, panel, first, tile.first, along);
  OpFoldResult number = kernel.add(first, along);
  Values at(ivs);
  placeRow(at, kernel.index(number));
  return buildRow(at, panel, number, kernel.add(tile.first, along), attr(0));
}

//===----------------------------------------------------------------------===//
// Ends of runs
//===----------------------------------------------------------------------===//

/// [0 … 0 | codes that no step before had | 0 … 0]
void ContractKernel::fillTails(Value from, OpFoldResult row) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  const FlatOperand &source = needsGather ? gathered : lhs;
  SmallVector<int64_t> moved;
  for (int64_t i = 0; i < tileRowBytes; ++i)
    moved.push_back(i < tailBefore ? tileRowBytes : i - tailBefore);
  forRuns(lhs, {}, [&](OpFoldResult at, OpFoldResult number, ValueRange) {
    Value index = kernel.index(
        kernel.add(kernel.add(from, getRunInRow(at, number)), attr(tailFirst)));
    Value codes =
        kernel.loadFirst(source, index, tileRowBytes, attr(tailCount));
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(codes.getType()));
    codes = vector::ShuffleOp::create(builder, loc, codes, zero, moved);
    OpFoldResult to =
        kernel.mul(kernel.add(kernel.mul(row, attr(getNumRuns())), number),
                   attr(tileRowBytes));
    kernel.store(tails, kernel.index(to), codes);
    return Values();
  });
}
