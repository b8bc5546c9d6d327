// RUN: quant-opt %s --quant-to-cpu=cpu=znver4 --canonicalize --cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Sums of rows of a block have 16 bits, stored with their sign turned: a product of pairs
// takes them with zero points of columns (low halves) and the zero point of lhs with sums
// of columns (high ones).
// CHECK-LABEL: func @zero_points_of_blocks
// CHECK-DAG: %[[LOW:.*]] = arith.constant dense<65535> : vector<16xi32>
// CHECK-DAG: %[[HIGH:.*]] = arith.constant dense<16> : vector<16xi32>
// CHECK: %[[SUMS:.*]] = arith.shli %{{.*}}, %[[HIGH]] : vector<16xi32>
// CHECK: %[[COLUMN:.*]] = arith.ori %{{.*}}, %[[SUMS]] : vector<16xi32>
// CHECK: %[[Y:.*]] = vector.bitcast %[[COLUMN]] : vector<16xi32> to vector<32xi16>
// CHECK: %[[START:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"(%{{.*}}, %[[Y]])
// CHECK-NOT: arith.muli {{.*}} : vector<16xi32>
// CHECK: scf.for {{.*}} iter_args(%[[SUM:.*]] = %[[START]])
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[SUM]]
func.func @zero_points_of_blocks(%x: memref<1x64xi8>, %w: memref<512xi8>, %s: memref<2x16xi32>, %o: memref<1x16xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 5> : memref<1x64xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.5> : tensor<2x16xf32>, zero_point = dense<[[0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0]]> : tensor<2x16xi8>> in <panels, tensor<64x16xi4>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4, offset = 8>
      sums %s : memref<2x16xi32>, : memref<512xi8>)
    outs(%o : memref<1x16xf32>)
    maps [#x, #w, #y]
  return
}
