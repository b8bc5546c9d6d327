//===- UnknownSizes.h - Numbers that are known, or are not ------*- C++ -*-===//
//
// Arithmetic of sizes: folded where the compiler knows them, else operations.
// Sizes are not negative.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_UNKNOWNSIZES_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_UNKNOWNSIZES_H

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

namespace quant_mlir {

/// size / step and its rest, and rounded up.
mlir::OpFoldResult floorDivide(KernelBuilder &kernel, mlir::OpFoldResult size,
                               int64_t step);
mlir::OpFoldResult getRest(KernelBuilder &kernel, mlir::OpFoldResult size,
                           int64_t step);
mlir::OpFoldResult ceilDivide(KernelBuilder &kernel, mlir::OpFoldResult size,
                              int64_t step);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_UNKNOWNSIZES_H
