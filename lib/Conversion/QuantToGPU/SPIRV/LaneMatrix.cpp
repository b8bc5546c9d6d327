//===- LaneMatrix.cpp - Products of a matrix by single lanes --------------===//
//
// Buffers are of words or bytes, never of both, and registers have at most four
// elements: so memory is read element by element.
//
//===----------------------------------------------------------------------===//

#include "LaneMatrix.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

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

MatrixShape LaneMatrix::getShape() {
  MatrixShape shape;
  shape.rows = 8;
  shape.columns = 8;
  shape.lanes = 64;
  shape.minGroupColumns = 32;
  shape.maxGroupColumns = 32;
  return shape;
}

MatrixUnit::Values LaneMatrix::loadChunk(Value shared, Value at) {
  Values words;
  for (int64_t i = 0; i < chunkBytes / 4; ++i)
    words.push_back(memref::LoadOp::create(
        builder, loc, shared, ValueRange(body.sum(at, body.attr(i)))));
  return words;
}
