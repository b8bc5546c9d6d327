// A constant with several uses is quantized once; uses that disagree are an
// error that names both.

// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @agree
func.func @agree(%x: tensor<4x6xf32>, %init: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // CHECK-NOT: arith.constant
  // CHECK: linalg.matmul {{.*}}, %[[WEIGHT]] :
  // CHECK: linalg.matmul {{.*}}, %[[WEIGHT]] :
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}

// -----

// Directly and through a transpose, which is how embeddings are tied to the
// last layer: rows of the table are its output channels.
// CHECK-LABEL: func @tied_embedding
func.func @tied_embedding(%ids: tensor<3x1xindex>, %x: tensor<3x4xf32>, %e: tensor<4x10xf32>, %init: tensor<3x10xf32>) -> (tensor<3x4xf32>, tensor<3x10xf32>) {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>
  // CHECK-NOT: arith.constant
  // CHECK: tensor.gather %[[WEIGHT]]
  // CHECK: linalg.transpose ins(%[[WEIGHT]]
  %table = arith.constant dense<0.5> : tensor<10x4xf32>
  %0 = tensor.gather %table[%ids] gather_dims([0]) : (tensor<10x4xf32>, tensor<3x1xindex>) -> tensor<3x4xf32>
  %t = linalg.transpose ins(%table : tensor<10x4xf32>) outs(%e : tensor<4x10xf32>) permutation = [1, 0]
  %1 = linalg.matmul ins(%x, %t : tensor<3x4xf32>, tensor<4x10xf32>) outs(%init : tensor<3x10xf32>) -> tensor<3x10xf32>
  return %0, %1 : tensor<3x4xf32>, tensor<3x10xf32>
}

// -----

// Dimensions of size one make no difference.
// CHECK-LABEL: func @agree_in_effect
func.func @agree_in_effect(%x: tensor<4x1xf32>, %y: tensor<1x4x1xf32>, %i: tensor<4x3xf32>, %j: tensor<1x4x3xf32>) -> (tensor<4x3xf32>, tensor<1x4x3xf32>) {
  // CHECK-COUNT-1: quant.dequantize
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<1x1x3xf32>
  %c = tensor.collapse_shape %w [[0, 1], [2]] : tensor<1x1x3xf32> into tensor<1x3xf32>
  %0 = linalg.matmul ins(%x, %c : tensor<4x1xf32>, tensor<1x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.batch_matmul ins(%y, %w : tensor<1x4x1xf32>, tensor<1x1x3xf32>) outs(%j : tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  return %0, %1 : tensor<4x3xf32>, tensor<1x4x3xf32>
}

// -----

func.func @disagree(%x: tensor<4x6xf32>, %init: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  // expected-note @below {{the other consumer is here}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  // expected-error @below {{the consumers 'disagree/linalg.matmul#0' and 'disagree/linalg.matmul#1' of one weight disagree on its block sizes, [-1, 1] and [1, -1]: give an axis}}
  %1 = linalg.matmul
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%0, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
