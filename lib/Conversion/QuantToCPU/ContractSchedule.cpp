//===- ContractSchedule.cpp - Loops around the micro-kernel ---------------===//
//
// Batches, blocks of rows, panels of columns and tiles of rows, from the
// outermost, and which of them threads share.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Shares of threads
//===----------------------------------------------------------------------===//

ContractKernel::Parallel ContractKernel::chooseParallel() const {
  if (threads == 1)
    return Parallel::None;
  // About 15 us of a core; to wake threads takes 2 to 5.
  const int64_t minProducts = int64_t(1) << (usesTiles ? 24 : 22);
  // What a size that is not known may be: of a sequence.
  constexpr int64_t someSize = 256;
  bool isStatic = columns != 0 && runSize != 0;
  // Of a number that is not known, one row: a matrix times a vector.
  std::optional<int64_t> known = getConstantIntValue(numRows);
  int64_t products = known.value_or(isStatic ? 1 : someSize);
  for (int64_t size : {columns, reductionSize})
    if (llvm::MulOverflow(products, size == 0 ? someSize : size, products))
      return Parallel::Panels;
  if (packsPanels) {
    // Every iteration packs what it needs: batches share nothing.
    int64_t batches = loops.getSize(batchLoops);
    if (batches > 1 && products >= minProducts / batches)
      return Parallel::Batches;
    if (ShapedType::isDynamic(batches) && !isStatic)
      return Parallel::Batches;
    bool isOne = columns != 0 && columns <= columnStep;
    return products >= minProducts && !isOne ? Parallel::Panels
                                             : Parallel::None;
  }
  if (products < minProducts)
    return Parallel::None;
  // Panels are equal shares where they are many; otherwise rows are, if what is
  // prepared of them fits. A panel is unpacked once for all rows.
  if (unpacksPanels)
    return columns > columnStep ? Parallel::Panels : Parallel::None;
  int64_t tile = getRowUnit();
  if (usesTiles && known && !hasBlocks && isStatic) {
    // Every thread reads all of rhs: for enough rows, or from its own cache.
    int64_t shares = threads == 0 ? 4 : threads;
    int64_t enough = columns * reductionSize <= (1 << 20) ? 64 : 256;
    if (*known >= shares * enough)
      return Parallel::RowBlocks;
  }
  if (columns / panelColumns >= 16 || !known || *known < 16 * tile ||
      *known * getScratchPerRow() > getMaxScratch())
    return columns / panelColumns > 1 ? Parallel::Panels : Parallel::None;
  return Parallel::RowBlocks;
}

/// Blocks that fit into the scratch, as many for each thread.
void ContractKernel::planRowBlocks(int64_t rows) {
  // Of a number of threads that is not known: of up to four.
  int64_t shares = threads == 0 ? 4 : threads;
  int64_t unit = getRowUnit(), most = rows;
  if (needsScratch())
    most = std::max<int64_t>(getMaxScratch() / getScratchPerRow() / unit, 1) *
           unit;
  int64_t blocks = llvm::alignTo(llvm::divideCeil(rows, most), shares);
  rowsPerBlock = std::min<int64_t>(
      llvm::alignTo(llvm::divideCeil(rows, blocks), unit), most);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void ContractKernel::buildTile(Values &ivs, const Panel &panel, Value firstRow,
                               Value inBlock, int64_t count) {
  SmallVector<Row> rows = buildRowValues(ivs, panel, firstRow, inBlock, count);
  finish(rows, panel, reduce(rows, panel));
}

void ContractKernel::buildRows(Values &ivs, const Panel &panel, Value firstRow,
                               OpFoldResult size) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  if (hasBlocks && usesTiles)
    return buildBlockTiles(ivs, panel, firstRow, size);
  if (usesTiles)
    return pipelineTiles(ivs, firstRow, size, /*panels=*/1,
                         [&](Value) { return panel; });
  int64_t most = getTileRows(panel);
  auto tiles = [&](Value from, Value end, int64_t count) {
    auto loop =
        scf::ForOp::create(builder, loc, from, end, kernel.index(count));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    buildTile(ivs, panel, firstRow, loop.getInductionVar(), count);
  };

  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    if (*known == 0)
      return;
    // Tiles of equal size: 7 rows are 4 and 3, not 6 and 1. Of whole
    // accumulators, where there are several.
    int64_t tileCount = llvm::divideCeil(*known, most);
    int64_t count = llvm::divideCeil(*known, tileCount);
    if (tileCount > 1)
      count = llvm::alignTo(count, std::min(dot.getRows(), most));
    int64_t whole = *known / count * count;
    if (whole == count)
      buildTile(ivs, panel, firstRow, kernel.index(0), count);
    else
      tiles(kernel.index(0), kernel.index(whole), count);
    if (whole != *known)
      buildTile(ivs, panel, firstRow, kernel.index(whole), *known - whole);
    return;
  }

  Value end = kernel.index(size);
  if (most == 1)
    return tiles(kernel.index(0), end, 1);
  Value rest = arith::RemUIOp::create(builder, loc, end, kernel.index(most));
  Value whole = arith::SubIOp::create(builder, loc, end, rest);
  tiles(kernel.index(0), whole, most);
  // Columns that may not be there have code of their own for each number of
  // registers: not for each number of rows too.
  if (panel.count)
    return tiles(whole, end, 1);
  // The rest is as many rows as it is: one case for each number.
  buildCases(rest, most - 1, [&](int64_t count) {
    buildTile(ivs, panel, firstRow, whole, count);
  });
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

int64_t ContractKernel::getPanelShare(int64_t whole) const {
  // Shares that threads take one after the other: many, for threads to end at
  // one time, but tiles are configured, and their pipeline begins and ends, in
  // each.
  constexpr int64_t maxShares = 16, enoughShares = 8, enoughPairs = 12;
  if (!usesTiles)
    return panelsAbreast;
  if (parallel != Parallel::Panels)
    return std::max<int64_t>(whole, 1);
  int64_t pairs = llvm::divideCeil(getConstantIntValue(numRows).value_or(1),
                                   2 * maxTileRows);
  int64_t together =
      std::max<int64_t>(llvm::divideCeil(enoughPairs, pairs), panelsTogether);
  return std::max<int64_t>(
      {whole / maxShares, 1, std::min(whole / enoughShares, together)});
}

void ContractKernel::buildPanels(Values &ivs, Value batch, Value first,
                                 int64_t number, Value firstRow,
                                 OpFoldResult count) {
  auto build = [&](OpFoldResult before, int64_t size) {
    OpFoldResult from = kernel.add(first, before);
    if (size == 1)
      return buildPanel(ivs, batch, kernel.index(from), columnStep, firstRow,
                        count);
    auto place = [&](Value iv) {
      return placePanel(batch, kernel.index(kernel.add(from, iv)), columnStep,
                        /*valid=*/{}, iv);
    };
    auto getPanel = [&](Value iv) {
      Panel panel = place(iv);
      loadPanel(ivs, panel);
      return panel;
    };
    if (ownsPanel())
      kernel.forLoop(attr(size), [&](Value iv) { fillPanel(ivs, place(iv)); });
    if (!hasBlocks)
      return pipelineTiles(ivs, firstRow, count, size, getPanel);
    kernel.forLoop(tileCount, [&](Value tile) {
      kernel.forLoop(attr(size), [&](Value iv) {
        buildBlockTile(ivs, getPanel(iv), firstRow, count, tile);
      });
    });
  };
  int64_t size = std::min(number, panelsTogether);
  kernel.forLoop(attr(number / size),
                 [&](Value iv) { build(kernel.mul(iv, attr(size)), size); });
  if (int64_t rest = number % size)
    build(attr(number - rest), rest);
}

void ContractKernel::buildRowBlock(Values &ivs, Value batch, Value firstRow,
                                   OpFoldResult count) {
  if (needsScratch() && !isScratchShared())
    fillScratch(ivs, firstRow, count);
  bool isParallel = parallel == Parallel::Panels;
  auto buildSome = [&](Value first, int64_t number, int64_t columns) {
    if (columns == 0)
      return buildLastPanel(ivs, batch, first, firstRow, count);
    // One panel, or those that are abreast.
    if (!usesTiles || number == 1)
      return buildPanel(ivs, batch, first, number * columns, firstRow, count);
    buildPanels(ivs, batch, first, number, firstRow, count);
  };
  // What every iteration of a parallel loop has for itself.
  auto buildShare = [&](Value first, int64_t number, int64_t columns) {
    if (!isParallel || (!ownsPanel() && !usesTiles))
      return buildSome(first, number, columns);
    buildOnStack([&] {
      if (ownsPanel())
        allocatePanel();
      if (!usesTiles)
        return buildSome(first, number, columns);
      withTiles(count, [&] { buildSome(first, number, columns); });
    });
  };
  auto buildAll = [&] {
    if (!getConstantIntValue(numColumns)) {
      Value whole = kernel.index(floorDivide(kernel, numColumns, columnStep));
      buildLoop(kernel.index(0), whole, 1, isParallel,
                [&](Value first) { buildShare(first, 1, columnStep); });
      return buildShare(whole, 1, /*columns=*/0);
    }
    int64_t whole = columns / columnStep;
    int64_t share = getPanelShare(whole);
    int64_t shared = whole / share * share;
    buildLoop(kernel.index(0), kernel.index(shared), share, isParallel,
              [&](Value first) { buildShare(first, share, columnStep); });
    if (shared < whole)
      buildShare(kernel.index(shared), whole - shared, columnStep);
    if (int64_t rest = columns % columnStep)
      buildShare(kernel.index(whole), 1, rest);
  };
  if (!usesTiles || isParallel)
    return buildAll();
  buildOnStack([&] { withTiles(count, buildAll); });
}

void ContractKernel::buildLastPanel(Values &ivs, Value batch, Value index,
                                    Value firstRow, OpFoldResult count) {
  int64_t lanes = dot.getLanes();
  Value rest = kernel.index(getRest(kernel, numColumns, columnStep));
  Value registers = kernel.index(ceilDivide(kernel, rest, lanes));
  buildCases(registers, panelColumns / lanes, [&](int64_t number) {
    buildPanel(ivs, batch, index, number * lanes, firstRow, count, rest);
  });
}

void ContractKernel::buildLoop(Value from, Value to, int64_t step,
                               bool isParallel,
                               llvm::function_ref<void(Value)> body) {
  OpBuilder &builder = kernel.builder;
  std::optional<int64_t> low = getConstantIntValue(from),
                         high = getConstantIntValue(to);
  if (low && high && *high - *low <= step) {
    if (*high > *low)
      body(from);
    return;
  }
  OpBuilder::InsertionGuard guard(builder);
  if (isParallel) {
    auto loop =
        scf::ParallelOp::create(builder, kernel.loc, ValueRange(from),
                                ValueRange(to), ValueRange(kernel.index(step)));
    builder.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVars().front());
    return;
  }
  auto loop =
      scf::ForOp::create(builder, kernel.loc, from, to, kernel.index(step));
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void ContractKernel::buildCases(Value number, int64_t most,
                                llvm::function_ref<void(int64_t)> body) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  SmallVector<int64_t> cases =
      llvm::to_vector(llvm::seq_inclusive<int64_t>(1, most));
  auto branch = scf::IndexSwitchOp::create(builder, loc, TypeRange(), number,
                                           cases, cases.size());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&branch.getDefaultRegion());
  scf::YieldOp::create(builder, loc);
  for (auto [value, region] : llvm::zip_equal(cases, branch.getCaseRegions())) {
    builder.createBlock(&region);
    body(value);
    scf::YieldOp::create(builder, loc);
  }
}

void ContractKernel::buildIf(Value condition, llvm::function_ref<void()> then,
                             llvm::function_ref<void()> otherwise) {
  OpBuilder &builder = kernel.builder;
  // In place before it is filled: constants are looked up in the module.
  auto branch = scf::IfOp::create(builder, kernel.loc, condition,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  then();
  builder.setInsertionPoint(branch.elseBlock()->getTerminator());
  otherwise();
}

void ContractKernel::buildBatch(Values &ivs, Value batch) {
  if (loops.isDepthwise)
    return buildDepthwise(ivs, batch);
  std::optional<int64_t> known = getConstantIntValue(numRows);
  if (needsScratch() && isScratchShared())
    fillScratch(ivs, kernel.index(0), numRows);
  if (rowsPerBlock == 0 || (known && *known <= rowsPerBlock))
    return buildRowBlock(ivs, batch, kernel.index(0), numRows);
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Value end = kernel.index(numRows);
  if (parallel == Parallel::RowBlocks)
    return buildLoop(kernel.index(0), end, rowsPerBlock, /*isParallel=*/true,
                     [&](Value first) { buildRowShare(ivs, batch, first); });
  Value whole, rest;
  if (known) {
    whole = kernel.index(*known / rowsPerBlock * rowsPerBlock);
  } else {
    rest =
        arith::RemUIOp::create(builder, loc, end, kernel.index(rowsPerBlock));
    whole = arith::SubIOp::create(builder, loc, end, rest);
  }
  buildLoop(kernel.index(0), whole, rowsPerBlock, /*isParallel=*/false,
            [&](Value first) {
              buildRowBlock(ivs, batch, first, attr(rowsPerBlock));
            });
  if (!known)
    buildRowBlock(ivs, batch, whole, rest);
  else if (*known % rowsPerBlock != 0)
    buildRowBlock(ivs, batch, whole, attr(*known % rowsPerBlock));
}

void ContractKernel::buildRowShare(Values &ivs, Value batch, Value first) {
  int64_t rows = *getConstantIntValue(numRows);
  auto buildShare = [&] {
    if (rows % rowsPerBlock == 0)
      return buildRowBlock(ivs, batch, first, attr(rowsPerBlock));
    // The last one is a thread's share too.
    OpBuilder &builder = kernel.builder;
    Location loc = kernel.loc;
    Value isWhole =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, first,
                              kernel.index(rows / rowsPerBlock * rowsPerBlock));
    buildIf(
        isWhole, [&] { buildRowBlock(ivs, batch, first, attr(rowsPerBlock)); },
        [&] { buildRowBlock(ivs, batch, first, attr(rows % rowsPerBlock)); });
  };
  if (isScratchOfRowBlock())
    return withScratch(buildShare);
  buildShare();
}

void ContractKernel::buildBatches(Values &ivs, unsigned depth,
                                  OpFoldResult number) {
  if (depth == batchLoops.size())
    return buildBatch(ivs, kernel.index(number));
  unsigned loop = batchLoops[depth];
  kernel.forLoop(sizes[loop], [&](Value iv) {
    ivs[loop] = iv;
    buildBatches(ivs, depth + 1,
                 kernel.add(kernel.mul(number, sizes[loop]), iv));
  });
}

void ContractKernel::withScratch(llvm::function_ref<void()> body) {
  if (!ownsPanel() && !needsScratch())
    return body();
  buildOnStack([&] {
    allocateScratch();
    body();
  });
}
