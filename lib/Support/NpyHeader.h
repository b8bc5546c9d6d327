//===- NpyHeader.h - The dictionary in a .npy header ------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_SUPPORT_NPYHEADER_H
#define QUANT_MLIR_LIB_SUPPORT_NPYHEADER_H

#include "quant-mlir/Support/Npy.h"

namespace quant_mlir {

struct NpyHeader {
  DType dtype = DType::Float32;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", the
/// Python literal that the format allows: three keys, each once, in any order.
/// Errors are messages without the file's name.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef text);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_SUPPORT_NPYHEADER_H
