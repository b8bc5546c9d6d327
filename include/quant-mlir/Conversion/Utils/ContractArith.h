//===- ContractArith.h - What every kernel of a contraction has -*- C++ -*-===//
//
// docs/numerics.md section 6 on quant.contract, whatever the kernel around it:
// the numbers that belong to its weights, known when the kernel is made, and
// what follows the sum, on one element or on a vector of them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_CONTRACTARITH_H
#define QUANT_MLIR_CONVERSION_UTILS_CONTRACTARITH_H

#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir {

/// Scale of a result of codes; nullopt where the result is values.
std::optional<float> getResultScale(ContractOp op);

/// The numbers of rhs, unit by unit of its parameters.
class RhsUnits {
public:
  /// Of `op`, whose rhs has parameters.
  explicit RhsUnits(ContractOp op);

  /// The unit of every index along these dimensions of the codes: those of all
  /// combinations, the last dimension running fastest. Units along some
  /// dimensions and units along others add up. Along dimensions of unknown size
  /// parameters do not vary.
  std::vector<int64_t> along(llvm::ArrayRef<int64_t> dims) const;
  /// From a block to the next one along `dim`.
  int64_t getStride(int64_t dim) const { return strides[dim]; }

  /// What a sum is multiplied with: float32(double(sx) * double(sw) /
  /// double(sy)), and without the division where the result is values. sw alone
  /// with dynamic lhs, and where the sum is not of integers.
  float getMultiplier(int64_t unit) const;
  bool hasMinval() const { return !params.minvals.empty(); }
  /// The same of minval.
  float getMinval(int64_t unit) const;
  /// What is subtracted from codes: the zero point, or where there is a minval
  /// the least code.
  float getZeroPoint(int64_t unit) const;

private:
  float scaled(float value) const;

  numerics::TensorParams params;
  float leastCode;
  /// Scale of lhs; nullopt where sums are not multiplied with it here.
  std::optional<float> lhsScale, resultScale;
  llvm::SmallVector<int64_t> shape, blocks, strides;
};

/// float32(double(bias) / double(sy)) of a bias, or another value that is
/// added, in f32; `bias` where the result is values.
mlir::Value buildResultBias(const ElementArith &arith, mlir::Value bias,
                            ContractOp op);

/// float32(double(sx) * double(factor) / double(sy)), without the division
/// where the result is values. `lhsScale`, of a row, and `factor` are f32.
mlir::Value buildRowMultiplier(const ElementArith &arith, mlir::Value lhsScale,
                               mlir::Value factor, ContractOp op);

/// What elements of the residual add to a value: f32.
mlir::Value buildResidualTerm(const ElementArith &arith, mlir::Value residual,
                              ContractOp op);

/// Elements of the result, codes of 8 bits or values in its type, from f32
/// values that are divided by its scale.
mlir::Value buildContractResult(const ElementArith &arith, mlir::Value value,
                                ContractOp op);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_CONTRACTARITH_H
