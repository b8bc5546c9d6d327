// A per-channel multiplication that stays is named with the reason.

// RUN: quant-opt %s --quant-fold-batch-norm -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @other_uses
// CHECK: arith.mulf
func.func @other_uses(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  // expected-remark @+1 {{what looks like a batch norm behind 'linalg.matmul' is not folded into it: its input has other uses}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  // expected-note @+1 {{it is multiplied here}}
  %0 = arith.mulf %y, %g : tensor<1x2xf32>
  return %y, %0 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @varies_along_rows
// CHECK: arith.mulf
func.func @varies_along_rows(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %g = arith.constant dense<[[2.0, 4.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  // expected-remark @+1 {{its constant varies along other dimensions than the channels of the weight}}
  %y = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note @+1 {{it is multiplied here}}
  %0 = arith.mulf %y, %g : tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

// CHECK-LABEL: func @weight_at_run_time
// CHECK: arith.mulf
func.func @weight_at_run_time(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  // expected-remark @+1 {{is not folded into it: the weight is no constant}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  %0 = arith.mulf %y, %g : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @weight_is_quantized
// CHECK: arith.mulf
func.func @weight_is_quantized(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %c = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  // expected-remark @+1 {{the weight is reached through 'quant.dequantize': expected a constant, reshaped or transposed at most}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  %0 = arith.mulf %y, %g : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @accumulates_onto_data
// CHECK: arith.mulf
func.func @accumulates_onto_data(%x: tensor<1x2xf32>, %i: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  // expected-remark @+1 {{the result is accumulated onto a value that is not constant per channel}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32>
  %0 = arith.mulf %y, %g : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @overflows
// CHECK: arith.divf
func.func @overflows(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %g = arith.constant dense<[[1.0, 0.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  // expected-remark @+1 {{the scaled weight is not finite in its type}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  %0 = arith.divf %y, %g : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @bias_overflows
// CHECK: arith.mulf
func.func @bias_overflows(%x: tensor<1x2xf16>) -> tensor<1x2xf16> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf16>
  %b = arith.constant dense<[[30000.0, 0.0]]> : tensor<1x2xf16>
  %g = arith.constant dense<[[4.0, 1.0]]> : tensor<1x2xf16>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  // expected-remark @+1 {{the bias is not finite in its type}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf16>, tensor<2x2xf16>) outs(%zero : tensor<1x2xf16>) -> tensor<1x2xf16>
  %0 = arith.addf %y, %b : tensor<1x2xf16>
  %1 = arith.mulf %0, %g : tensor<1x2xf16>
  return %1 : tensor<1x2xf16>
}

// -----

// A splat of any size costs nothing until every channel has a number of its own.
// CHECK-LABEL: func @too_large
// CHECK: arith.mulf
func.func @too_large(%x: tensor<1x200000000xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<1.0> : tensor<200000000x2xf32>
  // expected-remark @+1 {{the weight is a splat of more than 2^30 bytes}}
  %y = linalg.matmul ins(%x, %w : tensor<1x200000000xf32>, tensor<200000000x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  %0 = arith.mulf %y, %g : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @not_in_memory
// CHECK: arith.mulf
func.func @not_in_memory(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %w = arith.constant dense_resource<lost> : tensor<2x2xf32>
  // expected-remark @+1 {{the weight is not in memory}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
  %0 = arith.mulf %y, %g : tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func @other_element_type
// CHECK: arith.mulf
func.func @other_element_type(%x: tensor<1x2xf64>) -> tensor<1x2xf64> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf64>
  %g = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf64>
  %w = arith.constant dense<1.0> : tensor<2x2xf64>
  // expected-remark @+1 {{the weight is not of f32, f16 or bf16 elements}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf64>, tensor<2x2xf64>) outs(%zero : tensor<1x2xf64>) -> tensor<1x2xf64>
  %0 = arith.mulf %y, %g : tensor<1x2xf64>
  return %0 : tensor<1x2xf64>
}
