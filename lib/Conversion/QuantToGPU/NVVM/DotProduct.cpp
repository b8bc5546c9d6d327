//===- DotProduct.cpp - Products of words of four codes -------------------===//
//
// dp4a, for few rows: a lane has a column, and every row of it. See
// ContractStream.cpp.
//
//===----------------------------------------------------------------------===//

#include "../MatrixUnit.h"
#include "NVVM.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

MatrixShape getShape(int64_t rows, int64_t chunks) {
  MatrixShape shape;
  shape.rows = rows;
  shape.columns = 32;
  shape.lanes = 32;
  shape.laneRows = rows;
  shape.rowStride = 1;
  shape.groups = 4;
  shape.stagePlanes = shape.groups * chunks;
  shape.minGroupColumns = 32;
  shape.maxTileRows = rows;
  return shape;
}

class DotProduct : public MatrixUnit {
public:
  DotProduct(GPUBuilder &body, int64_t rows, int64_t chunks)
      : MatrixUnit(body, getShape(rows, chunks)) {}

  bool isStreaming() const override { return true; }
  Value dot(Value lhs, Value rhs, Value sum, bool isLhsSigned) override {
    auto bytes = VectorType::get({4}, builder.getIntegerType(8));
    auto toBytes = [&](Value word) -> Value {
      return LLVM::BitcastOp::create(builder, loc, bytes, word);
    };
    auto type = isLhsSigned ? NVVM::DotAccumulateType::SIGNED
                            : NVVM::DotAccumulateType::UNSIGNED;
    return NVVM::DotAccumulate4WayOp::create(
        builder, loc, builder.getI32Type(), toBytes(lhs), type, toBytes(rhs),
        NVVM::DotAccumulateType::SIGNED, sum);
  }

  Values getZeros() override { return Values(shape.rows, body.constantI32(0)); }
  Value getSum(ArrayRef<Value> sums, int64_t row, int64_t) override {
    return sums[row];
  }
  // Every lane of a group has all codes of its rows.
  Value addAcrossLanes(Value value) override { return value; }
  Value getRow(Value) override { return body.index(0); }
  Value getColumnGroup(Value lane) override { return lane; }
  Value getColumn(Value columnGroup, Value) override { return columnGroup; }

  // Nothing goes through shared memory.
  Values loadLhs(const GroupStage &, int64_t, int64_t) override {
    llvm_unreachable("a unit that streams");
  }
  SmallVector<Values> loadRhs(const GroupStage &, int64_t) override {
    llvm_unreachable("a unit that streams");
  }
  void multiply(const GroupStage &, ArrayRef<Value>, ArrayRef<Value>,
                MutableArrayRef<Value>) override {
    llvm_unreachable("a unit that streams");
  }
  void addCodes(const GroupStage &, ArrayRef<Value>,
                MutableArrayRef<Value>) override {
    llvm_unreachable("a unit that streams");
  }
};

} // namespace

std::unique_ptr<MatrixUnit>
quant_mlir::createDotProduct(GPUBuilder &body, int64_t rows, int64_t chunks) {
  return std::make_unique<DotProduct>(body, rows, chunks);
}
