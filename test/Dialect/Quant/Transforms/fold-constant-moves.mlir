// Moves of a constant that parameters cannot follow are folded into a constant
// of their own, so that the weight is one constant again; what was used only by
// them is gone. int8 codes of 1, 2, … with a largest value of 127.5 are the
// values themselves.

// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_tensor' -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @reshape
func.func @reshape(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK-NEXT: arith.constant dense<{{\[\[}}1, 2, 3], [4, 5, 127]]> : tensor<2x3xi8>
  // CHECK-NEXT: quant.dequantize
  // CHECK-NEXT: linalg.matmul
  %w = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 127.5]> : tensor<6xf32>
  %r = tensor.expand_shape %w [[0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// CHECK-LABEL: func @reverse
func.func @reverse(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK-NEXT: arith.constant dense<{{\[\[}}3, 2, 1], [127, 5, 4]]> : tensor<2x3xi8>
  // CHECK-NEXT: quant.dequantize
  // CHECK-NEXT: linalg.matmul
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 127.5]]> : tensor<2x3xf32>
  %c2 = arith.constant 2 : index
  %e = tensor.empty() : tensor<2x3xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<2x3xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.subi %c2, %j : index
    %v = tensor.extract %w[%i, %k] : tensor<2x3xf32>
    linalg.yield %v : f32
  } -> tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// CHECK-LABEL: func @pad
func.func @pad(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK: arith.constant dense<{{\[\[}}9, 1, 2], [9, 3, 127]]> : tensor<2x3xi8>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 127.5]]> : tensor<2x2xf32>
  %nine = arith.constant 9.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tensor.pad %w low[0, %c1] high[0, %c0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %nine : f32
  } : tensor<2x2xf32> to tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %p : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// CHECK-LABEL: func @slice_of_reduction
func.func @slice_of_reduction(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK: arith.constant dense<{{\[\[}}1, 2, 3], [7, 8, 127]]> : tensor<2x3xi8>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 127.5]]> : tensor<3x3xf32>
  %s = tensor.extract_slice %w[0, 0] [2, 3] [2, 1] : tensor<3x3xf32> to tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %s : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// CHECK-LABEL: func @slice_that_drops_a_dimension
func.func @slice_that_drops_a_dimension(%x: tensor<1x2xf32>, %init: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // CHECK: arith.constant dense<{{\[\[}}2, 4], [6, 127]]> : tensor<2x2xi8>
  %w = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 127.5]]]> : tensor<2x2x2xf32>
  %s = tensor.extract_slice %w[0, 0, 1] [2, 2, 1] [1, 1, 1] : tensor<2x2x2xf32> to tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %s : tensor<1x2xf32>, tensor<2x2xf32>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @concat
func.func @concat(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK: arith.constant dense<{{\[\[}}1, 3, 4], [2, 5, 127]]> : tensor<2x3xi8>
  %a = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[[3.0, 4.0], [5.0, 127.5]]> : tensor<2x2xf32>
  %c = tensor.concat dim(1) %a, %b : (tensor<2x1xf32>, tensor<2x2xf32>) -> tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %c : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// Pad, split, transpose and join: the kernel of a transposed convolution.
// CHECK-LABEL: func @chain
func.func @chain(%x: tensor<1x4xf32>, %init: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // CHECK-NEXT: arith.constant dense<{{\[\[}}1, 2], [4, 5], [3, 0], [127, 0]]> : tensor<4x2xi8>
  // CHECK-NEXT: quant.dequantize
  // CHECK-NEXT: linalg.matmul
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 127.5]]> : tensor<2x3xf32>
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %w low[0, 0] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x3xf32> to tensor<2x4xf32>
  %s = tensor.expand_shape %p [[0], [1, 2]] output_shape [2, 2, 2] : tensor<2x4xf32> into tensor<2x2x2xf32>
  %e = tensor.empty() : tensor<2x2x2xf32>
  %t = linalg.transpose ins(%s : tensor<2x2x2xf32>) outs(%e : tensor<2x2x2xf32>) permutation = [1, 0, 2]
  %j = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x2x2xf32> into tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %j : tensor<1x4xf32>, tensor<4x2xf32>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// Two consumers of one chain get one constant.
// CHECK-LABEL: func @shared_chain
func.func @shared_chain(%x: tensor<1x2xf32>, %init: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize
  // CHECK-NOT: quant.dequantize
  // CHECK: linalg.matmul {{.*}}, %[[WEIGHT]] :
  // CHECK: linalg.matmul {{.*}}, %[[WEIGHT]] :
  %w = arith.constant dense<[1.0, 2.0, 3.0, 127.5]> : tensor<4xf32>
  %r = tensor.expand_shape %w [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x2xf32>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = linalg.matmul ins(%0, %r : tensor<1x2xf32>, tensor<2x2xf32>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @splat
func.func @splat(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK: arith.constant dense<127> : tensor<2x3xi8>
  %w = arith.constant dense<1.0> : tensor<6xf32>
  %r = tensor.expand_shape %w [[0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// CHECK-LABEL: func @resource
func.func @resource(%x: tensor<1x2xf32>, %init: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // CHECK: arith.constant dense<{{\[\[}}0, 64], [0, 127]]> : tensor<2x2xi8>
  %w = arith.constant dense_resource<halves> : tensor<4xf32>
  %r = tensor.expand_shape %w [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x2xf32>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
{-# dialect_resources: { builtin: { halves: "0x04000000000000000000003F000000000000803F" } } #-}

// -----

//===----------------------------------------------------------------------===//
// Declined
//===----------------------------------------------------------------------===//

// Padding that makes the constant far larger is left to the run.
// CHECK-LABEL: func @padded_too_far
func.func @padded_too_far(%x: tensor<1x2xf32>, %init: tensor<1x4000000xf32>) -> tensor<1x4000000xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %w low[0, 0] high[0, 3999998] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x2xf32> to tensor<2x4000000xf32>
  // expected-remark @below {{the weight is reached through 'tensor.pad', which computes it from constants: fold it into one first}}
  %0 = linalg.matmul ins(%x, %p : tensor<1x2xf32>, tensor<2x4000000xf32>) outs(%init : tensor<1x4000000xf32>) -> tensor<1x4000000xf32>
  return %0 : tensor<1x4000000xf32>
}

// -----

// CHECK-LABEL: func @index_not_linear
func.func @index_not_linear(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %c2 = arith.constant 2 : index
  %e = tensor.empty() : tensor<2x3xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<2x3xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.remui %j, %c2 : index
    %v = tensor.extract %w[%i, %k] : tensor<2x3xf32>
    linalg.yield %v : f32
  } -> tensor<2x3xf32>
  // expected-remark @below {{the weight is reached through 'linalg.generic', which computes it from constants: fold it into one first}}
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// An index beyond the constant is the model's mistake and not ours to repeat.
// CHECK-LABEL: func @index_out_of_bounds
func.func @index_out_of_bounds(%x: tensor<1x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<2x3xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<2x3xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.addi %j, %c1 : index
    %v = tensor.extract %w[%i, %k] : tensor<2x3xf32>
    linalg.yield %v : f32
  } -> tensor<2x3xf32>
  // expected-remark @below {{the weight is reached through 'linalg.generic', which computes it from constants: fold it into one first}}
  %0 = linalg.matmul ins(%x, %r : tensor<1x2xf32>, tensor<2x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}
