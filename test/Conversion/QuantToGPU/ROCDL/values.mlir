// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx942" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,MFMA
// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx1100" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,WMMA

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values are words in shared memory. Nibbles become mantissas of 1024, of which the
// zero point is subtracted, too, and high ones 16 times as much.
// CHECK-LABEL: func.func @nibbles(
// CHECK: gpu.func
// CHECK-SAME: memref<?xf16>
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<{{.*}}xi32, #gpu.address_space<workgroup>>
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<?xf16>, vector<8xf16>
// CHECK: vector.bitcast %{{.*}} : vector<8xf16> to vector<4xi32>
// CHECK: scf.for
// CHECK: vector.store %{{.*}}, %[[SHARED]]{{.*}} : memref<{{.*}}xi32, #gpu.address_space<workgroup>>, vector<4xi32>
// CHECK: gpu.barrier
// CHECK: vector.load %[[SHARED]]{{.*}}, vector<4xi32>
// CHECK: llvm.call_intrinsic "llvm.amdgcn.perm"
// CHECK: arith.andi %{{.*}}, %c983055
// CHECK: arith.ori %{{.*}}, %c1677747200
// CHECK: vector.fma %{{.*}} : vector<2xf16>
// MFMA: amdgpu.mfma 32x32x8 %{{.*}} blgp = none : vector<4xf16>, vector<4xf16>, vector<16xf32>
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} : vector<16xf16>, vector<16xf16>, vector<8xf32>
// CHECK: arith.mulf %{{.*}} : vector<{{[0-9]+}}xf32>
func.func @nibbles(%x: memref<2048x256xf16>, %w: memref<16384xi8>, %y: memref<2048x128xf32>) {
  quant.contract
    lhs(%x : memref<2048x256xf16>)
    rhs(%w as <int4, per_tensor, scale = 0.5, zero_point = -2> in <panels, tensor<256x128xi4>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16, offset = 8> : memref<16384xi8>)
    outs(%y : memref<2048x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// There is no arithmetic of pairs of bf16: bytes become f32, of which the upper halves
// are taken. Zero points are those of the columns whose codes a lane has.
// CHECK-LABEL: func.func @bytes(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: vector.load %{{.*}} : memref<?xbf16>, vector<1xbf16>
// CHECK: arith.uitofp %{{.*}} : i32 to f32
// CHECK: arith.subf %{{.*}} : vector<2xf32>
// CHECK: vector.bitcast %{{.*}} : vector<2xf32> to vector<4xbf16>
// MFMA: amdgpu.mfma 16x16x16 %{{.*}} blgp = none : vector<4xbf16>, vector<4xbf16>, vector<4xf32>
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} : vector<16xbf16>, vector<16xbf16>, vector<8xf32>
func.func @bytes(%x: memref<16x256xbf16>, %w: memref<8192xi8>, %y: memref<16x32xbf16>) {
  quant.contract
    lhs(%x : memref<16x256xbf16>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x32xf32>, zero_point = dense<"0x000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F"> : tensor<1x32xi8>> in <panels, tensor<256x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<8192xi8>)
    outs(%y : memref<16x32xbf16>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// f32 is three factors of bf16, beside one of weights.
// CHECK-LABEL: func.func @floats(
// CHECK: gpu.func
// CHECK: vector.load %{{.*}} : memref<?xf32>, vector<4xf32>
// CHECK: vector.bitcast %{{.*}} : vector<4xf32> to vector<4xi32>
// CHECK: scf.for
// CHECK-COUNT-2: arith.subf %{{.*}} : vector<4xf32>
// MFMA-COUNT-3: amdgpu.mfma 32x32x8 %{{.*}} blgp = none : vector<4xbf16>, vector<4xbf16>, vector<16xf32>
// WMMA-COUNT-3: amdgpu.wmma 16x16x16 %{{.*}} : vector<16xbf16>, vector<16xbf16>, vector<8xf32>
func.func @floats(%x: memref<512x256xf32>, %w: memref<32768xi8>, %y: memref<512x128xf32>) {
  quant.contract
    lhs(%x : memref<512x256xf32>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<256x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> : memref<32768xi8>)
    outs(%y : memref<512x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values of a row are added as f32, and across the groups of lanes that have them.
// CHECK-LABEL: func.func @minval(
// CHECK: gpu.func
// CHECK: arith.extf %{{.*}} : vector<4xf16> to vector<4xf32>
// MFMA-COUNT-2: gpu.shuffle xor %{{.*}} : f32
// WMMA-NOT: gpu.shuffle
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @minval(%x: memref<16x256xf16>, %w: memref<4096xi8>, %y: memref<16x32xf32>) {
  quant.contract
    lhs(%x : memref<16x256xf16>)
    rhs(%w as <uint4, per_tensor, scale = 0.4, minval = -3.25> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<4096xi8>)
    outs(%y : memref<16x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes of fp8 are upper bits of f16, at an exponent that is 8 too small.
// CHECK-LABEL: func.func @small_floats(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: arith.andi %{{.*}}, %c2130738944_i32
// CHECK: arith.shrui
// CHECK: arith.mulf %{{.*}} : vector<2xf16>
// MFMA: amdgpu.mfma 16x16x16 %{{.*}} blgp = none : vector<4xf16>, vector<4xf16>, vector<4xf32>
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} : vector<16xf16>, vector<16xf16>, vector<8xf32>
func.func @small_floats(%x: memref<32x256xi8>, %w: memref<8192xi8>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <float8_e4m3fn, per_tensor, scale = 0.5> : memref<32x256xi8>)
    rhs(%w as <float8_e4m3fn, per_tensor, scale = 0.5> in <panels, tensor<256x32xf8E4M3FN>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<8192xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Both sides are of values: nothing is decoded.
// CHECK-LABEL: func.func @halves(
// CHECK: gpu.func
// CHECK-NOT: llvm.call_intrinsic
// MFMA-COUNT-2: amdgpu.mfma 32x32x8 %{{.*}} blgp = none : vector<4xf16>, vector<4xf16>, vector<16xf32>
// WMMA: amdgpu.wmma 16x16x16 %{{.*}} : vector<16xf16>, vector<16xf16>, vector<8xf32>
func.func @halves(%x: memref<512x256xf16>, %w: memref<65536xi8>, %y: memref<512x128xf16>) {
  quant.contract
    lhs(%x : memref<512x256xf16>)
    rhs(%w in <panels, tensor<256x128xf16>, columns = [1], reduction = [0], run = 1, panel = 128, group = 8> : memref<65536xi8>)
    outs(%y : memref<512x128xf16>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (k, m)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values that do not follow each other along the reduction are gathered.
// CHECK-LABEL: func.func @transposed(
// CHECK: gpu.func
// CHECK: memref.load %{{.*}} : memref<?xf32>
// CHECK-NOT: vector.load %{{.*}} : memref<?xf32>
// CHECK: vector.from_elements %{{.*}} : vector<4xi32>
// CHECK: scf.for
func.func @transposed(%x: memref<256x16xf32>, %w: memref<8192xi8>, %y: memref<16x32xf32>) {
  quant.contract
    lhs(%x : memref<256x16xf32>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<256x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<8192xi8>)
    outs(%y : memref<16x32xf32>)
    maps [#x, #w, #y]
  return
}
