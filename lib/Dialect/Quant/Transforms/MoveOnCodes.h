//===- MoveOnCodes.h - Operations that move values, on codes ----*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_MOVEONCODES_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_MOVEONCODES_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/IR/PatternMatch.h"

namespace quant_mlir::detail {

/// move(dequantize(q)) -> dequantize(move(q))
/// for an operation whose values are those of its operands. Where that fails,
/// `reason` says why; it stays empty for an operation that has nothing to do
/// with codes. Nothing is changed then.
mlir::LogicalResult moveOntoCodes(QuantizableOpInterface op,
                                  mlir::RewriterBase &rewriter,
                                  std::string &reason);

/// Whether the codes that `codes` are made of are constants, so that they are a
/// weight or something else that is known.
bool areConstantCodes(mlir::Value codes);

/// Parameters of the result of a move for those of its source; null where the
/// move takes units apart or joins them, or changes their order. per_tensor
/// ones stay as they are whatever the move.
AffineAttr moveParams(AffineAttr params, mlir::OpOperand &source);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_MOVEONCODES_H
