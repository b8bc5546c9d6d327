// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Two blocks of 32 in a stage: eight words of each, and values that go from stage to
// stage.
// CHECK-LABEL: func.func @short(
// CHECK: gpu.func
// CHECK-DAG: %[[BITS:.*]] = arith.constant 1262485504 : i32
// CHECK-DAG: %[[START:.*]] = arith.constant dense<0x4B400000> : vector<4xf32>
// CHECK: scf.for {{.*}} iter_args(%[[A:[a-z0-9_]*]] = {{.*}} -> (vector<4xf32>
// CHECK: spirv.SDot
// CHECK: arith.addi %{{.*}}, %[[BITS]]
// CHECK: arith.bitcast %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: %[[FLOAT:.*]] = arith.subf %{{.*}}, %[[START]]
// CHECK: vector.fma %[[FLOAT]], %{{.*}}, %[[A]]
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

// Blocks of two stages.
// CHECK-LABEL: func.func @long(
// CHECK: gpu.func
// CHECK: spirv.SDot
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
