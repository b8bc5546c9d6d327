// RUN: quant-opt %s --quant-to-cpu=cpu=znver4 --canonicalize --cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A row beside weights that no cache keeps: four panels at a time, each of 65536 bytes,
// whose codes are asked for 2048 bytes ahead; then the ninth one.
// CHECK-LABEL: func @row
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : index
// CHECK-DAG: %[[EIGHT:.*]] = arith.constant 8 : index
// CHECK-DAG: %[[AHEAD:.*]] = arith.constant 2048 : index
// CHECK-DAG: %[[NEXT:.*]] = arith.constant 65536 : index
// CHECK: scf.for {{.*}} to %[[EIGHT]] step %[[FOUR]]
// CHECK: %[[TUPLE:.*]]:16 = scf.for
// CHECK: %[[FIRST:.*]] = arith.addi
// CHECK: %[[LATER:.*]] = arith.addi %[[FIRST]], %[[AHEAD]]
// CHECK: memref.prefetch %arg1[%[[LATER]]], read, locality<3>, data : memref<589824xi8>
// CHECK: vector.load %arg1[%[[FIRST]]]
// CHECK: %[[SECOND:.*]] = arith.addi %[[FIRST]], %[[NEXT]]
// CHECK: vector.load %arg1[%[[SECOND]]]
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.yield
// Twice as many accumulators as columns keep the instruction busy.
// CHECK: scf.for
// CHECK-COUNT-8: memref.prefetch
// CHECK-NOT: memref.prefetch
func.func @row(%x: memref<1x1024xi8>, %w: memref<589824xi8>, %s: memref<576xi32>, %o: memref<1x576xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<1x1024xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<1024x576xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4>
      sums %s : memref<576xi32>, : memref<589824xi8>)
    outs(%o : memref<1x576xf32>)
    maps [#x, #w, #y]
  return
}

// A number of rows that is not known: what is behind whole tiles of six asks ahead.
// CHECK-LABEL: func @rows
// CHECK: scf.for
// CHECK-NOT: memref.prefetch
// CHECK: scf.index_switch
// CHECK: case 1
// CHECK-COUNT-8: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: case 2
// CHECK: case 5
// CHECK-COUNT-4: memref.prefetch
func.func @rows(%x: memref<?x1024xi8>, %w: memref<589824xi8>, %s: memref<576xi32>, %o: memref<?x576xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<?x1024xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<1024x576xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4>
      sums %s : memref<576xi32>, : memref<589824xi8>)
    outs(%o : memref<?x576xf32>)
    maps [#x, #w, #y]
  return
}

// What caches keep is not asked for.
// CHECK-LABEL: func @small
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @small(%x: memref<1x128xi8>, %w: memref<73728xi8>, %s: memref<576xi32>, %o: memref<1x576xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<1x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<128x576xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4>
      sums %s : memref<576xi32>, : memref<73728xi8>)
    outs(%o : memref<1x576xf32>)
    maps [#x, #w, #y]
  return
}
