//===- WaveMatrix.h - Sums of AMD's matrix cores ----------------*- C++ -*-===//
//
// MFMA of CDNA3 and WMMA of RDNA3 give a lane several rows of one column of the
// sums, so weights are their first factor: a lane then has several columns of
// one row of the result, and stores them at once.
//
// Lane l is in group h = l / S of an instruction of S rows. Of MFMA each group
// has other elements of the reduction, of row l % S of both factors; of WMMA
// both halves of the wave have the same ones.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_WAVEMATRIX_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_WAVEMATRIX_H

#include "../MatrixUnit.h"
#include "ROCDL.h"

namespace quant_mlir {

/// Which lane has which sum of MFMA and WMMA.
class WaveMatrix : public MatrixUnit {
public:
  /// Of MFMA of `size` rows and columns, and of WMMA.
  static MatrixShape getMFMAShape(int64_t size);
  static MatrixShape getWMMAShape();

  Values getZeros() override;
  mlir::Value getSum(llvm::ArrayRef<mlir::Value> sums, int64_t,
                     int64_t column) override;
  mlir::Value getRow(mlir::Value lane) override {
    return body.rem(lane, shape.rows);
  }
  mlir::Value getColumnGroup(mlir::Value lane) override {
    return body.div(lane, shape.rows);
  }
  /// Pieces of four columns, of one group after the other. Of WMMA, even
  /// columns are of the first half of the wave.
  mlir::Value getColumn(mlir::Value columnGroup, mlir::Value column) override {
    mlir::Value piece =
        body.times(body.div(column, pieceColumns), groups() * pieceColumns);
    mlir::Value inPiece = body.sum(body.times(columnGroup, pieceColumns),
                                   body.rem(column, pieceColumns));
    return body.sum(piece, inPiece);
  }
  std::pair<mlir::Value, mlir::Value>
  findColumn(mlir::Value inProduct) override {
    mlir::Value piece = body.div(inProduct, groups() * pieceColumns);
    return {body.rem(body.div(inProduct, pieceColumns), groups()),
            body.sum(body.times(piece, pieceColumns),
                     body.rem(inProduct, pieceColumns))};
  }
  /// Of i32 or f32.
  mlir::Value addAcrossLanes(mlir::Value value) override;
  mlir::Value permute(mlir::Value a, mlir::Value b,
                      llvm::ArrayRef<int64_t> bytes) override {
    return buildPermute(builder, loc, a, b, bytes);
  }

protected:
  /// `element`: of sums, i32 or f32.
  WaveMatrix(GPUBuilder &body, const MatrixShape &shape, mlir::Type element);

  bool isWMMA() const { return shape.lanes == 32; }
  /// Of lanes, and those that have elements of the reduction of their own.
  int64_t groups() const { return shape.lanes / shape.rows; }
  int64_t depthGroups() const { return isWMMA() ? 1 : groups(); }

  const mlir::VectorType sumsType; ///< of a lane

private:
  const int64_t pieceColumns; ///< that follow each other in a lane
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_WAVEMATRIX_H
