//===- RoundedQuotients.h - Quotients by what is invariant ------*- C++ -*-===//
//
// Quantization divides every element by a scale that a run of vectors shares,
// and a vector's divisions take as long as some thirty products.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_ROUNDEDQUOTIENTS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_ROUNDEDQUOTIENTS_H

#include "GenericLoops.h"

namespace quant_mlir {

/// Rewrites round(clamp(x / s, lo, hi)) of `op`'s body, where s, lo and hi do
/// not change along the loop over vectors, to products with 1 / s: the same
/// integers, for every x and every positive, finite s. For targets whose
/// multiply-add is fused.
void multiplyByReciprocals(mlir::linalg::GenericOp op,
                           const GenericLoops &loops);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_ROUNDEDQUOTIENTS_H
