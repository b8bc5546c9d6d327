// RUN: quant-opt %s --quant-fold-broadcasts | FileCheck %s

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-DAG: #[[T:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[UNIT:.*]] = affine_map<(d0, d1, d2, d3) -> (0, d3, d2)>

// CHECK-LABEL: func @named
// CHECK-SAME: (%[[A:.*]]: tensor<2x3x8xf32>, %[[B:.*]]: tensor<8x4xf32>, %[[I:.*]]: tensor<2x3x4xf32>)
func.func @named(%x: tensor<2x3x8xf32>, %w: tensor<8x4xf32>, %i: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK-NOT: broadcast
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[A]], %[[B]] : tensor<2x3x8xf32>, tensor<8x4xf32>) outs(%[[I]] : tensor<2x3x4xf32>) attrs = {quant.name = "here"}
  // CHECK: arith.mulf
  // CHECK: arith.addf
  %e = tensor.empty() : tensor<2x8x4xf32>
  %b = linalg.broadcast ins(%w : tensor<8x4xf32>) outs(%e : tensor<2x8x4xf32>) dimensions = [0]
  %0 = linalg.batch_matmul {quant.name = "here"} ins(%x, %b : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// What is transposed on the way is so in the map.
// CHECK-LABEL: func @transposed_and_dynamic
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[T]], #[[Y]]]
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<?x?x8xf32>, tensor<4x8xf32>)
func.func @transposed_and_dynamic(%x: tensor<?x?x8xf32>, %w: tensor<4x8xf32>, %e: tensor<?x8x4xf32>, %i: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %b = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%w : tensor<4x8xf32>) outs(%e : tensor<?x8x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<?x8x4xf32>
  %0 = linalg.batch_matmul ins(%x, %b : tensor<?x?x8xf32>, tensor<?x8x4xf32>) outs(%i : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// CHECK-LABEL: func @of_size_one
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[UNIT]], #[[Y]]]
func.func @of_size_one(%x: tensor<2x3x8xf32>, %w: tensor<1x8x4xf32>, %i: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %e = tensor.empty() : tensor<2x8x4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%w : tensor<1x8x4xf32>) outs(%e : tensor<2x8x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x8x4xf32>
  %0 = linalg.batch_matmul ins(%x, %b : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// Both sides repeat the reduction: nobody else knows its size.
// CHECK-LABEL: func @no_size
// CHECK-COUNT-1: linalg.broadcast
// CHECK: linalg.generic
func.func @no_size(%x: tensor<3xf32>, %w: tensor<4xf32>, %i: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %e = tensor.empty() : tensor<3x8xf32>
  %f = tensor.empty() : tensor<8x4xf32>
  %a = linalg.broadcast ins(%x : tensor<3xf32>) outs(%e : tensor<3x8xf32>) dimensions = [1]
  %b = linalg.broadcast ins(%w : tensor<4xf32>) outs(%f : tensor<8x4xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%a, %b : tensor<3x8xf32>, tensor<8x4xf32>) outs(%i : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func @reshaped
// CHECK: linalg.broadcast
// CHECK: linalg.batch_matmul
func.func @reshaped(%x: tensor<4x3x8xf32>, %w: tensor<2x8x4xf32>, %i: tensor<4x3x4xf32>) -> tensor<4x3x4xf32> {
  %e = tensor.empty() : tensor<2x2x8x4xf32>
  %b = linalg.broadcast ins(%w : tensor<2x8x4xf32>) outs(%e : tensor<2x2x8x4xf32>) dimensions = [1]
  %c = tensor.collapse_shape %b [[0, 1], [2], [3]] : tensor<2x2x8x4xf32> into tensor<4x8x4xf32>
  %0 = linalg.batch_matmul ins(%x, %c : tensor<4x3x8xf32>, tensor<4x8x4xf32>) outs(%i : tensor<4x3x4xf32>) -> tensor<4x3x4xf32>
  return %0 : tensor<4x3x4xf32>
}
