//===- Signature.h - The arrays a function takes and gives ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_EXECUTION_SIGNATURE_H
#define QUANT_MLIR_LIB_EXECUTION_SIGNATURE_H

#include "quant-mlir/Execution/CompiledFunction.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace quant_mlir {

struct Signature {
  llvm::SmallVector<ValueSignature> arguments;
  llvm::SmallVector<ValueSignature> results;
};

/// Finds a function that can be run, or says why there is none.
llvm::Expected<mlir::func::FuncOp>
findEntry(mlir::ModuleOp module, llvm::StringRef entry, llvm::StringRef path);

/// Its arguments and results, or the first one of a type that no array has.
llvm::Expected<Signature> getSignature(mlir::func::FuncOp function,
                                       llvm::StringRef path);

/// Whether `array` can be passed as `value`; `what` is for the message.
llvm::Error checkArgument(const ValueSignature &value, const ArrayType &array,
                          const llvm::Twine &what);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_EXECUTION_SIGNATURE_H
