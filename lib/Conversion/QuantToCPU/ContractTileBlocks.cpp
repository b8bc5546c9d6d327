//===- ContractTileBlocks.cpp - Short codes in tile registers -------------===//
//
// A panel of codes of less than a byte is unpacked once for all rows of a
// block, into bytes of which zero points have been subtracted: (w - zw) of four
// bits is a code of five, so that no row has to be corrected for them. Where
// there are many rows, several panels are, and each tile of rows meets them
// all.
//
// With blocks of scales each block is a sum of its own: the accumulator goes
// through a buffer of 1 KiB, and a fused multiply-add takes it to f32 totals in
// registers, 16 of them, one for each row of 16 columns:
//
//   tilezero, tileload, tdpbssd                     of the first block
//   for blocks
//     tilezero, tileload, tdpbssd                   of the next one
//     tilestore, 16 times: load, convert, multiply-add
//
// A store of a tile waits for the products in it, and vector instructions do
// not pass it: with the next block's products before it, it need not wait.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

void ContractKernel::planUnpacking() {
  unpacksPanels = true;
  storedRhs = rhs;
  storedWidth = width;
  storedTupleSize = tupleSize;
  storedTupleBytes = tupleBytes;
  storedPanelBytes = panelBytes;
  storedOffset = rhsOffset;
  rhsOffset.values.assign(1, 0);
  width = 8;
  tupleSize = dot.getGroup();
  tupleBytes = tupleSize * panelColumns;
  int64_t groups = storedTupleSize / tupleSize;
  runBytes = runBytes / storedTupleBytes * groups * tupleBytes;
  panelBytes = panelBytes / storedTupleBytes * groups * tupleBytes;
}

void ContractKernel::unpackTuples(OpFoldResult from, OpFoldResult to,
                                  OpFoldResult constants, int64_t tuples) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t lanes = dot.getLanes(), group = dot.getGroup();
  int64_t registers = panelColumns / lanes;
  int64_t groups = storedTupleSize / group;
  auto bytes = VectorType::get({lanes * group}, builder.getI8Type());
  // The offset of each column, beside each of its codes.
  Values offsets;
  for (int64_t reg = 0; reg < registers && !storedOffset.isZero(); ++reg) {
    if (storedOffset.isOne()) {
      offsets.push_back(arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(bytes, int8_t(storedOffset.values.front()))));
      continue;
    }
    Value loaded = vector::LoadOp::create(
        builder, loc, VectorType::get({lanes}, builder.getI8Type()),
        storedOffset.global,
        ValueRange(kernel.index(kernel.add(constants, attr(reg * lanes)))));
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < lanes * group; ++i)
      mask.push_back(i / group);
    offsets.push_back(
        vector::ShuffleOp::create(builder, loc, loaded, loaded, mask));
  }
  kernel.forLoop(attr(tuples), [&](Value iv) {
    OpFoldResult source =
        kernel.add(from, kernel.mul(iv, attr(storedTupleBytes)));
    OpFoldResult dest =
        kernel.add(to, kernel.mul(iv, attr(groups * tupleBytes)));
    for (int64_t reg = 0; reg < registers; ++reg) {
      OpFoldResult inTuple = attr(reg * lanes * group);
      Value stored =
          dot.loadRhs(kernel, storedRhs,
                      kernel.index(kernel.add(source, inTuple)), storedWidth);
      for (int64_t number = 0; number < groups; ++number) {
        Value codes = dot.unpackRhs(kernel, stored, storedWidth, number);
        if (!offsets.empty())
          codes = arith::SubIOp::create(builder, loc, codes, offsets[reg]);
        OpFoldResult at = kernel.add(dest, attr(number * tupleBytes));
        kernel.store(packed, kernel.index(kernel.add(at, inTuple)), codes);
      }
    }
  });
}

void ContractKernel::unpackPanel(const Panel &panel) {
  OpFoldResult from = kernel.mul(panel.number, attr(storedPanelBytes));
  if (!hasBlocks)
    return unpackTuples(from, panel.rhs, panel.constants,
                        storedPanelBytes / storedTupleBytes);
  int64_t tuples = llvm::divideCeil(blockSize, storedTupleSize);
  int64_t groups = storedTupleSize / dot.getGroup();
  auto unpack = [&](OpFoldResult block, int64_t size) {
    unpackTuples(
        kernel.add(from, kernel.mul(block, attr(tuples * storedTupleBytes))),
        kernel.add(panel.rhs,
                   kernel.mul(block, attr(tuples * groups * tupleBytes))),
        kernel.add(panel.constants, kernel.mul(block, attr(panelColumns))),
        llvm::divideCeil(size, storedTupleSize));
  };
  int64_t whole = reductionSize / blockSize;
  if (whole > 0)
    kernel.forLoop(attr(whole), [&](Value iv) { unpack(iv, blockSize); });
  if (int64_t rest = reductionSize % blockSize)
    unpack(attr(whole), rest);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void ContractKernel::planTileBlocks() {
  tileSteps = llvm::divideCeil(blockSize, tileRowBytes);
  tileStep = blockSize / tileSteps;
  tailCount = reductionSize % blockSize % tileStep;
  needsTails = tailCount != 0;
  tailFirst = reductionSize - tailCount;
}

void ContractKernel::multiplyBlock(const RowTile &tile, const Panel &panel,
                                   const TileBlock &block) {
  AMXTiles amx(kernel);
  int64_t group = dot.getGroup();
  bool isSignedLhs = numerics::isSignedInteger(op.getLhsParams()->getStorage());
  int64_t blockGroups =
      llvm::divideCeil(blockSize, storedTupleSize) * (storedTupleSize / group);
  unsigned lhsTile = firstLhsTile + block.tile,
           rhsTile = firstRhsTile + block.tile;
  OpFoldResult inPanel =
      kernel.add(kernel.add(panel.rhs, attr(block.reg * tileRowBytes)),
                 kernel.mul(block.number, attr(blockGroups * tupleBytes)));
  auto step = [&](OpFoldResult at, Value base, OpFoldResult lhsAt,
                  OpFoldResult stride) {
    OpFoldResult groups = kernel.mul(at, attr(tileStep / group * tupleBytes));
    amx.load(rhsTile, rhs, kernel.add(inPanel, groups), attr(tupleBytes));
    amx.load(lhsTile, base, lhsAt, stride);
    amx.multiply(block.tile, lhsTile, rhsTile, isSignedLhs,
                 /*isSignedB=*/true);
  };
  amx.zero(block.tile);
  if (int64_t steps = block.size / tileStep)
    kernel.forLoop(attr(steps), [&](Value iv) {
      OpFoldResult inRow = kernel.add(kernel.mul(block.number, attr(blockSize)),
                                      kernel.mul(iv, attr(tileStep)));
      step(iv, needsGather ? gathered.base : lhs.base,
           kernel.add(tile.row.lhs, inRow), getTileStride());
    });
  if (block.size % tileStep != 0)
    step(attr(block.size / tileStep), tails.base, tile.row.tail,
         attr(getNumRuns() * tileRowBytes));
}

ContractKernel::Values ContractKernel::addTileBlock(const Panel &panel,
                                                    const TileBlock &block,
                                                    ArrayRef<Value> zeroPoints,
                                                    Values totals) {
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes();
  int64_t sumsAt = block.tile * maxTileRows * lanes;
  AMXTiles(kernel).store(block.tile, tileSums.base, attr(sumsAt),
                         attr(tileRowBytes));
  Value factor =
      loadConstants(multiplier, getConstantsAt(panel, block.number, block.reg));
  bool hasLhsZero = lhsZero != 0 || op.getZeroPoint();
  Value columnSums, start;
  if (hasLhsZero)
    columnSums = loadBlockSums(panel, block.number, block.reg, block.size);
  if (hasLhsZero && zeroPoints.empty())
    start = arith::MulIOp::create(builder, kernel.loc, columnSums,
                                  splat(constantI32(-lhsZero)));
  for (auto [i, total] : llvm::enumerate(totals)) {
    Value sum =
        kernel.load(tileSums, kernel.index(sumsAt + int64_t(i) * lanes), lanes);
    if (start)
      sum = arith(sum).add(sum, start);
    else if (hasLhsZero)
      sum = subtractProduct(sum, zeroPoints[i], columnSums);
    total = dot.multiplyAdd(
        kernel, arith(sum).cast<arith::SIToFPOp>(builder.getF32Type(), sum),
        factor, total);
  }
  return totals;
}

void ContractKernel::multiplyBlocks(Values &ivs, const RowTile &tile,
                                    const Panel &panel, Value firstRow) {
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes(), across = panel.getRegisters(lanes);
  // Rows that do not exist have sums of anything, and the last one's zero
  // point.
  std::optional<int64_t> known = getConstantIntValue(tileRows);
  int64_t rows = known.value_or(maxTileRows);
  Values zeroPoints;
  for (int64_t i = 0; op.getZeroPoint() && i < rows; ++i) {
    OpFoldResult along = attr(i);
    if (!known)
      along =
          arith::MinUIOp::create(builder, kernel.loc, kernel.index(i),
                                 kernel.index(kernel.add(tileRows, attr(-1))))
              .getResult();
    zeroPoints.push_back(
        buildTileRow(ivs, panel, firstRow, tile, along).zeroPoint);
  }
  Value zero = arith::ConstantOp::create(
      builder, kernel.loc,
      builder.getZeroAttr(VectorType::get({lanes}, builder.getF32Type())));
  int64_t whole = reductionSize / blockSize, rest = reductionSize % blockSize;
  int64_t count = whole + (rest > 0);

  // Multiplies `block`, and adds the one before it.
  std::optional<TileBlock> last;
  Values totals;
  auto addLast = [&] {
    totals = addTileBlock(panel, *last, zeroPoints, totals);
    if (last->isLast)
      for (auto [i, total] : llvm::enumerate(totals))
        kernel.store(
            tileTotals,
            kernel.index(int64_t(i) * across * lanes + last->reg * lanes),
            total);
  };
  auto multiply = [&](int64_t reg, OpFoldResult number, int64_t size,
                      bool isLast) {
    TileBlock block{last ? 1 - last->tile : 0u, reg, number, size, isLast};
    multiplyBlock(tile, panel, block);
    if (last)
      addLast();
    last = block;
  };
  for (int64_t reg = 0; reg < across; ++reg) {
    multiply(reg, attr(0), whole > 0 ? blockSize : rest, count == 1);
    totals.assign(rows, zero);
    // Two at a time, since tile registers have no numbers at run time.
    int64_t pairs = std::max<int64_t>(whole - 1, 0) / 2;
    if (pairs > 0) {
      TileBlock first = *last;
      totals = kernel.forCarry(
          attr(0), attr(pairs), totals, [&](Value iv, ValueRange inits) {
            totals = Values(inits);
            OpFoldResult number = kernel.mul(iv, attr(2));
            last = first;
            last->number = number;
            multiply(reg, kernel.add(number, attr(1)), blockSize, false);
            multiply(reg, kernel.add(number, attr(2)), blockSize, false);
            return totals;
          });
      last = first;
      last->number = attr(2 * pairs);
      last->isLast = count == 2 * pairs + 1;
    }
    for (int64_t number = 2 * pairs + 1; number < count; ++number)
      multiply(reg, attr(number), number < whole ? blockSize : rest,
               number + 1 == count);
  }
  addLast();
}

void ContractKernel::buildBlockTile(Values &ivs, const Panel &panel,
                                    Value firstRow, OpFoldResult count,
                                    OpFoldResult number) {
  int64_t lanes = dot.getLanes(), across = panel.getRegisters(lanes);
  RowTile tile = placeTile(ivs, panel, firstRow, count, number);
  multiplyBlocks(ivs, tile, panel, firstRow);
  auto loop =
      scf::ForOp::create(kernel.builder, kernel.loc, kernel.index(tile.done),
                         kernel.index(tileRows), kernel.index(1));
  OpBuilder::InsertionGuard guard(kernel.builder);
  kernel.builder.setInsertionPointToStart(loop.getBody());
  Value along = loop.getInductionVar();
  Row row = buildTileRow(ivs, panel, firstRow, tile, along);
  Values totals;
  for (int64_t reg = 0; reg < across; ++reg)
    totals.push_back(kernel.load(
        tileTotals,
        kernel.index(kernel.add(kernel.mul(along, attr(across * lanes)),
                                attr(reg * lanes))),
        lanes));
  finish(row, panel, totals);
}

void ContractKernel::buildBlockTiles(Values &ivs, const Panel &panel,
                                     Value firstRow, OpFoldResult count) {
  kernel.forLoop(tileCount, [&](Value iv) {
    buildBlockTile(ivs, panel, firstRow, count, iv);
  });
}
