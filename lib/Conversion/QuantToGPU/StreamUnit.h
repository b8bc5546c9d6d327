//===- StreamUnit.h - Lanes that have a column each -------------*- C++ -*-===//
//
// For few rows: a lane has a column, or several, and every row of it
// (ContractStream.cpp); or, of depthwise contractions, several columns of
// several rows (ContractDepthwise.cpp). A target gives the product of words of
// four codes. Sums of values are vectors of a lane's columns, one of each row.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_STREAMUNIT_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_STREAMUNIT_H

#include "MatrixUnit.h"

namespace quant_mlir {

class StreamUnit : public MatrixUnit {
public:
  using MatrixUnit::MatrixUnit;

  bool isStreaming() const override { return true; }
  mlir::Value dot(mlir::Value lhs, mlir::Value rhs, mlir::Value sum,
                  bool isLhsSigned) override = 0;

  Values getZeros() override;
  mlir::Value getSum(llvm::ArrayRef<mlir::Value> sums, int64_t row,
                     int64_t column) override;
  mlir::Type getOffsetType(mlir::Type) override { return builder.getF32Type(); }
  // Every lane of a group has all codes of its rows.
  mlir::Value addAcrossLanes(mlir::Value value) override { return value; }
  mlir::Value getRow(mlir::Value) override { return body.index(0); }
  mlir::Value getColumnGroup(mlir::Value lane) override { return lane; }
  mlir::Value getColumn(mlir::Value columnGroup, mlir::Value) override {
    return columnGroup;
  }

  // Nothing goes through shared memory.
  Values loadLhs(const GroupStage &, int64_t, int64_t) override;
  llvm::SmallVector<Values> loadRhs(const GroupStage &, int64_t) override;
  void multiply(const GroupStage &, llvm::ArrayRef<mlir::Value>,
                llvm::ArrayRef<mlir::Value>,
                llvm::MutableArrayRef<mlir::Value>) override;
  void addCodes(const GroupStage &, llvm::ArrayRef<mlir::Value>,
                llvm::MutableArrayRef<mlir::Value>) override;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_STREAMUNIT_H
