// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-to-gpu=target=rocdl --canonicalize --cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#r = affine_map<(m, n, k) -> (m)>
#b = affine_map<(m, n, k) -> ()>
#y = affine_map<(m, n, k) -> (m, n)>

// One residual for each row, and one bias for all.
// CHECK-LABEL: func.func @residual(
// CHECK: %[[BIAS:.*]] = memref.load %{{.*}}[%{{.*}}] : memref<?xf32>
// CHECK: vector.broadcast %[[BIAS]] : f32
// CHECK: %[[RESIDUAL:.*]] = memref.load %{{.*}} : memref<?xi8>
// CHECK: vector.broadcast %[[RESIDUAL]] : i8
func.func @residual(%x: memref<32x128xi8>, %w: memref<4096xi8>, %s: memref<32xi32>, %b: memref<f32>, %r: memref<32xi8>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<32x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<128x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<32xi32>, : memref<4096xi8>)
    bias(%b : memref<f32>)
    residual(%r as <int8, per_tensor, scale = 0.1> : memref<32xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #b, #r, #y]
  return
}
