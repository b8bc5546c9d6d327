//===- KernelOps.h - Operations that kernels need ---------------*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_KERNELOPS_H
#define QUANT_MLIR_DIALECT_QUANT_IR_KERNELOPS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Interfaces/DestinationStyleOpInterface.h"

#define GET_OP_CLASSES
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h.inc"

#endif // QUANT_MLIR_DIALECT_QUANT_IR_KERNELOPS_H
