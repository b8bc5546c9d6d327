//===- NVVMPasses.cpp - Kernels to PTX ------------------------------------===//

#include "NVVM.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace quant_mlir;

void quant_mlir::addNVVMModulePasses(OpPassManager &pm,
                                     const GPUTargetOptions &options) {
  GpuNVVMAttachTargetOptions attach;
  attach.chip = options.arch.empty() ? "sm_80" : options.arch;
  attach.optLevel = 3;
  // wgmma of codes without signs and with; else the oldest PTX there is for a
  // GPU, which most drivers take.
  if (attach.chip == "sm_90a")
    attach.features = "+ptx84";
  pm.addPass(createGpuNVVMAttachTarget(attach));
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createPrepareParametersPass());
  // Instructions, where the pass for gpu would call a library of functions.
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createConvertNVGPUToNVVMPass());
  kernels.addPass(createConvertVectorToSCFPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  ConvertGpuOpsToNVVMOpsOptions convert;
  convert.hasRedux = true;
  kernels.addPass(createConvertGpuOpsToNVVMOps(convert));
  // What has no intrinsic of LLVM's, such as wgmma, is inline assembly.
  kernels.addPass(createConvertNVVMToLLVMPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  GpuModuleToBinaryPassOptions binary;
  // LLVM's name of PTX as text is isa.
  binary.compilationTarget = options.isEmulated ? "llvm" : "isa";
  pm.addPass(createGpuModuleToBinaryPass(binary));
}
