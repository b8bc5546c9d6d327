//===- Signature.h - The arrays a function takes and gives ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_EXECUTION_SIGNATURE_H
#define QUANT_MLIR_LIB_EXECUTION_SIGNATURE_H

#include "quant-mlir/Execution/CompiledFunction.h"
#include "quant-mlir/Execution/EntryPoint.h"

namespace quant_mlir {

struct Signature {
  llvm::SmallVector<ValueSignature> arguments;
  llvm::SmallVector<ValueSignature> results;
};

/// Its arguments and results, or the first one of a type that no array has.
llvm::Expected<Signature> getSignature(mlir::func::FuncOp function,
                                       llvm::StringRef path);

/// Whether `array` can be passed as `value`; `what` is for the message.
llvm::Error checkArgument(const ValueSignature &value, const ArrayType &array,
                          const llvm::Twine &what);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_EXECUTION_SIGNATURE_H
