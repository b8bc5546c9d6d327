//===- ValueCore.h - Products of values on tensor cores ---------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_VALUECORE_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_VALUECORE_H

#include "CoreValues.h"
#include "TensorCore.h"

namespace quant_mlir {

/// mma.sync m16n8k16 of values: see ValueCore.cpp.
class ValueCore : public TensorCore {
public:
  ValueCore(GPUBuilder &body, mlir::Type lhs, mlir::Type rhs, bool isLong)
      : ValueCore(body, getShape(lhs, isLong), lhs, rhs) {}

  Values loadLhs(const GroupStage &stage, int64_t step,
                 int64_t product) override;
  llvm::SmallVector<Values> loadRhs(const GroupStage &stage,
                                    int64_t step) override;
  Values getZeros() override;
  void multiply(const GroupStage &stage, llvm::ArrayRef<mlir::Value> lhs,
                llvm::ArrayRef<mlir::Value> rhs,
                llvm::MutableArrayRef<mlir::Value> sums) override;
  void addCodes(const GroupStage &, llvm::ArrayRef<mlir::Value> lhs,
                llvm::MutableArrayRef<mlir::Value> rowSums) override;
  mlir::Value addAcrossLanes(mlir::Value value) override { return value; }

  mlir::Value getRhsColumn(mlir::Value lane) override {
    return body.div(lane, 4);
  }
  /// A lane reads half of a chunk, of four rows at a time of both planes, or of
  /// f32 a whole one, of two rows of four planes.
  mlir::Value getLhsSwizzle(mlir::Value plane) override {
    if (!decodesRhs())
      return TensorCore::getLhsSwizzle(plane);
    if (lhsType.isF32())
      return body.sum(body.times(body.rem(plane, 4), 2), body.div(plane, 4));
    mlir::Value swizzle =
        body.sum(body.times(body.rem(plane, 2), 4),
                 body.times(body.rem(body.div(plane, 2), 2), 2));
    return shape.stagePlanes > 4 ? body.sum(swizzle, body.div(plane, 4))
                                 : swizzle;
  }

protected:
  ValueCore(GPUBuilder &body, const MatrixShape &shape, mlir::Type lhs,
            mlir::Type rhs)
      : TensorCore(body, shape), lhsType(lhs), rhsType(rhs),
        value(CodeValues::getValue(lhs)), codes(*this, body, rhs, value) {}
  /// Fragments of pairs.
  void multiplyPairs(llvm::ArrayRef<mlir::Value> lhs,
                     llvm::ArrayRef<mlir::Value> rhs,
                     llvm::MutableArrayRef<mlir::Value> sums);

  const mlir::Type lhsType, rhsType, value; ///< `value`: what is multiplied
  CoreValues codes;                         ///< of `rhsType`

private:
  static MatrixShape getShape(mlir::Type lhs, bool isLong);
  /// Of codes beside values; otherwise both sides are alike.
  bool decodesRhs() const {
    return rhsType != value && lhsType.getIntOrFloatBitWidth() >= 16;
  }

  /// Words of nibbles that two steps share.
  llvm::SmallVector<mlir::Value> nibbles;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_VALUECORE_H
