// RUN: quant-opt %s --quant-to-gpu="target=nvvm arch=sm_89" --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Both sides are copied to one memory, of f16. A lane loads four values of a row at
// once; nibbles become mantissas of 1024, of which the zero point is subtracted, too,
// and high ones 16 times as much. Sums are f32, multiplied with the scale at the end.
// CHECK-LABEL: func.func @nibbles(
// CHECK: memref.view {{.*}} : memref<4096xi8> to memref<2048xf16>
// CHECK: gpu.func
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<10240xf16, #gpu.address_space<workgroup>>
// CHECK-DAG: %[[OFFSET:.*]] = arith.constant dense<6.000000e+00> : vector<2xf16>
// CHECK-DAG: %[[LOW:.*]] = arith.constant dense<-1.024000e+03> : vector<2xf16>
// CHECK-DAG: %[[HIGH:.*]] = arith.constant dense<-6.400000e+01> : vector<2xf16>
// CHECK-DAG: %[[SIXTEENTH:.*]] = arith.constant dense<6.250000e-02> : vector<2xf16>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<5.000000e-01> : vector<4xf32>
// CHECK: nvgpu.device_async_copy {{.*}}, 8 {bypassL1}
// CHECK: scf.for
// CHECK: vector.load %[[SHARED]]{{.*}} {alignment = 8 : i64} : {{.*}}, vector<4xf16>
// CHECK: nvgpu.ldmatrix
// CHECK: arith.andi %{{.*}}, %c983055
// CHECK: arith.ori %{{.*}}, %c1677747200
// CHECK: %[[SUBTRACTED:.*]] = vector.fma %[[OFFSET]], %{{.*}}, %[[LOW]] : vector<2xf16>
// CHECK: vector.fma %{{.*}}, %{{.*}}, %[[SUBTRACTED]] : vector<2xf16>
// CHECK: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-NOT: nvgpu.ldmatrix
// CHECK: arith.andi %{{.*}}, %c15728880
// CHECK: %[[SUBTRACTED16:.*]] = vector.fma %[[OFFSET]], %{{.*}}, %[[HIGH]] : vector<2xf16>
// CHECK: vector.fma %{{.*}}, %[[SIXTEENTH]], %[[SUBTRACTED16]] : vector<2xf16>
// CHECK: scf.yield
// CHECK: arith.mulf %{{.*}}, %[[SCALE]] : vector<4xf32>
func.func @nibbles(%x: memref<32x256xf16>, %w: memref<4096xi8>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x : memref<32x256xf16>)
    rhs(%w as <int4, per_tensor, scale = 0.5, zero_point = -2> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> : memref<4096xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes of fp8 on both sides, bytes in memory, are converted once for all products.
// CHECK-LABEL: func.func @small_floats(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK-COUNT-8: nvvm.convert.f8x2.to.f16x2
// CHECK: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
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

// Two rows of f32, as three products of bf16 for each of the weights: words come from
// global memory, eight warps share the reduction, and each lane ends with a column.
// CHECK-LABEL: func.func @rows(
// CHECK: gpu.launch_func {{.*}} blocks in (%c1, %c2, %c1) threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<2304xf32, #gpu.address_space<workgroup>>
// CHECK-NOT: gpu.barrier
// CHECK: vector.load %{{.*}} : memref<?xf32>, vector<4xf32>
// CHECK: vector.shuffle %{{.*}} [1, 3] : vector<8xbf16>, vector<8xbf16>
// CHECK: arith.subf %{{.*}} : vector<4xf32>
// CHECK-COUNT-3: nvvm.mma.sync {{.*}}bf16
// CHECK: gpu.barrier
// CHECK: memref.load %[[SHARED]]
// CHECK-NOT: gpu.barrier
// CHECK: gpu.return
func.func @rows(%x: memref<2x1024xf32>, %w: memref<32768xi8>, %y: memref<2x64xf32>) {
  quant.contract
    lhs(%x : memref<2x1024xf32>)
    rhs(%w as <int4, per_tensor, scale = 0.5> in <panels, tensor<1024x64xi4>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16, offset = 8> : memref<32768xi8>)
    outs(%y : memref<2x64xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A minval is a zero point, here 8 of -3.25 / 0.4, and what that leaves of it, which is
// multiplied with sums of rows: products with ones.
// CHECK-LABEL: func.func @minval(
// CHECK: gpu.func
// CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<2xf16>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<4.000000e-01> : vector<4xf32>
// CHECK-DAG: %[[REST:.*]] = arith.constant dense<{{-0.0[45].*}}> : vector<4xf32>
// CHECK: scf.for
// CHECK: nvvm.mma.sync A[{{.*}}] B[%[[ONES]], %[[ONES]]] C[{{.*}}]
// CHECK: arith.mulf %{{.*}}, %[[SCALE]] : vector<4xf32>
// CHECK: arith.mulf %{{.*}}, %[[REST]] : vector<4xf32>
// CHECK: arith.addf
func.func @minval(%x: memref<32x256xf16>, %w: memref<4096xi8>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x : memref<32x256xf16>)
    rhs(%w as <uint4, per_tensor, scale = 0.4, minval = -3.25> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<4096xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// f32 of any number of rows is a sum of three bf16, of which each is multiplied: four
// columns of 16 codes are loaded once for them.
// CHECK-LABEL: func.func @floats(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK-COUNT-2: arith.subf %{{.*}} : vector<4xf32>
// CHECK: vector.load
// CHECK-COUNT-2: arith.subf %{{.*}} : vector<4xf32>
// CHECK: nvgpu.ldmatrix
// CHECK-NOT: nvgpu.ldmatrix
// CHECK-COUNT-6: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK: scf.yield
func.func @floats(%x: memref<16x256xf32>, %w: memref<8192xi8>, %y: memref<16x32xf32>) {
  quant.contract
    lhs(%x : memref<16x256xf32>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<256x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<8192xi8>)
    outs(%y : memref<16x32xf32>)
    maps [#x, #w, #y]
  return
}
