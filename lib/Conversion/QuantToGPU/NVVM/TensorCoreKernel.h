//===- TensorCoreKernel.h - A contraction on tensor cores -------*- C++ -*-===//
//
// quant.contract on buffers, with packed weights, as one kernel of four warps.
// A block computes a tile of the result, one panel of columns wide:
//
//   addresses of the tile's rows
//   copies of the first stages           cp.async into shared memory
//   stages of 64 bytes of the reduction
//     wait for a stage, barrier
//     copies of a stage ahead
//     steps of 32 codes                  ldmatrix, mma.sync m16n8k32
//   epilogue                             from registers to codes or values
//
// Shared memory holds a stage as planes of 16 bytes of the reduction: a row of
// a plane is what a lane copies, and eight of them, which follow each other,
// are what ldmatrix reads at once. Rows are permuted within a plane so that
// neither meets a bank twice:
//
//   lhs   row r of plane p lies at r ^ 2p: the lanes that copy a row copy its
//         planes, which are a multiple of 128 bytes apart.
//   rhs   column c of a warp's 8 * T columns is column n of product j, where
//         c = 2T * (n / 2) + 2j + n % 2: a lane then has 2T columns of the
//         result that follow each other, and stores them at once. It lies at 8j
//         + (n ^ swizzle(j)), since lanes copy columns in their own order.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_TENSORCOREKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_TENSORCOREKERNEL_H

#include "../ColumnNumbers.h"
#include "../GPUKernel.h"

#include "quant-mlir/Conversion/Utils/ContractArith.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

namespace quant_mlir {

class TensorCoreKernel {
public:
  TensorCoreKernel(ContractOp op, const GPUTarget &target,
                   mlir::OpBuilder &builder);

  /// Makes the kernel, and its launch before `op`, which is left.
  void build();

private:
  using Values = llvm::SmallVector<mlir::Value>;

  // The instruction: m16n8k32 of bytes.
  static constexpr int64_t matrixRows = 16, matrixColumns = 8;
  static constexpr int64_t numWarps = 4, numLanes = 32;
  static constexpr int64_t numThreads = numWarps * numLanes;
  /// Bytes that a lane copies at once, and planes of them in a stage of lhs.
  static constexpr int64_t chunk = 16, lhsPlanes = 4;
  static constexpr int64_t stepsPerStage = lhsPlanes * chunk / 32;
  static constexpr int64_t numStages = 3;

  /// How lhs gets into shared memory.
  enum class LhsCopy {
    Async,  ///< cp.async of `lhsPiece` bytes
    Gather, ///< loads of single codes: nothing is aligned or contiguous
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

  // TensorCoreKernel.cpp: what is computed where
  void analyze();
  void chooseTile();
  void mergeRows();
  void chooseCopies();
  void buildPositions();
  /// What is flipped in the number of a column of product `product`, since
  /// eight columns that follow each other are of four products, or of two.
  mlir::Value getSwizzle(mlir::Value product);
  /// Positions of row `number` in all loops of a batch.
  Values placeRow(mlir::Value number);

  // TensorCoreCopies.cpp
  void prepareCopies();
  /// Copies stage `step`, an index, to shared memory at `stage`; the group of
  /// copies is committed whether there is such a stage or not.
  void copyStage(mlir::Value step, mlir::Value stage, bool mayBeBeyond);
  void copyLhs(const LhsChunk &part, mlir::Value step, mlir::Value stage);
  void copyRhs(const RhsChunk &part, mlir::Value step, mlir::Value stage);
  void gatherChunk(const LhsChunk &part, mlir::Value source, mlir::Value from,
                   mlir::Value isStep, mlir::Value to);
  void copyAsync(const FlatOperand &from, mlir::Value at, mlir::Value to,
                 int64_t bytes, mlir::Value valid);

  // TensorCoreProducts.cpp
  Values reduce();
  void multiplyStage(mlir::Value stage,
                     llvm::MutableArrayRef<mlir::Value> sums);
  /// Words of a fragment of `count` matrices.
  Values loadMatrices(mlir::Value at, int64_t count);

  // TensorCoreEpilogue.cpp
  Columns loadColumns();
  int64_t getPieceSize(const FlatOperand &operand) const;
  /// Calls `body` with the first of each `size` of a lane's columns, and
  /// whether they exist; null where all do.
  void forPieces(int64_t size,
                 llvm::function_ref<void(int64_t, mlir::Value)> body);
  mlir::Value loadPieces(const FlatOperand &operand, int64_t size,
                         mlir::Value at);
  mlir::Value loadNumbers(const FlatOperand &operand,
                          const ColumnNumbers &numbers);
  void finish(llvm::ArrayRef<mlir::Value> sums);
  void finishRow(const Columns &columns, mlir::Value number, mlir::Value sums,
                 mlir::Value rowSum);
  mlir::Value splat(mlir::Value scalar);
  mlir::Value addAcrossQuad(mlir::Value value);

  // Small things.
  mlir::OpFoldResult attr(int64_t value) {
    return kernel.body.builder.getIndexAttr(value);
  }
  mlir::Value index(mlir::OpFoldResult value) {
    return kernel.body.index(value);
  }
  mlir::Value add(mlir::OpFoldResult a, mlir::OpFoldResult b) {
    return index(kernel.body.add(a, b));
  }
  mlir::Value mul(mlir::Value a, int64_t b) {
    return index(kernel.body.mul(a, attr(b)));
  }
  mlir::Value div(mlir::Value a, int64_t b);
  mlir::Value rem(mlir::Value a, int64_t b);
  mlir::Value bitXor(mlir::Value a, mlir::Value b);
  mlir::Value isLess(mlir::Value a, mlir::OpFoldResult b);
  mlir::Value both(mlir::Value a, mlir::Value b);
  mlir::Value constantI32(int64_t value);

  int64_t warpTileRows() const { return tileRows / warpsDown; }
  int64_t warpTileColumns() const { return tileColumns / warpsAcross; }
  int64_t rowProducts() const { return warpTileRows() / matrixRows; }
  int64_t columnProducts() const { return warpTileColumns() / matrixColumns; }
  /// Columns of the result that a lane has.
  int64_t laneColumns() const { return 2 * columnProducts(); }
  int64_t rhsPlanes() const { return isNibbles ? lhsPlanes / 2 : lhsPlanes; }
  int64_t lhsStageBytes() const { return tileRows * lhsPlanes * chunk; }
  int64_t stageBytes() const {
    return lhsStageBytes() + tileColumns * rhsPlanes() * chunk;
  }
  /// Codes of the reduction in a chunk of rhs.
  int64_t rhsChunkCodes() const { return isNibbles ? 2 * chunk : chunk; }

  ContractOp op;
  const GPUTarget &target;
  GPUKernel kernel;
  mlir::OpBuilder &builder; ///< of the kernel's body
  mlir::Location loc;
  ContractLoops loops;

  // Of the host, then of the kernel.
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  FlatOperand lhs, rhs, bias, residual, init, sums, scale, zeroPoint;
  FlatOperand multiplierData, minvalData, rhsOffsetData, rhsZeroData;
  ContractColumnNumbers numbers;

  llvm::SmallVector<MergedLoop> rowLoops;
  llvm::SmallVector<unsigned> batchLoops;
  mlir::OpFoldResult numRows;
  int64_t numBatches = 1, columns = 1, numPanels = 1;
  llvm::SmallVector<unsigned> outer, run;
  int64_t runSize = 1, outerSize = 1, reductionSize = 1;
  /// Chunks of lhs that a run, and all runs, have, filled up to whole ones.
  int64_t runChunks = 1, numChunks = 1, numSteps = 1, panelBytes = 0;
  bool isNibbles = false, isLhsSigned = true, needsRowSums = false;
  int32_t lhsZero = 0;

  int64_t tileRows = 128, tileColumns = 128, warpsDown = 2, warpsAcross = 2;
  bool hasRaggedRows = true;
  LhsCopy lhsCopy = LhsCopy::Async;
  int64_t lhsPiece = 16;

  mlir::Value shared;
  mlir::Value thread, lane, warpRow, warpColumn;
  mlir::Value firstRow, panel, batch, firstColumn;
  Values batchPosition; ///< by loop, null for loops that are not batches
  llvm::SmallVector<LhsChunk> lhsChunks;
  llvm::SmallVector<RhsChunk> rhsChunks;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_TENSORCOREKERNEL_H
