// RUN: quant-opt %s --quant-math-to-arith | FileCheck %s
// RUN: quant-opt %s --quant-math-to-arith=extremes=false | FileCheck %s --check-prefix=EXP

// Two bounds, the rest of the multiples of ln 2, six products with sums, and the power of
// two in two halves.
// CHECK-LABEL: func @exp
// CHECK-SAME: (%[[X:.*]]: vector<16xf32>)
// CHECK-NOT: math
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[X]] : vector<16xi1>, vector<16xf32>
// CHECK: %[[V:.*]] = arith.select
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK: %[[N:.*]] = arith.subf %[[SUM]], %{{.*}}
// CHECK: %[[R0:.*]] = arith.subf %[[V]],
// CHECK: %[[R:.*]] = arith.subf %[[R0]],
// CHECK-COUNT-6: arith.addf
// CHECK: arith.bitcast %[[SUM]] : vector<16xf32> to vector<16xi32>
// CHECK: arith.mulf
// CHECK: %[[Y:.*]] = arith.mulf
// CHECK: return %[[Y]]
// EXP-LABEL: func @exp
// EXP-NOT: math.exp
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// Of |x|: a polynomial of seven coefficients of its square; one of it, at most 4, whose
// exponential goes from 1; then the sign.
// CHECK-LABEL: func @erf
// CHECK-SAME: (%[[X:.*]]: vector<16xf32>)
// CHECK-NOT: math
// CHECK: %[[BITS:.*]] = arith.bitcast %[[X]]
// CHECK: arith.andi %[[BITS]]
// CHECK: %[[T:.*]] = arith.bitcast
// CHECK: %[[TT:.*]] = arith.mulf %[[T]], %[[T]]
// CHECK-COUNT-6: arith.mulf %{{.*}}, %[[TT]]
// CHECK: %[[NEAR:.*]] = arith.addf %{{.*}}, %[[T]]
// CHECK: %[[TO:.*]] = arith.select %{{.*}}, %{{.*}}, %[[T]]
// CHECK-COUNT-6: arith.mulf %{{.*}}, %[[TO]]
// CHECK: %[[FAR:.*]] = arith.subf %cst{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: %[[IS_FAR:.*]] = arith.cmpf ogt, %[[T]],
// CHECK: arith.select %[[IS_FAR]], %[[FAR]], %[[NEAR]]
// CHECK: arith.andi %[[BITS]]
// CHECK: arith.ori
// CHECK: %[[Y:.*]] = arith.bitcast
// CHECK: return %[[Y]]
func.func @erf(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.erf %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK-LABEL: func @tanh
// CHECK-NOT: math
// CHECK-NOT: divf
// CHECK: return
func.func @tanh(%x: f32) -> f32 {
  %0 = math.tanh %x : f32
  return %0 : f32
}

// CHECK-LABEL: func @maximum
// CHECK-SAME: (%[[A:.*]]: f32, %[[B:.*]]: f32)
// CHECK-DAG: %[[X:.*]] = arith.bitcast %[[A]] : f32 to i32
// CHECK-DAG: %[[Y:.*]] = arith.bitcast %[[B]] : f32 to i32
// CHECK: %[[BITS:.*]] = arith.andi %[[X]], %[[Y]] : i32
// CHECK: %[[EQUAL:.*]] = arith.bitcast %[[BITS]] : i32 to f32
// CHECK: %[[ABOVE:.*]] = arith.cmpf ogt, %[[B]], %[[A]]
// CHECK: %[[R0:.*]] = arith.select %[[ABOVE]], %[[B]], %[[EQUAL]]
// CHECK: %[[BELOW:.*]] = arith.cmpf ogt, %[[A]], %[[B]]
// CHECK: %[[R1:.*]] = arith.select %[[BELOW]], %[[A]], %[[R0]]
// CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[A]], %[[B]]
// CHECK: arith.select %[[NAN]], %{{.*}}, %[[R1]]
// EXP-LABEL: func @maximum
// EXP: arith.maximumf
func.func @maximum(%a: f32, %b: f32) -> f32 {
  %0 = arith.maximumf %a, %b : f32
  return %0 : f32
}

// CHECK-LABEL: func @minimum
// CHECK: arith.ori
// CHECK: arith.cmpf olt
func.func @minimum(%a: f32, %b: f32) -> f32 {
  %0 = arith.minimumf %a, %b : f32
  return %0 : f32
}

// The bound where both are equal, and NaN stays; but +0 is above -0.
// CHECK-LABEL: func @bounds
// CHECK: arith.cmpf ole, %{{.*}}, %{{.*}} : f32
// CHECK-NEXT: arith.select
// CHECK-NEXT: arith.cmpf olt
// CHECK-NEXT: arith.select
// CHECK-NEXT: arith.cmpf oge
// CHECK-NEXT: arith.select
// CHECK-NEXT: arith.cmpf ogt
// CHECK-NEXT: arith.select
func.func @bounds(%a: f32) -> (f32, f32, f32, f32) {
  %zero = arith.constant 0.0 : f32
  %negative = arith.constant -0.0 : f32
  %six = arith.constant 6.0 : f32
  %0 = arith.maximumf %a, %zero : f32
  %1 = arith.maximumf %a, %negative : f32
  %2 = arith.minimumf %a, %six : f32
  %3 = arith.minimumf %a, %zero : f32
  return %0, %1, %2, %3 : f32, f32, f32, f32
}

// Other types are a library's.
// CHECK-LABEL: func @others
// CHECK: math.exp %{{.*}} : f64
// CHECK: math.exp %{{.*}} : tensor<4xf32>
// CHECK: math.log
func.func @others(%a: f64, %b: tensor<4xf32>, %c: f32) -> (f64, tensor<4xf32>, f32) {
  %0 = math.exp %a : f64
  %1 = math.exp %b : tensor<4xf32>
  %2 = math.log %c : f32
  return %0, %1, %2 : f64, tensor<4xf32>, f32
}
