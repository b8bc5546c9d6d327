//===- StreamUnit.cpp - Lanes that have a column each ---------------------===//

#include "StreamUnit.h"

using namespace mlir;
using namespace quant_mlir;

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
