//===- ValueProduct.cpp - Products of values by single lanes --------------===//
//
// Vulkan promises no matrix instruction for values, so each of 64 lanes, as a
// matrix of eight by eight, multiplies f32 by itself, in steps of four: values
// of its rows from shared memory, and four codes of each of its columns, which
// are decoded once for all of its rows.
//
//===----------------------------------------------------------------------===//

#include "../CodeFloats.h"
#include "LaneMatrix.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

MatrixShape getShape(int64_t width, bool hasBlocks) {
  MatrixShape shape = LaneMatrix::getShape();
  shape.stepPlanes = 1;
  // A chunk of rhs. With both stages no more than 12 KiB of shared memory, of
  // 16 that every device has.
  shape.stagePlanes = std::max<int64_t>(32 / width, 4);
  int64_t mostRows = width == 4 ? 32 : 64;
  // Half of it beside blocks.
  shape.maxTileRows = hasBlocks ? 2 * mostRows : mostRows;
  return shape;
}

/// Of f32 beside integer codes, or f32.
class ValueProduct : public LaneMatrix {
public:
  ValueProduct(GPUBuilder &body, int64_t width, bool hasBlocks)
      : LaneMatrix(body, ::getShape(width, hasBlocks)),
        codes(builder, loc, width), width(width) {}

  Values loadLhs(const GroupStage &stage, int64_t step,
                 int64_t product) override {
    Value at = stage.lhsChunk(body.index(step), product, getRow(stage.lane));
    Values values;
    for (Value word : loadChunk(stage.shared, at))
      values.push_back(toFloat(word));
    return values;
  }
  SmallVector<Values> loadRhs(const GroupStage &stage, int64_t step) override;
  Values getZeros() override {
    return {
        arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0))};
  }
  void multiply(const GroupStage &, ArrayRef<Value> lhs, ArrayRef<Value> rhs,
                MutableArrayRef<Value> sums) override {
    for (auto [a, b] : llvm::zip_equal(lhs, rhs))
      sums.front() = math::FmaOp::create(builder, loc, a, b, sums.front());
  }
  void addCodes(const GroupStage &, ArrayRef<Value> lhs,
                MutableArrayRef<Value> rowSums) override {
    for (Value value : lhs)
      rowSums.front() =
          arith::AddFOp::create(builder, loc, rowSums.front(), value);
  }
  bool multipliesBySteps() const override { return true; }

  Value getRhsColumn(Value) override { return Value(); }
  Type getOffsetType(Type) override { return builder.getF32Type(); }
  /// Within the rows of a product.
  Value getLhsSwizzle(Value plane) override {
    return body.times(body.rem(plane, 4), 2);
  }

private:
  Value toFloat(Value word) {
    return arith::BitcastOp::create(builder, loc, builder.getF32Type(), word);
  }

  CodeFloats codes;
  int64_t width;
  /// Of a chunk of each of the lane's columns, which several steps share.
  SmallVector<CodeFloats::Words> words;
};

} // namespace

/// A chunk has the codes of a stage: low nibbles of all of its words, then the
/// high ones.
SmallVector<MatrixUnit::Values> ValueProduct::loadRhs(const GroupStage &stage,
                                                      int64_t step) {
  constexpr int64_t ofChunk = chunkBytes / 4;
  bool isCode = width < 32;
  SmallVector<Values> factors;
  if (step == 0)
    words.clear();
  for (int64_t j = 0; j < stage.columnProducts; ++j) {
    if (!isCode || step == 0) {
      Values chunk =
          loadChunk(stage.shared,
                    stage.rhsChunk(body.index(isCode ? 0 : step), body.index(j),
                                   getColumnGroup(stage.lane)));
      if (!isCode) {
        factors.push_back({});
        for (Value word : chunk)
          factors.back().push_back(toFloat(word));
        continue;
      }
      for (Value word : chunk)
        words.push_back(codes.prepare(word));
    }
    Value offset =
        stage.rhsOffsets.empty() ? getZeros().front() : stage.rhsOffsets[j];
    factors.push_back(codes.decode(words[j * ofChunk + step % ofChunk],
                                   step / ofChunk,
                                   codes.getSubtracted(offset)));
  }
  return factors;
}

std::unique_ptr<MatrixUnit> quant_mlir::createValueProduct(GPUBuilder &body,
                                                           int64_t width,
                                                           bool hasBlocks) {
  return std::make_unique<ValueProduct>(body, width, hasBlocks);
}
