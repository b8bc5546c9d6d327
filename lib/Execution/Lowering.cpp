//===- Lowering.cpp - From tensors to the LLVM dialect --------------------===//

#include "quant-mlir/Execution/Lowering.h"

#include "LoweringPasses.h"

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Pipelines/Pipelines.h"
#include "quant-mlir/Support/CrashGuard.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace quant_mlir;

/// Ends at linalg on tensors, over types that LLVM computes with.
static void addTensorPasses(OpPassManager &pm, const CompileOptions &options) {
  if (options.addOwnLowering)
    options.addOwnLowering(pm);
  pm.addPass(createLowerTosaPass());
  addReferenceLoweringPasses(pm);
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createCheckRunnablePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createDecomposePass());
  pm.addPass(createConvertElementwiseToLinalgPass());
  // What follows rewrites bodies, and those of named operations are fixed.
  pm.addPass(createLinalgGeneralizeNamedOpsPass());

  // f16 and bf16 are computed in f32 and rounded after each operation, by
  // integer operations for bf16: the processor's own conversion flushes
  // denormals.
  pm.addPass(math::createMathExtendToSupportedTypes());
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16", "f16"};
  pm.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
}

/// Buffers: results that alias an argument or a constant are copied by the
/// deallocation passes, so that all of them belong to the caller.
static void addBufferPasses(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static void addLoopPasses(OpPassManager &pm, unsigned threads) {
  pm.addPass(createStridedCopyPass());
  pm.addPass(createCheckReshapePass());
  // Sizes that do not fit together and indices out of bounds end the run with
  // an error. What static shapes prove folds away.
  pm.addPass(createGenerateRuntimeVerificationPass());
  pm.addPass(createCanonicalizerPass());
  if (threads > 1) {
    pm.addNestedPass<func::FuncOp>(createConvertLinalgToParallelLoopsPass());
    ConvertSCFToOpenMPPassOptions openmp;
    openmp.numThreads = threads;
    pm.addPass(createConvertSCFToOpenMPPass(openmp));
  } else {
    pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  }
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static void addLLVMPasses(OpPassManager &pm) {
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createExactMathPass());
  pm.addPass(createConvertMathToFuncs());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  ConvertMathToLLVMPassOptions math;
  math.approximateLog1p = false;
  pm.addPass(createConvertMathToLLVMPass(math));
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertIndexToLLVMPass());
  FinalizeMemRefToLLVMConversionPassOptions memref;
  memref.useAlignedAlloc = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memref));
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createCheckLoweredPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
}

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
  DiagnosticCollector diagnostics(module.getContext(), path);
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (failed(prepareEntry(module, function, options)))
    return diagnostics.takeError("has functions that cannot be renamed");
  std::string name = function.getName().str();

  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  addTensorPasses(pm, options);
  addBufferPasses(pm);
  addLoopPasses(pm, options.threads);
  addLLVMPasses(pm);
  if (failed(pm.run(module)))
    return diagnostics.takeError("could not be lowered to LLVM");
  return name;
}
