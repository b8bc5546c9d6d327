//===- ContractLowering.h - Contractions as linalg --------------*- C++ -*-===//
//
// The class that lowers one quant.contract: its sums are in ContractSums.cpp,
// what is made of them in ContractToLinalg.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_CONTRACTLOWERING_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_CONTRACTLOWERING_H

#include "IntegerFormToLinalg.h"
#include "ParameterMap.h"
#include "ParameterTensor.h"

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace quant_mlir {

/// Lowers one contraction; what it lowers to is in ContractToLinalg.cpp.
class ContractLowering {
public:
  ContractLowering(ContractOp op, mlir::PatternRewriter &rewriter)
      : op(op), rewriter(rewriter), loc(op.getLoc()),
        rhsParams(op.getRhsParamsAttr()), isInteger(op.hasIntegerSum()) {
    if (rhsParams)
      values = rhsParams.getTensorParams();
  }

  mlir::LogicalResult lower();

private:
  /// A factor of every unit of rhs: a number known here, or, where the scale of
  /// lhs is an operand, what it is multiplied by at run time.
  struct Multiplier {
    Parameter<float> value;
    unsigned index = 0;
  };

  /// Sums over one block, or over everything.
  struct Sums {
    mlir::Value products; ///< sum((x - zx) * (w - zw))
    mlir::Value lhs;      ///< sum(x - zx); minval only
  };

  mlir::Value centreLhs();
  void buildParameters();
  Sums sum(mlir::Value lhs, mlir::Value rhs, std::optional<int64_t> block,
           const Parameter<int32_t> &zeroPoint);
  mlir::Value addBlocks(mlir::Value lhs, mlir::Value rhs, unsigned dim,
                        int64_t size);
  mlir::Value addBlock(mlir::Value lhs, mlir::Value rhs, unsigned dim,
                       int64_t size, int64_t length, mlir::Value block,
                       mlir::Value total);
  mlir::Value finish(const Sums &sums, mlir::Value total);

  /// `sums` of one element times their multipliers.
  struct ScaledInputs {
    unsigned products, lhs = 0, bias = 0, scale = 0, rhsScale = 0;
    Multiplier multiplier, minval;
  };
  ScaledInputs addScaled(GenericInputs &inputs, const Sums &sums,
                         const Multiplier &multiplier,
                         const Multiplier &minval);
  mlir::Value buildScaled(const ElementArith &arith, mlir::ValueRange args,
                          const ScaledInputs &inputs);
  mlir::Value buildMultiplier(const ElementArith &arith, mlir::ValueRange args,
                              const Multiplier &multiplier,
                              const ScaledInputs &inputs);

  /// Of sums: i32, i64 where they are wide, or binary32.
  mlir::Type getSumType() {
    if (!isInteger)
      return rewriter.getF32Type();
    return op.getWide() ? rewriter.getI64Type() : rewriter.getI32Type();
  }
  bool hasIntegerBias() {
    return op.getBias() && mlir::getElementTypeOrSelf(op.getBias()).isInteger();
  }
  /// The scale of a result of codes.
  std::optional<float> getResultScale() {
    if (!op.getInitParams())
      return std::nullopt;
    return getTensorScale(*op.getInitParams());
  }
  /// From loops to units of rhs.
  mlir::AffineMap getUnitMap() {
    if (!rhsParams)
      return mlir::AffineMap::get(op.getNumLoops(), 0, rewriter.getContext());
    return getParameterMap(rhsParams.getGranularity(),
                           op.getRhsCodesType().getShape())
        .compose(op.getRhsMap());
  }
  /// A map of loops as one of the result's dimensions; reductions become 0.
  mlir::AffineMap toResult(mlir::AffineMap map);
  /// From the result's dimensions to an operand that has one element or one per
  /// row of lhs; the same of columns of rhs.
  mlir::AffineMap getRowMap(mlir::Value operand) {
    return toResult(getRowsMap(op, operand));
  }
  mlir::AffineMap getColumnMap(mlir::Value operand) {
    return toResult(getColumnsMap(op, operand));
  }
  mlir::Value fill(mlir::Type element);

  ContractOp op;
  mlir::PatternRewriter &rewriter;
  mlir::Location loc;
  AffineAttr rhsParams; ///< null: rhs is of values
  numerics::TensorParams values;
  bool isInteger;
  Parameter<int32_t> rhsZeroPoint;
  Parameter<float> rhsScale, rhsMinval;
  Multiplier multiplier, minvalMultiplier;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_CONTRACTLOWERING_H
