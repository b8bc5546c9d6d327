//===- IntegerFormModels.h - Upstream's interfaces on our ops ---*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_IR_INTEGERFORMMODELS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_IR_INTEGERFORMMODELS_H

namespace mlir {
class MLIRContext;
} // namespace mlir

namespace quant_mlir {

/// BufferizableOpInterface and TilingInterface for the operations of the integer
/// form, which are in the context already.
void attachIntegerFormBufferization(mlir::MLIRContext *context);
void attachIntegerFormTiling(mlir::MLIRContext *context);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_IR_INTEGERFORMMODELS_H
