//===- QuantOps.h - Operations added to the quant dialect -------*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_H
#define QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_H

#include "quant-mlir/Dialect/Quant/IR/IntegerFormOpInterface.h"
#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "quant-mlir/Dialect/Quant/IR/IntegerOpsEnums.h.inc"

#define GET_OP_CLASSES
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h.inc"

namespace quant_mlir {

/// Attribute of a function's arguments and results that are codes of the model's
/// own inputs and outputs: the #qparams.affine that says what they mean.
inline constexpr llvm::StringLiteral boundaryParamsAttrName = "quant.params";

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_H
