//===- QParams.h - Quantization attributes ----------------------*- C++ -*-===//
//
// The `qparams` dialect: granularity, requests (`spec`), resolved parameters
// (`affine`) and layouts. See QParamsAttrs.td for their meaning.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QPARAMS_H
#define QUANT_MLIR_DIALECT_QUANT_IR_QPARAMS_H

#include "quant-mlir/Numerics/Panels.h"
#include "quant-mlir/Numerics/Tensor.h"

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Dialect.h"

#include "quant-mlir/Dialect/Quant/IR/QParamsAttrInterfaces.h.inc"
#include "quant-mlir/Dialect/Quant/IR/QParamsDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "quant-mlir/Dialect/Quant/IR/QParamsAttrs.h.inc"

namespace quant_mlir {

/// Builtin element type of `type`, e.g. i4 or f8E4M3FN.
mlir::Type getElementType(mlir::MLIRContext *context,
                          numerics::StorageType type);
mlir::FloatType getFloatType(mlir::MLIRContext *context,
                             numerics::ScaleType type);
/// f32, f16, bf16, or nullopt for any other type.
std::optional<numerics::ExpressedType> getExpressedType(mlir::Type type);
std::optional<numerics::ScaleType> getScaleType(mlir::Type type);

/// Element type of zero points in attributes: i8 or ui8 by the sign of `type`.
mlir::IntegerType getZeroPointType(mlir::MLIRContext *context,
                                   numerics::StorageType type);

/// Equality of parameters by content: `dense` and `dense_resource` elements
/// that hold the same values are equal.
bool haveEqualContents(AffineAttr a, AffineAttr b);

/// The bytes of `elements` where they lie in memory as the builtin attributes
/// store them (one element at least a byte wide, a splat as a single element);
/// nullopt for other kinds of elements, or a resource that was not loaded.
std::optional<llvm::ArrayRef<char>> getRawBytes(mlir::ElementsAttr elements,
                                                bool &isSplat);

/// Granularity for `blockSizes` (one per dimension, -1: whole) over `shape`:
/// the plainest of per_tensor, per_channel and per_block that says it.
GranularityAttrInterface
getGranularity(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> shape,
               llvm::ArrayRef<int64_t> blockSizes);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QPARAMS_H
