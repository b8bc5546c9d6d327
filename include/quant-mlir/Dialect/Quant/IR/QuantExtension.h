//===- QuantExtension.h - Our ops inside upstream's quant dialect -*- C++ -*-===//
//
// MLIR ships a dialect called `quant`, and a context holds one dialect of a
// name. Our operations are added to that dialect by an extension, so that
// everything written for upstream's keeps working beside them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QUANTEXTENSION_H
#define QUANT_MLIR_DIALECT_QUANT_IR_QUANTEXTENSION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quant_mlir {

/// Adds the `qparams` dialect and, whenever `quant` is loaded, our operations.
/// Registering twice, also from a plugin built of the same code, is harmless; an
/// operation of one of our names that is not ours ends the program with a
/// message, since IR would silently change its meaning.
void registerQuantExtension(mlir::DialectRegistry &registry);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTEXTENSION_H
