//===- ContractTile.h - Sizes of a workgroup's work -------------*- C++ -*-===//
//
// Numbers that follow from a unit's shape, the tile of a workgroup and the
// widths of both sides: what a group of lanes has of the tile, and a stage of
// the reduction in shared memory.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CONTRACTTILE_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CONTRACTTILE_H

#include "MatrixUnit.h"

namespace quant_mlir {

struct ContractTile {
  std::unique_ptr<MatrixUnit> unit;
  int64_t tileRows = 128, tileColumns = 128, groupsDown = 1, groupsAcross = 1;
  /// A multiple of those of a tile, or what divides them.
  int64_t panelColumns = 128;
  bool isNibbles = false;
  /// Sums are of values, in f32: one side is not of integers.
  bool isOfValues = false;
  /// Bytes of an element of lhs where it is multiplied, bits of one of rhs.
  int64_t lhsBytes = 1, rhsWidth = 8;

  const MatrixShape &shape() const { return unit->shape; }
  int64_t numThreads() const { return shape().groups * shape().lanes; }
  int64_t groupRows() const { return tileRows / groupsDown; }
  int64_t groupColumns() const { return tileColumns / groupsAcross; }
  int64_t rowProducts() const { return groupRows() / shape().rows; }
  int64_t columnProducts() const { return groupColumns() / shape().columns; }
  /// Columns of a group that follow each other: it may have several panels.
  int64_t spanColumns() const { return std::min(groupColumns(), panelColumns); }
  int64_t groupSpans() const { return groupColumns() / spanColumns(); }
  /// Columns of a span that a lane has, which follow each other.
  int64_t laneColumns() const {
    return shape().laneColumns * (spanColumns() / shape().columns);
  }
  int64_t lhsPlanes() const { return shape().stagePlanes; }
  int64_t rhsPlanes() const { return stageCodes() / rhsChunkCodes(); }
  /// Elements of a chunk in shared memory, and from stage to stage.
  int64_t sharedChunk() const {
    return unit->hasAsyncCopies() ? lhsChunkCodes() : chunkBytes / 4;
  }
  int64_t lhsPartSize() const { return tileRows * lhsPlanes() * sharedChunk(); }
  int64_t lhsStageSize() const { return lhsPartSize() * unit->getLhsParts(); }
  int64_t stageSize() const {
    return lhsStageSize() + tileColumns * rhsPlanes() * sharedChunk();
  }
  /// Codes of the reduction in a step of products, and in a stage.
  int64_t stepCodes() const { return shape().stepPlanes * lhsChunkCodes(); }
  int64_t stageCodes() const { return lhsPlanes() * lhsChunkCodes(); }
  int64_t stageSteps() const { return lhsPlanes() / shape().stepPlanes; }
  /// Codes, or values, of the reduction in a chunk.
  int64_t lhsChunkCodes() const { return chunkBytes / lhsBytes; }
  int64_t rhsChunkCodes() const { return 8 * chunkBytes / rhsWidth; }
  /// Whether zero points of rhs are no matter of sums.
  bool subtractsOffsets() const {
    return isOfValues || unit->subtractsOffsets();
  }
  /// Bits by which a sum is too high.
  int64_t sumShift() const { return isNibbles && !subtractsOffsets() ? 4 : 0; }
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CONTRACTTILE_H
