//===- PackKernel.h - quant.pack_columns as a kernel ------------*- C++ -*-===//
//
// Reads codes once, and writes panels and sums of their columns:
//
//   chunks of a part of the reduction    16 bytes of a column, of each tuple
//     codes to registers                 what lies past the end becomes 0
//     sums of four codes                 by the target's dot product
//     16 bytes to the panel
//   sums of a workgroup's lanes          through shared memory
//
// A part of the reduction is what has a sum of its own: a block, or all of it,
// of which a workgroup has some columns. Where nobody reads sums there are
// none, and parts are as many as there are cores for. A workgroup's lanes are
// columns by planes, which take turns along the part. How codes get into
// registers depends on what follows each other in memory:
//
//   a run       words of a column, 16 bytes at once where they are aligned;
//               lanes beside each other have up to four chunks of a column,
//               then the next one, so that both sides are whole sectors
//   columns     words of four columns, from each of 16 positions of the run,
//               which are transposed in registers
//   neither     single bytes, by lanes in the order of what is nearer
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_PACKKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_PACKKERNEL_H

#include "MatrixUnit.h"

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

namespace quant_mlir {

/// Whether a kernel of `op` reads the sums of its right-hand side's columns:
/// there are zero points of lhs, or codes become others on their way.
bool readsColumnSums(ContractOp op, const GPUTarget &target);

class PackKernel {
public:
  /// The size of the last dimension of codes is a multiple of `sizeMultiple`,
  /// where it is not known.
  PackKernel(PackColumnsOp op, const GPUTarget &target,
             mlir::OpBuilder &hostBuilder, int64_t sizeMultiple = 1)
      : op(op), target(target),
        kernel(hostBuilder, op.getLoc(), "pack", target), body(kernel.body),
        builder(kernel.body.builder), loc(op.getLoc()),
        unit(createWordUnit(kernel.body, target)), layout(op.getLayout()),
        sizeMultiple(sizeMultiple), hasSums(areSumsRead(op, target)) {}

  void build();

private:
  using Values = llvm::SmallVector<mlir::Value>;
  using Loops = llvm::SmallVector<MergedLoop>;
  /// How codes get into registers.
  enum class Loads { Run, Columns, Bytes };

  /// Whether anybody reads sums, as far as can be told.
  static bool areSumsRead(PackColumnsOp op, const GPUTarget &target);
  void analyze();
  void shareReduction();
  int64_t getAlignment(const Loops &contiguous) const;
  bool areContiguous(const Loops &loops) const {
    return loops.size() == 1 && codes.getStride(loops[0].loop) == 1;
  }
  void chooseLoads();
  void chooseGroup();
  void buildPositions();
  mlir::Value both(mlir::Value a, mlir::Value b) { return body.both(a, b); }
  /// Index `at`, moved to position `number` of `loops` in `operand`.
  mlir::Value move(mlir::Value at, const FlatOperand &operand,
                   const Loops &loops, mlir::Value number);

  /// Words of a lane's columns, four of each: a group of codes from position
  /// `first` of a run at `at` on, as panels store them, one in a byte.
  Values loadGroup(mlir::Value at, mlir::Value first, mlir::Value exists);
  Values loadRun(mlir::Value at, mlir::Value first, mlir::Value exists);
  Values loadColumns(mlir::Value at, mlir::Value first, mlir::Value exists);
  Values loadBytes(mlir::Value at, mlir::Value first, mlir::Value exists);
  /// The element of `codes` at position `number` of a run; `none` where there
  /// is no such position.
  mlir::Value loadOne(mlir::Value at, mlir::Value number, mlir::Value exists,
                      mlir::Value none);
  /// Whether position `number` of a run exists, where a chunk does.
  mlir::Value isInRun(mlir::Value number, mlir::Value exists);
  /// Chunk `number`: adds its codes to `sums`, of each column.
  Values loadChunk(mlir::Value number, mlir::Value exists,
                   llvm::MutableArrayRef<mlir::Value> sums);
  void storeChunk(mlir::Value number, mlir::Value exists,
                  llvm::ArrayRef<mlir::Value> words);
  void storeSum(mlir::Value column, mlir::Value sum);
  void addPlanes(llvm::ArrayRef<mlir::Value> sums);

  int64_t groupColumns() const { return columnLanes * laneColumns; }
  int64_t numLanes() const { return columnLanes * planes; }
  /// Workgroups, as far as can be told.
  int64_t guessGroups() const {
    return llvm::divideCeil(guessSize(paddedColumns), groupColumns()) *
           numParts * guessBatches(numBatches);
  }
  /// Whether workgroups may have columns beyond those of panels, and beyond
  /// those that there are.
  bool passPanels() const { return !isWhole(paddedColumns, groupColumns()); }
  bool passColumns() const {
    return passPanels() || !isWhole(numColumns, layout.getPanel());
  }
  mlir::Value isBelow(mlir::Value number, mlir::OpFoldResult end) {
    return body.isLess(number, kernel.import(end));
  }
  /// `by` is of the host's.
  mlir::Value mul(mlir::Value number, mlir::OpFoldResult by) {
    return body.index(body.mul(number, kernel.import(by)));
  }

  PackColumnsOp op;
  const GPUTarget &target;
  GPUKernel kernel;
  GPUBuilder &body;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  std::unique_ptr<MatrixUnit> unit;
  LayoutAttr layout;
  int64_t sizeMultiple;
  bool hasSums;

  // Of the host.
  mlir::OpFoldResult numBatches, numColumns, numPanels, paddedColumns;
  mlir::OpFoldResult outerSize, runSize;
  FlatOperand codes, panels, sums;
  Loops batchLoops, columnLoops, outerLoops, runLoops; ///< of codes
  Loops sumBlockLoops, sumBatchLoops, sumColumnLoops;
  Loads loads = Loads::Bytes;
  int64_t piece = 1; ///< bytes that a lane loads at once

  /// Of 16 bytes of a column: in a run, in a part, and in all of them.
  mlir::OpFoldResult runChunks, partChunks, numChunks;
  int64_t numParts = 1;
  /// Codes of such a chunk, in groups of 16 that share its bytes.
  int64_t chunkCodes = 1, width = 8;
  int64_t laneColumns = 1, columnLanes = 1, planes = 1, nearPlanes = 1;
  int32_t flip = 0; ///< what moves a word of codes to what is stored

  mlir::Value thread, plane, part, batch, firstColumn;
  mlir::Value isColumn;  ///< null where all of a workgroup's columns exist
  mlir::Value hasPanels; ///< the same, in panels
  mlir::Value source;    ///< index of the lane's first code
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_PACKKERNEL_H
