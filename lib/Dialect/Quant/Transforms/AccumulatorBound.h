//===- AccumulatorBound.h - What an int32 accumulator holds -----*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_ACCUMULATORBOUND_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_ACCUMULATORBOUND_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include <string>

namespace quant_mlir::detail {

/// Says why an operation, which is named, has become wide.
void remarkWide(mlir::Operation *op, llvm::StringRef overflow);

/// Proves K * max|qx - zx| * max|qw - zw| + |b| < 2^31 for the sums of a
/// contraction, K the products of one sum (of one block where rhs has blocks),
/// from types, zero points, and the constants of rhs and bias where they are in
/// memory, channel by channel. Empty where it holds or nothing is summed in
/// int32, else the numbers in words: "… may overflow an int32: …".
std::string proveAccumulator(ContractOp op);

/// The same for the sum of a window: n * max|q - z| < 2^31.
std::string proveAccumulator(PoolOp op);

/// Codes of a constant, packed in the canonical layout or not, sign- or
/// zero-extended; one for a splat. Nothing where they are not in memory.
std::optional<std::vector<int32_t>> readCodes(mlir::Value codes,
                                              numerics::StorageType storage);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_ACCUMULATORBOUND_H
