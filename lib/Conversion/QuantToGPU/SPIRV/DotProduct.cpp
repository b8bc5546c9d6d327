//===- DotProduct.cpp - Products of Vulkan's integer dot product ----------===//
//
// What every device of Vulkan 1.3 has: dot products of four packed codes, by
// single lanes. Sixty-four of them share a tile, as a matrix of eight by eight;
// with few rows, they have columns of their own.
// Buffers are of words or bytes, never of both, and registers have at most four
// elements: so memory is read element by element.
//
//===----------------------------------------------------------------------===//

#include "../StreamUnit.h"
#include "SPIRV.h"

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

Value quant_mlir::loadElements(GPUBuilder &body, VectorType type, Value buffer,
                               Value at) {
  SmallVector<Value> elements;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    elements.push_back(
        memref::LoadOp::create(body.builder, body.loc, buffer,
                               ValueRange(body.sum(at, body.attr(i)))));
  return vector::FromElementsOp::create(body.builder, body.loc, type, elements);
}

void quant_mlir::storeElements(GPUBuilder &body, Value vector, Value buffer,
                               Value at) {
  auto type = cast<VectorType>(vector.getType());
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    Value element =
        vector::ExtractOp::create(body.builder, body.loc, vector, i);
    memref::StoreOp::create(body.builder, body.loc, element, buffer,
                            ValueRange(body.sum(at, body.attr(i))));
  }
}

namespace {

MatrixShape getShape(bool isNibbles) {
  MatrixShape shape;
  shape.rows = 8;
  shape.columns = 8;
  shape.lanes = 64;
  shape.stepPlanes = isNibbles ? 2 : 1;
  // 12 KiB of shared memory with both stages, of 16 that every device has.
  shape.stagePlanes = 4;
  shape.maxTileRows = 64;
  shape.minGroupColumns = 32;
  shape.maxGroupColumns = 32;
  return shape;
}

class DotProduct : public MatrixUnit {
public:
  DotProduct(GPUBuilder &body, bool isNibbles)
      : MatrixUnit(body, getShape(isNibbles)) {}

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
  Value addAcrossLanes(Value value) override { return value; }

  Value getSum(ArrayRef<Value> sums, int64_t, int64_t) override {
    return sums.front();
  }
  Value getRow(Value lane) override { return body.div(lane, shape.columns); }
  Value getColumnGroup(Value lane) override {
    return body.rem(lane, shape.columns);
  }
  Value getColumn(Value columnGroup, Value) override { return columnGroup; }

  Value load(VectorType type, Value buffer, Value at) override {
    return loadElements(body, type, buffer, at);
  }
  void store(Value vector, Value buffer, Value at) override {
    storeElements(body, vector, buffer, at);
  }

private:
  Values loadChunk(Value shared, Value at);
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

MatrixUnit::Values DotProduct::loadChunk(Value shared, Value at) {
  Values words;
  for (int64_t i = 0; i < chunkBytes / 4; ++i)
    words.push_back(memref::LoadOp::create(
        builder, loc, shared, ValueRange(body.sum(at, body.attr(i)))));
  return words;
}

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
