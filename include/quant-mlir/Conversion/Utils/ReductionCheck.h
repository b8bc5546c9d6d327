//===- ReductionCheck.h - Sizes that only the run time knows ----*- C++ -*-===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_REDUCTIONCHECK_H
#define QUANT_MLIR_CONVERSION_UTILS_REDUCTIONCHECK_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir {

/// Before a contraction of codes on tensors that sums up a number of products
/// that only the run time knows: stops the program where an int32 may not hold
/// them.
void buildReductionCheck(mlir::OpBuilder &builder, ContractOp op);

/// Before a contraction on tensors whose sizes only the run time knows: stops the
/// program where two operands have different ones along a loop. Windows, which
/// several loops share a dimension with, are not checked.
void buildSizeCheck(mlir::OpBuilder &builder, ContractOp op);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_REDUCTIONCHECK_H
