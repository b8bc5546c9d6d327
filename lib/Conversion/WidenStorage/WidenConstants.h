//===- WidenConstants.h - Constants of codes as bytes -----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_WIDENSTORAGE_WIDENCONSTANTS_H
#define QUANT_MLIR_LIB_CONVERSION_WIDENSTORAGE_WIDENCONSTANTS_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"

namespace quant_mlir {

/// `elements` (dense, a splat or dense_resource) as elements of `type`, whose
/// element type is i8: the low bits of every code, the rest 0. Null for another
/// kind of elements, or a resource that is missing or of the wrong size.
mlir::ElementsAttr widenElements(mlir::ElementsAttr elements,
                                 mlir::RankedTensorType type);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_WIDENSTORAGE_WIDENCONSTANTS_H
