// The plugin in a stock mlir-opt, which has all upstream dialects loaded beside
// ours. A program without AddressSanitizer cannot load a plugin with it.

// UNSUPPORTED: asan

// RUN: mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(quant-quantize-weights{weight-threshold=0})' | FileCheck %s
// RUN: mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(quant-insert-observers{dtype=uint8})' | FileCheck %s --check-prefix=OBSERVE
// OBSERVE: quant.observe %arg0 "beside_upstream.in0" <uint8, symmetric, moving_average>

// CHECK-LABEL: func @beside_upstream
func.func @beside_upstream(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>,
                           %u: tensor<4x!quant.uniform<i8:f32, 0.5>>) -> tensor<4x2xf32> {
  // CHECK: quant.dcast
  %f = quant.dcast %u : tensor<4x!quant.uniform<i8:f32, 0.5>> to tensor<4xf32>
  // CHECK: tosa.abs
  %a = tosa.abs %f : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize {{.*}} <int8, per_channel<[1]>
  // CHECK: linalg.matmul {{.*}}, %[[WEIGHT]]
  %w = arith.constant dense<[[0.5, -1.0], [0.25, 2.0]]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
