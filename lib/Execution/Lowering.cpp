//===- Lowering.cpp - From tensors to the LLVM dialect --------------------===//

#include "quant-mlir/Execution/Lowering.h"

#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Pipelines/LowerToLLVM.h"
#include "quant-mlir/Support/CrashGuard.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace quant_mlir;

static bool isProvided(func::FuncOp function, const CompileOptions &options) {
  std::string name = function.getName().str();
  if (function->hasAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName()))
    name = "_mlir_ciface_" + name;
  return function.isDeclaration() &&
         llvm::any_of(options.symbols,
                      [&](const auto &symbol) { return symbol.first == name; });
}

/// Settles how the function is called, and hides all others.
static LogicalResult prepareEntry(ModuleOp module, func::FuncOp entry,
                                  const CompileOptions &options) {
  SymbolTable symbols(module);
  for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
    if (function != entry)
      function.setPrivate();
    if (isProvided(function, options))
      continue;
    std::string name = (function.getName() + renamedSuffix).str();
    if (failed(symbols.rename(function, name)))
      return failure();
  }
  entry.setPublic();
  Builder builder(module.getContext());
  entry->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                 builder.getUnitAttr());
  for (unsigned i = 0, e = entry.getNumArguments(); i != e; ++i) {
    entry.setArgAttrs(i, DictionaryAttr());
    entry.setArgAttr(i, bufferization::BufferizationDialect::kWritableAttrName,
                     builder.getBoolAttr(false));
  }
  return success();
}

llvm::Expected<std::string>
quant_mlir::lowerToLLVM(ModuleOp module, StringRef entry,
                        const CompileOptions &options, StringRef path) {
  CrashScope scope(("lowering '" + path + "'").str());
  DiagnosticCollector diagnostics(module.getContext(), path, options.remark);
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (failed(prepareEntry(module, function, options)))
    return diagnostics.takeError("has functions that cannot be renamed");
  std::string name = function.getName().str();

  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  LLVMLoweringOptions lowering;
  lowering.threads = options.threads;
  lowering.target = options.target;
  lowering.machine.features = options.features;
  lowering.gpuArch = options.gpuArch;
  lowering.hasTables = options.hasTables;
  lowering.addOwnLowering = options.addOwnLowering;
  for (const auto &[name, address] : options.symbols)
    lowering.provided.push_back(name);
  buildLLVMLoweringPipeline(pm, lowering);
  if (failed(pm.run(module)))
    return diagnostics.takeError("could not be lowered to LLVM");
  return name;
}
