//===- KernelPasses.cpp - Kernels through LLVM's backends -----------------===//

#include "KernelPasses.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void quant_mlir::addKernelPasses(
    OpPassManager &pm, const GPUTargetOptions &options,
    llvm::function_ref<void(OpPassManager &)> matrices,
    llvm::function_ref<void(OpPassManager &)> toDialect) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createPrepareParametersPass());
  // Instructions, where the pass for gpu would call a library of functions.
  kernels.addPass(createConvertMathToLLVMPass());
  matrices(kernels);
  kernels.addPass(createConvertVectorToSCFPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  toDialect(kernels);
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  GpuModuleToBinaryPassOptions binary;
  // LLVM's name of assembly is isa.
  binary.compilationTarget = options.isEmulated ? "llvm" : "isa";
  pm.addPass(createGpuModuleToBinaryPass(binary));
}
