//===- ModelFile.cpp ------------------------------------------------------===//

#include "quant-mlir/Execution/ModelFile.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Dialect/Quant/IR/QuantExtension.h"

#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/InputFile.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace quant_mlir;

void quant_mlir::registerExecutionDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerQuantExtension(registry);
  registerGPUTranslations(registry);
  mlir::registerOpenMPDialectTranslation(registry);
}

llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
quant_mlir::loadModel(llvm::StringRef path, mlir::MLIRContext *context) {
  CrashScope scope(("reading '" + path + "'").str());
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeFileError(path,
                         "cannot be read: " + buffer.getError().message());
  // Shared, since resources of bytecode point into the buffer.
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(alignBytecode(std::move(*buffer)), llvm::SMLoc());

  DiagnosticCollector diagnostics(context, path);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceFile<mlir::ModuleOp>(sources,
                                            mlir::ParserConfig(context));
  if (!module)
    return diagnostics.takeError("is not a valid MLIR module");
  return module;
}
