//===- NVVMPasses.cpp - Kernels to PTX ------------------------------------===//

#include "../KernelPasses.h"
#include "NVVM.h"

#include "quant-mlir/Target/GPU.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace quant_mlir;

void quant_mlir::addNVVMModulePasses(OpPassManager &pm,
                                     const GPUTargetOptions &options) {
  GpuNVVMAttachTargetOptions attach;
  attach.chip = options.arch.empty() ? "sm_80" : options.arch;
  attach.optLevel = 3;
  // wgmma of codes without signs and with, conversions of fp8; else the oldest
  // PTX there is for a GPU, which most drivers take.
  if (attach.chip == "sm_90a")
    attach.features = "+ptx84";
  else if (attach.chip == "sm_89")
    attach.features = "+ptx81";
  pm.addPass(createGpuNVVMAttachTarget(attach));
  addKernelPasses(
      pm, options,
      [](OpPassManager &kernels) {
        kernels.addPass(createConvertNVGPUToNVVMPass());
      },
      [](OpPassManager &kernels) {
        ConvertGpuOpsToNVVMOpsOptions convert;
        convert.hasRedux = true;
        kernels.addPass(createConvertGpuOpsToNVVMOps(convert));
        // What has no intrinsic of LLVM's, such as wgmma, is inline assembly.
        kernels.addPass(createConvertNVVMToLLVMPass());
      });
}
