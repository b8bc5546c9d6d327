//===- StreamUnit.cpp - Lanes that have a column each ---------------------===//

#include "StreamUnit.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

MatrixUnit::Values StreamUnit::getZeros() {
  if (!shape.isOfValues)
    return Values(shape.laneRows * shape.laneColumns, body.constantI32(0));
  auto type = VectorType::get({shape.laneColumns}, builder.getF32Type());
  Value zeros =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return Values(shape.laneRows, zeros);
}

Value StreamUnit::getSum(ArrayRef<Value> sums, int64_t row, int64_t column) {
  if (!shape.isOfValues)
    return sums[row * shape.laneColumns + column];
  return vector::ExtractOp::create(builder, loc, sums[row], column);
}

MatrixUnit::Values StreamUnit::loadLhs(const GroupStage &, int64_t, int64_t) {
  llvm_unreachable("a unit that streams");
}

SmallVector<MatrixUnit::Values> StreamUnit::loadRhs(const GroupStage &,
                                                    int64_t) {
  llvm_unreachable("a unit that streams");
}

void StreamUnit::multiply(const GroupStage &, ArrayRef<Value>, ArrayRef<Value>,
                          MutableArrayRef<Value>) {
  llvm_unreachable("a unit that streams");
}

void StreamUnit::addCodes(const GroupStage &, ArrayRef<Value>,
                          MutableArrayRef<Value>) {
  llvm_unreachable("a unit that streams");
}
