// Tables of embeddings: every row has parameters of its own, blocks are along
// the row.

// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=2' | FileCheck %s --check-prefix=BLOCK

// CHECK-LABEL: func @gather(
// BLOCK-LABEL: func @gather(
func.func @gather(%ids: tensor<3x1xindex>) -> tensor<3x4xf32> {
  // CHECK: %[[TABLE:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>
  // CHECK: tensor.gather %[[TABLE]]
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>
  %table = arith.constant dense<0.5> : tensor<10x4xf32>
  %0 = tensor.gather %table[%ids] gather_dims([0]) : (tensor<10x4xf32>, tensor<3x1xindex>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func @gather_columns(
// BLOCK-LABEL: func @gather_columns(
func.func @gather_columns(%ids: tensor<3x1xindex>) -> tensor<3x10xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  %table = arith.constant dense<0.5> : tensor<10x4xf32>
  %0 = tensor.gather %table[%ids] gather_dims([1]) : (tensor<10x4xf32>, tensor<3x1xindex>) -> tensor<3x10xf32>
  return %0 : tensor<3x10xf32>
}

// CHECK-LABEL: func @extract(
// BLOCK-LABEL: func @extract(
func.func @extract(%ids: tensor<3xi32>, %init: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: %[[TABLE:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>
  // CHECK: linalg.generic
  // CHECK: tensor.extract %[[TABLE]]
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>
  %table = arith.constant dense<0.5> : tensor<10x4xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<3xi32>) outs(%init : tensor<3x4xf32>) {
  ^bb0(%id: i32, %out: f32):
    %row = arith.index_cast %id : i32 to index
    %column = linalg.index 1 : index
    %e = tensor.extract %table[%row, %column] : tensor<10x4xf32>
    linalg.yield %e : f32
  } -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// A table of f16 that is widened after the lookup.
// CHECK-LABEL: func @extract_and_widen(
// BLOCK-LABEL: func @extract_and_widen(
func.func @extract_and_widen(%ids: tensor<3xi32>, %init: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} -> tensor<10x4xf16>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>
  %table = arith.constant dense<0.5> : tensor<10x4xf16>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<3xi32>) outs(%init : tensor<3x4xf32>) {
  ^bb0(%id: i32, %out: f32):
    %row = arith.index_cast %id : i32 to index
    %column = linalg.index 1 : index
    %e = tensor.extract %table[%row, %column] : tensor<10x4xf16>
    %w = arith.extf %e : f16 to f32
    linalg.yield %w : f32
  } -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// A leading dimension of size one, as tosa.gather has it.
// CHECK-LABEL: func @expanded_table(
// BLOCK-LABEL: func @expanded_table(
func.func @expanded_table(%ids: tensor<1x3xi32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} : tensor<10x4xi8>
  // CHECK: tensor.expand_shape
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>{{.*}} : tensor<10x4xi8>
  %table = arith.constant dense<0.5> : tensor<10x4xf32>
  %expanded = tensor.expand_shape %table [[0, 1], [2]] output_shape [1, 10, 4] : tensor<10x4xf32> into tensor<1x10x4xf32>
  %c0 = arith.constant 0 : index
  %0 = linalg.generic {
      indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<1x3xi32>) outs(%init : tensor<1x3x4xf32>) {
  ^bb0(%id: i32, %out: f32):
    %row = arith.index_cast %id : i32 to index
    %column = linalg.index 2 : index
    %e = tensor.extract %expanded[%c0, %row, %column] : tensor<1x10x4xf32>
    linalg.yield %e : f32
  } -> tensor<1x3x4xf32>
  return %0 : tensor<1x3x4xf32>
}

// Indices that follow from the loops alone copy; that is no lookup.
// CHECK-LABEL: func @reverse(
// BLOCK-LABEL: func @reverse(
func.func @reverse(%init: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // CHECK-NOT: quant.dequantize
  // BLOCK-NOT: quant.dequantize
  %table = arith.constant dense<0.5> : tensor<10x4xf32>
  %c9 = arith.constant 9 : index
  %0 = linalg.generic {
      indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]}
      outs(%init : tensor<10x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %row = arith.subi %c9, %i : index
    %column = linalg.index 1 : index
    %e = tensor.extract %table[%row, %column] : tensor<10x4xf32>
    linalg.yield %e : f32
  } -> tensor<10x4xf32>
  return %0 : tensor<10x4xf32>
}
