// An axis takes the place of roles, counted from either end.

// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 axis=0' | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 axis=-2' | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 axis=-2 granularity=per_block block-size=2' | FileCheck %s --check-prefix=BLOCK
// RUN: not quant-opt %s --quant-quantize-weights='weight-threshold=0 axis=2' 2>&1 | FileCheck %s --check-prefix=HIGH
// RUN: not quant-opt %s --quant-quantize-weights='weight-threshold=0 axis=-3' 2>&1 | FileCheck %s --check-prefix=LOW
// RUN: not quant-opt %s --quant-quantize-weights='weight-threshold=0 axis=one' 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=37 axis=2' | FileCheck %s --check-prefix=SMALL

// HIGH: error: 'disagree/linalg.matmul#0': expected an axis in [-2, 1] of the weight, found 2
// LOW: error: 'disagree/linalg.matmul#0': expected an axis in [-2, 1] of the weight, found -3
// TEXT: error: quant-quantize-weights: expected axis to be an integer, found 'one'

// Consumers for which the dimensions mean different things agree on an axis.
// CHECK-LABEL: func @disagree
// BLOCK-LABEL: func @disagree
// SMALL-LABEL: func @disagree
func.func @disagree(%x: tensor<4x6xf32>, %init: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>
  // CHECK-NOT: quant.dequantize
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  // An axis is not held against a weight that stays in floating point.
  // SMALL-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = linalg.matmul
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%0, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
