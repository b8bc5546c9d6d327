// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx942" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,MFMA
// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx1100" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,WMMA

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Weights are the first factor, so that a lane has columns that follow each other.
// Words of the next stage wait in registers.
// CHECK-LABEL: func.func @large(
// CHECK: threads in (%c256, %c1, %c1)
// CHECK: workgroup(%[[SHARED:.*]] : memref<8192xi32, #gpu.address_space<workgroup>>
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<?xi32>, vector<4xi32>
// CHECK: scf.for
// CHECK: vector.store %{{.*}}, %[[SHARED]]{{.*}} {alignment = 16 : i64}
// CHECK: gpu.barrier
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<?xi32>, vector<4xi32>
// CHECK: vector.load %[[SHARED]]{{.*}} {alignment = 16 : i64}
// MFMA: amdgpu.mfma 32x32x16 %{{.*}} blgp = none : vector<8xi8>, vector<8xi8>, vector<16xi32>
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} : vector<16xi8>, vector<16xi8>, vector<8xi32>
// CHECK: arith.sitofp
// CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<?xi8>, vector<16xi8>
func.func @large(%x: memref<32768x128xi8>, %w: memref<16384xi8>, %s: memref<128xi32>, %y: memref<32768x128xi8>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : memref<32768x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<128x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<16384xi8>)
    outs(%y as <int8, per_tensor, scale = 0.1, zero_point = 5> : memref<32768x128xi8>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Few rows. MFMA has no factor without signs: codes are flipped on their way.
// CHECK-LABEL: func.func @unsigned(
// MFMA: arith.xori %{{.*}}, %c-2139062144_i32
// MFMA: amdgpu.mfma 16x16x32 %{{.*}} blgp = none : vector<8xi8>, vector<8xi8>, vector<4xi32>
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} {unsignedB}
func.func @unsigned(%x: memref<16x64xi8>, %w: memref<2048xi8>, %s: memref<32xi32>, %y: memref<16x32xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : memref<16x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<64x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<32xi32>, : memref<2048xi8>)
    outs(%y : memref<16x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Nibbles with zero points: codes of rows are summed, and added across the lanes
// that have codes of one row.
// CHECK-LABEL: func.func @nibbles(
// CHECK: arith.andi %{{.*}}, %c-252645136_i32
// MFMA: llvm.call_intrinsic "llvm.amdgcn.sdot4"
// MFMA: gpu.shuffle xor %{{.*}}, %c16_i32, %c64_i32
// MFMA: gpu.shuffle xor %{{.*}}, %c32_i32, %c64_i32
// WMMA: llvm.call_intrinsic "llvm.amdgcn.sudot4"
// WMMA-NOT: gpu.shuffle
// CHECK: arith.shrsi
func.func @nibbles(%x: memref<16x64xi8>, %w: memref<1024xi8>, %s: memref<32xi32>, %y: memref<16x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<16x64xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.01, zero_point = 2> in <panels, tensor<64x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<32xi32>, : memref<1024xi8>)
    outs(%y : memref<16x32xf32>)
    maps [#x, #w, #y]
  return
}
