//===- ROCDLPasses.cpp - Kernels to code objects --------------------------===//

#include "ROCDL.h"

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

void quant_mlir::addROCDLModulePasses(OpPassManager &pm,
                                      const GPUTargetOptions &options) {
  std::string chip = options.arch.empty() ? "gfx942" : options.arch;
  GpuROCDLAttachTargetOptions attach;
  attach.chip = chip;
  attach.optLevel = 3;
  attach.wave64Flag = !StringRef(chip).starts_with("gfx11");
  pm.addPass(createGpuROCDLAttachTarget(attach));
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createPrepareParametersPass());
  // Instructions, where the pass for gpu would call a library of functions.
  kernels.addPass(createConvertMathToLLVMPass());
  ConvertAMDGPUToROCDLPassOptions matrices;
  matrices.chipset = chip;
  kernels.addPass(createConvertAMDGPUToROCDLPass(matrices));
  kernels.addPass(createConvertVectorToSCFPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  ConvertGpuOpsToROCDLOpsOptions convert;
  convert.chipset = chip;
  convert.runtime = gpu::amd::Runtime::HIP;
  kernels.addPass(createConvertGpuOpsToROCDLOps(convert));
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = options.isEmulated ? "llvm" : "isa";
  pm.addPass(createGpuModuleToBinaryPass(binary));
  if (!options.isEmulated)
    pm.addPass(createLinkROCDLPass());
}
