//===- ContractBounds.h - How large sums of a contraction are ---*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_CONTRACTBOUNDS_H
#define QUANT_MLIR_DIALECT_QUANT_IR_CONTRACTBOUNDS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir {

/// max |qx - zx| of what a contraction of codes reads at run time.
int64_t getMaxAbsLhs(ContractOp op);
/// max |qw - zw|, whatever codes there are.
int64_t getMaxAbsRhs(ContractOp op);

/// Products of one sum: of one block of scales where rhs has some; nullopt
/// where only the run time knows.
std::optional<int64_t> getNumProducts(ContractOp op);
/// As many as an int32 holds the sum of, whatever the codes are.
int64_t getMaxProducts(ContractOp op);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_CONTRACTBOUNDS_H
