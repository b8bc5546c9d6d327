//===- DotProduct.cpp - Products of Vulkan's integer dot product ----------===//
//
// What every device of Vulkan 1.3 has: dot products of four packed codes, by
// single lanes. Sixty-four of them share a tile, as a matrix of eight by eight;
// with few rows, they have columns of their own.
//
//===----------------------------------------------------------------------===//

#include "../StreamUnit.h"
#include "LaneMatrix.h"

#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

static Value buildDot(OpBuilder &builder, Location loc, Value lhs, Value rhs,
                      Value sum, bool isLhsSigned) {
  Type i32 = builder.getI32Type();
  auto format = spirv::PackedVectorFormatAttr::get(
      builder.getContext(),
      spirv::PackedVectorFormat::PackedVectorFormat4x8Bit);
  // The factor without signs is the second one.
  Value product =
      isLhsSigned
          ? Value(spirv::SDotOp::create(builder, loc, i32, lhs, rhs, format))
          : Value(spirv::SUDotOp::create(builder, loc, i32, rhs, lhs, format));
  return arith::AddIOp::create(builder, loc, sum, product);
}

namespace {

MatrixShape getShape(bool isNibbles) {
  MatrixShape shape = LaneMatrix::getShape();
  shape.stepPlanes = isNibbles ? 2 : 1;
  // 12 KiB of shared memory with both stages, of 16 that every device has.
  shape.stagePlanes = 4;
  shape.maxTileRows = 64;
  return shape;
}

class DotProduct : public LaneMatrix {
public:
  DotProduct(GPUBuilder &body, bool isNibbles)
      : LaneMatrix(body, ::getShape(isNibbles)) {}

  Values loadLhs(const GroupStage &stage, int64_t step,
                 int64_t product) override {
    Values words;
    for (int64_t plane = 0; plane < shape.stepPlanes; ++plane)
      words.append(
          loadChunk(stage.shared,
                    stage.lhsChunk(body.index(step * shape.stepPlanes + plane),
                                   product, getRow(stage.lane))));
    return words;
  }
  SmallVector<Values> loadRhs(const GroupStage &stage, int64_t step) override;
  Values getZeros() override { return {body.constantI32(0)}; }
  void multiply(const GroupStage &stage, ArrayRef<Value> lhs,
                ArrayRef<Value> rhs, MutableArrayRef<Value> sums) override;
  void addCodes(const GroupStage &stage, ArrayRef<Value> lhs,
                MutableArrayRef<Value> rowSums) override {
    Values ones(lhs.size(), body.constantI32(0x01010101));
    multiply(stage, lhs, ones, rowSums);
  }
};

class ColumnProduct : public StreamUnit {
public:
  using StreamUnit::StreamUnit;

  Value dot(Value lhs, Value rhs, Value sum, bool isLhsSigned) override {
    return buildDot(builder, loc, lhs, rhs, sum, isLhsSigned);
  }
  Value load(VectorType type, Value buffer, Value at) override {
    return loadElements(body, type, buffer, at);
  }
  void store(Value vector, Value buffer, Value at) override {
    storeElements(body, vector, buffer, at);
  }
};

} // namespace

SmallVector<MatrixUnit::Values> DotProduct::loadRhs(const GroupStage &stage,
                                                    int64_t step) {
  SmallVector<Values> factors;
  for (int64_t j = 0; j < stage.columnProducts; ++j) {
    Values words =
        loadChunk(stage.shared, stage.rhsChunk(body.index(step), body.index(j),
                                               getColumnGroup(stage.lane)));
    // Low ones belong to the first of two chunks of lhs.
    factors.push_back(stage.isNibbles ? unpackNibbles(words) : words);
  }
  return factors;
}

void DotProduct::multiply(const GroupStage &stage, ArrayRef<Value> lhs,
                          ArrayRef<Value> rhs, MutableArrayRef<Value> sums) {
  for (auto [a, b] : llvm::zip_equal(lhs, rhs))
    sums.front() =
        buildDot(builder, loc, a, b, sums.front(), stage.isLhsSigned);
}

std::unique_ptr<MatrixUnit> quant_mlir::createWordProduct(GPUBuilder &body,
                                                          bool isNibbles) {
  return std::make_unique<DotProduct>(body, isNibbles);
}

std::unique_ptr<MatrixUnit>
quant_mlir::createColumnProduct(GPUBuilder &body, const MatrixShape &shape) {
  return std::make_unique<ColumnProduct>(body, shape);
}
