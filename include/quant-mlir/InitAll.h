//===- InitAll.h - Registration of everything in quant-mlir -----*- C++ -*-===//
//
// One registration, used by every tool, the plugin and the C API. An embedder
// calls these two beside upstream's.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_INITALL_H
#define QUANT_MLIR_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quant_mlir {

/// The extension of `quant`, the `qparams` dialect and the external models of
/// QuantizableOpInterface.
void registerAllDialects(mlir::DialectRegistry &registry);

/// All passes and pipelines.
void registerAllPasses();

} // namespace quant_mlir

#endif // QUANT_MLIR_INITALL_H
