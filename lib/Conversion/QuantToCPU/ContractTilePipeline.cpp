//===- ContractTilePipeline.cpp - Products of tile registers --------------===//
//
// Two tiles of rows and two of columns make four tiles of sums (32 x 32), so
// that a step loads as many tiles as it multiplies. Sums of a pair go through
// 4 KiB of memory to the epilogue, which takes a third of the time of products
// of 700 codes. Tile registers would wait for it; so a pair's epilogue is
// between the products of the next one, in this panel or in the next:
//
//   for pairs of tiles of rows, for panels, and once more
//     tilezero 0 … 3
//     for steps of 64 codes
//       tileload 6, 7          32 columns of a panel: 16 groups of 4 codes
//       tileload 4             16 rows, from where they lie
//       tdpbssd 0, 1           or sud, usd, uud: no code has to be moved
//       epilogue of a row of each tile of the pair before
//       tileload 5, tdpbssd 2, 3
//     tilestore 0 … 3
//
// Rows of a pair stay in L1, if panels, which come from L2, take no place
// there: tileloadt1. All panels of few and short columns stay there as well.
//
// The first pair has none before it: what is finished there are sums of
// anything, to where the first pair's codes come later.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

void ContractKernel::finishTileRow(Values &ivs, const Panel &panel,
                                   Value firstRow, ArrayRef<RowTile> tiles,
                                   OpFoldResult along, OpFoldResult sumsAt,
                                   OpFoldResult skipped) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t lanes = dot.getLanes(), across = panel.getRegisters(lanes);
  SmallVector<Row> rows;
  for (const RowTile &tile : tiles)
    rows.push_back(buildTileRow(ivs, panel, firstRow, tile, along));
  auto buildSums = [&](int64_t tile) {
    Values sums = buildStarts(rows[tile], panel);
    OpFoldResult from = kernel.add(
        sumsAt, kernel.mul(kernel.add(along, attr(tile * maxTileRows)),
                           attr(across * lanes)));
    for (int64_t reg = 0; reg < across; ++reg)
      sums[reg] = arith(sums[reg]).add(
          sums[reg],
          kernel.load(tileSums,
                      kernel.index(kernel.add(from, attr(reg * lanes))),
                      lanes));
    return sums;
  };
  if (!residual.base) {
    Values sums;
    for (int64_t tile = 0; tile < int64_t(tiles.size()); ++tile)
      sums.append(buildSums(tile));
    return finish(rows, panel, sums);
  }
  // A residual may lie where the result does: no row is finished twice.
  for (auto [i, tile] : llvm::enumerate(tiles)) {
    OpFoldResult from =
        arith::MaxUIOp::create(builder, loc, kernel.index(tile.done),
                               kernel.index(skipped))
            .getResult();
    Value isNew =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge,
                              kernel.index(along), kernel.index(from));
    auto branch = scf::IfOp::create(builder, loc, isNew,
                                    /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    finish(rows[i], panel, buildSums(i));
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// How many rows are finished in a step, beside it, and which is the first.
struct RowShare {
  OpFoldResult first;
  int64_t count = 0;
};
} // namespace

/// The part `number` of `parts` equal ones of `share`, row by row.
static void forPart(KernelBuilder &kernel, const RowShare &share,
                    int64_t number, int64_t parts,
                    llvm::function_ref<void(OpFoldResult)> body) {
  for (int64_t i = share.count * number / parts;
       i < share.count * (number + 1) / parts; ++i)
    body(kernel.add(share.first, kernel.builder.getIndexAttr(i)));
}

void ContractKernel::multiplyTiles(
    ArrayRef<RowTile> tiles, const Panel &panel, OpFoldResult sumsAt,
    bool keepsRows, bool keepsPanel,
    llvm::function_ref<void(OpFoldResult)> finishRow) {
  AMXTiles amx(kernel);
  int64_t across = panel.getRegisters(dot.getLanes());
  int64_t group = dot.getGroup(), products = tiles.size() * across;
  bool isSignedLhs =
      isExchanged || numerics::isSignedInteger(op.getLhsParams()->getStorage());
  auto load = [&](unsigned tile, bool isOnce, Value base, OpFoldResult at,
                  OpFoldResult stride) {
    isOnce ? amx.loadOnce(tile, base, at, stride)
           : amx.load(tile, base, at, stride);
  };
  for (unsigned i = 0; i < products; ++i)
    amx.zero(i);

  auto multiply = [&](OpFoldResult rhsAt, Value base,
                      llvm::function_ref<OpFoldResult(const Row &)> lhsAt,
                      OpFoldResult stride, const RowShare &share) {
    for (int64_t reg = 0; reg < across; ++reg)
      load(firstRhsTile + reg, !keepsPanel, rhs,
           kernel.add(rhsAt, attr(reg * tileRowBytes)), attr(tupleBytes));
    for (auto [i, tile] : llvm::enumerate(tiles)) {
      load(firstLhsTile + i, !keepsRows, base, lhsAt(tile.row), stride);
      for (int64_t reg = 0; reg < across; ++reg) {
        int64_t number = i * across + reg;
        amx.multiply(number, firstLhsTile + i, firstRhsTile + reg, isSignedLhs,
                     isRhsSigned());
        forPart(kernel, share, number, products, finishRow);
      }
    }
  };
  // Step `number` of the run that begins `inRow` behind the rows' first codes.
  OpFoldResult stride = getTileStride();
  auto buildStep = [&](OpFoldResult inPanel, OpFoldResult inRow,
                       OpFoldResult number, const RowShare &share) {
    OpFoldResult done = kernel.mul(number, attr(tileStep));
    multiply(
        kernel.add(inPanel,
                   kernel.mul(number, attr(tileStep / group * tupleBytes))),
        needsGather ? gathered.base : lhs.base,
        [&](const Row &row) {
          return kernel.add(kernel.add(row.lhs, inRow), done);
        },
        stride, share);
  };
  auto buildTail = [&](OpFoldResult inPanel, OpFoldResult run,
                       const RowShare &share) {
    int64_t first = llvm::divideCeil(runSize, group) - tileStep / group;
    multiply(
        kernel.add(inPanel, attr(first * tupleBytes)), tails.base,
        [&](const Row &row) {
          return kernel.add(row.tail, kernel.mul(run, attr(tileRowBytes)));
        },
        attr(getNumRuns() * tileRowBytes), share);
  };

  int64_t whole = needsTails ? tileSteps - 1 : tileSteps;
  std::optional<int64_t> rows = getConstantIntValue(tileRows);
  RowShare atStores;
  if (!finishRow || (rows && getNumRuns() == 1)) {
    // Rows are shared out to steps, the first ones first, and stores.
    int64_t finished = finishRow ? *rows : 0;
    int64_t stored = finished / (tileSteps + 1), left = finished - stored;
    int64_t share = llvm::divideCeil(left, tileSteps);
    auto shareOf = [&](int64_t step) {
      int64_t first = std::min(step * share, left);
      return RowShare{attr(first), std::min(share, left - first)};
    };
    atStores = {attr(left), stored};
    forRuns(lhs, {}, [&](OpFoldResult at, OpFoldResult number, ValueRange) {
      OpFoldResult inRow = getRunInRow(at, number);
      OpFoldResult inPanel =
          kernel.add(panel.rhs, kernel.mul(number, attr(runBytes)));
      for (int64_t step = 0; step < whole;) {
        RowShare first = shareOf(step);
        int64_t end = step + 1;
        while (end < whole && shareOf(end).count == first.count)
          ++end;
        kernel.forLoop(attr(end - step), [&](Value iv) {
          buildStep(inPanel, inRow, kernel.add(iv, attr(step)),
                    {kernel.add(kernel.mul(iv, attr(first.count)), first.first),
                     first.count});
        });
        step = end;
      }
      if (needsTails)
        buildTail(inPanel, number, shareOf(whole));
      return Values();
    });
  } else {
    int64_t share =
        llvm::divideCeil(rows.value_or(maxTileRows), getNumRuns() * tileSteps);
    auto finishShare = [&](OpFoldResult run, OpFoldResult number) {
      OpFoldResult first = kernel.mul(
          kernel.add(kernel.mul(run, attr(tileSteps)), number), attr(share));
      auto cut = [&](OpFoldResult end) -> OpFoldResult {
        return arith::MinUIOp::create(kernel.builder, kernel.loc,
                                      kernel.index(end), kernel.index(tileRows))
            .getResult();
      };
      kernel.forCarry(cut(first), cut(kernel.add(first, attr(share))), {},
                      [&](Value iv, ValueRange) {
                        finishRow(iv);
                        return Values();
                      });
    };
    forRuns(lhs, {}, [&](OpFoldResult at, OpFoldResult number, ValueRange) {
      OpFoldResult inRow = getRunInRow(at, number);
      OpFoldResult inPanel =
          kernel.add(panel.rhs, kernel.mul(number, attr(runBytes)));
      if (whole > 0)
        kernel.forLoop(attr(whole), [&](Value iv) {
          buildStep(inPanel, inRow, iv, {});
          finishShare(number, iv);
        });
      if (needsTails) {
        buildTail(inPanel, number, {});
        finishShare(number, attr(whole));
      }
      return Values();
    });
  }

  for (int64_t i = 0; i < products; ++i) {
    int64_t at =
        (i / across * maxTileRows * across + i % across) * dot.getLanes();
    amx.store(i, tileSums.base, kernel.add(sumsAt, attr(at)),
              attr(across * tileRowBytes));
    forPart(kernel, atStores, i, products, finishRow);
  }
}

//===----------------------------------------------------------------------===//
// The pipeline
//===----------------------------------------------------------------------===//

void ContractKernel::pipelineTiles(Values &ivs, Value firstRow,
                                   OpFoldResult count, int64_t panels,
                                   llvm::function_ref<Panel(Value)> getPanel) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  std::optional<int64_t> known = getConstantIntValue(tileCount);
  int64_t together = known == 1 ? 1 : 2;
  OpFoldResult pairs = ceilDivide(kernel, tileCount, together);
  auto place = [&](const Panel &panel, Value pair) {
    SmallVector<RowTile> tiles;
    for (int64_t i = 0; i < together; ++i)
      tiles.push_back(
          placeTile(ivs, panel, firstRow, count,
                    kernel.add(kernel.mul(pair, attr(together)), attr(i))));
    return tiles;
  };
  auto getOther = [&](Value sumsAt) -> OpFoldResult {
    return arith::SubIOp::create(builder, loc, kernel.index(getTileSums()),
                                 sumsAt)
        .getResult();
  };

  // The pair before: its panel and number; where sums come next; its rows that
  // are not there.
  Value zero = kernel.index(0);
  Values last{zero, zero, zero, kernel.index(tileRows)};
  bool isOne = panels == 1 && getConstantIntValue(pairs) == 1;
  // A pair's rows are read for all panels, and stay in L1; beside a single
  // panel that does. Panels stay there too if there is room. Taps of a window
  // read the same lines.
  constexpr int64_t maxKept = 40 << 10;
  bool isOnePair = known && *known <= 2;
  bool keepsRows =
      panels > 1 || isOnePair || !(needsGather || getNumRuns() == 1);
  bool keepsPanel =
      !isOnePair &&
      (panels == 1 ||
       panels * panelBytes + 2 * maxTileRows * reductionSize <= maxKept);
  auto multiply = [&](const Panel &panel, Value number, Value pair,
                      ValueRange last) -> Values {
    SmallVector<RowTile> tiles = place(panel, pair);
    Value sumsAt = last[2];
    OpFoldResult other = getOther(sumsAt);
    if (isOne) {
      multiplyTiles(tiles, panel, sumsAt, keepsRows, keepsPanel, nullptr);
    } else {
      Panel lastPanel = panels == 1 ? panel : getPanel(last[0]);
      SmallVector<RowTile> lastTiles = place(lastPanel, last[1]);
      multiplyTiles(tiles, panel, sumsAt, keepsRows, keepsPanel,
                    [&](OpFoldResult along) {
                      finishTileRow(ivs, lastPanel, firstRow, lastTiles, along,
                                    other, last[3]);
                    });
    }
    return {number, pair, kernel.index(other), zero};
  };
  last =
      kernel.forCarry(attr(0), pairs, last, [&](Value pair, ValueRange inits) {
        return kernel.forCarry(
            attr(0), attr(panels), inits, [&](Value number, ValueRange last) {
              return multiply(getPanel(number), number, pair, last);
            });
      });
  auto finishLast = [&] {
    Panel panel = getPanel(last[0]);
    SmallVector<RowTile> tiles = place(panel, last[1]);
    OpFoldResult sumsAt = getOther(last[2]);
    kernel.forLoop(tileRows, [&](Value along) {
      finishTileRow(ivs, panel, firstRow, tiles, along, sumsAt, attr(0));
    });
  };
  if (known)
    return finishLast();
  Value areSome = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                        kernel.index(tileCount), zero);
  auto branch =
      scf::IfOp::create(builder, loc, areSome, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  finishLast();
}
