//===- PointerToBuffer.h - A pointer as a buffer of static shape -*- C++ -*-==//

#ifndef QUANT_MLIR_CONVERSION_UTILS_POINTERTOBUFFER_H
#define QUANT_MLIR_CONVERSION_UTILS_POINTERTOBUFFER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace quant_mlir {

/// A buffer of static shape, row-major, at an `!llvm.ptr`; `size`, i64, is that
/// of the outermost dimension where the type does not say. It is a descriptor
/// under an unrealized cast, which the conversion to LLVM makes away with.
mlir::Value buildBufferAt(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value pointer, mlir::MemRefType type,
                          mlir::Value size = {});
/// The pointer that buildBufferAt made `buffer` of; null where it is no such
/// buffer.
mlir::Value findPointerOf(mlir::Value buffer);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_POINTERTOBUFFER_H
