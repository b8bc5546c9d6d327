//===- LaneMatrix.h - Products of a matrix by single lanes ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_LANEMATRIX_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_LANEMATRIX_H

#include "../MatrixUnit.h"
#include "SPIRV.h"

namespace quant_mlir {

/// Sixty-four lanes as a matrix of eight by eight, of which each has a sum,
/// from shared memory of words.
class LaneMatrix : public MatrixUnit {
public:
  using MatrixUnit::MatrixUnit;
  /// But for stages and rows of a tile.
  static MatrixShape getShape();

  mlir::Value addAcrossLanes(mlir::Value value) override { return value; }
  mlir::Value getSum(llvm::ArrayRef<mlir::Value> sums, int64_t,
                     int64_t) override {
    return sums.front();
  }
  mlir::Value getRow(mlir::Value lane) override {
    return body.div(lane, shape.columns);
  }
  mlir::Value getColumnGroup(mlir::Value lane) override {
    return body.rem(lane, shape.columns);
  }
  mlir::Value getColumn(mlir::Value columnGroup, mlir::Value) override {
    return columnGroup;
  }

  mlir::Value load(mlir::VectorType type, mlir::Value buffer,
                   mlir::Value at) override {
    return loadElements(body, type, buffer, at);
  }
  void store(mlir::Value vector, mlir::Value buffer, mlir::Value at) override {
    storeElements(body, vector, buffer, at);
  }

protected:
  /// Words of a chunk.
  Values loadChunk(mlir::Value shared, mlir::Value at);
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_LANEMATRIX_H
