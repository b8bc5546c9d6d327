// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx942" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,MFMA
// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx1100" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,WMMA

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A block of 32 is a product of its own, of which each of four groups of lanes has a
// word of the 16 bytes of weights: half of its codes are low nibbles, half high ones.
// Sums begin as the bits of 1.5 * 2^23.
// CHECK-LABEL: func.func @short(
// CHECK: gpu.func
// MFMA: vector.load %{{.*}} {alignment = 4 : i64} : memref<{{.*}}xi32, #gpu.address_space<workgroup>>, vector<1xi32>
// MFMA: amdgpu.mfma 16x16x32 %{{.*}} * %{{.*}} + %cst
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} * %{{.*}} + %cst
// CHECK: arith.bitcast %{{.*}} : vector<{{[48]}}xi32> to vector<{{[48]}}xf32>
// CHECK: arith.subf
// CHECK: vector.fma
// CHECK-NOT: arith.sitofp
func.func @short(%x: memref<32x256xi8>, %w: memref<4096xi8>, %s: memref<8x32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0> : memref<32x256xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<1.0> : tensor<8x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<8x32xi32>, : memref<4096xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Blocks of two stages: sums go from one to the other.
// CHECK-LABEL: func.func @long(
// CHECK: gpu.func
// CHECK: scf.for
// MFMA: amdgpu.mfma 16x16x32
// WMMA: amdgpu.wmma 16x16x16
// CHECK: scf.if
// CHECK: arith.sitofp
// CHECK: vector.fma
// CHECK: } else {
func.func @long(%x: memref<32x256xi8>, %w: memref<8192xi8>, %s: memref<2x32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0, zero_point = 3> : memref<32x256xi8>)
    rhs(%w as <int8, per_block<[128, -1]>, scale = dense<[[1.0], [2.0]]> : tensor<2x1xf32>> in <panels, tensor<256x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<2x32xi32>, : memref<8192xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Blocks of 16: a product of eight codes of each of two groups of lanes.
// CHECK-LABEL: func.func @half(
// CHECK: gpu.func
// MFMA-COUNT-4: amdgpu.mfma 32x32x16 %{{.*}} * %{{.*}} + %cst
// WMMA-COUNT-4: amdgpu.wmma 16x16x16 %{{.*}} * %{{.*}} + %cst
func.func @half(%x: memref<32x256xi8>, %w: memref<4096xi8>, %s: memref<16x32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0> : memref<32x256xi8>)
    rhs(%w as <int4, per_block<[16, 1]>, scale = dense<1.0> : tensor<16x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<16x32xi32>, : memref<4096xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}
