//===- EntryPoint.h - The function of a model to run ------------*- C++ -*-===//

#ifndef QUANT_MLIR_EXECUTION_ENTRYPOINT_H
#define QUANT_MLIR_EXECUTION_ENTRYPOINT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace quant_mlir {

/// Finds a function that can be run, or says why there is none; `path` names
/// the module in errors.
llvm::Expected<mlir::func::FuncOp>
findEntry(mlir::ModuleOp module, llvm::StringRef entry, llvm::StringRef path);

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_ENTRYPOINT_H
