//===- ValueMatrix.cpp - Products of values on AMD's matrix cores ---------===//
//
// MFMA and WMMA on f16 or bf16, with sums in f32: WaveMatrix.h. What one side
// has of codes becomes such values in registers.
//
// A factor is quads, four values that follow each other along the reduction:
// what one MFMA takes of a lane (32x32x8, 16x16x16), and a quarter of what a
// WMMA does. A word of a panel has the codes of one, or, of nibbles, of two
// that are 16 codes from each other. A group of lanes reads as many words of a
// chunk of weights as leave a block of the reduction whole steps, and of lhs
// the values that belong to them. Of f32 a quad is three of bf16, one behind
// the other.
//
//===----------------------------------------------------------------------===//

#include "../CodeValues.h"
#include "WaveMatrix.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

namespace {

/// How lanes share the reduction.
struct ValueSplit {
  int64_t groups = 1; ///< of lanes, that have values of their own
  int64_t lhsBytes = 2;
  bool isNibbles = false;
  /// What a group has in a step: words of a chunk of codes; or, where both
  /// sides are of values, chunks.
  int64_t words = 4, chunks = 0;
  int64_t mostOfStage = 64; ///< values, of which a step has no more

  /// Values of a step of products, and of a stage.
  int64_t step() const {
    return groups * (chunks ? 8 * chunks : words * (isNibbles ? 8 : 4));
  }
  int64_t stage() const { return std::max(step(), mostOfStage); }
  int64_t countPlanes(int64_t values) const {
    return values * lhsBytes / chunkBytes;
  }
  /// Blocks, and what they have of a stage, are of whole steps. Where all
  /// groups share a chunk, its low nibbles are a half of a step, of blocks of
  /// which stages are a whole number.
  bool fits(int64_t block) const {
    if (step() > mostOfStage)
      return false;
    int64_t least = isNibbles && groups * words == 4 ? step() / 2 : step();
    if (block != 0 && stage() % block == 0)
      return block % least == 0;
    return std::gcd(block, stage()) % step() == 0;
  }
};

MatrixShape getShape(MatrixShape shape, const ValueSplit &split) {
  shape.stepPlanes = split.countPlanes(split.step());
  shape.stagePlanes = split.countPlanes(split.stage());
  if (split.lhsBytes == 4)
    shape.maxTileRows = 64;
  return shape;
}

class ValueMatrix : public WaveMatrix {
public:
  ValueMatrix(GPUBuilder &body, const MatrixShape &shape,
              const ValueSplit &split, Type lhs, Type rhs)
      : WaveMatrix(body, getShape(shape, split), body.builder.getF32Type()),
        split(split), lhsType(lhs), rhsType(rhs),
        value(CodeValues::getValue(lhs)),
        codes(*this, body, rhs, value, /*addsPairs=*/false) {}

  Values loadLhs(const GroupStage &stage, int64_t step,
                 int64_t product) override;
  SmallVector<Values> loadRhs(const GroupStage &stage, int64_t step) override;
  void multiply(const GroupStage &stage, ArrayRef<Value> lhs,
                ArrayRef<Value> rhs, MutableArrayRef<Value> sums) override;
  void addCodes(const GroupStage &stage, ArrayRef<Value> lhs,
                MutableArrayRef<Value> rowSums) override;

  Value getRhsColumn(Value lane) override { return getRow(lane); }
  /// Rows of the planes that lanes beside each other copy meet in no bank.
  Value getLhsSwizzle(Value plane) override {
    return shape.stagePlanes > 4 ? plane : MatrixUnit::getLhsSwizzle(plane);
  }

private:
  /// Of the lane: the number of the chunk of codes in `step`, and which part of
  /// it, of as many words as a group has.
  Value getChunk(const GroupStage &stage, int64_t step);
  Value getPart(const GroupStage &stage) {
    return body.rem(body.div(stage.lane, shape.rows), 4 / split.words);
  }
  Value loadWords(const GroupStage &stage, Value at, int64_t count) {
    return load(VectorType::get({count}, builder.getI32Type()), stage.shared,
                at);
  }
  /// Quads of words of lhs.
  Values getQuads(Value words);
  /// Those of values, as which `words` are read.
  Values splitWords(Value words, Type type);
  /// A vector of all elements of `vectors`, a power of two.
  Value join(ArrayRef<Value> vectors);
  Value multiplyOnce(Value lhs, Value rhs, Value sums);

  const ValueSplit split;
  const Type lhsType, rhsType, value; ///< `value`: what is multiplied
  CodeValues codes;                   ///< of `rhsType`
};

} // namespace

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

Value ValueMatrix::getChunk(const GroupStage &stage, int64_t step) {
  int64_t ofStep = split.chunks ? split.groups * split.chunks
                                : split.groups * split.words / 4;
  Value first = body.index(body.attr(step * ofStep));
  if (split.groups == 1)
    return first;
  int64_t groupsOfChunk = split.chunks ? 1 : 4 / split.words;
  return body.sum(body.div(stage.lane, shape.rows * groupsOfChunk), first);
}

MatrixUnit::Values ValueMatrix::splitWords(Value words, Type type) {
  int64_t count = cast<VectorType>(words.getType()).getNumElements() * 32 /
                  type.getIntOrFloatBitWidth();
  Value values = vector::BitCastOp::create(
      builder, loc, VectorType::get({count}, type), words);
  Values quads;
  for (int64_t first = 0; first < count; first += 4)
    quads.push_back(vector::ShuffleOp::create(
        builder, loc, values, values,
        llvm::to_vector(llvm::seq(first, first + 4))));
  return quads;
}

Value ValueMatrix::join(ArrayRef<Value> vectors) {
  if (vectors.size() == 1)
    return vectors.front();
  size_t half = vectors.size() / 2;
  Value low = join(vectors.take_front(half)),
        high = join(vectors.drop_front(half));
  int64_t count = 2 * cast<VectorType>(low.getType()).getNumElements();
  return vector::ShuffleOp::create(
      builder, loc, low, high, llvm::to_vector(llvm::seq<int64_t>(0, count)));
}

MatrixUnit::Values ValueMatrix::getQuads(Value words) {
  Values quads;
  if (lhsType.getIntOrFloatBitWidth() == 8) {
    int64_t count = cast<VectorType>(words.getType()).getNumElements();
    for (int64_t i = 0; i < count; ++i) {
      Value word = vector::ExtractOp::create(builder, loc, words, i);
      quads.push_back(join(codes.convertBytes(word, lhsType)));
    }
    return quads;
  }
  if (!lhsType.isF32())
    return splitWords(words, lhsType);
  for (Value quad : splitWords(words, lhsType))
    for (const Values &pairs : codes.split(quad))
      quads.push_back(join(pairs));
  return quads;
}

MatrixUnit::Values ValueMatrix::loadLhs(const GroupStage &stage, int64_t step,
                                        int64_t product) {
  Value row = getRow(stage.lane), chunk = getChunk(stage, step);
  Values quads;
  auto loadPlane = [&](Value plane, Value offset, int64_t count) {
    Value at = stage.lhsChunk(plane, product, row);
    if (offset)
      at = body.sum(at, offset);
    quads.append(getQuads(loadWords(stage, at, count)));
  };
  if (split.chunks) {
    for (int64_t i = 0; i < split.chunks; ++i)
      loadPlane(body.sum(chunk, body.attr(i)), Value(), 4);
    return quads;
  }
  // The values of 16 codes are as many planes as one has bytes, which have as
  // many quads as are left.
  int64_t bytes = split.lhsBytes, ofPlane = 4 / bytes,
          parts = split.isNibbles ? 2 : 1;
  for (int64_t part = 0; part < parts; ++part) {
    Value first =
        body.times(body.sum(body.times(chunk, parts), body.attr(part)), bytes);
    if (split.words < ofPlane) {
      int64_t groups = ofPlane / split.words;
      Value number = getPart(stage);
      loadPlane(body.sum(first, body.div(number, groups)),
                body.times(body.rem(number, groups), split.words * bytes),
                split.words * bytes);
      continue;
    }
    int64_t count = split.words / ofPlane;
    first = body.sum(first, body.times(getPart(stage), count));
    for (int64_t i = 0; i < count; ++i)
      loadPlane(body.sum(first, body.attr(i)), Value(), 4);
  }
  return quads;
}

SmallVector<MatrixUnit::Values> ValueMatrix::loadRhs(const GroupStage &stage,
                                                     int64_t step) {
  Value row = getRow(stage.lane), chunk = getChunk(stage, step);
  SmallVector<Values> factors;
  for (int64_t j = 0; j < stage.columnProducts; ++j) {
    Values &quads = factors.emplace_back();
    auto locate = [&](Value plane) {
      return stage.rhsChunk(plane, body.index(j), row);
    };
    for (int64_t i = 0; i < split.chunks; ++i) {
      Value at = locate(body.sum(chunk, body.attr(i)));
      quads.append(splitWords(loadWords(stage, at, 4), rhsType));
    }
    if (split.chunks)
      continue;
    Value at = body.sum(locate(chunk), body.times(getPart(stage), split.words));
    Value words = loadWords(stage, at, split.words);
    Value offset = stage.rhsOffsets.empty() ? Value() : stage.rhsOffsets[j];
    for (int64_t part = 0; part < (split.isNibbles ? 2 : 1); ++part)
      for (int64_t i = 0; i < split.words; ++i) {
        Value word = vector::ExtractOp::create(builder, loc, words, i);
        quads.push_back(join(codes.decode(word, part, offset)));
      }
  }
  return factors;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// v_mfma_f32_32x32x8_f16, v_mfma_f32_16x16x16_f16, v_wmma_f32_16x16x16_f16, or
/// the same of bf16.
Value ValueMatrix::multiplyOnce(Value lhs, Value rhs, Value sums) {
  if (isWMMA())
    return amdgpu::WMMAOp::create(builder, loc, sumsType, 16, 16, 16, rhs, lhs,
                                  sums, /*subwordOffset=*/0,
                                  /*unsignedA=*/false, /*unsignedB=*/false);
  int64_t size = shape.rows;
  return amdgpu::MFMAOp::create(builder, loc, sumsType, size, size,
                                /*k=*/256 / size, /*blocks=*/1, rhs, lhs, sums);
}

void ValueMatrix::multiply(const GroupStage &, ArrayRef<Value> lhs,
                           ArrayRef<Value> rhs, MutableArrayRef<Value> sums) {
  size_t parts = lhs.size() / rhs.size(), count = isWMMA() ? 4 : 1;
  for (size_t first = 0; first < rhs.size(); first += count)
    for (size_t part = 0; part < parts; ++part) {
      Values quads;
      for (size_t i = first; i < first + count; ++i)
        quads.push_back(lhs[i * parts + part]);
      sums.front() = multiplyOnce(join(quads), join(rhs.slice(first, count)),
                                  sums.front());
    }
}

void ValueMatrix::addCodes(const GroupStage &, ArrayRef<Value> lhs,
                           MutableArrayRef<Value> rowSums) {
  auto type = VectorType::get({4}, builder.getF32Type());
  Value sum;
  for (Value quad : lhs) {
    Value wide = arith::ExtFOp::create(builder, loc, type, quad);
    sum = sum ? Value(arith::AddFOp::create(builder, loc, sum, wide)) : wide;
  }
  for (int64_t i = 0; i < 4; ++i)
    rowSums.front() =
        arith::AddFOp::create(builder, loc, rowSums.front(),
                              vector::ExtractOp::create(builder, loc, sum, i));
}

std::unique_ptr<MatrixUnit>
quant_mlir::createValueMatrix(GPUBuilder &body, const GPUTarget &target,
                              const MatrixWork &work, Type lhs, Type rhs) {
  // The larger one reads half as much of shared memory for a product.
  bool isLarge =
      work.tileColumns >= 64 && work.numRows.value_or(INT64_MAX) > 32;
  MatrixShape shape = target.isRDNA()
                          ? WaveMatrix::getWMMAShape()
                          : WaveMatrix::getMFMAShape(isLarge ? 32 : 16);
  ValueSplit split;
  split.groups = target.isRDNA() ? 1 : shape.lanes / shape.rows;
  split.lhsBytes = lhs.getIntOrFloatBitWidth() / 8;
  split.isNibbles = rhs.isInteger(4);
  bool isAlike = rhs == CodeValues::getValue(lhs);
  // Two workgroups of large tiles have room on a core. Few rows have little to
  // do for a barrier.
  bool isTileLarge = work.blockCodes == 0 && !isFew(work.numRows);
  if (isTileLarge || isAlike || split.lhsBytes == 4)
    split.mostOfStage = 32;
  if (isAlike) {
    split.chunks = target.isRDNA() ? 2 : 1;
  } else {
    while (!split.fits(work.blockCodes)) {
      split.words /= 2;
      assert(split.groups * split.words >= 4 &&
             "blocks that are no multiples of a target's step");
    }
  }
  return std::make_unique<ValueMatrix>(body, shape, split, lhs, rhs);
}
