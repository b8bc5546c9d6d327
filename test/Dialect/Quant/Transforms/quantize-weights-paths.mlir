// Weights that reach their consumer through operations that rearrange or
// convert them: parameters follow the dimensions back to the constant.

// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @transpose
func.func @transpose(%x: tensor<4x6xf32>, %e: tensor<6x3xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} : tensor<3x6xi8>
  // CHECK: %[[MOVED:.*]] = linalg.transpose ins(%[[WEIGHT]]
  // CHECK: linalg.matmul {{.*}}, %[[MOVED]] :
  %w = arith.constant dense<0.5> : tensor<3x6xf32>
  %t = linalg.transpose ins(%w : tensor<3x6xf32>) outs(%e : tensor<6x3xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// CHECK-LABEL: func @transpose_as_generic
func.func @transpose_as_generic(%x: tensor<4x6xf32>, %e: tensor<6x3xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} : tensor<3x6xi8>
  %w = arith.constant dense<0.5> : tensor<3x6xf32>
  %t = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<3x6xf32>) outs(%e : tensor<6x3xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %t : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// One matrix for every batch is one weight, of its own size.
// CHECK-LABEL: func @broadcast
func.func @broadcast(%x: tensor<2x4x6xf32>, %e: tensor<2x6x3xf32>, %init: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x3xi8>
  // CHECK: linalg.broadcast ins(%[[WEIGHT]]
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %b = linalg.broadcast ins(%w : tensor<6x3xf32>) outs(%e : tensor<2x6x3xf32>) dimensions = [0]
  %0 = linalg.batch_matmul ins(%x, %b : tensor<2x4x6xf32>, tensor<2x6x3xf32>) outs(%init : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// -----

// CHECK-LABEL: func @extf
func.func @extf(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x3xi8> -> tensor<6x3xf16>
  // CHECK: arith.extf %[[WEIGHT]]
  %w = arith.constant dense<0.5> : tensor<6x3xf16>
  %f = arith.extf %w : tensor<6x3xf16> to tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %f : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// CHECK-LABEL: func @truncf_in_generic
func.func @truncf_in_generic(%x: tensor<4x6xbf16>, %e: tensor<6x3xbf16>, %init: tensor<4x3xbf16>) -> tensor<4x3xbf16> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %t = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<6x3xf32>) outs(%e : tensor<6x3xbf16>) {
  ^bb0(%a: f32, %b: bf16):
    %c = arith.truncf %a : f32 to bf16
    linalg.yield %c : bf16
  } -> tensor<6x3xbf16>
  %0 = linalg.matmul ins(%x, %t : tensor<4x6xbf16>, tensor<6x3xbf16>) outs(%init : tensor<4x3xbf16>) -> tensor<4x3xbf16>
  return %0 : tensor<4x3xbf16>
}

// -----

// CHECK-LABEL: func @expand_shape_by_one
func.func @expand_shape_by_one(%x: tensor<1x4x6xf32>, %init: tensor<1x4x3xf32>) -> tensor<1x4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x3xi8>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %r = tensor.expand_shape %w [[0, 1], [2]] output_shape [1, 6, 3] : tensor<6x3xf32> into tensor<1x6x3xf32>
  %0 = linalg.batch_matmul ins(%x, %r : tensor<1x4x6xf32>, tensor<1x6x3xf32>) outs(%init : tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  return %0 : tensor<1x4x3xf32>
}

// -----

// Heads and their width are channels both: one dimension of the constant.
// CHECK-LABEL: func @expand_shape_of_channels
func.func @expand_shape_of_channels(%x: tensor<4x6xf32>, %init: tensor<4x2x3xf32>) -> tensor<4x2x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x6xi8>
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  %r = tensor.expand_shape %w [[0], [1, 2]] output_shape [6, 2, 3] : tensor<6x6xf32> into tensor<6x2x3xf32>
  %0 = linalg.contract
      indexing_maps = [affine_map<(m, h, d, k) -> (m, k)>, affine_map<(m, h, d, k) -> (k, h, d)>, affine_map<(m, h, d, k) -> (m, h, d)>]
      ins(%x, %r : tensor<4x6xf32>, tensor<6x2x3xf32>) outs(%init : tensor<4x2x3xf32>) -> tensor<4x2x3xf32>
  return %0 : tensor<4x2x3xf32>
}

// -----

// CHECK-LABEL: func @collapse_shape_of_channels
func.func @collapse_shape_of_channels(%x: tensor<4x6xf32>, %init: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1, 2]>{{.*}} : tensor<6x2x3xi8>
  %w = arith.constant dense<0.5> : tensor<6x2x3xf32>
  %r = tensor.collapse_shape %w [[0], [1, 2]] : tensor<6x2x3xf32> into tensor<6x6xf32>
  %0 = linalg.matmul ins(%x, %r : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// -----

// CHECK-LABEL: func @cast
func.func @cast(%x: tensor<?x?xf32>, %init: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x3xi8>
  // CHECK: tensor.cast %[[WEIGHT]]
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %d = tensor.cast %w : tensor<6x3xf32> to tensor<?x?xf32>
  %0 = linalg.matmul ins(%x, %d : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Each half of the channels has its own parameters in the whole.
// CHECK-LABEL: func @slices_of_channels
func.func @slices_of_channels(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<6x6xi8>
  // CHECK: tensor.extract_slice %[[WEIGHT]][0, 0]
  // CHECK: tensor.extract_slice %[[WEIGHT]][0, 3]
  // CHECK-NOT: arith.constant
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  %a = tensor.extract_slice %w[0, 0] [6, 3] [1, 1] : tensor<6x6xf32> to tensor<6x3xf32>
  %b = tensor.extract_slice %w[0, 3] [6, 3] [1, 1] : tensor<6x6xf32> to tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %a : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.matmul ins(%x, %b : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0, %1 : tensor<4x3xf32>, tensor<4x3xf32>
}

// -----

// Other users of the constant, and of what it passes through, keep their values.
// CHECK-LABEL: func @other_users
func.func @other_users(%x: tensor<4x6xf32>, %e: tensor<6x3xf32>, %init: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<6x3xf32>) {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize
  // CHECK: %[[CONSTANT:.*]] = arith.constant dense<5.000000e-01> : tensor<3x6xf32>
  // CHECK: %[[QUANTIZED:.*]] = linalg.transpose ins(%[[WEIGHT]]
  // CHECK: %[[FLOAT:.*]] = linalg.transpose ins(%[[CONSTANT]]
  // CHECK: %[[RESULT:.*]] = linalg.matmul {{.*}}, %[[QUANTIZED]] :
  // CHECK: return %[[RESULT]], %[[FLOAT]]
  %w = arith.constant dense<0.5> : tensor<3x6xf32>
  %t = linalg.transpose ins(%w : tensor<3x6xf32>) outs(%e : tensor<6x3xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0, %t : tensor<4x3xf32>, tensor<6x3xf32>
}

// -----

// A second run finds what the first one left.
// CHECK-LABEL: func @quantized_already
func.func @quantized_already(%q: tensor<6x3xi8>, %x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-COUNT-1: quant.dequantize
  // CHECK-NOT: quant.dequantize
  %c = arith.constant dense<64> : tensor<6x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<6x3xi8> -> tensor<6x3xf32>
  // expected-remark @below {{the weight of 'quantized_already/linalg.matmul#0' is quantized already, to int8, and stays as it is}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Not reached
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @computed
func.func @computed(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %n = arith.negf %w : tensor<6x3xf32>
  // expected-remark @below {{the weight of 'computed/linalg.matmul#0' stays in floating point: the weight is reached through 'arith.negf', which computes it from constants: fold it into one first}}
  %0 = linalg.matmul ins(%x, %n : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// CHECK-LABEL: func @dynamic_slice
func.func @dynamic_slice(%x: tensor<4x?xf32>, %n: index, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %s = tensor.extract_slice %w[0, 0] [%n, 3] [1, 1] : tensor<6x3xf32> to tensor<?x3xf32>
  %0 = linalg.matmul ins(%x, %s : tensor<4x?xf32>, tensor<?x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// Through an unranked type a cast may change the rank.
// CHECK-LABEL: func @cast_of_unranked
func.func @cast_of_unranked(%x: tensor<4x6xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<2x3xf32>
  %u = tensor.cast %w : tensor<2x3xf32> to tensor<*xf32>
  %v = tensor.cast %u : tensor<*xf32> to tensor<6xf32>
  // expected-remark @below {{the weight is reached through 'tensor.cast'}}
  %0 = linalg.matvec ins(%x, %v : tensor<4x6xf32>, tensor<6xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Data are no weights, whatever they pass: no remark.
// CHECK-LABEL: func @data
func.func @data(%x: tensor<6x4xf32>, %y: tensor<6x3xf32>, %e: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-NOT: quant.dequantize
  %t = linalg.transpose ins(%x : tensor<6x4xf32>) outs(%e : tensor<4x6xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%t, %y : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// A buffer to write to and a body that reads the data from outside are no
// constants.
// CHECK-LABEL: func @data_from_outside
func.func @data_from_outside(%x: tensor<4x6xf32>, %y: tensor<6x3xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-NOT: quant.dequantize
  %c5 = arith.constant 5 : index
  %e = tensor.empty() : tensor<4x6xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<4x6xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.subi %c5, %j : index
    %v = tensor.extract %x[%i, %k] : tensor<4x6xf32>
    linalg.yield %v : f32
  } -> tensor<4x6xf32>
  %0 = linalg.matmul ins(%r, %y : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.matmul ins(%e, %y : tensor<4x6xf32>, tensor<6x3xf32>) outs(%0 : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %1 : tensor<4x3xf32>
}
