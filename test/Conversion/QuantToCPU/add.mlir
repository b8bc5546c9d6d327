// RUN: quant-opt %s --quant-to-cpu=cpu=haswell --canonicalize --cse | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>

// Two dimensions that continue each other are one row of 34: four vectors of
// eight and one of two.
// CHECK-LABEL: func @add
func.func @add(%a: memref<2x17xi8>, %b: memref<2x17xi8>,
               %y: memref<2x17xi8>) {
  // CHECK-DAG: %[[MAGIC:.*]] = arith.constant dense<0x4B400000> : vector<8xf32>
  // CHECK-DAG: %[[LOW:.*]] = arith.constant dense<0.000000e+00> : vector<8xf32>
  // CHECK-DAG: %[[HIGH:.*]] = arith.constant dense<2.550000e+02> : vector<8xf32>
  // CHECK: scf.for %[[I:.*]] = %c0 to %c32 step %c8
  // CHECK: %[[QA:.*]] = vector.load %{{.*}}[%[[I]]] : {{.*}}, vector<8xi8>
  // CHECK: %[[QB:.*]] = vector.load %{{.*}}[%[[I]]] : {{.*}}, vector<8xi8>
  // CHECK: %[[WA:.*]] = arith.extsi %[[QA]]
  // CHECK: %[[FA:.*]] = arith.sitofp %[[WA]]
  // CHECK: %[[MA:.*]] = arith.mulf %[[FA]], %{{.*}}
  // CHECK: %[[WB:.*]] = arith.extui %[[QB]]
  // CHECK: %[[ZB:.*]] = arith.subi %[[WB]], %{{.*}}
  // CHECK: %[[FB:.*]] = arith.sitofp %[[ZB]]
  // CHECK: %[[MB:.*]] = arith.mulf %[[FB]], %{{.*}}
  // CHECK: %[[SUM:.*]] = arith.addf %[[MA]], %[[MB]]
  // CHECK: arith.cmpf ogt, %[[SUM]], %[[LOW]]
  // CHECK: arith.cmpf olt, %{{.*}}, %[[HIGH]]
  // CHECK: arith.addf %{{.*}}, %[[MAGIC]]
  // CHECK: arith.bitcast
  // CHECK: arith.trunci
  // CHECK: arith.addi %{{.*}}, %{{.*}} : vector<8xi8>
  // CHECK: vector.store %{{.*}}, %{{.*}}[%[[I]]]
  // CHECK: vector.load %{{.*}}[%c32] : {{.*}}, vector<2xi8>
  // CHECK-NOT: vector.load %{{.*}}[%c34]
  quant.add lhs(%a as <int8, per_tensor, scale = 0.75> : memref<2x17xi8>)
    rhs(%b as <uint8, per_tensor, scale = 0.25, zero_point = 3> : memref<2x17xi8>)
    outs(%y as <int8, per_tensor, scale = 0.5, zero_point = -128> : memref<2x17xi8>)
    maps [#id, #id, #id] low 0.0
  return
}

// An input without the vector's loop is one element for all of it.
// CHECK-LABEL: func @mul_by_row
func.func @mul_by_row(%a: memref<4x16xi8>, %b: memref<4xi8>, %y: memref<4x16xi8>) {
  // CHECK: scf.for %[[I:.*]] = %c0 to %c4
  // CHECK: scf.for %[[J:.*]] = %c0 to %c16 step %c8
  // CHECK: %[[ELEMENT:.*]] = memref.load %{{.*}}[%[[I]]]
  // CHECK: vector.broadcast %[[ELEMENT]] : i8 to vector<8xi8>
  // CHECK: arith.muli
  quant.mul lhs(%a as <int8, per_tensor, scale = 0.5> : memref<4x16xi8>)
    rhs(%b as <int8, per_tensor, scale = 0.25> : memref<4xi8>)
    outs(%y as <int8, per_tensor, scale = 0.5> : memref<4x16xi8>)
    maps [#id, #row, #id]
  return
}

// Where nothing is contiguous, one element at a time.
// CHECK-LABEL: func @add_strided
func.func @add_strided(%a: memref<4x16xi8, strided<[32, 2]>>, %b: memref<16xi8>,
                       %y: memref<4x16xi8>) {
  // CHECK-NOT: vector<8xi8>
  // CHECK: vector.load %{{.*}} : {{.*}}, vector<1xi8>
  // CHECK: return
  quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : memref<4x16xi8, strided<[32, 2]>>)
    rhs(%b as <int8, per_tensor, scale = 0.25> : memref<16xi8>)
    outs(%y as <int8, per_tensor, scale = 0.5> : memref<4x16xi8>)
    maps [#id, #column, #id]
  return
}
