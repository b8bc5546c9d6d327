//===- ContractKernel.h - A contraction on matrix units ---------*- C++ -*-===//
//
// quant.contract on buffers, with packed weights, as one kernel, for every GPU:
// MatrixUnit.h is what a GPU gives to it. A workgroup computes a tile of the
// result, a panel of columns wide, or two:
//
//   addresses of the tile's rows
//   copies of the first stages           from global to shared memory
//   stages of the reduction
//     wait for a stage, barrier
//     copies of a stage ahead
//     steps of products                  factors to registers, multiplied
//   epilogue                             from registers to codes or values
//
// Shared memory holds a stage as planes of 16 bytes of the reduction: a row of
// a plane is what a lane copies, and what a lane, or an instruction for it,
// reads at once. Rows are permuted within a plane so that neither meets a bank
// twice:
//
//   lhs   row r of plane p lies at r ^ 2p: the lanes that copy a row copy its
//         planes, which are a multiple of 128 bytes apart.
//   rhs   a lane has the sums of L columns of each of T products. Columns of
//         the products are those of the result in such an order that these T *
//         L follow each other there, and are stored at once: column g * T * L +
//         j * L + c is column `getColumn(g, c)` of product j, and lies there.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CONTRACTKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CONTRACTKERNEL_H

#include "ColumnNumbers.h"
#include "ContractTile.h"
#include "WindowLoads.h"

#include "quant-mlir/Conversion/Utils/ContractArith.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

#include <numeric>

namespace quant_mlir {

/// The reason why a sum of values, or of codes that are not integers, has no
/// kernel.
std::string findNoValuesReason(ContractOp op, const GPUTarget &target);

/// Whether `op` has few rows of values beside integer codes.
bool streamsValues(ContractOp op, const ContractLoops &loops);

/// Codes of a column that share a scale; nullopt where all do. `op` is packed.
std::optional<int64_t> countBlockCodes(ContractOp op);
/// The reason why such blocks have no kernel; empty where they have one, or
/// there are none.
std::string findNoBlocksReason(ContractOp op);

/// The same of a contraction with a filter for each channel; `op` is packed.
std::string findNoDepthwiseReason(ContractOp op, const ContractLoops &loops);
/// Whether an operand of these strides has one element for all columns of a
/// row.
bool isOneOfRow(const ContractLoops &loops, const LoopStrides &strides);
/// Channels of a depthwise contraction are columns.
void makeChannelsColumns(ContractLoops &loops);

class GPUContractKernel : private ContractTile {
public:
  /// Sizes of columns and reductions that only the run time knows are multiples
  /// of `sizeMultiple`.
  GPUContractKernel(ContractOp op, const GPUTarget &target,
                    mlir::OpBuilder &builder, int64_t sizeMultiple = 1);

  /// Makes the kernel, and its launch before `op`, which is left.
  void build();

private:
  using Values = llvm::SmallVector<mlir::Value>;

  /// How lhs gets into shared memory.
  enum class LhsCopy {
    Pieces, ///< pieces of `lhsPiece` codes
    Gather, ///< single codes: nothing is aligned or contiguous
  };

  /// What a lane copies in every stage: fixed before the loop.
  struct LhsChunk {
    mlir::Value row;      ///< index of the row's first code
    mlir::Value isInside; ///< null where all rows are
    mlir::Value isActive; ///< null where all lanes copy
    mlir::Value shared;   ///< offset in a stage
    mlir::Value plane;
  };
  struct RhsChunk {
    mlir::Value panel; ///< index of the chunk in stage 0
    mlir::Value isActive;
    mlir::Value shared;
    mlir::Value plane;
  };
  /// What belongs to a lane's columns, of `laneColumns` elements each; null
  /// where there is nothing of the kind.
  struct Columns {
    mlir::Value start;      ///< i32, added to sums
    mlir::Value sums;       ///< sum(w - zw), beside dynamic zero points
    mlir::Value multiplier; ///< f32
    mlir::Value bias;       ///< f32
    mlir::Value minval, rhsOffset;
  };
  /// What belongs to them in a block of the reduction that has a scale of its
  /// own; `length`, i32, is of the block.
  struct BlockColumns {
    mlir::Value multiplier, minval, rhsOffset;
    mlir::Value sums, length; ///< null where zero points of lhs are 0
  };

  // ContractKernel.cpp
  void analyze();
  void avoidEmpty();
  void importOperands();
  void mergeRows();
  /// `pixels` of a depthwise contraction that an invocation has.
  void chooseUnit(int64_t pixels);
  /// Numbers of columns; `numBlocks` as computeColumnNumbers has it.
  void computeNumbers(int64_t numBlocks = 0);
  /// The codes, a power of two, that every address of lhs is a multiple of; and
  /// the size of a run where it is to be of whole ones. 1 where codes do not
  /// follow each other.
  int64_t findLhsPiece(bool isWhole) const;
  void chooseCopies();

  // ContractTile.cpp
  void chooseTile();
  void divideColumns();

  // ContractPositions.cpp
  void buildPositions();
  void placeTile();
  void placeBatch();
  /// Positions of row `number` in all loops of a batch.
  Values placeRow(mlir::Value number);

  // ContractCopies.cpp
  void prepareCopies();
  /// Copies stage `step`, an index, to shared memory at `stage`; the group of
  /// copies is committed whether there is such a stage or not.
  /// `codes`: what fetchCodes has given.
  void copyStage(mlir::Value step, mlir::Value stage, bool mayBeBeyond,
                 llvm::ArrayRef<mlir::Value> codes);
  /// Where the chunk of a step begins in lhs, but for `from`, its first code in
  /// a run; and whether it exists.
  mlir::Value locateLhs(const LhsChunk &part, mlir::Value step,
                        mlir::Value &from, mlir::Value &exists);
  mlir::Value locateRhs(const RhsChunk &part, mlir::Value step,
                        mlir::Value &exists);
  void copyLhs(const LhsChunk &part, mlir::Value step, mlir::Value stage);
  void copyRhs(const RhsChunk &part, mlir::Value step, mlir::Value stage);
  /// `count` codes from where each lies.
  Values gatherCodes(const LhsChunk &part, mlir::Value source, mlir::Value from,
                     mlir::Value exists, int64_t count);

  // ContractRegisters.cpp
  /// Where a piece of a chunk is read, and whether it exists beside its chunk.
  mlir::Value locatePiece(const LhsChunk &part, mlir::Value source,
                          mlir::Value from, int64_t piece, mlir::Value &exists);
  /// Where lhs becomes other values on its way: what it has for a stage, zeros
  /// where there is nothing, a vector for each of a lane's chunks.
  Values fetchCodes(mlir::Value step);
  void storeDecoded(const LhsChunk &part, mlir::Value codes, mlir::Value stage);
  /// All that a lane has of a stage that exists, as words, and what stores
  /// them.
  Values fetchStage(mlir::Value step);
  void storeStage(llvm::ArrayRef<mlir::Value> chunks, mlir::Value stage);
  mlir::Value fetchLhs(const LhsChunk &part, mlir::Value step);
  Values joinWords(llvm::ArrayRef<mlir::Value> codes);
  Values loadPiece(mlir::Value at);
  mlir::Value fetchRhs(const RhsChunk &part, mlir::Value step);

  // ContractProducts.cpp
  Values reduce();
  Values reduceAsync(Values inits);
  Values reduceByRegisters(Values inits);
  GroupStage describeStage(mlir::Value stage);
  void multiplyStage(mlir::Value step, const GroupStage &stage,
                     llvm::MutableArrayRef<mlir::Value> carried);
  /// The same of a unit whose products overlap, and `copyAhead` beside them.
  void overlapStage(mlir::Value step, const GroupStage &stage,
                    llvm::MutableArrayRef<mlir::Value> carried,
                    llvm::function_ref<void()> copyAhead);
  void multiplySteps(const GroupStage &part,
                     llvm::MutableArrayRef<mlir::Value> sums);
  /// The same of some steps, of a unit that multiplies from registers.
  void multiplyRange(const GroupStage &part,
                     llvm::MutableArrayRef<mlir::Value> sums, int64_t first,
                     int64_t end);
  Values startAllSums();
  /// What sums of rows are products with, where they are from shared memory.
  void storeOnes();
  /// i32: how many products a sum has, times `factor`.
  mlir::Value countProducts(int32_t factor);
  /// As many sums of rows, of zeros.
  Values startRowSums(int64_t count);

  // ContractValues.cpp
  /// GroupStage::rhsOffsets, of a block where it is not null.
  Values loadOffsets(mlir::Value block);
  /// What a sum of products of codes of rhs, times their scale, is multiplied
  /// with beyond that; null for 1.
  mlir::Value buildLhsFactor(llvm::ArrayRef<mlir::Value> ivs);

  // ContractValueStream.cpp
  /// Chunks of a warp in a round, and warps; 0 where values do not stream.
  int64_t chooseValueChunks(int64_t warps);
  int64_t chooseValueWarps();
  void buildValueStream();
  Values loadSlotNumbers(const FlatOperand &operand,
                         const ColumnNumbers &numbers, mlir::Value block,
                         mlir::Value panelFirst,
                         llvm::ArrayRef<mlir::Value> panelColumns);
  mlir::Value loadFour(const LhsChunk &part, mlir::Value source,
                       mlir::Value from, mlir::Value exists);
  /// The same as f32, one by one.
  Values loadFloats(const LhsChunk &part, mlir::Value source, mlir::Value from,
                    mlir::Value exists);

  // ContractBlocks.cpp
  void chooseBlocks();
  void chooseSums();
  /// Rows of numbers that blocks have, with those beyond the last one.
  int64_t numBlockRows() const;
  /// A matrix of sums before the first product.
  Values startSums();
  /// Those of a row of products.
  Values startRowOfSums();
  Values startBlocks();
  BlockColumns loadBlock(mlir::Value block);
  mlir::Value addBlock(const BlockColumns &columns, mlir::Value sum,
                       mlir::Value rowSum, mlir::Value rowZero,
                       mlir::Value value);
  void addProduct(const BlockColumns &columns, int64_t product,
                  llvm::ArrayRef<mlir::Value> sums,
                  llvm::ArrayRef<mlir::Value> rowSums,
                  llvm::MutableArrayRef<mlir::Value> values);
  /// The same of all row products; `sums` has those of rows at its end.
  void addProducts(const BlockColumns &columns,
                   llvm::ArrayRef<mlir::Value> sums,
                   llvm::MutableArrayRef<mlir::Value> values);
  void multiplyBlocks(mlir::Value step, const GroupStage &stage,
                      llvm::MutableArrayRef<mlir::Value> carried);
  void multiplyBySteps(mlir::Value step, const GroupStage &stage,
                       llvm::MutableArrayRef<mlir::Value> values);
  void addAtEndOfBlocks(mlir::Value step, const GroupStage &stage,
                        llvm::MutableArrayRef<mlir::Value> carried);
  bool endsBlocksInStage() const { return stageCodes() % blockCodes == 0; }
  /// Codes whose sums are added to values at once: a block, or, of values, what
  /// a longer one has in half a stage.
  int64_t partCodes() const { return std::gcd(blockCodes, stageCodes() / 2); }

  // ContractOverlap.cpp
  /// The number of the block of part `part` of a stage.
  mlir::Value getBlockOf(mlir::Value step, int64_t part);
  /// `copyAhead` builds copies, behind the first products.
  void overlapBlocks(mlir::Value step, const GroupStage &stage,
                     llvm::MutableArrayRef<mlir::Value> carried,
                     llvm::function_ref<void()> copyAhead);
  /// When no products are under way.
  void addLastBlock(llvm::MutableArrayRef<mlir::Value> carried);

  // ContractStream.cpp
  int64_t chooseStreamChunks();
  int64_t chooseStreamColumns();
  std::unique_ptr<MatrixUnit> chooseValueStream();
  void prepareStream();
  void multiplyRound(mlir::Value step, llvm::ArrayRef<mlir::Value> words,
                     llvm::MutableArrayRef<mlir::Value> carried);
  void multiplyValueRound(mlir::Value step, llvm::ArrayRef<mlir::Value> words,
                          llvm::MutableArrayRef<mlir::Value> carried);
  Values addGroups(llvm::ArrayRef<mlir::Value> values);
  void buildStream();
  /// Rounds of the reduction that add to `sums`, which it gives back. `fetch`
  /// loads a round's weights, one round before `multiply` takes them.
  Values
  streamRounds(Values sums, llvm::function_ref<Values(mlir::Value)> fetch,
               llvm::function_ref<void(mlir::Value, llvm::ArrayRef<mlir::Value>,
                                       llvm::MutableArrayRef<mlir::Value>)>
                   multiply);

  // ContractDepthwise.cpp
  mlir::Value loadPaddingCode();
  /// The sums of the invocation's pixels.
  Values multiplyWindow();
  void buildDepthwise();

  // ContractEpilogue.cpp
  Columns loadColumns();
  /// f32, of a lane's columns.
  mlir::Value loadMultiplier(const ElementArith &arith);
  int64_t getPieceSize(const FlatOperand &operand) const;
  /// Calls `body` with the first of each `size` of a lane's columns, and
  /// whether they exist; null where all do.
  void forPieces(int64_t size,
                 llvm::function_ref<void(int64_t, mlir::Value)> body);
  mlir::Value loadPieces(const FlatOperand &operand, int64_t size,
                         mlir::Value at);
  /// Elements of the bias or the residual, `strides` by loop, of the row at
  /// `ivs`.
  mlir::Value loadOfRow(const FlatOperand &operand, const LoopStrides &strides,
                        llvm::ArrayRef<mlir::Value> ivs);
  /// Of a block, where it is not null, and of a lane's columns, or as many, or
  /// `count`, from `first` on.
  mlir::Value loadNumbers(const FlatOperand &operand,
                          const ColumnNumbers &numbers, mlir::Value block = {},
                          mlir::Value first = {}, int64_t count = 0);
  /// sum(w) of a lane's columns, those of the first column at `at`.
  mlir::Value loadSums(mlir::Value at);
  /// The sums of one of a lane's rows, of those of a row of products.
  mlir::Value getRowOfSums(llvm::ArrayRef<mlir::Value> sums, int64_t part);
  int64_t numLaneRows() const { return rowProducts() * shape().laneRows; }
  /// Values that hold the sums of a lane's rows; of a depthwise contraction,
  /// those of each of their channels.
  int64_t numRowSums() const {
    if (!needsRowSums)
      return 0;
    return loops.isDepthwise ? numLaneRows() * laneChannels
                             : rowProducts() * unit->getNumRowSums();
  }
  /// Of those that a lane has: where they are (`ivs`, by loop, or their number
  /// in the result), and whether they exist; null where all do.
  struct LaneRow {
    mlir::Value number, exists;
    Values ivs;
  };
  /// Calls `body` with each of a lane's rows and its number among them.
  void forLaneRows(llvm::function_ref<void(int64_t, const LaneRow &)> body);
  Values placeLaneRow(const LaneRow &row) {
    return row.ivs.empty() ? placeRow(row.number) : row.ivs;
  }
  void finish(llvm::ArrayRef<mlir::Value> sums);
  /// From the sum of all products, or from the value of all blocks.
  mlir::Value scaleSum(const Columns &columns, llvm::ArrayRef<mlir::Value> ivs,
                       mlir::Value sum, mlir::Value rowSum);
  mlir::Value scaleBlocks(llvm::ArrayRef<mlir::Value> ivs, mlir::Value value);
  mlir::Value loadRowScale(llvm::ArrayRef<mlir::Value> ivs);
  void finishRow(const Columns &columns, llvm::ArrayRef<mlir::Value> ivs,
                 mlir::Value value);
  /// For all of a lane's columns; what is of each already, as it is.
  mlir::Value splat(mlir::Value number);

  // Small things.
  mlir::OpFoldResult attr(int64_t value) { return kernel.body.attr(value); }
  mlir::Value index(mlir::OpFoldResult value) {
    return kernel.body.index(value);
  }
  mlir::Value add(mlir::OpFoldResult a, mlir::OpFoldResult b) {
    return kernel.body.sum(a, b);
  }
  mlir::Value mul(mlir::Value a, int64_t b) { return kernel.body.times(a, b); }
  /// `b` is of the host's.
  mlir::Value mul(mlir::Value a, mlir::OpFoldResult b) {
    return index(kernel.body.mul(a, kernel.import(b)));
  }
  mlir::Value isBelow(mlir::Value a, mlir::OpFoldResult b) {
    return kernel.body.isLess(a, kernel.import(b));
  }
  static int64_t known(mlir::OpFoldResult number) {
    return *mlir::getConstantIntValue(number);
  }
  mlir::Value div(mlir::Value a, int64_t b) { return kernel.body.div(a, b); }
  mlir::Value rem(mlir::Value a, int64_t b) { return kernel.body.rem(a, b); }

  /// Workgroups that share the columns of a row of all batches.
  int64_t guessColumnTiles() const {
    return llvm::divideCeil(guessSize(columns), tileColumns) *
           guessBatches(numBatches);
  }
  int64_t numProductGroups() const;
  int64_t numStages() const {
    int64_t elementBytes = unit->hasAsyncCopies() ? lhsBytes : 4;
    // Three are enough for any unit, and no more are filled than there are.
    return std::min(unit->getNumStages(stageSize() * elementBytes),
                    std::max<int64_t>(3, guessSize(numSteps)));
  }
  /// What is subtracted from codes of lhs before they are multiplied.
  int64_t lhsOffset() const { return isLhsFlipped ? 128 : 0; }

  ContractOp op;
  const GPUTarget &target;
  GPUKernel kernel;
  mlir::OpBuilder &builder; ///< of the kernel's body
  mlir::Location loc;
  ContractLoops loops;

  // Of the host, then of the kernel.
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  FlatOperand lhs, rhs, bias, residual, init, sums, scale, zeroPoint;
  FlatOperand rhsScale, rhsZeroPoint;
  FlatOperand multiplierData, minvalData, rhsOffsetData, rhsZeroData;
  ContractColumnNumbers numbers;

  llvm::SmallVector<MergedLoop> rowLoops;
  llvm::SmallVector<unsigned> batchLoops;
  mlir::OpFoldResult numRows;
  /// What `columns` and `runSize` are multiples of; of sizes that are not
  /// known, by loop.
  int64_t columnMultiple = 1, runMultiple = 1, sizeMultiple = 1;
  llvm::SmallVector<int64_t> multiples;
  mlir::OpFoldResult numBatches, columns, numPanels;
  llvm::SmallVector<unsigned> outer, run;
  /// Where it is not known, a run is all of the reduction.
  int64_t outerSize = 1;
  mlir::OpFoldResult runSize, reductionSize;
  /// Chunks of lhs that a run, and all runs, have, filled up to whole ones, and
  /// chunks of rhs that one column has.
  mlir::OpFoldResult runChunks, numChunks, numSteps, columnChunks;
  bool isLhsSigned = true, needsRowSums = false;
  mlir::Type lhsType; ///< of an element of lhs where it is multiplied
  /// Codes without signs become codes with signs on their way.
  bool isLhsFlipped = false;
  int32_t lhsZero = 0;
  /// Codes that share a scale; 0 where all of a column do.
  int64_t blockCodes = 0, numBlocks = 1;
  /// See ContractBlocks.cpp.
  bool correctsSums = false, scalesSums = false, isBiased = false;
  Values rowZeros; ///< of a lane's rows, beside dynamic lhs in blocks

  bool hasRaggedRows = true;
  LhsCopy lhsCopy = LhsCopy::Pieces;
  int64_t lhsPiece = 16;
  /// Codes of lhs, and bytes of rhs, in an element as it is read.
  int64_t lhsElement = 1, rhsElement = 1;

  mlir::Value shared;
  mlir::Value thread, lane, groupRow, groupColumn;
  mlir::Value group; ///< of lanes, where those share the reduction
  mlir::Value firstRow, panel, batch, firstColumn; ///< panel, or tile of one
  llvm::SmallVector<LaneRow> laneRows; ///< of a depthwise contraction
  std::optional<unsigned> pixelLoop;   ///< in which a lane has several rows
  std::optional<WindowLoads> window;
  Values batchPosition; ///< by loop, null for loops that are not batches
  llvm::SmallVector<LhsChunk> lhsChunks;
  llvm::SmallVector<RhsChunk> rhsChunks;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CONTRACTKERNEL_H
