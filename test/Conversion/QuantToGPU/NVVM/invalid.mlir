// RUN: not quant-opt %s --lower-to=nvvm --gpu-arch=sm_70 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: not quant-opt %s --lower-to=nvvm --gpu-arch=vulkan1.3 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not quant-opt %s --quant-to-gpu=target=nvvm 2>&1 | FileCheck %s --check-prefix=KERNEL

// OLD: expected one of sm_80, {{.*}} as architecture of nvvm, found 'sm_70'
// OTHER: expected one of sm_80, {{.*}} as architecture of nvvm, found 'vulkan1.3'

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
// KERNEL: has no kernel on this target, since its right-hand side is not packed
// KERNEL-SAME: lower it before buffers are made, by quant-prepare-kernels
func.func @f(%x: memref<32x64xi8>, %w: memref<64x32xi8>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<32x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : memref<64x32xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}
