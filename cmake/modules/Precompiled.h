//===- Precompiled.h - MLIR's headers that most files include ---*- C++ -*-===//
//
// Read once for all libraries on MLIR: parsing them is nine tenths of the time
// that a file takes to compile. Files still include what they use.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CMAKE_MODULES_PRECOMPILED_H
#define QUANT_MLIR_CMAKE_MODULES_PRECOMPILED_H

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/PassManager.h"

// Of templates from here clang forgets that they are of the system's headers.
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

#endif // QUANT_MLIR_CMAKE_MODULES_PRECOMPILED_H
