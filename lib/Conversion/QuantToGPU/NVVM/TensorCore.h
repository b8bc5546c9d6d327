//===- TensorCore.h - Products of NVIDIA's tensor cores ---------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_TENSORCORE_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_TENSORCORE_H

#include "../MatrixUnit.h"
#include "NVVM.h"

namespace quant_mlir {

/// mma.sync m16n8k32: see TensorCore.cpp.
class TensorCore : public MatrixUnit {
public:
  TensorCore(GPUBuilder &body, int64_t stagePlanes);

  Values loadLhs(const GroupStage &stage, int64_t step,
                 int64_t product) override;
  llvm::SmallVector<Values> loadRhs(const GroupStage &stage,
                                    int64_t step) override;
  Values getZeros() override { return Values(4, body.constantI32(0)); }
  void multiply(const GroupStage &stage, llvm::ArrayRef<mlir::Value> lhs,
                llvm::ArrayRef<mlir::Value> rhs,
                llvm::MutableArrayRef<mlir::Value> sums) override;
  void addCodes(const GroupStage &stage, llvm::ArrayRef<mlir::Value> lhs,
                llvm::MutableArrayRef<mlir::Value> rowSums) override;
  mlir::Value addAcrossLanes(mlir::Value value) override;

  // Lane l has columns 2 * (l % 4) and the next, of rows l / 4 and 8 more.
  mlir::Value getSum(llvm::ArrayRef<mlir::Value> sums, int64_t row,
                     int64_t column) override {
    return sums[2 * row + column];
  }
  mlir::Value getRow(mlir::Value lane) override { return body.div(lane, 4); }
  mlir::Value getColumnGroup(mlir::Value lane) override {
    return body.rem(lane, 4);
  }
  mlir::Value getColumn(mlir::Value columnGroup, mlir::Value column) override {
    return body.sum(body.times(columnGroup, 2), column);
  }
  /// Rows of the planes that lanes beside each other copy meet in no bank.
  mlir::Value getLhsSwizzle(mlir::Value plane) override {
    return shape.stagePlanes > 4 ? plane : MatrixUnit::getLhsSwizzle(plane);
  }
  /// Eight columns that follow each other are of four products, or of two.
  mlir::Value getSwizzle(mlir::Value product, int64_t columnProducts) override {
    return columnProducts >= 4 ? body.times(body.rem(product, 4), 2)
                               : body.times(body.rem(product, 2), 4);
  }

  bool hasAsyncCopies() const override { return true; }
  /// Three; more of small tiles, of which more have to be on their way.
  int64_t getNumStages(int64_t stageBytes) const override;
  void copyAsync(mlir::Value from, mlir::Value at, mlir::Value shared,
                 mlir::Value to, int64_t count, mlir::Value valid) override;
  void commitCopies() override;
  void waitForCopies(int64_t stages) override;

protected:
  TensorCore(GPUBuilder &body, const MatrixShape &shape)
      : MatrixUnit(body, shape) {}
  static MatrixShape getWarpShape(int64_t stagePlanes);

  /// Words of a fragment of `count` matrices.
  Values loadMatrices(mlir::Value shared, mlir::Value at, int64_t count);
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_TENSORCORE_H
