//===- ROCDLPasses.cpp - Kernels to code objects --------------------------===//

#include "../KernelPasses.h"
#include "ROCDL.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace quant_mlir;

void quant_mlir::addROCDLModulePasses(OpPassManager &pm,
                                      const GPUTargetOptions &options) {
  std::string chip = options.arch.empty() ? "gfx942" : options.arch;
  GpuROCDLAttachTargetOptions attach;
  attach.chip = chip;
  attach.optLevel = 3;
  bool isRDNA3 = StringRef(chip).starts_with("gfx11");
  attach.wave64Flag = !isRDNA3;
  // With halves of registers, LLVM 22 copies a pair of bytes that it has loaded
  // from no register, and crashes where it prints that.
  if (isRDNA3)
    attach.features = "-real-true16";
  pm.addPass(createGpuROCDLAttachTarget(attach));
  addKernelPasses(
      pm, options,
      [&](OpPassManager &kernels) {
        ConvertAMDGPUToROCDLPassOptions matrices;
        matrices.chipset = chip;
        kernels.addPass(createConvertAMDGPUToROCDLPass(matrices));
      },
      [&](OpPassManager &kernels) {
        ConvertGpuOpsToROCDLOpsOptions convert;
        convert.chipset = chip;
        convert.runtime = gpu::amd::Runtime::HIP;
        kernels.addPass(createConvertGpuOpsToROCDLOps(convert));
      });
  if (!options.isEmulated)
    pm.addPass(createLinkROCDLPass());
}
