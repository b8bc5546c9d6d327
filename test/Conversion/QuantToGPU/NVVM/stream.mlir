// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A workgroup has 32 of the 64 columns of a panel. Eight chunks of weights are on
// their way while eight are multiplied, word by word, with codes of both rows, which
// come from global memory as well. Groups of lanes meet at the end only.
// CHECK-LABEL: func.func @rows(
// CHECK: gpu.launch_func {{.*}} blocks in (%c1, %c2, %c1) threads in (%c128, %c1, %c1)
// CHECK: gpu.func
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<256xi32, #gpu.address_space<workgroup>>
// CHECK-COUNT-8: vector.load %{{.*}} {alignment = 16 : i64} : memref<?xi32>, vector<4xi32>
// CHECK: scf.for
// CHECK-NOT: gpu.barrier
// CHECK-COUNT-8: vector.load %{{.*}} {alignment = 16 : i64} : memref<?xi32>, vector<4xi32>
// CHECK: nvvm.dot.accumulate.4way
// CHECK: scf.yield
// CHECK-COUNT-2: memref.store %{{.*}}, %[[SHARED]]
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: gpu.return
func.func @rows(%x: memref<2x1024xi8>, %w: memref<65536xi8>, %s: memref<64xi32>, %y: memref<2x64xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<2x1024xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<1024x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16> sums %s : memref<64xi32>, : memref<65536xi8>)
    outs(%y : memref<2x64xf32>)
    maps [#x, #w, #y]
  return
}
