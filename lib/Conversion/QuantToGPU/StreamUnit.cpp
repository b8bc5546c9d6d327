//===- StreamUnit.cpp - Lanes that have a column each ---------------------===//

#include "StreamUnit.h"

using namespace mlir;
using namespace quant_mlir;

static MatrixShape getShape(int64_t rows, int64_t lanes, int64_t groups,
                            int64_t chunks, bool mixesSigns) {
  MatrixShape shape;
  shape.rows = rows;
  shape.columns = lanes;
  shape.lanes = lanes;
  shape.laneRows = rows;
  shape.rowStride = 1;
  shape.groups = groups;
  shape.stagePlanes = groups * chunks;
  shape.minGroupColumns = lanes;
  shape.maxTileRows = rows;
  shape.mixesSigns = mixesSigns;
  return shape;
}

StreamUnit::StreamUnit(GPUBuilder &body, int64_t rows, int64_t lanes,
                       int64_t groups, int64_t chunks, bool mixesSigns)
    : MatrixUnit(body, getShape(rows, lanes, groups, chunks, mixesSigns)) {}

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
