//===- ValueCore.h - Products of values on tensor cores ---------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_VALUECORE_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_VALUECORE_H

#include "TensorCore.h"

namespace quant_mlir {

/// mma.sync m16n8k16 of values: see ValueCore.cpp.
class ValueCore : public TensorCore {
public:
  ValueCore(GPUBuilder &body, mlir::Type lhs, mlir::Type rhs, bool isLong)
      : TensorCore(body, isLong ? 8 : 4), lhsType(lhs), rhsType(rhs),
        value(getValue(lhs)) {}

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
  /// A lane reads half of a chunk, of four rows at a time of both planes.
  mlir::Value getLhsSwizzle(mlir::Value plane) override {
    if (!decodesRhs())
      return TensorCore::getLhsSwizzle(plane);
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
        value(getValue(lhs)) {}
  /// What is multiplied.
  static mlir::Type getValue(mlir::Type lhs) {
    if (lhs.isF32() || lhs.isBF16())
      return mlir::BFloat16Type::get(lhs.getContext());
    return mlir::Float16Type::get(lhs.getContext());
  }

  /// Pairs of four codes of a word: k, k + 1, and k + 2, k + 3; of nibbles of
  /// the low ones (`part` 0) or the high ones.
  Values decode(mlir::Value word, int64_t part, mlir::Value offset);
  /// Fragments of pairs.
  void multiplyPairs(llvm::ArrayRef<mlir::Value> lhs,
                     llvm::ArrayRef<mlir::Value> rhs,
                     llvm::MutableArrayRef<mlir::Value> sums);
  mlir::VectorType getPair() const { return mlir::VectorType::get({2}, value); }

  const mlir::Type lhsType, rhsType, value;

private:
  /// Of codes beside values; otherwise both sides are alike.
  bool decodesRhs() const { return lhsType == value && rhsType != lhsType; }

  mlir::Value constantPair(float number);
  mlir::Value toPair(mlir::Value word);
  mlir::Value toWord(mlir::Value pair);
  /// Pairs k, k + 1 and k + 2, k + 3 of four codes of fp8.
  Values convertBytes(mlir::Value word, mlir::Type from);
  /// The same of four signed bytes, less `offset`: an element, or null.
  Values decodeBytes(mlir::Value word, mlir::Value offset);
  /// The same of the low (`part` 0) or high nibbles of four bytes.
  Values decodeNibbles(mlir::Value word, int64_t part, mlir::Value offset);
  /// factor * pair - number - offset
  mlir::Value adjust(mlir::Value pair, float factor, float number,
                     mlir::Value offset);

  /// Words of nibbles that two steps share.
  llvm::SmallVector<mlir::Value> nibbles;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_VALUECORE_H
