// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Four blocks of 32 in a stage. A sum of a block begins as the bits of 1.5 * 2^23,
// and is a float when they are subtracted; nothing but values goes from stage to
// stage. Scales, of 16 times the code, are those of 1 / 16.
// CHECK-LABEL: func.func @short(
// CHECK: gpu.func
// CHECK-DAG: %[[BITS:.*]] = arith.constant 1262485504 : i32
// CHECK-DAG: %[[START:.*]] = arith.constant dense<0x4B400000> : vector<4xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<6.250000e-02> : vector<4xf32>
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %{{.*}} = %c0, %{{.*}} = %{{.*}}) -> (vector<4xf32>, vector<4xf32>, index, index)
// CHECK: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[%[[BITS]], %[[BITS]], %[[BITS]], %[[BITS]]]
// CHECK: %[[SUM:.*]] = arith.bitcast %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: %[[FLOAT:.*]] = arith.subf %[[SUM]], %[[START]]
// CHECK: vector.fma %[[FLOAT]], %[[SCALE]], %[[A]]
// CHECK: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[%[[BITS]], %[[BITS]], %[[BITS]], %[[BITS]]]
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

// Blocks of two stages: sums go from one to the other, and become values behind the
// second one. The zero point of lhs is subtracted as an integer, before.
// CHECK-LABEL: func.func @long(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: arith.cmpi eq, %{{.*}}, %c0
// CHECK: scf.if %{{.*}} -> (vector<4xf32>, vector<4xf32>)
// CHECK: arith.muli
// CHECK: arith.subi
// CHECK: arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: vector.fma
// CHECK: } else {
func.func @long(%x: memref<32x512xi8>, %w: memref<16384xi8>, %s: memref<2x32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0, zero_point = 3> : memref<32x512xi8>)
    rhs(%w as <int8, per_block<[256, -1]>, scale = dense<[[1.0], [2.0]]> : tensor<2x1xf32>> in <panels, tensor<512x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<2x32xi32>, : memref<16384xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Blocks of 16 are a half of what is loaded at once: low nibbles, then high ones.
// CHECK-LABEL: func.func @half(
// CHECK: gpu.func
// CHECK: nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK: nvvm.mma.sync A[{{.*}}, {{.*}}] B[{{.*}}] C[{{.*}}] {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-NOT: nvgpu.ldmatrix
// CHECK: nvvm.mma.sync A[{{.*}}, {{.*}}] B[{{.*}}] C[{{.*}}] {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
func.func @half(%x: memref<32x256xi8>, %w: memref<4096xi8>, %s: memref<16x32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0> : memref<32x256xi8>)
    rhs(%w as <int4, per_block<[16, 1]>, scale = dense<1.0> : tensor<16x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<16x32xi32>, : memref<4096xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A 16th of a scale so small would be rounded: sums are shifted instead.
// CHECK-LABEL: func.func @tiny(
// CHECK: gpu.func
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<1.17549449E-38> : vector<4xf32>
// CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<4> : vector<4xi32>
// CHECK: %[[SUM:.*]] = arith.shrsi %{{.*}}, %[[FOUR]]
// CHECK: %[[FLOAT:.*]] = arith.sitofp %[[SUM]]
// CHECK: vector.fma %[[FLOAT]], %[[SCALE]]
func.func @tiny(%x: memref<32x256xi8>, %w: memref<4096xi8>, %s: memref<8x32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0> : memref<32x256xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<1.17549449E-38> : tensor<8x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<8x32xi32>, : memref<4096xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(h, w, n, b, i, j, c) -> (h + i, w + j, b, c)>
#w = affine_map<(h, w, n, b, i, j, c) -> (n, b, i, j, c)>
#y = affine_map<(h, w, n, b, i, j, c) -> (h, w, n)>

// Blocks of 32 channels under a window of 3 x 3, which are 288 codes: four stages and a
// half, so that a block may end behind each half. Codes are copied 16 at a time.
// CHECK-LABEL: func.func @window(
// CHECK: gpu.func
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, {{.*}}, index, index)
// CHECK: nvvm.cp.async.wait.group
// CHECK: nvgpu.device_async_copy %{{.*}}, 16
// CHECK: nvvm.mma.sync
// CHECK: %[[PART:.*]] = arith.addi %{{.*}}, %c1
// CHECK: %[[REST:.*]] = arith.remui %[[PART]], %c9
// CHECK: %[[ENDS:.*]] = arith.cmpi eq, %[[REST]], %c0
// CHECK: scf.if %[[ENDS]]
// CHECK: vector.fma
// CHECK: nvvm.mma.sync
// CHECK: scf.if
// CHECK: vector.fma
func.func @window(%x: memref<10x10x2x32xi8>, %w: memref<9216xi8>, %s: memref<2x32xi32>, %y: memref<8x8x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0> : memref<10x10x2x32xi8>)
    rhs(%w as <int4, per_block<[-1, 1, -1, -1, -1]>, scale = dense<1.0> : tensor<1x2x1x1x1xf32>> in <panels, tensor<32x2x3x3x32xi4>, columns = [0], reduction = [1, 2, 3, 4], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<2x32xi32>, : memref<9216xi8>)
    outs(%y : memref<8x8x32xf32>)
    maps [#x, #w, #y]
  return
}
