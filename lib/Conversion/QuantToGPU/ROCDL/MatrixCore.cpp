//===- MatrixCore.cpp - Products of AMD's matrix cores --------------------===//
//
// MFMA of CDNA3 and WMMA of RDNA3 on bytes: WaveMatrix.h. A group of lanes
// reads a chunk of its own, of which two MFMAs take a half each, or less of
// one, where a block of the reduction ends before; of WMMA both halves of the
// wave read the same.
//
//===----------------------------------------------------------------------===//

#include "WaveMatrix.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

namespace {

/// What both have in common. Factors are words.
class MatrixCore : public WaveMatrix {
public:
  MatrixCore(GPUBuilder &body, const MatrixShape &shape, int64_t groupWords)
      : WaveMatrix(body, shape, body.builder.getI32Type()),
        groupWords(groupWords) {}

  Values loadLhs(const GroupStage &stage, int64_t step,
                 int64_t product) override;
  SmallVector<Values> loadRhs(const GroupStage &stage, int64_t step) override;

protected:
  /// Words as a vector of bytes.
  Value toBytes(ArrayRef<Value> words);
  void addCodes(const GroupStage &stage, ArrayRef<Value> lhs,
                MutableArrayRef<Value> rowSums) override {
    Value ones = body.constantI32(0x01010101);
    for (Value word : lhs)
      rowSums.front() = buildDot(builder, loc, shape.mixesSigns, word, ones,
                                 rowSums.front(), stage.isLhsSigned);
  }

private:
  /// Words of the chunk at `at` that are the lane's.
  Values loadChunk(const GroupStage &stage, Value at);
  /// Groups that share a chunk, and the chunk of a step that a lane reads.
  int64_t groupsOfChunk() const { return chunkBytes / 4 / groupWords; }
  Value getChunk(Value lane) {
    return isWMMA() ? body.index(0)
                    : body.div(lane, shape.rows * groupsOfChunk());
  }

  int64_t groupWords; ///< that each group of lanes has of a chunk
};

MatrixShape getShapeOfMFMA(int64_t size, bool isNibbles, int64_t groupWords) {
  MatrixShape shape = WaveMatrix::getMFMAShape(size);
  shape.stepPlanes = 64 / size * groupWords * 4 / chunkBytes;
  if (isNibbles)
    shape.stepPlanes *= 2;
  shape.stagePlanes = std::max<int64_t>(shape.stepPlanes, 4);
  return shape;
}

/// v_mfma_i32_32x32x16_i8 and v_mfma_i32_16x16x32_i8.
class MFMA : public MatrixCore {
public:
  MFMA(GPUBuilder &body, int64_t size, bool isNibbles, int64_t groupWords)
      : MatrixCore(body, getShapeOfMFMA(size, isNibbles, groupWords),
                   groupWords) {}

  void multiply(const GroupStage &stage, ArrayRef<Value> lhs,
                ArrayRef<Value> rhs, MutableArrayRef<Value> sums) override {
    int64_t size = shape.rows;
    for (size_t word = 0; word < lhs.size(); word += 2)
      sums.front() = amdgpu::MFMAOp::create(
          builder, loc, sumsType, size, size, /*k=*/512 / size,
          /*blocks=*/1, toBytes(rhs.slice(word, 2)),
          toBytes(lhs.slice(word, 2)), sums.front());
  }
};

MatrixShape getShapeOfWMMA(bool isNibbles) {
  MatrixShape shape = WaveMatrix::getWMMAShape();
  shape.stepPlanes = isNibbles ? 2 : 1;
  return shape;
}

/// v_wmma_i32_16x16x16_iu8.
class WMMA : public MatrixCore {
public:
  WMMA(GPUBuilder &body, bool isNibbles)
      : MatrixCore(body, getShapeOfWMMA(isNibbles), chunkBytes / 4) {}

  void multiply(const GroupStage &stage, ArrayRef<Value> lhs,
                ArrayRef<Value> rhs, MutableArrayRef<Value> sums) override {
    for (size_t word = 0; word < lhs.size(); word += 4)
      sums.front() = amdgpu::WMMAOp::create(
          builder, loc, sumsType, 16, 16, 16, toBytes(rhs.slice(word, 4)),
          toBytes(lhs.slice(word, 4)), sums.front(), /*subwordOffset=*/0,
          /*unsignedA=*/false, /*unsignedB=*/!stage.isLhsSigned);
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

MatrixUnit::Values MatrixCore::loadChunk(const GroupStage &stage, Value at) {
  if (groupsOfChunk() > 1) {
    Value part = body.rem(body.div(stage.lane, shape.rows), groupsOfChunk());
    at = body.sum(at, body.times(part, groupWords));
  }
  Value chunk = load(VectorType::get({groupWords}, builder.getI32Type()),
                     stage.shared, at);
  Values words;
  for (int64_t i = 0; i < groupWords; ++i)
    words.push_back(vector::ExtractOp::create(builder, loc, chunk, i));
  return words;
}

Value MatrixCore::toBytes(ArrayRef<Value> words) {
  int64_t count = words.size();
  Value vector = vector::FromElementsOp::create(
      builder, loc, VectorType::get({count}, builder.getI32Type()), words);
  return vector::BitCastOp::create(
      builder, loc, VectorType::get({4 * count}, builder.getIntegerType(8)),
      vector);
}

MatrixUnit::Values MatrixCore::loadLhs(const GroupStage &stage, int64_t step,
                                       int64_t product) {
  // The low nibbles of a chunk belong to one chunk of lhs, the high ones to the
  // next.
  int64_t ofGroup = stage.isNibbles ? 2 : 1;
  Value first = body.sum(body.times(getChunk(stage.lane), ofGroup),
                         body.attr(step * shape.stepPlanes));
  Values words;
  for (int64_t i = 0; i < ofGroup; ++i)
    words.append(loadChunk(stage, stage.lhsChunk(body.sum(first, body.attr(i)),
                                                 product, getRow(stage.lane))));
  return words;
}

SmallVector<MatrixUnit::Values> MatrixCore::loadRhs(const GroupStage &stage,
                                                    int64_t step) {
  Value plane = body.sum(getChunk(stage.lane),
                         body.attr(step * depthGroups() / groupsOfChunk()));
  SmallVector<Values> factors;
  for (int64_t j = 0; j < stage.columnProducts; ++j) {
    Values words = loadChunk(
        stage, stage.rhsChunk(plane, body.index(j), getRow(stage.lane)));
    factors.push_back(stage.isNibbles ? unpackNibbles(words) : words);
  }
  return factors;
}

std::unique_ptr<MatrixUnit> quant_mlir::createMatrixCore(
    GPUBuilder &body, const GPUTarget &target, int64_t tileColumns,
    std::optional<int64_t> numRows, bool isNibbles, int64_t blockCodes) {
  if (target.isRDNA())
    return std::make_unique<WMMA>(body, isNibbles);
  // The larger one reads half as much of shared memory for a product.
  bool isLarge = tileColumns >= 64 && numRows.value_or(INT64_MAX) > 32;
  // The smaller one multiplies 32 codes at once.
  if (blockCodes == 16)
    isLarge = true;
  int64_t size = isLarge ? 32 : 16, words = chunkBytes / 4;
  // Blocks, and what they have of a stage, are of whole steps.
  auto fits = [&] {
    MatrixShape shape = getShapeOfMFMA(size, isNibbles, words);
    int64_t step = shape.stepPlanes * chunkBytes,
            stage = shape.stagePlanes * chunkBytes;
    // Where all groups share a chunk, low nibbles are a half of a step.
    bool isChunk = chunkBytes / 4 / words == 64 / size;
    int64_t least = isNibbles && isChunk ? step / 2 : step;
    if (stage % blockCodes == 0)
      return blockCodes % least == 0;
    return std::gcd(blockCodes, stage) % step == 0;
  };
  while (blockCodes != 0 && !fits()) {
    words /= 2;
    assert(words != 0 && "blocks that are no multiples of a target's step");
  }
  return std::make_unique<MFMA>(body, size, isNibbles, words);
}
