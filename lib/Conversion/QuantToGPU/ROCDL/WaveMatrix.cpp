//===- WaveMatrix.cpp - Sums of AMD's matrix cores ------------------------===//

#include "WaveMatrix.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

MatrixShape WaveMatrix::getMFMAShape(int64_t size) {
  MatrixShape shape;
  shape.rows = size;
  shape.columns = size;
  shape.lanes = 64;
  shape.laneColumns = size * size / 64;
  shape.groups = 4;
  shape.minGroupColumns = size;
  shape.mixesSigns = false;
  return shape;
}

MatrixShape WaveMatrix::getWMMAShape() {
  MatrixShape shape;
  shape.rows = 16;
  shape.columns = 16;
  shape.lanes = 32;
  shape.laneColumns = 8;
  shape.groups = 8;
  shape.minGroupColumns = 16;
  return shape;
}

WaveMatrix::WaveMatrix(GPUBuilder &body, const MatrixShape &shape, Type element)
    : MatrixUnit(body, shape),
      sumsType(VectorType::get({shape.laneColumns}, element)),
      pieceColumns(isWMMA() ? 1 : 4) {}

MatrixUnit::Values WaveMatrix::getZeros() {
  return {
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(sumsType))};
}

Value WaveMatrix::getSum(ArrayRef<Value> sums, int64_t, int64_t column) {
  return vector::ExtractOp::create(builder, loc, sums.front(), column);
}

Value WaveMatrix::addAcrossLanes(Value value) {
  if (isWMMA())
    return value;
  bool isFloat = value.getType().isF32();
  for (int64_t distance = shape.rows; distance < shape.lanes; distance *= 2) {
    Value other =
        gpu::ShuffleOp::create(builder, loc, value, int32_t(distance),
                               int32_t(shape.lanes), gpu::ShuffleMode::XOR)
            .getShuffleResult();
    value = isFloat ? Value(arith::AddFOp::create(builder, loc, value, other))
                    : Value(arith::AddIOp::create(builder, loc, value, other));
  }
  return value;
}
