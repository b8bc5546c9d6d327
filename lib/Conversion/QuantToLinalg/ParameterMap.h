//===- ParameterMap.h - From elements to units of parameters ----*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_PARAMETERMAP_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_PARAMETERMAP_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/IR/AffineMap.h"

namespace quant_mlir {

/// Block sizes of a tensor of `shape` that an operation's verifier has
/// accepted; -1 for a dimension that is one block.
llvm::SmallVector<int64_t> getUnitSizes(GranularityAttrInterface granularity,
                                        llvm::ArrayRef<int64_t> shape);

/// From an element to the parameters of its unit: the block's index in every
/// dimension that is split, 0 elsewhere; no results for per_tensor.
mlir::AffineMap getParameterMap(GranularityAttrInterface granularity,
                                llvm::ArrayRef<int64_t> shape);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_PARAMETERMAP_H
