// RUN: quant-opt %s --quant-to-cpu=cpu=haswell --canonicalize --cse | FileCheck %s

#x = affine_map<(h, w, c, i, j) -> (h * 2 + i, w * 2 + j, c)>
#y = affine_map<(h, w, c, i, j) -> (h, w, c)>
#first = affine_map<(c, h, w, i, j) -> (c, h * 2 + i, w * 2 + j)>
#firsty = affine_map<(c, h, w, i, j) -> (c, h, w)>

// A vector runs along channels; 48 are one of 32 and one of 16.
// CHECK-LABEL: func @max
func.func @max(%x: memref<4x6x48xi8>, %y: memref<2x3x48xi8>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c2
  // CHECK: scf.for %{{.*}} = %c0 to %c3
  // CHECK: scf.for %{{.*}} = %c0 to %c2 {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (vector<32xi8>)
  // CHECK: %[[MOST:.*]] = scf.for %{{.*}} = %c0 to %c2 {{.*}} iter_args(%[[SO_FAR:.*]] = %{{.*}}) -> (vector<32xi8>)
  // CHECK: %[[CODES:.*]] = vector.load %{{.*}}, vector<32xi8>
  // CHECK: arith.maxui %[[SO_FAR]], %[[CODES]] : vector<32xi8>
  // CHECK: vector.store %{{.*}}, vector<32xi8>
  // CHECK: vector.load %{{.*}}, vector<16xi8>
  // CHECK: vector.store %{{.*}}, vector<16xi8>
  quant.pool max ins(%x as <uint8, per_tensor, scale = 0.5> : memref<4x6x48xi8>)
    outs(%y : memref<2x3x48xi8>) maps [#x, #y] window [2, 2]
  return
}

// Sums of codes as i32, the zero point as often as codes were read; rounded and
// clamped once, after the division. Near an edge a window's loop is shorter, and
// what divides is what was read.
// CHECK-LABEL: func @average_padded
func.func @average_padded(%x: memref<4x6x32xi8>, %y: memref<3x3x32xi8>) {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<3> : vector<32xi32>
  // CHECK: scf.for %[[H:.*]] = %c0 to %c3
  // CHECK: %[[ROW:.*]] = arith.muli %[[H]], %c2
  // CHECK: %[[BEFORE:.*]] = arith.subi %c1, %[[ROW]]
  // CHECK: %[[FROM:.*]] = arith.maxsi %[[BEFORE]], %c0
  // CHECK: %[[BEHIND:.*]] = arith.subi %c5, %[[ROW]]
  // CHECK: arith.minsi %[[BEHIND]], %c2
  // CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO:.*]] step %c1
  // CHECK: scf.for %{{.*}} = %c0 to %c2
  // CHECK: %[[CODES:.*]] = vector.load %{{.*}}, vector<32xi8>
  // CHECK: %[[WIDE:.*]] = arith.extsi %[[CODES]] : vector<32xi8> to vector<32xi32>
  // CHECK: arith.addi %{{.*}}, %[[WIDE]]
  // CHECK: %[[LENGTH:.*]] = arith.subi %[[TO]], %[[FROM]]
  // CHECK: arith.muli %{{.*}}, %[[ZERO]]
  // CHECK: arith.divf
  // CHECK: arith.cmpf ogt
  // CHECK: vector.store %{{.*}}, vector<32xi8>
  quant.pool average ins(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : memref<4x6x32xi8>)
    outs(%y : memref<3x3x32xi8>) maps [#x, #y] window [2, 2] padding [1, 1, 0, 0, 0, 0]
  return
}

// Where neighbours of the result are no neighbours of the input: one element at a
// time.
// CHECK-LABEL: func @channels_first
func.func @channels_first(%x: memref<8x6x6xi8>, %y: memref<8x2x2xi8>) {
  // CHECK-NOT: vector<32xi8>
  // CHECK: vector.load %{{.*}}, vector<1xi8>
  // CHECK: return
  quant.pool max ins(%x as <uint8, per_tensor, scale = 0.5> : memref<8x6x6xi8>)
    outs(%y : memref<8x2x2xi8>) maps [#first, #firsty] window [3, 3]
  return
}
