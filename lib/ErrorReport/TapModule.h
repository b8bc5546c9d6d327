//===- TapModule.h - Two models as one function with taps -------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_ERRORREPORT_TAPMODULE_H
#define QUANT_MLIR_LIB_ERRORREPORT_TAPMODULE_H

#include "PairModels.h"

#include "mlir/IR/OwningOpRef.h"

namespace quant_mlir {

/// What a call hands over: three tensors as f32, some of them repeated.
enum class TapKind : int64_t {
  Value,  ///< of pair `index`: in the reference, quantized, quantized locally
  Codes,  ///< of pair `index`: what is quantized, scale, zero points
  Weight, ///< of weight `index`: in the reference, quantized, its codes
  Output, ///< of result `index`: in the reference, quantized
};

/// func.func private @tapName(kind: i64, index: i64, memref<*xf32>,
/// memref<*xf32>, memref<*xf32>), called through MLIR's C interface.
extern const llvm::StringLiteral tapName;
extern const llvm::StringLiteral tapEntry;

/// A result to compare, in floating point in both models.
struct OutputPair {
  int64_t index;
  mlir::Value quantized;
  /// Codes are dequantized as this says, or where they have passed moves, as the
  /// function's attribute says; both null for a result in floating point.
  QuantizeOp quantize;
  AffineAttr params;
  mlir::Value reference;
};

/// Builds @tapEntry, which takes the arguments of `quantized`, computes both
/// functions and calls the tap for each pair: values first come, first handed
/// over, so that few of them live at once.
///
/// Weights are numbered through all pairs. The functions' modules give their
/// other symbols away.
mlir::OwningOpRef<mlir::ModuleOp>
buildTapModule(mlir::func::FuncOp quantized, mlir::func::FuncOp reference,
               const ModelPairs &pairs, llvm::ArrayRef<OutputPair> outputs);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_ERRORREPORT_TAPMODULE_H
