//===- Passes.h - Conversion passes -----------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_CONVERSION_PASSES_H
#define QUANT_MLIR_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quant_mlir {

#define GEN_PASS_DECL
#include "quant-mlir/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant-mlir/Conversion/Passes.h.inc"

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_PASSES_H
