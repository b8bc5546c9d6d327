//===- ContractTileBlocks.cpp - Short codes in tile registers -------------===//
//
// A panel of codes of less than a byte is unpacked once for all rows of a
// block, into bytes of which zero points have been subtracted: (w - zw) of four
// bits is a code of five, so that no row has to be corrected for them.
//
// With blocks of scales each block is a sum of its own: the accumulator goes
// through a buffer of 1 KiB, and a fused multiply-add takes it to f32 totals in
// registers, 16 of them, one for each row of 16 columns:
//
//   for pairs of blocks
//     tilezero, tileload, tdpbssd, tilestore        of both
//     16 times: load, convert, multiply-add         of both
//
// One block's sums are on their way through memory while the other's are made.
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

void ContractKernel::unpackPanel(OpFoldResult number, const Panel &panel) {
  OpFoldResult from = kernel.mul(number, attr(storedPanelBytes));
  if (!hasBlocks)
    return unpackTuples(from, attr(0), panel.constants,
                        storedPanelBytes / storedTupleBytes);
  int64_t tuples = llvm::divideCeil(blockSize, storedTupleSize);
  int64_t groups = storedTupleSize / dot.getGroup();
  auto unpack = [&](OpFoldResult block, int64_t size) {
    unpackTuples(
        kernel.add(from, kernel.mul(block, attr(tuples * storedTupleBytes))),
        kernel.mul(block, attr(tuples * groups * tupleBytes)),
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

ContractKernel::Values
ContractKernel::addTileBlocks(const RowTile &tile, const Panel &panel,
                              int64_t reg, ArrayRef<OpFoldResult> numbers,
                              int64_t size, ArrayRef<Value> zeroPoints,
                              Values totals) {
  AMXTiles amx(kernel);
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes(), group = dot.getGroup();
  bool isSignedLhs = numerics::isSignedInteger(op.getLhsParams()->getStorage());
  int64_t blockGroups =
      llvm::divideCeil(blockSize, storedTupleSize) * (storedTupleSize / group);
  for (unsigned slot = 0; slot < numbers.size(); ++slot) {
    OpFoldResult number = numbers[slot];
    amx.zero(slot);
    OpFoldResult inPanel =
        kernel.add(kernel.add(panel.rhs, attr(reg * tileRowBytes)),
                   kernel.mul(number, attr(blockGroups * tupleBytes)));
    auto step = [&](OpFoldResult at, Value base, OpFoldResult lhsAt,
                    OpFoldResult stride) {
      OpFoldResult groups = kernel.mul(at, attr(tileStep / group * tupleBytes));
      amx.load(firstRhsTile + slot, rhs, kernel.add(inPanel, groups),
               attr(tupleBytes));
      amx.load(firstLhsTile + slot, base, lhsAt, stride);
      amx.multiply(slot, firstLhsTile + slot, firstRhsTile + slot, isSignedLhs,
                   /*isSignedB=*/true);
    };
    if (int64_t steps = size / tileStep)
      kernel.forLoop(attr(steps), [&](Value iv) {
        OpFoldResult inRow = kernel.add(kernel.mul(number, attr(blockSize)),
                                        kernel.mul(iv, attr(tileStep)));
        step(iv, needsGather ? gathered.base : lhs.base,
             kernel.add(tile.row.lhs, inRow), getTileStride());
      });
    if (size % tileStep != 0)
      step(attr(size / tileStep), tails.base, tile.row.tail,
           attr(getNumRuns() * tileRowBytes));
    amx.store(slot, tileSums.base, attr(slot * maxTileRows * lanes),
              attr(tileRowBytes));
  }

  bool hasLhsZero = lhsZero != 0 || op.getZeroPoint();
  for (auto [slot, number] : llvm::enumerate(numbers)) {
    Value factor =
        loadConstants(multiplier, getConstantsAt(panel, number, reg));
    Value columnSums;
    if (hasLhsZero)
      columnSums = loadBlockSums(panel, number, reg, size);
    Value start;
    if (hasLhsZero && zeroPoints.empty())
      start = arith::MulIOp::create(builder, kernel.loc, columnSums,
                                    splat(constantI32(-lhsZero)));
    for (auto [i, total] : llvm::enumerate(totals)) {
      Value sum = kernel.load(
          tileSums, kernel.index((slot * maxTileRows + i) * lanes), lanes);
      if (start)
        sum = arith(sum).add(sum, start);
      else if (hasLhsZero)
        sum = subtractProduct(sum, zeroPoints[i], columnSums);
      total = dot.multiplyAdd(
          kernel, arith(sum).cast<arith::SIToFPOp>(builder.getF32Type(), sum),
          factor, total);
    }
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
  for (int64_t reg = 0; reg < across; ++reg) {
    Values totals(rows, zero);
    if (whole / 2 > 0)
      totals = kernel.forCarry(
          attr(0), attr(whole / 2), totals, [&](Value iv, ValueRange inits) {
            OpFoldResult first = kernel.mul(iv, attr(2));
            return addTileBlocks(tile, panel, reg,
                                 {first, kernel.add(first, attr(1))}, blockSize,
                                 zeroPoints, Values(inits));
          });
    if (whole % 2 != 0)
      totals = addTileBlocks(tile, panel, reg, attr(whole - 1), blockSize,
                             zeroPoints, totals);
    if (rest > 0)
      totals = addTileBlocks(tile, panel, reg, attr(whole), rest, zeroPoints,
                             totals);
    for (auto [i, total] : llvm::enumerate(totals))
      kernel.store(tileTotals,
                   kernel.index(int64_t(i) * across * lanes + reg * lanes),
                   total);
  }
}

void ContractKernel::buildBlockTiles(Values &ivs, const Panel &panel,
                                     Value firstRow, OpFoldResult count) {
  int64_t lanes = dot.getLanes(), across = panel.getRegisters(lanes);
  kernel.forLoop(tileCount, [&](Value iv) {
    RowTile tile = placeTile(ivs, panel, firstRow, count, iv);
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
  });
}
