// RUN: not quant-opt %s --quant-pack-weights=gpu=metal 2>&1 | FileCheck %s --check-prefix=GPU
// RUN: not quant-opt %s --quant-prepare-kernels=gpu=metal 2>&1 | FileCheck %s --check-prefix=GPU
// GPU: error: quant-{{pack-weights|prepare-kernels}}: expected spirv, nvvm or rocdl as gpu, found 'metal'
// RUN: not quant-opt %s --quant-to-gpu=target=cuda 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: quant-to-gpu: expected spirv, nvvm or rocdl as target, found 'cuda'
// RUN: not quant-opt %s --quant-to-gpu=arch=vulkan9 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: quant-to-gpu: expected vulkan1.3 as architecture of spirv, found 'vulkan9'
// RUN: not quant-opt %s --lower-to=cpu --gpu-arch=vulkan1.3 2>&1 | FileCheck %s --check-prefix=EFFECT
// EFFECT: error: --gpu-arch has no effect without --lower-to=spirv, nvvm or rocdl: add it, or drop the flag

func.func @f() {
  return
}
