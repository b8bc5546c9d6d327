//===- ModelFile.h - Reading a model to run it ------------------*- C++ -*-===//

#ifndef QUANT_MLIR_EXECUTION_MODELFILE_H
#define QUANT_MLIR_EXECUTION_MODELFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace quant_mlir {

/// Every dialect that a model to run may use, and the interfaces and
/// translations that its lowering needs.
void registerExecutionDialects(mlir::DialectRegistry &registry);

/// Parses MLIR text or bytecode and verifies it. The error is the first of the
/// parser's diagnostics.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
loadModel(llvm::StringRef path, mlir::MLIRContext *context);

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_MODELFILE_H
