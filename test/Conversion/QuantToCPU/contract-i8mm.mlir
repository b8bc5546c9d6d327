// RUN: quant-opt %s --quant-to-cpu=cpu=neoverse-v1 --canonicalize --cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Six rows of 16 columns are 24 accumulators of two rows of two columns: rows are
// put together before the reduction and taken apart behind it.
// CHECK-LABEL: func @tile
func.func @tile(%x: memref<6x64xi8>, %w: memref<1024xi8>, %s: memref<16xi32>, %y: memref<6x16xf32>) {
  // CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 1, 4, 5] : vector<4xi32>, vector<4xi32>
  // CHECK: %[[SUMS:.*]]:24 = scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args(%[[SUM:[a-z0-9]*]] =
  // CHECK: vector.load %{{.*}}, vector<8xi8>
  // CHECK: vector.load %{{.*}}, vector<8xi8>
  // CHECK: %[[WORDS:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 2] : vector<2xi64>, vector<2xi64>
  // CHECK: %[[X:.*]] = vector.bitcast %[[WORDS]] : vector<2xi64> to vector<16xi8>
  // CHECK: %[[W:.*]] = vector.load %{{.*}} : memref<1024xi8>, vector<16xi8>
  // CHECK: llvm.call_intrinsic "llvm.aarch64.neon.smmla.v4i32.v16i8"(%[[SUM]], %[[X]], %[[W]]) : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
  // CHECK-COUNT-23: llvm.call_intrinsic "llvm.aarch64.neon.smmla.v4i32.v16i8"
  // CHECK-NOT: llvm.call_intrinsic
  // CHECK: scf.yield
  // CHECK: vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [0, 1, 4, 5]
  // CHECK: vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [2, 3, 6, 7]
  // CHECK-COUNT-24: vector.store %{{.*}}, vector<4xf32>
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : memref<6x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<64x16xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 8> sums %s : memref<16xi32>, : memref<1024xi8>)
    outs(%y : memref<6x16xf32>) maps [#x, #w, #y]
  return
}

// Unsigned codes have an instruction of their own. The third row is alone: its
// codes take the place of both, and what comes out twice is used once. The last
// codes are the eight bytes that end where the row ends, shifted.
// CHECK-LABEL: func @odd_rows
func.func @odd_rows(%x: memref<3x13xi8>, %w: memref<64xi8>, %s: memref<4xi32>, %y: memref<3x4xf32>) {
  // CHECK-DAG: %[[BITS:.*]] = arith.constant dense<24> : vector<2xi64>
  // CHECK-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.usmmla.v4i32.v16i8"
  // CHECK: vector.load %{{.*}}[%c5] : {{.*}}, vector<8xi8>
  // CHECK: arith.shrui %{{.*}}, %[[BITS]] : vector<2xi64>
  // CHECK-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.usmmla.v4i32.v16i8"
  // CHECK-NOT: llvm.call_intrinsic
  // CHECK-COUNT-3: vector.store %{{.*}}, vector<4xf32>
  // CHECK-NOT: vector.store
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<3x13xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<13x4xi8>, columns = [1], reduction = [0], run = 1, panel = 4, group = 8> sums %s : memref<4xi32>, : memref<64xi8>)
    outs(%y : memref<3x4xf32>) maps [#x, #w, #y]
  return
}

// Seven codes with none before them: four, two and one.
// CHECK-LABEL: func @short
func.func @short(%x: memref<1x7xi8>, %w: memref<32xi8>, %s: memref<4xi32>, %y: memref<1x4xf32>) {
  // CHECK: vector.load %{{.*}}[%c0] : {{.*}}, vector<4xi8>
  // CHECK: vector.load %{{.*}}[%c4] : {{.*}}, vector<2xi8>
  // CHECK: vector.load %{{.*}}[%c6] : {{.*}}, vector<1xi8>
  // CHECK: vector.broadcast %{{.*}} : i64 to vector<2xi64>
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<1x7xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<7x4xi8>, columns = [1], reduction = [0], run = 1, panel = 4, group = 8> sums %s : memref<4xi32>, : memref<32xi8>)
    outs(%y : memref<1x4xf32>) maps [#x, #w, #y]
  return
}
