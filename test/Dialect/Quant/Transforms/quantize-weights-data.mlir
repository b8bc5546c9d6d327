// Weights of every type and kind of constant; what cannot be quantized stays,
// with a remark, or is an error.

// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @f16
func.func @f16(%x: tensor<4x2xf16>, %init: tensor<4x2xf16>) -> tensor<4x2xf16> {
  // CHECK: arith.constant dense<{{\[\[}}127, 127], [-127, 0]]> : tensor<2x2xi8>
  // CHECK: quant.dequantize {{.*}} -> tensor<2x2xf16>
  %w = arith.constant dense<[[1.0, 2.0], [-1.0, 0.0]]> : tensor<2x2xf16>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf16>, tensor<2x2xf16>) outs(%init : tensor<4x2xf16>) -> tensor<4x2xf16>
  return %0 : tensor<4x2xf16>
}

// -----

// CHECK-LABEL: func @bf16
func.func @bf16(%x: tensor<4x2xbf16>, %init: tensor<4x2xbf16>) -> tensor<4x2xbf16> {
  // CHECK: quant.dequantize {{.*}} -> tensor<2x2xbf16>
  %w = arith.constant dense<[[1.0, 2.0], [-1.0, 0.0]]> : tensor<2x2xbf16>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xbf16>, tensor<2x2xbf16>) outs(%init : tensor<4x2xbf16>) -> tensor<4x2xbf16>
  return %0 : tensor<4x2xbf16>
}

// -----

// CHECK-LABEL: func @f64
func.func @f64(%x: tensor<4x2xf64>, %init: tensor<4x2xf64>) -> tensor<4x2xf64> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<[[1.0, 2.0], [-1.0, 0.0]]> : tensor<2x2xf64>
  // expected-remark @below {{the weight of 'f64/linalg.matmul#0' stays in floating point: the weight has element type f64: expected f32, f16 or bf16}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf64>, tensor<2x2xf64>) outs(%init : tensor<4x2xf64>) -> tensor<4x2xf64>
  return %0 : tensor<4x2xf64>
}

// -----

// CHECK-LABEL: func @resource
func.func @resource(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK: arith.constant dense<{{\[\[}}64, 64], [127, 127]]> : tensor<2x2xi8>
  // CHECK: scale = dense<{{\[\[}}0.00784313772, 0.0156862754]]>
  // The resource that nobody uses any more is not written.
  // CHECK-NOT: dialect_resources
  %w = arith.constant dense_resource<w> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
{-# dialect_resources: { builtin: { w: "0x040000000000003F0000803F0000803F00000040" } } #-}

// -----

// CHECK-LABEL: func @splat
func.func @splat(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK: arith.constant dense<-127> : tensor<2x2xi8>
  // CHECK: scale = dense<0.0156862754> : tensor<1x2xf32>
  %w = arith.constant dense<-2.0> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// A splat costs what it stores: this one would take 32 terabytes.
// CHECK-LABEL: func @huge_splat
func.func @huge_splat(%x: tensor<4x2000000xf32>, %init: tensor<4x4000000xf32>) -> tensor<4x4000000xf32> {
  // CHECK: arith.constant dense<127> : tensor<2000000x4000000xi8>
  // CHECK: scale = dense<0.00784313772> : tensor<1x4000000xf32>
  %w = arith.constant dense<1.0> : tensor<2000000x4000000xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2000000xf32>, tensor<2000000x4000000xf32>) outs(%init : tensor<4x4000000xf32>) -> tensor<4x4000000xf32>
  return %0 : tensor<4x4000000xf32>
}

// -----

// CHECK-LABEL: func @more_elements_than_can_be_counted
func.func @more_elements_than_can_be_counted(%x: tensor<4x4611686018427387904xf32>, %init: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<1.0> : tensor<4611686018427387904x8xf32>
  // expected-remark @below {{the weight has more elements than can be counted}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x4611686018427387904xf32>, tensor<4611686018427387904x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: func @zeros
func.func @zeros(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK: arith.constant dense<0> : tensor<2x2xi8>
  // CHECK: scale = dense<1.1920929E-7> : tensor<1x2xf32>
  %w = arith.constant dense<0.0> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: func @one_element
func.func @one_element(%x: tensor<4x1xf32>, %init: tensor<4x1xf32>) -> tensor<4x1xf32> {
  // CHECK: arith.constant dense<127> : tensor<1x1xi8>
  %w = arith.constant dense<2.0> : tensor<1x1xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x1xf32>, tensor<1x1xf32>) outs(%init : tensor<4x1xf32>) -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
}

// -----

// CHECK-LABEL: func @empty
func.func @empty(%x: tensor<4x0xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<> : tensor<0x2xf32>
  // expected-remark @below {{the weight has no elements}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x0xf32>, tensor<0x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @nan(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @below {{the weight of 'nan/linalg.matmul#0' has 1 NaN or infinite elements, the first at linear index 2: expected finite values; mend the model or leave the operation out with a rule}}
  %w = arith.constant dense<[[1.0, 2.0], [0x7FC00000, 0.0]]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @infinite_f16(%x: tensor<4x2xf16>, %init: tensor<4x2xf16>) -> tensor<4x2xf16> {
  // expected-error @below {{has 2 NaN or infinite elements, the first at linear index 0}}
  %w = arith.constant dense<[[0x7C00, 2.0], [0xFC00, 0.0]]> : tensor<2x2xf16>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf16>, tensor<2x2xf16>) outs(%init : tensor<4x2xf16>) -> tensor<4x2xf16>
  return %0 : tensor<4x2xf16>
}

// -----

func.func @nan_splat(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @below {{has 4 NaN or infinite elements, the first at linear index 0}}
  %w = arith.constant dense<0x7FC00000> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @missing_resource(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @below {{the weight of 'missing_resource/linalg.matmul#0' is not in memory, or a resource of the wrong size: expected dense or dense_resource elements of 'tensor<2x2xf32>'; print the model with its resources}}
  %w = arith.constant dense_resource<__elided__> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @sparse(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @below {{is not in memory, or a resource of the wrong size}}
  %w = arith.constant sparse<[[0, 0]], [1.0]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
