//===- Passes.h - Passes on the quantized form ------------------*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace quant_mlir {

#define GEN_PASS_DECL
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"

/// The patterns of quant-fold-broadcasts.
void populateFoldBroadcastsPatterns(mlir::RewritePatternSet &patterns);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_H
