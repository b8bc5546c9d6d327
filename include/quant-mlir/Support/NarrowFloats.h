//===- NarrowFloats.h - Conversions that compilers call ---------*- C++ -*-===//
//
// What LLVM calls where a processor has no instruction for floats of 16 bits,
// for code that is compiled in this process: libraries of compilers have these
// functions, but do not export them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_SUPPORT_NARROWFLOATS_H
#define QUANT_MLIR_SUPPORT_NARROWFLOATS_H

#include "llvm/ADT/ArrayRef.h"

#include <utility>

namespace quant_mlir {

/// Names (`__truncsfbf2`) and functions.
llvm::ArrayRef<std::pair<const char *, void *>> getNarrowFloatSymbols();

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_NARROWFLOATS_H
