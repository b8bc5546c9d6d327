//===- ContractKernel.h - One contraction as a kernel -----------*- C++ -*-===//
//
// Loops, micro-kernel and epilogue of quant.contract on buffers. The loops:
//
//   batches
//     blocks of rows                one, unless a scratch is needed
//       scratch of the block        rows gathered or flipped, their sums
//       panels of columns           whole ones in a loop, then the last
//         the panel packed          where rhs is no constant
//         the panel's columns       bias, sums, multipliers
//           tiles of rows           whole ones in a loop, then the rest
//             reduction             accumulators stay in registers
//             epilogue              from them to codes or values
//
// With AMX tiles of rows are tile registers (ContractTiles.cpp), whose sums
// take the way to the epilogue through a buffer, while the next ones are made.
//
// Large ones run in parallel over panels, over blocks of rows where panels are
// few, or over batches (scf.parallel): every element of the result is computed
// by one iteration, in one order, so that numbers do not depend on the number
// of threads.
//
// A panel of weights is read from L2 for every tile of rows, at a few bytes per
// cycle; the rows of a tile stay in L1.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTKERNEL_H

#include "AMXTiles.h"
#include "ContractParts.h"
#include "DotProduct.h"
#include "UnknownSizes.h"

#include "quant-mlir/Conversion/Utils/ContractArith.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

namespace quant_mlir {

/// Loops of columns from the largest stride in the result to the smallest.
llvm::SmallVector<unsigned> orderColumns(const ContractLoops &loops);
/// What keeps a rhs packed by columns from giving the rows of a kernel, and lhs
/// the columns; empty where nothing does.
std::string findNoExchangeReason(ContractOp op, const ContractLoops &loops);

/// From how many rows on products of `op` are made in tile registers; nullopt
/// where they never are.
std::optional<int64_t> findTileRows(ContractOp op, const CPUTarget &target,
                                    const ContractLoops &loops,
                                    bool isExchanged);

/// The first tile registers of codes; those before are accumulators.
constexpr unsigned firstLhsTile = 4, firstRhsTile = 6;

class ContractKernel {
public:
  /// `mayUseTiles`: rows of a number that is not known are many.
  ContractKernel(ContractOp op, const CPUTarget &target,
                 mlir::OpBuilder &builder, unsigned threads,
                 bool mayUseTiles = true);

  /// Makes the kernel before `op`, which is left.
  void build();

private:
  using Values = ContractValues;
  using Panel = ContractPanel;
  using Row = ContractRow;
  using RowTile = ContractRowTile;
  using TileBlock = ContractTileBlock;
  using Channels = DepthwiseChannels;
  using TapRow = DepthwiseTapRow;
  /// Which loop of a batch is parallel, if any.
  enum class Parallel { None, Panels, RowBlocks, Batches };

  //===--------------------------------------------------------------------===//
  // ContractAnalysis.cpp
  //===--------------------------------------------------------------------===//

  void analyze();
  /// Numbers of a packed rhs.
  void readLayout();
  void mergeRows();
  /// Whether rows are copied for their codes to be flipped.
  void planFlips();
  /// Chooses blocks of rows, and what is prepared for one.
  void planScratch();
  /// How a rhs of which every byte is read once comes from memory.
  void planStream();
  /// Whether `rows` are all that there are of a rhs that does.
  bool asksAhead(int64_t rows) {
    return bytesAhead > 0 &&
           (getConstantIntValue(numRows) || rows < getTileRows(panelColumns));
  }
  /// Whether the scratch is of all rows, made before their blocks run in
  /// parallel.
  bool isScratchShared() const {
    return parallel == Parallel::RowBlocks && !usesTiles;
  }
  /// Whether each block of rows, which a thread takes, has a scratch of its
  /// own: tiles are so fast that what another core has written is late.
  bool isScratchOfRowBlock() const {
    return parallel == Parallel::RowBlocks && usesTiles;
  }
  bool needsScratch() const {
    return needsGather || needsRowSums || needsTails;
  }
  int64_t getScratchPerRow() const;
  int64_t getMaxScratch() const;
  /// Blocks of rows are a multiple of it.
  int64_t getRowUnit() const;
  /// Rows of a tile beside these columns.
  int64_t getTileRows(int64_t columns) const;
  int64_t getTileRows(const Panel &panel) const {
    return getTileRows(panel.getRegisters(dot.getLanes()) * dot.getLanes());
  }
  /// The number of products in a sum, as i32.
  mlir::Value buildReductionSize();

  //===--------------------------------------------------------------------===//
  // ContractSchedule.cpp: loops
  //===--------------------------------------------------------------------===//

  Parallel chooseParallel() const;
  void planRowBlocks(int64_t rows);
  /// A loop over [from, to), parallel where asked for.
  void buildLoop(mlir::Value from, mlir::Value to, int64_t step,
                 bool isParallel, llvm::function_ref<void(mlir::Value)> body);
  /// A block of rows that a thread takes.
  void buildRowShare(Values &ivs, mlir::Value batch, mlir::Value first);
  /// `body` with the scratch that it needs.
  void withScratch(llvm::function_ref<void()> body);
  void buildIf(mlir::Value condition, llvm::function_ref<void()> then,
               llvm::function_ref<void()> otherwise);
  /// `body` for each of the numbers 1 to `most` that `number` may have; nothing
  /// for others.
  void buildCases(mlir::Value number, int64_t most,
                  llvm::function_ref<void(int64_t)> body);
  void buildBatches(Values &ivs, unsigned depth, mlir::OpFoldResult number);
  void buildBatch(Values &ivs, mlir::Value batch);
  void buildRowBlock(Values &ivs, mlir::Value batch, mlir::Value firstRow,
                     mlir::OpFoldResult count);
  /// Tiles: a block of rows beside `number` whole panels from `first` on.
  void buildPanels(Values &ivs, mlir::Value batch, mlir::Value first,
                   int64_t number, mlir::Value firstRow,
                   mlir::OpFoldResult count);
  /// How many of `whole` panels an iteration of their loop takes.
  int64_t getPanelShare(int64_t whole) const;
  /// Columns behind the last whole panel, of a number that is not known.
  void buildLastPanel(Values &ivs, mlir::Value batch, mlir::Value index,
                      mlir::Value firstRow, mlir::OpFoldResult count);
  void buildRows(Values &ivs, const Panel &panel, mlir::Value firstRow,
                 mlir::OpFoldResult count);
  void buildTile(Values &ivs, const Panel &panel, mlir::Value firstRow,
                 mlir::Value inBlock, int64_t count);

  //===--------------------------------------------------------------------===//
  // ContractColumns.cpp: numbers of columns
  //===--------------------------------------------------------------------===//

  void analyzeColumns();
  /// The bias of register `reg` from index `at` on: f32, as the result needs
  /// it, into `panel`; or an i32 one, which is given back.
  mlir::Value loadBias(Panel &panel, mlir::OpFoldResult at, int64_t reg);
  /// Scales of register `reg` of rhs, f32, or its zero points, moved as its
  /// codes are: operands.
  mlir::Value loadRhsNumbers(llvm::ArrayRef<mlir::Value> ivs,
                             const FlatOperand &operand, const Panel &panel,
                             int64_t reg);
  /// Where a panel and its numbers are. `place`: among those that are packed or
  /// unpacked together.
  Panel placePanel(mlir::Value batch, mlir::Value index, int64_t columns,
                   mlir::Value valid, mlir::OpFoldResult place);
  /// Packs or unpacks what has to be.
  void fillPanel(llvm::ArrayRef<mlir::Value> ivs, const Panel &panel);
  /// What belongs to the panel's columns.
  void loadPanel(Values &ivs, Panel &panel);
  void buildPanel(Values &ivs, mlir::Value batch, mlir::Value index,
                  int64_t columns, mlir::Value firstRow,
                  mlir::OpFoldResult count, mlir::Value valid = {});

  //===--------------------------------------------------------------------===//
  // ContractExchange.cpp: rhs gives the rows, lhs the columns
  //===--------------------------------------------------------------------===//

  /// Exchanges rows and columns: those of rhs follow each other in memory, and
  /// lhs is packed in panels.
  void exchangeSides();
  /// What row `number` of rhs has for itself; `at`: its place in the loops.
  void addRowConstants(Row &row, llvm::ArrayRef<mlir::Value> at,
                       mlir::OpFoldResult number);

  //===--------------------------------------------------------------------===//
  // ContractPanels.cpp: panels of a rhs that is not packed
  //===--------------------------------------------------------------------===//

  /// Chooses panels, as quant-pack-weights does for constants.
  void planPanels();
  /// The place of a panel: in a parallel loop every iteration has its own.
  void allocatePanel();
  /// Packs the panel, and sums its columns.
  void packPanel(llvm::ArrayRef<mlir::Value> ivs, const Panel &panel);
  /// Adds `size` codes of each column, from the beginning of a run, `base`, on,
  /// to the panel at `dest`, and to `totals`.
  Values packCodes(const Panel &panel, mlir::OpFoldResult base,
                   mlir::OpFoldResult dest, mlir::OpFoldResult size,
                   Values totals);
  /// From the beginning of a run to its element `number`, in rhs.
  mlir::OpFoldResult getRunOffset(mlir::OpFoldResult number);
  /// From the first column of a panel to column `number`, in rhs.
  mlir::OpFoldResult getColumnOffset(int64_t number);
  /// Calls `body` for every row of the panel's columns, from `first` on, that
  /// lie at one distance from each other in rhs: where it begins behind the
  /// panel's first column there, and in the panel, and its size.
  void
  forColumnRows(const Panel &panel, int64_t first,
                llvm::function_ref<void(mlir::OpFoldResult, mlir::OpFoldResult,
                                        mlir::OpFoldResult)>
                    body);

  //===--------------------------------------------------------------------===//
  // ContractPanelGroups.cpp: codes of such a panel
  //===--------------------------------------------------------------------===//

  /// `count` codes, at most a group, of each column.
  void packGroup(const Panel &panel, mlir::OpFoldResult base,
                 mlir::OpFoldResult first, mlir::OpFoldResult dest,
                 mlir::OpFoldResult count,
                 llvm::MutableArrayRef<mlir::Value> totals);
  /// The codes of one element of the reduction into `lines`, from column `done`
  /// on.
  void copyLine(const Panel &panel, mlir::OpFoldResult from,
                mlir::OpFoldResult to, int64_t done);
  /// packGroup where the codes of a column follow each other, of registers from
  /// `firstReg` on.
  void packWords(const Panel &panel, int64_t firstReg, mlir::OpFoldResult base,
                 mlir::OpFoldResult dest, mlir::OpFoldResult count,
                 llvm::MutableArrayRef<mlir::Value> totals);
  /// As many groups as a register has lanes, of columns whose codes follow each
  /// other along the reduction.
  void packSquare(const Panel &panel, mlir::OpFoldResult base,
                  mlir::OpFoldResult dest,
                  llvm::MutableArrayRef<mlir::Value> totals);
  /// Bytes of a register of columns in a panel that is packed here.
  int64_t registerBytes() const {
    return tupleBytes / panelColumns * dot.getLanes();
  }
  /// Stores a register of groups, of which `count` codes are there, moved.
  void storeGroups(mlir::Value codes, mlir::OpFoldResult dest,
                   mlir::OpFoldResult count, mlir::Value *total);
  /// The first register of a panel's columns that is not a whole one.
  int64_t getWholeRegisters(const Panel &panel) const {
    return panel.count ? panel.getRegisters(dot.getLanes()) - 1
                       : panel.columns / dot.getLanes();
  }

  //===--------------------------------------------------------------------===//
  // ContractRows.cpp: addresses and scratch of rows
  //===--------------------------------------------------------------------===//

  /// Positions of `number`, a row, in the loops of rows.
  void placeRow(Values &ivs, mlir::Value number);
  /// What belongs to the row that lies `along` rows behind number `first` of
  /// all, `inBlock` of its block, in the innermost loop. `at`: the place of
  /// `first` in the loops.
  Row buildRow(llvm::ArrayRef<mlir::Value> at, const Panel &panel,
               mlir::OpFoldResult first, mlir::OpFoldResult inBlock,
               mlir::OpFoldResult along);
  /// Addresses and numbers of `count` rows.
  llvm::SmallVector<Row> buildRowValues(Values &ivs, const Panel &panel,
                                        mlir::Value firstRow,
                                        mlir::Value inBlock, int64_t count);
  void allocateScratch();
  /// On the stack; what nobody knows the size of comes from the heap.
  FlatOperand allocate(mlir::OpFoldResult size, mlir::Type element);
  /// `body` with what it allocates given back behind it.
  void buildOnStack(llvm::function_ref<void()> body);
  /// Of `count` rows, of a block that begins at `firstRow`; by all threads,
  /// where it is them that read it.
  void fillScratch(Values &ivs, mlir::Value firstRow, mlir::OpFoldResult count);
  /// Tails and sums of row `iv` of the block.
  void fillScratchRow(Values &ivs, mlir::Value firstRow, mlir::Value iv);
  /// Where it begins in lhs, and where it is read.
  mlir::Value getLhsRow(Values &ivs, mlir::Value firstRow, mlir::Value iv);
  mlir::Value getScratchRow(Values &ivs, mlir::Value firstRow, mlir::Value iv);
  /// Copies it from the one to the other.
  void gatherRow(Values &ivs, mlir::Value firstRow, mlir::Value iv);
  /// The codes of a row's block, summed.
  mlir::Value sumBlock(mlir::Value lhs, mlir::OpFoldResult first, int64_t size);
  /// From the first code of a row to those of a run, where the row is read.
  mlir::OpFoldResult getRunInRow(mlir::OpFoldResult inLhs,
                                 mlir::OpFoldResult number);

  //===--------------------------------------------------------------------===//
  // ContractReduce.cpp: the micro-kernel
  //===--------------------------------------------------------------------===//

  /// Calls `body` for every run with its place in `operand` behind the first
  /// one's, and its number.
  Values
  forRuns(const FlatOperand &operand, mlir::ValueRange inits,
          llvm::function_ref<Values(mlir::OpFoldResult, mlir::OpFoldResult,
                                    mlir::ValueRange)>
              body);
  /// The whole reduction: i32 registers row by row, f32 ones with blocks, i64
  /// ones where sums are wide.
  Values reduce(llvm::ArrayRef<Row> rows, const Panel &panel);
  Values reducePieces(llvm::ArrayRef<Row> rows, const Panel &panel);
  /// What the sums of these rows begin with, row by row.
  Values buildStarts(llvm::ArrayRef<Row> rows, const Panel &panel);
  /// Adds `size` codes that follow each other, from `lhs` behind the rows'
  /// first codes and `rhs` behind the panel's first byte on, to `sums`.
  Values addCodes(llvm::ArrayRef<Row> rows, const Panel &panel,
                  mlir::OpFoldResult lhs, mlir::OpFoldResult rhs,
                  mlir::OpFoldResult size, Values sums, int64_t sets);
  /// Of a number of codes that is not known.
  Values addUnknown(llvm::ArrayRef<Row> rows, const Panel &panel,
                    mlir::OpFoldResult lhs, mlir::OpFoldResult rhs,
                    mlir::Value size, Values sums);
  /// Asks for `operand` at `index` to be brought from memory.
  void prefetch(mlir::Value operand, mlir::OpFoldResult index);
  /// From the first byte of a panel, or of panels that are abreast, to those of
  /// accumulator `number` of their columns.
  int64_t getRhsOffset(int64_t number) const;
  void addTuple(llvm::ArrayRef<Row> rows, const Panel &panel,
                mlir::OpFoldResult lhs, mlir::OpFoldResult rhs,
                mlir::OpFoldResult count, int64_t before,
                llvm::MutableArrayRef<mlir::Value> sums);
  /// addBlock, of values: codes of the block are decoded with its parameters.
  Values addDecodedBlock(llvm::ArrayRef<Row> rows, const Panel &panel,
                         mlir::OpFoldResult number, int64_t size,
                         Values totals);
  mlir::Value loadRowSum(const Row &row, mlir::OpFoldResult block);
  /// sum - scalar * vector, in the type of the sum
  mlir::Value subtractProduct(mlir::Value sum, mlir::Value scalar,
                              mlir::Value vector);

  //===--------------------------------------------------------------------===//
  // ContractBlocks.cpp: blocks of scales
  //===--------------------------------------------------------------------===//

  Values reduceBlocks(llvm::ArrayRef<Row> rows, const Panel &panel);
  /// Adds block `number` of `size` codes, times its scale, to `totals`.
  Values addBlock(llvm::ArrayRef<Row> rows, const Panel &panel,
                  mlir::OpFoldResult number, int64_t size, Values totals);
  /// Adds what block `number` has in each run, `size` codes, to `sums`.
  Values addBlockCodes(llvm::ArrayRef<Row> rows, const Panel &panel,
                       mlir::OpFoldResult number, int64_t size, Values sums);
  /// sum(w - zw) of a block's columns, of register `reg`.
  mlir::Value loadBlockSums(const Panel &panel, mlir::OpFoldResult number,
                            int64_t reg, int64_t size);
  /// (high << 16) | (low & 0xffff), of either where there is only one.
  mlir::Value joinPairs(mlir::Value low, mlir::Value high);

  //===--------------------------------------------------------------------===//
  // ContractDecode.cpp: sums of values
  //===--------------------------------------------------------------------===//

  /// Parameters of a panel's columns in block `block`, to decode with.
  void loadDecoding(Panel &panel, mlir::OpFoldResult block);
  /// What is stored for a register of columns, as f32.
  mlir::Value decodeRhs(const Panel &panel, int64_t reg, mlir::Value stored);

  //===--------------------------------------------------------------------===//
  // ContractTiles.cpp: rows in tile registers
  //===--------------------------------------------------------------------===//

  bool isRhsSigned() {
    return unpacksPanels ||
           numerics::isSignedInteger(
               (isExchanged ? *op.getLhsParams() : op.getRhsParamsAttr())
                   .getStorage()) == (rhsMoved == 0);
  }
  void planPanelsTogether();
  /// Steps along the reduction, tiles of rows, and whether rows are gathered.
  void planTiles();
  /// `body` with tile registers configured for `count` rows of a block.
  void withTiles(mlir::OpFoldResult count, llvm::function_ref<void()> body);
  RowTile placeTile(Values &ivs, const Panel &panel, mlir::Value firstRow,
                    mlir::OpFoldResult count, mlir::OpFoldResult number);
  /// The row `along` rows behind a tile's first.
  Row buildTileRow(Values &ivs, const Panel &panel, mlir::Value firstRow,
                   const RowTile &tile, mlir::OpFoldResult along);
  /// The ends of a row's runs, filled up with zeros.
  void fillTails(mlir::Value from, mlir::OpFoldResult row);
  int64_t getNumRuns() const { return loops.getSize(outer); }
  /// From one row of a tile to the next.
  mlir::OpFoldResult getTileStride();
  /// i32 elements that sums of two tiles of rows take.
  int64_t getTileSums() const { return 2 * maxTileRows * panelColumns; }

  //===--------------------------------------------------------------------===//
  // ContractTilePipeline.cpp: the micro-kernel in tile registers
  //===--------------------------------------------------------------------===//

  /// All rows of a block beside `panels` panels, which `getPanel` gives.
  void pipelineTiles(Values &ivs, mlir::Value firstRow,
                     mlir::OpFoldResult count, int64_t panels,
                     llvm::function_ref<Panel(mlir::Value)> getPanel);
  /// Sums of products, from the accumulators to index `sumsAt` of `tileSums`.
  /// `finishRow` is called for all rows of the tiles before, in between.
  /// `keepsRows`, `keepsPanel`: what is read again soon, and stays in L1.
  void multiplyTiles(llvm::ArrayRef<RowTile> tiles, const Panel &panel,
                     mlir::OpFoldResult sumsAt, bool keepsRows, bool keepsPanel,
                     llvm::function_ref<void(mlir::OpFoldResult)> finishRow);
  /// The epilogue of row `along` of each of `tiles`, whose sums begin at
  /// `sumsAt`; of those behind the first `skipped` where it matters.
  void finishTileRow(Values &ivs, const Panel &panel, mlir::Value firstRow,
                     llvm::ArrayRef<RowTile> tiles, mlir::OpFoldResult along,
                     mlir::OpFoldResult sumsAt, mlir::OpFoldResult skipped);

  //===--------------------------------------------------------------------===//
  // ContractTileBlocks.cpp: codes of less than a byte, blocks of scales
  //===--------------------------------------------------------------------===//

  /// Panels as they are once they are unpacked.
  void planUnpacking();
  void planTileBlocks();
  /// The panel as bytes, with zero points subtracted, into `packed`.
  void unpackPanel(const Panel &panel);
  void unpackTuples(mlir::OpFoldResult from, mlir::OpFoldResult to,
                    mlir::OpFoldResult constants, int64_t tuples);
  /// All rows of a block beside one panel.
  void buildBlockTiles(Values &ivs, const Panel &panel, mlir::Value firstRow,
                       mlir::OpFoldResult count);
  /// Tile `number` of a block of rows beside one panel.
  void buildBlockTile(Values &ivs, const Panel &panel, mlir::Value firstRow,
                      mlir::OpFoldResult count, mlir::OpFoldResult number);
  /// The sums of a tile's rows, scaled, to `tileTotals`.
  void multiplyBlocks(Values &ivs, const RowTile &tile, const Panel &panel,
                      mlir::Value firstRow);
  void multiplyBlock(const RowTile &tile, const Panel &panel,
                     const TileBlock &block);
  /// Adds a block's sums, times their scales, to `totals`. `zeroPoints`: of the
  /// rows, where each has its own.
  Values addTileBlock(const Panel &panel, const TileBlock &block,
                      llvm::ArrayRef<mlir::Value> zeroPoints, Values totals);

  //===--------------------------------------------------------------------===//
  // ContractDepthwise.cpp: every column has rows of its own
  //===--------------------------------------------------------------------===//

  bool hasPixel(const DepthwiseTap &tap, int64_t pixel);
  mlir::Value buildHasRow(llvm::ArrayRef<mlir::Value> ivs,
                          const DepthwiseTap &tap);
  void buildDepthwise(Values &ivs, mlir::Value batch);
  /// A row of pixels.
  void buildPixels(Values &ivs, mlir::Value batch);
  void buildPixelTiles(Values &ivs, mlir::Value batch,
                       llvm::ArrayRef<TapRow> taps);
  /// Calls `body` with the first pixel of a tile, how many there are, and the
  /// first one's number where it is known.
  void forPixelTiles(
      llvm::function_ref<void(mlir::Value, int64_t, std::optional<int64_t>)>
          body);
  /// Register `number` of channels, of which `valid` exist.
  Channels prepareChannels(Values &ivs, mlir::Value batch, mlir::Value number,
                           int64_t valid);
  void buildPixelTile(Values &ivs, llvm::ArrayRef<TapRow> taps,
                      const Channels &channels, mlir::Value at, int64_t count,
                      std::optional<int64_t> known);
  /// Covers [0, size) by tiles of at most `most`.
  void forTiles(mlir::OpFoldResult size, int64_t most,
                llvm::function_ref<void(mlir::Value, int64_t)> body);

  //===--------------------------------------------------------------------===//
  // ContractEpilogue.cpp
  //===--------------------------------------------------------------------===//

  void finish(llvm::ArrayRef<Row> rows, const Panel &panel,
              llvm::ArrayRef<mlir::Value> sums);
  /// What a register of sums is before it becomes codes, where it does.
  mlir::Value buildValues(const Row &row, const Panel &panel, int64_t reg,
                          mlir::Value sum);
  /// A register of values, and where it belongs.
  struct Finished {
    const Row *row;
    int64_t reg;
    mlir::Value values;
  };
  /// Four whole registers as one of codes.
  void storePacked(llvm::ArrayRef<Finished> group);
  /// Whether results are codes that four registers are packed to.
  bool mayPackCodes();
  /// Whether all results lie between the ends of i32, before they are clamped.
  bool haveSmallResults();
  /// float(sum(x - zx)) of `size` codes whose moved ones have the sum `rowSum`.
  mlir::Value buildCentredSum(const Row &row, mlir::Value rowSum, int64_t size);

  /// Whether elements are loaded and stored under masks that are not constant:
  /// without an instruction for 16 bits LLVM takes floats one by one, converts
  /// each to f32 and back, and calls a library for that.
  bool hasMasks(const FlatOperand &operand);
  /// How many columns there are from register `reg` on.
  mlir::OpFoldResult countColumns(const Panel &panel, int64_t reg);
  /// Elements of register `reg` of columns, as far as they exist.
  mlir::Value loadColumns(const FlatOperand &operand, mlir::Value index,
                          const Panel &panel, int64_t reg);
  void storeColumns(const FlatOperand &operand, mlir::Value index,
                    mlir::Value vector, const Panel &panel, int64_t reg);
  void placeConstants(ColumnConstants &constants, llvm::StringRef name);
  /// The index of register `reg` in those of a panel's block `block`, or of
  /// panels that are abreast.
  mlir::OpFoldResult getConstantsAt(const Panel &panel,
                                    mlir::OpFoldResult block, int64_t reg);
  /// As i32 or f32.
  mlir::Value loadConstants(const ColumnConstants &constants,
                            mlir::OpFoldResult at);
  mlir::Value splat(mlir::Value scalar);
  mlir::Value buildZero(mlir::Type type);
  ElementArith arith(mlir::Value like);
  mlir::Value constantI32(int64_t value);
  mlir::OpFoldResult attr(int64_t value) {
    return kernel.builder.getIndexAttr(value);
  }
  ContractOp op;
  const CPUTarget &target;
  unsigned threads; ///< that share the work; 0: any number
  KernelBuilder kernel;
  ContractLoops loops;
  /// Whether products are of f32: of values, or of codes that are decoded.
  bool isOfValues;
  /// Whether rhs gives the rows, and lhs the columns.
  bool isExchanged;
  /// Whether products are of tile registers. What is summed beside them, is as
  /// it is stored: `dot` then takes lhs so.
  bool usesTiles;
  DotProduct dot;

  /// The residual is the same for all columns.
  bool isResidualOfRows = false;
  FlatOperand lhs, bias, residual, init, sums, scale, zeroPoint, rhsScale,
      rhsZeroPoint;
  mlir::Value rhs;
  llvm::SmallVector<mlir::OpFoldResult> sizes;

  llvm::SmallVector<MergedLoop> rowLoops; ///< from the outermost
  mlir::OpFoldResult numRows;

  /// Of a panel: columns that there is room for, and that it has where it is
  /// whole.
  int64_t panelColumns = 1, columnStep = 1;
  int64_t columns = 1, numPanels = 1, panelBytes = 0; ///< 0: not known
  llvm::SmallVector<unsigned> batchLoops, columnLoops;
  llvm::SmallVector<unsigned> outer; ///< reductions around a run
  llvm::SmallVector<unsigned> run;
  /// What was added to codes of rhs.
  int64_t rhsMoved = 0;
  /// From the sums of a block to those of the next.
  int64_t sumsPerBlock = 0;
  /// Of a rhs that comes from memory: panels whose codes are read beside each
  /// other, and how far ahead (0: they are not asked for ahead).
  int64_t panelsAbreast = 1, bytesAhead = 0;
  /// 0 where only the run time knows them; then there is one run.
  int64_t runSize = 1, reductionSize = 1;
  mlir::OpFoldResult runLength, numColumns; ///< known or not
  /// Of codes of rhs: bits, elements that share a byte's place, bytes of a run.
  unsigned width = 8;
  int64_t tupleSize = 4, tupleBytes = 0, runBytes = 0;
  /// Blocks of scales along every run, and codes of one there; one block, of
  /// all, without.
  bool hasBlocks = false;
  int64_t numBlocks = 1, blockSize = 0;

  /// What is subtracted from codes of lhs, moved as the instruction does.
  int32_t lhsZero = 0;
  ColumnConstants rhsOffset, rhsZero, multiplier, minval;

  /// Rows of a block, and what is prepared for each of them.
  bool needsGather = false, needsRowSums = false;
  bool flipsRows = false;   ///< while they are gathered
  int64_t rowsPerBlock = 0; ///< 0: all
  int64_t scratchRows = 0;
  int64_t gatheredStride = 0;
  Parallel parallel = Parallel::None;
  FlatOperand gathered; ///< scratchRows x gatheredStride
  FlatOperand rowSums;  ///< rowsPerBlock x numBlocks
  int32_t rowSumFactor = 1;
  /// With blocks: whether sums of rows and columns, and zero points, are
  /// numbers of 16 bits. Sums of rows are then stored with their sign turned.
  bool hasPairs = false;

  /// The side of columns as it is, where panels are packed here.
  bool packsPanels = false, needsColumnSums = true;
  bool ownsPanel() const { return packsPanels || unpacksPanels; }
  FlatOperand source;
  /// Loops of the columns of a panel that are not at one distance from each
  /// other in rhs, from the outermost; the last one is walked by vectors.
  llvm::SmallVector<MergedLoop> columnNest;
  /// The distance between elements of a run, where it is one.
  std::optional<mlir::OpFoldResult> runStride;
  FlatOperand rowTotals;  ///< sums of rows of rhs
  FlatOperand packed;     ///< a panel
  FlatOperand packedSums; ///< numBlocks x panelColumns
  FlatOperand lines;      ///< group x panelColumns, before they are interleaved

  /// Panels that a pair of tiles meets before the next one does. Of a result
  /// with long rows each panel is a part of every page; and what is packed
  /// here, is beside each other.
  int64_t panelsTogether = 1;

  /// Of tile registers: codes of a step, and steps of a run. The last step may
  /// be read from `tails`, where it is filled up with zeros: in front, as steps
  /// of rhs end where the run does.
  int64_t tileStep = 0, tileSteps = 0;
  bool needsTails = false;
  /// Codes of a tail: the first one's place in a run, how many, and how many
  /// zeros are before them.
  int64_t tailFirst = 0, tailCount = 0, tailBefore = 0;
  /// Tiles that are beside each other in the innermost loop of rows; 0: rows
  /// are at one distance from each other through all loops, or gathered.
  int64_t tilesPerLine = 0;
  /// Of a block of rows: tiles, and rows of each.
  mlir::OpFoldResult tileCount, tileRows;
  FlatOperand tails;      ///< scratchRows x runs x 64
  FlatOperand tileSums;   ///< rows of two tiles x columns of a panel, twice
  FlatOperand tileTotals; ///< of blocks: rows of a tile x columns of a panel
  Values onHeap;          ///< allocated since the innermost buildOnStack

  /// Codes of less than a byte become bytes, panel by panel, before tiles are
  /// made of them: `rhs` and its sizes above are of those, and here is what is
  /// stored.
  bool unpacksPanels = false;
  mlir::Value storedRhs;
  unsigned storedWidth = 8;
  int64_t storedTupleSize = 0, storedTupleBytes = 0, storedPanelBytes = 0;
  ColumnConstants storedOffset;

  /// Of depthwise contractions.
  DepthwisePadding depthwisePadding;
  llvm::SmallVector<DepthwiseTap> depthwiseTaps;
  FlatOperand zeros; ///< a pixel of padding
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTKERNEL_H
