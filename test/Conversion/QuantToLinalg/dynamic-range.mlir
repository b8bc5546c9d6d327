// A reduction to the ends of every unit's range, then parameters of them.

// RUN: quant-opt %s --quant-to-linalg --canonicalize | FileCheck %s

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[NONE:.*]] = affine_map<(d0, d1) -> ()>
// CHECK-DAG: #[[BLOCK:.*]] = affine_map<(d0, d1) -> (d0, d1 floordiv 32)>

// CHECK-LABEL: func.func @rows(
// CHECK:         %[[ENDS:.*]]:2 = linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ROW]]], iterator_types = ["parallel", "reduction"]}
// CHECK:         ^bb0(%[[X:.*]]: f32, %[[LO:.*]]: f32, %[[HI:.*]]: f32):
// CHECK-DAG:       %[[FINITE:.*]] = arith.cmpi ult
// CHECK-DAG:       %[[BELOW:.*]] = arith.cmpf olt, %[[X]], %[[LO]]
// CHECK-DAG:       %[[ABOVE:.*]] = arith.cmpf ogt, %[[X]], %[[HI]]
// CHECK:           linalg.yield
// CHECK:         linalg.generic {{.*}} ins(%[[ENDS]]#0, %[[ENDS]]#1 : tensor<?x1xf32>, tensor<?x1xf32>)
// CHECK:         ^bb0(%[[LO:.*]]: f32, %[[HI:.*]]: f32, %{{.*}}: f32, %{{.*}}: i32):
// CHECK:           %[[SPAN:.*]] = arith.subf %[[HI]], %[[LO]]
// CHECK:           arith.divf %[[SPAN]], %{{.*}}
// CHECK:           linalg.yield %{{.*}}, %{{.*}} : f32, i32
func.func @rows(%x: tensor<?x70xf32>) -> (tensor<?x1xf32>, tensor<?x1xi32>) {
  %s, %z = quant.dynamic_range %x <int8, asymmetric, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x1xf32>, tensor<?x1xi32>
  return %s, %z : tensor<?x1xf32>, tensor<?x1xi32>
}

// A symmetric range needs the greatest magnitude only.
// CHECK-LABEL: func.func @symmetric(
// CHECK:         %[[AMAX:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[NONE]]], iterator_types = ["reduction", "reduction"]}
// CHECK:         linalg.generic {{.*}} ins(%[[AMAX]] : tensor<f32>)
// CHECK:           arith.divf
// CHECK-NOT:       arith.divf
func.func @symmetric(%x: tensor<4x70xbf16>) -> tensor<f32> {
  %s = quant.dynamic_range %x <int8, symmetric> : tensor<4x70xbf16> -> tensor<f32>
  return %s : tensor<f32>
}

// CHECK-LABEL: func.func @blocks(
// CHECK:         %[[COUNT:.*]] = arith.divui %{{.*}}, %{{.*}} : index
// CHECK:         tensor.empty(%{{.*}}, %[[COUNT]]) : tensor<?x?xf32>
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[BLOCK]]], iterator_types = ["parallel", "reduction"]}
func.func @blocks(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %s = quant.dynamic_range %x <int4, symmetric, per_block<[1, 32]>> : tensor<?x?xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// Only the end that is not fixed is looked for; with both fixed, nothing is.
// CHECK-LABEL: func.func @fixed_ends(
// CHECK:         %[[HI:.*]] = linalg.generic
// CHECK:           arith.cmpf ogt
// CHECK:         linalg.generic {{.*}} ins(%[[HI]] : tensor<f32>)
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}], iterator_types = []} outs
func.func @fixed_ends(%x: tensor<4x70xf32>) -> (tensor<f32>, tensor<i32>, tensor<f32>, tensor<i32>) {
  %s, %z = quant.dynamic_range %x <int8, asymmetric, float_range = [-1.0, none]> : tensor<4x70xf32> -> tensor<f32>, tensor<i32>
  %t, %y = quant.dynamic_range %x <int8, asymmetric, float_range = [-1.0, 6.0]> : tensor<4x70xf32> -> tensor<f32>, tensor<i32>
  return %s, %z, %t, %y : tensor<f32>, tensor<i32>, tensor<f32>, tensor<i32>
}

// CHECK-LABEL: func.func @no_elements(
// CHECK-COUNT-1: linalg.generic
// CHECK:         return
func.func @no_elements(%x: tensor<0x70xf32>) -> tensor<0x1xf32> {
  %s = quant.dynamic_range %x <int8, symmetric, per_channel<[0]>> : tensor<0x70xf32> -> tensor<0x1xf32>
  return %s : tensor<0x1xf32>
}
