// RUN: quant-opt %s --quant-pack-weights=target-cpu=znver4 --quant-prepare-kernels=cpu=znver4 --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu=cpu=znver4 --canonicalize --cse | FileCheck %s

#x = affine_map<(n, k, h, w, c) -> (n, c, h, w)>
#w = affine_map<(n, k, h, w, c) -> (k, c)>
#b = affine_map<(n, k, h, w, c) -> (k)>
#y = affine_map<(n, k, h, w, c) -> (n, k, h, w)>

// NCHW: weights are the rows, positions the columns. Signed codes of lhs become
// unsigned in the panel, so that the weights stay as they are.
// CHECK: memref.global {{.*}} : memref<40xi8>
// CHECK-LABEL: func @pointwise
func.func @pointwise(%x: tensor<1x8x4x4xi8>, %o: tensor<1x5x4x4xi8>) -> tensor<1x5x4x4xi8> {
  %w = arith.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 3, 4, 5, 6, 7, 8], [3, 2, 3, 4, 5, 6, 7, 8], [4, 2, 3, 4, 5, 6, 7, 8], [5, 2, 3, 4, 5, 6, 7, 8]]> : tensor<5x8xi8>
  %b = arith.constant dense<[1, 2, 3, 4, 5]> : tensor<5xi32>
  // CHECK: %[[FLIP:.*]] = arith.constant dense<-128> : vector<64xi8>
  // CHECK: %[[PANEL:.*]] = memref.alloca() {alignment = 64 : i64} : memref<128xi8>
  // CHECK: arith.xori %{{.*}}, %[[FLIP]]
  // CHECK: vector.store %{{.*}}, %[[PANEL]]
  // A row's own start of the sum.
  // CHECK: %[[START:.*]] = vector.broadcast %{{.*}} : i32 to vector<16xi32>
  // CHECK: %[[X:.*]] = vector.load %[[PANEL]]
  // The panel is the unsigned operand.
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[X]], %{{.*}})
  // CHECK: vector.store %{{.*}} : memref<{{.*}}xi8{{.*}}>, vector<16xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<1x8x4x4xi8>)
    rhs(%w as <int8, per_channel<[0]>, scale = dense<[[0.5], [0.25], [0.5], [0.25], [0.5]]> : tensor<5x1xf32>> : tensor<5x8xi8>)
    bias(%b : tensor<5xi32>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<1x5x4x4xi8>)
    maps [#x, #w, #b, #y] -> tensor<1x5x4x4xi8>
  return %y : tensor<1x5x4x4xi8>
}
