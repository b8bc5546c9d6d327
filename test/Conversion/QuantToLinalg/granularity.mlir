// RUN: quant-opt %s --quant-to-linalg --split-input-file | FileCheck %s

// CHECK: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @per_tensor(
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[ID]]]
// CHECK:           arith.constant 5.000000e-01 : f32
func.func @per_tensor(%x: tensor<?x3xf32>) -> tensor<?x3xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<?x3xf32> -> tensor<?x3xi8>
  return %q : tensor<?x3xi8>
}

// -----

// CHECK: #[[ID:.*]] = affine_map<() -> ()>
// CHECK-LABEL: func.func @rank_zero(
// CHECK-SAME:    %[[X:.*]]: tensor<f32>, %[[S:.*]]: tensor<f32>)
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[ID]], #[[ID]]], iterator_types = []} ins(%[[X]], %[[S]]
func.func @rank_zero(%x: tensor<f32>, %s: tensor<f32>) -> tensor<i8> {
  %q = quant.quantize %x scale(%s : tensor<f32>) <int8, per_tensor> : tensor<f32> -> tensor<i8>
  return %q : tensor<i8>
}

// -----

// CHECK: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK: #[[CHANNEL:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func.func @per_channel(
// CHECK-SAME:    %[[Q:.*]]: tensor<3x2xi8>)
// CHECK-DAG:     %[[SCALES:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01]]> : tensor<1x2xf32>
// CHECK-DAG:     %[[ZPS:.*]] = arith.constant dense<{{\[\[}}128, 130]]> : tensor<1x2xi32>
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[CHANNEL]], #[[CHANNEL]], #[[ID]]]
// CHECK-SAME:      ins(%[[Q]], %[[SCALES]], %[[ZPS]] :
func.func @per_channel(%q: tensor<3x2xi8>) -> tensor<3x2xf32> {
  %x = quant.dequantize %q <uint8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>, zero_point = dense<[[128, 130]]> : tensor<1x2xui8>> : tensor<3x2xi8> -> tensor<3x2xf32>
  return %x : tensor<3x2xf32>
}

// -----

// Equal parameters are one constant in the body.
// CHECK: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK: #[[CHANNEL:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func.func @equal_scales(
// CHECK-SAME:    %[[Q:.*]]: tensor<3x2xi8>)
// CHECK:         %[[ZPS:.*]] = arith.constant dense<{{\[\[}}-1, 1]]> : tensor<1x2xi32>
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[CHANNEL]], #[[ID]]]
// CHECK-SAME:      ins(%[[Q]], %[[ZPS]] :
// CHECK:           arith.constant 5.000000e-01 : f32
func.func @equal_scales(%q: tensor<3x2xi8>) -> tensor<3x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x2xf32>, zero_point = dense<[[-1, 1]]> : tensor<1x2xi8>> : tensor<3x2xi8> -> tensor<3x2xf32>
  return %x : tensor<3x2xf32>
}

// -----

// The last block of rows has one row.
// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1) -> (d0 floordiv 2, d1)>
// CHECK-LABEL: func.func @ragged_blocks(
// CHECK-DAG:     %[[SCALES:.*]] = arith.constant dense<{{.*}}> : tensor<3x2xf32>
// CHECK-DAG:     %[[MINVALS:.*]] = arith.constant dense<{{.*}}> : tensor<3x2xf32>
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #[[BLOCK]], #[[BLOCK]], #{{.*}}]
// CHECK-SAME:      ins(%{{.*}}, %[[SCALES]], %[[MINVALS]] :
func.func @ragged_blocks(%q: tensor<5x2xi4>) -> tensor<5x2xf32> {
  %x = quant.dequantize %q <uint4, per_block<[2, 1]>, scale = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf16>, minval = dense<[[-1.0, -2.0], [-3.0, -4.0], [-5.0, -6.0]]> : tensor<3x2xf16>> : tensor<5x2xi4> -> tensor<5x2xf32>
  return %x : tensor<5x2xf32>
}

// -----

// -1, and a size beyond the dimension, mean the whole dimension.
// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1, d2) -> (0, 0, d2 floordiv 2)>
// CHECK-LABEL: func.func @whole_dimensions(
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #[[BLOCK]], #{{.*}}]
func.func @whole_dimensions(%x: tensor<3x2x4xf32>) -> tensor<3x2x4xi8> {
  %q = quant.quantize %x <int8, per_block<[-1, 100, 2]>, scale = dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>> : tensor<3x2x4xf32> -> tensor<3x2x4xi8>
  return %q : tensor<3x2x4xi8>
}

// -----

// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1) -> (d0, d1 floordiv 32)>
// CHECK-LABEL: func.func @dynamic_blocks(
// CHECK-SAME:    %[[X:.*]]: tensor<?x?xf32>, %[[S:.*]]: tensor<?x?xf8E8M0FNU>)
// CHECK-DAG:     %[[M:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG:     %[[N:.*]] = tensor.dim %[[X]], %c1
// CHECK:         tensor.empty(%[[M]], %[[N]]) : tensor<?x?xf4E2M1FN>
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #[[BLOCK]], #{{.*}}]
func.func @dynamic_blocks(%x: tensor<?x?xf32>, %s: tensor<?x?xf8E8M0FNU>) -> tensor<?x?xf4E2M1FN> {
  %q = quant.quantize %x scale(%s : tensor<?x?xf8E8M0FNU>) <float4_e2m1fn, per_block<[1, 32]>> : tensor<?x?xf32> -> tensor<?x?xf4E2M1FN>
  return %q : tensor<?x?xf4E2M1FN>
}
