//===- LowerToLLVM.cpp - From tensors to the LLVM dialect -----------------===//

#include "quant-mlir/Pipelines/LowerToLLVM.h"

#include "LoweringPasses.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Pipelines/Pipelines.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace quant_mlir;

std::optional<LoweringTarget>
quant_mlir::symbolizeLoweringTarget(StringRef name) {
  return llvm::StringSwitch<std::optional<LoweringTarget>>(name)
      .Case("reference", LoweringTarget::Reference)
      .Case("cpu", LoweringTarget::CPU)
      .Case("spirv", LoweringTarget::SPIRV)
      .Case("nvvm", LoweringTarget::NVVM)
      .Case("nvvm-emulator", LoweringTarget::EmulatedNVVM)
      .Case("rocdl", LoweringTarget::ROCDL)
      .Default(std::nullopt);
}

static GPUTargetOptions getGPUOptions(const LLVMLoweringOptions &options) {
  GPUTargetOptions target;
  LoweringTarget kind = options.target;
  target.isEmulated = kind == LoweringTarget::EmulatedNVVM ||
                      kind == LoweringTarget::EmulatedROCDL;
  if (kind == LoweringTarget::NVVM || kind == LoweringTarget::EmulatedNVVM)
    target.kind = GPUKind::NVVM;
  else if (kind == LoweringTarget::ROCDL ||
           kind == LoweringTarget::EmulatedROCDL)
    target.kind = GPUKind::ROCDL;
  target.arch = options.gpuArch;
  return target;
}

/// The run time whose functions launches call.
static std::string getRuntime(const LLVMLoweringOptions &options) {
  switch (options.target) {
  case LoweringTarget::NVVM:
    return "cuda";
  case LoweringTarget::ROCDL:
    return "hip";
  case LoweringTarget::EmulatedNVVM:
  case LoweringTarget::EmulatedROCDL:
    return "emulator";
  default:
    return "vulkan";
  }
}

/// Ends at linalg on tensors, over types that LLVM computes with.
static void addTensorPasses(OpPassManager &pm,
                            const LLVMLoweringOptions &options) {
  if (options.addOwnLowering)
    options.addOwnLowering(pm);
  if (options.cInterface)
    pm.addPass(createPrepareFunctionsPass());
  pm.addPass(createLowerTosaPass());
  bool hasKernels = options.target != LoweringTarget::Reference;
  if (hasKernels) {
    // Elementwise arithmetic is recognized by the bodies of linalg operations.
    pm.addPass(createConvertElementwiseToLinalgPass());
    pm.addPass(createFuseValuesPass());
    PackWeightsPassOptions pack;
    pack.targetCpu = options.machine.cpu;
    pack.targetFeatures = options.machine.features;
    pack.targetTriple = options.machine.triple;
    if (isGPU(options.target)) {
      pack.gpu = getName(getGPUOptions(options).kind).str();
      pack.gpuArch = options.gpuArch;
    }
    pm.addPass(createOrderChannelsPass({pack.gpu, pack.gpuArch}));
    pm.addPass(createPackWeightsPass(pack));
    PrepareKernelsPassOptions prepare;
    prepare.cpu = options.machine.cpu;
    prepare.features = options.machine.features;
    prepare.triple = options.machine.triple;
    prepare.gpu = pack.gpu;
    prepare.gpuArch = pack.gpuArch;
    pm.addPass(createPrepareKernelsPass(prepare));
  }
  addReferenceLoweringPasses(pm, /*integerForm=*/!hasKernels);
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createCheckRunnablePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createDecomposePass());
  pm.addPass(createConvertElementwiseToLinalgPass());
  // What follows rewrites bodies, and those of named operations are fixed.
  pm.addPass(createLinalgGeneralizeNamedOpsPass());
  if (hasKernels && options.hasTables)
    pm.addPass(createFuseChainsPass());

  // f16 and bf16 are computed in f32 and rounded after each operation, by
  // integer operations for bf16: the processor's own conversion flushes
  // denormals.
  pm.addPass(math::createMathExtendToSupportedTypes());
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16", "f16"};
  pm.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  // Loops over vectors reduce by maximumf, not by what it is made of.
  MathToArithPassOptions math;
  math.extremes = isGPU(options.target);
  pm.addPass(createMathToArithPass(math));
  if (!isGPU(options.target)) {
    pm.addPass(createExpandBFloat16Pass());
    return;
  }
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
}

/// Buffers: results that alias an argument or a constant are copied by the
/// deallocation passes, so that all of them belong to the caller.
static void addBufferPasses(OpPassManager &pm,
                            const LLVMLoweringOptions &options) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  if (options.cInterface)
    pm.addPass(createSeparateResultsPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  if (options.cInterface) {
    bufferization::BufferResultsToOutParamsPassOptions results;
    results.hoistStaticAllocs = true;
    results.modifyPublicFunctions = true;
    pm.addPass(bufferization::createBufferResultsToOutParamsPass(results));
  }
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  if (options.target != LoweringTarget::Reference) {
    PlanBuffersPassOptions plan;
    if (isGPU(options.target)) {
      plan.allocate = "quant_" + getRuntime(options) + "_alloc";
      plan.free = "quant_" + getRuntime(options) + "_free";
    }
    pm.addPass(createPlanBuffersPass(plan));
  }
  if (options.cInterface)
    pm.addPass(createCInterfacePass());
}

/// linalg on buffers to launches of a run time.
static void addGPUPasses(OpPassManager &pm,
                         const LLVMLoweringOptions &options) {
  GPUTargetOptions target = getGPUOptions(options);
  QuantToGPUPassOptions kernels;
  kernels.targetName = getName(target.kind).str();
  kernels.arch = target.arch;
  pm.addPass(createQuantToGPUPass(kernels));
  addGPUModulePasses(pm, target);
  LaunchToRuntimePassOptions launch;
  launch.runtime = getRuntime(options);
  pm.addPass(createLaunchToRuntimePass(launch));
}

static void addLoopPasses(OpPassManager &pm,
                          const LLVMLoweringOptions &options) {
  pm.addPass(createStridedCopyPass());
  pm.addPass(createCheckReshapePass());
  // Sizes that do not fit together and indices out of bounds end the run with
  // an error. What static shapes prove folds away. Kernels, which follow, check
  // sizes once: a check of each load would halve the speed of f32 products.
  pm.addPass(createGenerateRuntimeVerificationPass());
  // Bodies have the operations that would run, and need no check of an index.
  if (options.target != LoweringTarget::Reference && options.hasTables) {
    TabulatePassOptions tables;
    tables.cpu = options.machine.cpu;
    tables.features = options.machine.features;
    tables.triple = options.machine.triple;
    tables.onGPU = isGPU(options.target);
    pm.addPass(createTabulatePass(tables));
  }
  if (options.target == LoweringTarget::CPU) {
    QuantToCPUPassOptions kernels;
    kernels.cpu = options.machine.cpu;
    kernels.features = options.machine.features;
    kernels.triple = options.machine.triple;
    kernels.threads = options.threads;
    pm.addPass(createQuantToCPUPass(kernels));
  }
  pm.addPass(createCanonicalizerPass());
  if (options.target == LoweringTarget::CPU) {
    VectorizeGenericsPassOptions vectorize;
    vectorize.cpu = options.machine.cpu;
    vectorize.features = options.machine.features;
    vectorize.triple = options.machine.triple;
    vectorize.parallel = options.threads > 1;
    pm.addPass(createVectorizeGenericsPass(vectorize));
  }
  if (isGPU(options.target))
    addGPUPasses(pm, options);
  pm.addPass(createLinalgToLoopsPass(options.threads > 1));
  if (options.threads > 1) {
    ConvertSCFToOpenMPPassOptions openmp;
    openmp.numThreads = options.threads;
    pm.addPass(createConvertSCFToOpenMPPass(openmp));
    pm.addPass(createOpenAllocaScopesPass());
  }
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // Constants that kernels did not need, such as sums of weights beside
  // activations that have no zero point.
  pm.addPass(createSymbolDCEPass());
}

/// The end of level 3. What a caller gets is allocated for it, and so are the
/// buffers of the reference.
static void addVerifier(OpPassManager &pm, const LLVMLoweringOptions &options) {
  VerifyTargetFormPassOptions verify;
  verify.calls.assign(options.provided.begin(), options.provided.end());
  if (isGPU(options.target))
    verify.calls.push_back("quant_" + getRuntime(options) + "_");
  if (!options.cInterface || options.target == LoweringTarget::Reference)
    verify.allocations = "any";
  pm.addPass(createVerifyTargetFormPass(verify));
}

static void addLLVMPasses(OpPassManager &pm) {
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createExactMathPass());
  pm.addPass(createMathToArithPass());
  pm.addPass(createConvertMathToFuncs());
  // Kernels round to bf16 too, and not every compiler's runtime has a function
  // for it.
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
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
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
}

void quant_mlir::buildLLVMLoweringPipeline(OpPassManager &pm,
                                           const LLVMLoweringOptions &options) {
  addTensorPasses(pm, options);
  addBufferPasses(pm, options);
  addLoopPasses(pm, options);
  addLLVMPasses(pm);
  if (options.target == LoweringTarget::CPU && options.cInterface)
    pm.addPass(createRequestTilesPass());
  addVerifier(pm, options);
  if (options.target != LoweringTarget::Reference)
    pm.addPass(createSetTargetPass(options.machine, options.cInterface));
}
