//===- QuantOps.h - Operations added to the quant dialect -------*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_H
#define QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h.inc"

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_H
