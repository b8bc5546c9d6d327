//===- ValueGroup.cpp - Products of four warps, beside values -------------===//
//
// wgmma on f16 or bf16, with weights in registers: see RegisterGroup.cpp. What
// is not such a value yet becomes one: codes of weights in registers, and lhs
// on its way to shared memory, codes of fp8 as f16 and f32 as three bf16 whose
// sum it is (CodeValues.cpp), which are multiplied one after the other.
//
// 16 bytes of lhs have two values of a lane (k = 2t, 2t + 1), and a chunk of a
// column has the codes of both: a lane reads two bytes of each half.
//
//===----------------------------------------------------------------------===//

#include "CoreValues.h"
#include "RegisterGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Values, or codes that become such, beside values. Those of f32 are three of
/// bf16 in shared memory, and codes of fp8 one of f16.
class ValueGroup : public RegisterGroup {
public:
  ValueGroup(GPUBuilder &body, const MatrixShape &shape, Type lhs, Type rhs)
      : RegisterGroup(body, shape), lhsType(lhs),
        codes(*this, body, rhs, CodeValues::getValue(lhs)) {}

  Type getDecodedLhs() const override {
    return lhsType == codes.value ? Type() : codes.value;
  }
  int64_t getLhsParts() const override { return lhsType.isF32() ? 3 : 1; }
  Values decodeLhs(Value vector) override;

protected:
  Type getSumType() override { return builder.getF32Type(); }
  std::string getTypes(const GroupStage &) override {
    return codes.value.isF16() ? "k16.f32.f16.f16" : "k16.f32.bf16.bf16";
  }
  StringRef getScales() override { return ", 1, 1, 0"; }
  SmallVector<Values> loadColumns(const GroupStage &stage, int64_t product,
                                  int64_t first, int64_t count) override;

private:
  /// Codes 2t, 2t + 1 of both halves of a chunk.
  Value loadCodes(const GroupStage &stage, Value plane, int64_t product,
                  int64_t column);
  const Type lhsType;
  CoreValues codes;
};

} // namespace

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

Value ValueGroup::loadCodes(const GroupStage &stage, Value plane,
                            int64_t product, int64_t column) {
  Value warp = body.div(stage.lane, 32), inWarp = body.rem(stage.lane, 32);
  Value inProduct =
      body.sum(body.sum(body.times(warp, 16), body.div(inWarp, 4)),
               body.attr(8 * column));
  Value chunk = stage.rhsChunk(plane, body.index(product), inProduct);
  Value first = body.sum(chunk, body.rem(inWarp, 4));
  Values halves;
  for (int64_t half : {0, 4})
    halves.push_back(
        memref::LoadOp::create(builder, loc, stage.shared,
                               ValueRange(body.sum(first, body.attr(half)))));
  Value pair =
      vector::FromElementsOp::create(builder, loc, codes.getPair(), halves);
  return codes.toWord(pair);
}

SmallVector<MatrixUnit::Values> ValueGroup::loadColumns(const GroupStage &stage,
                                                        int64_t product,
                                                        int64_t first,
                                                        int64_t count) {
  SmallVector<Values> result;
  if (codes.codes == codes.value) {
    Values words = loadPlanes(stage, product, 2 * first, 2 * count);
    for (int64_t i = 0; i < count; ++i)
      result.emplace_back(ArrayRef<Value>(words).slice(4 * i, 4));
    return result;
  }
  Values words;
  for (int64_t step = first; step < first + count; ++step) {
    // A plane of nibbles has two steps.
    int64_t part = stage.isNibbles ? step % 2 : 0;
    if (words.empty() || part == 0) {
      words.clear();
      for (int64_t column : {0, 1})
        words.push_back(loadCodes(stage,
                                  body.index(stage.isNibbles ? step / 2 : step),
                                  product, column));
    }
    Values low = codes.decode(words[0], part, getOffset(stage, product, 0)),
           high = codes.decode(words[1], part, getOffset(stage, product, 1));
    Values ofStep;
    for (Value pair : {low[0], high[0], low[1], high[1]})
      ofStep.push_back(codes.toWord(pair));
    result.push_back(ofStep);
  }
  return result;
}

MatrixUnit::Values ValueGroup::decodeLhs(Value vector) {
  int64_t count = cast<VectorType>(vector.getType()).getNumElements();
  // By part, all pairs.
  SmallVector<Values> parts(getLhsParts());
  for (int64_t first = 0; first < count; first += 4) {
    SmallVector<int64_t> numbers{first, first + 1, first + 2, first + 3};
    Value four =
        vector::ShuffleOp::create(builder, loc, vector, vector, numbers);
    if (lhsType.isF32()) {
      for (auto [part, pairs] : llvm::zip_equal(parts, codes.split(four)))
        part.append(pairs);
      continue;
    }
    Value word =
        LLVM::BitcastOp::create(builder, loc, builder.getI32Type(), four);
    parts.front().append(codes.convertBytes(word, lhsType));
  }
  Values results;
  for (const Values &pairs : parts) {
    Values words;
    for (Value pair : pairs)
      words.push_back(codes.toWord(pair));
    Value all = vector::FromElementsOp::create(
        builder, loc, VectorType::get({count / 2}, builder.getI32Type()),
        words);
    results.push_back(vector::BitCastOp::create(
        builder, loc, VectorType::get({count}, codes.value), all));
  }
  return results;
}

std::unique_ptr<MatrixUnit>
quant_mlir::createValueGroup(GPUBuilder &body, const GPUTarget &target,
                             const MatrixWork &work, Type lhs, Type rhs) {
  // Of f32 a stage has three times the bytes.
  int64_t codesOfPlane = chunkBytes / 2;
  MatrixShape shape;
  if (work.blockCodes != 0) {
    shape = RegisterGroup::getShapeOfBlocks(target, work);
    if (2 * work.blockCodes > shape.stagePlanes * codesOfPlane && !lhs.isF32())
      shape.stagePlanes *= 2;
  } else {
    bool isFull = work.countTiles(256) >= target.getNumCores();
    shape = RegisterGroup::getShapeBeside(isFull && !lhs.isF32() ? 128 : 64);
  }
  if (lhs.isF32())
    shape.maxTileRows /= 2;
  return std::make_unique<ValueGroup>(body, shape, lhs, rhs);
}
