// What operations with a quantized weight read becomes codes with the range of its
// own values; per_row: one unit per index of what indexes rows of the output.

// RUN: quant-opt %s --quant-quantize-dynamic -split-input-file -verify-diagnostics | FileCheck %s --check-prefixes=CHECK,TENSOR
// RUN: quant-opt %s --quant-quantize-dynamic='granularity=per_row qscheme=asymmetric' -split-input-file -verify-diagnostics | FileCheck %s --check-prefixes=CHECK,ROW
// RUN: quant-opt %s --quant-quantize-dynamic='dtype=float8_e4m3fn granularity=per_row' -split-input-file -verify-diagnostics | FileCheck %s --check-prefix=FP8

// CHECK-LABEL: func @matmul
// FP8-LABEL: func @matmul
func.func @matmul(%x: tensor<?x70xf32>, %init: tensor<?x24xf32>) -> tensor<?x24xf32> {
  // TENSOR: %[[S:.*]] = quant.dynamic_range %[[X:.*]] <int8, symmetric> : tensor<?x70xf32> -> tensor<f32>
  // TENSOR: %[[Q:.*]] = quant.quantize %[[X]] scale(%[[S]] : tensor<f32>) <int8, per_tensor> : tensor<?x70xf32> -> tensor<?x70xi8>
  // TENSOR: %[[D:.*]] = quant.dequantize %[[Q]] scale(%[[S]] : tensor<f32>) <int8, per_tensor> : tensor<?x70xi8> -> tensor<?x70xf32>
  // ROW: %[[S:.*]], %[[Z:.*]] = quant.dynamic_range %[[X:.*]] <int8, asymmetric, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x1xf32>, tensor<?x1xi32>
  // ROW: %[[Q:.*]] = quant.quantize %[[X]] scale(%[[S]] : tensor<?x1xf32>) zero_point(%[[Z]] : tensor<?x1xi32>) <int8, per_channel<[0]>>
  // ROW: %[[D:.*]] = quant.dequantize %[[Q]] scale(%[[S]] : tensor<?x1xf32>) zero_point(%[[Z]] : tensor<?x1xi32>) <int8, per_channel<[0]>>
  // CHECK: linalg.matmul {{.*}} ins(%[[D]], %{{.*}} :
  // FP8: %[[S:.*]] = quant.dynamic_range %[[X:.*]] <float8_e4m3fn, symmetric, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x1xf32>
  // FP8: quant.quantize %[[X]] scale(%[[S]] : tensor<?x1xf32>) <float8_e4m3fn, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x70xf8E4M3FN>
  %c = arith.constant dense<1> : tensor<70x24xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<70x24xi8> -> tensor<70x24xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<?x70xf32>, tensor<70x24xf32>) outs(%init : tensor<?x24xf32>) -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// -----

// Query, key and value: one for all three; the weights behind moves and unpack,
// and on the left.
// CHECK-LABEL: func @shared_input
func.func @shared_input(%x: tensor<4x8xf32>, %init: tensor<4x8xf32>, %t: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<8x4xf32>) {
  // CHECK: quant.dynamic_range
  // CHECK-NOT: quant.dynamic_range
  // CHECK: %[[D:.*]] = quant.dequantize {{.*}} -> tensor<4x8xf32>
  // CHECK-NOT: quant.dynamic_range
  // CHECK: linalg.matmul {{.*}} ins(%[[D]], %{{.*}} :
  // CHECK: linalg.matmul {{.*}} ins(%[[D]], %{{.*}} :
  // CHECK: linalg.contract {{.*}} ins(%{{.*}}, %[[D]] :
  %c = arith.constant dense<1> : tensor<8x8xi8>
  %p = arith.constant dense<1> : tensor<32xi8>
  %q = quant.unpack %p <canonical> : tensor<32xi8> -> tensor<8x8xi4>
  %w0 = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<8x8xi8> -> tensor<8x8xf32>
  %w1 = quant.dequantize %q <int4, per_tensor, scale = 0.5> : tensor<8x8xi4> -> tensor<8x8xf32>
  %w2 = linalg.transpose ins(%w0 : tensor<8x8xf32>) outs(%t : tensor<8x8xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %w1 : tensor<4x8xf32>, tensor<8x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul ins(%x, %w2 : tensor<4x8xf32>, tensor<8x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  %zero = arith.constant dense<0.0> : tensor<8x4xf32>
  %2 = linalg.contract indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%w2, %x : tensor<8x8xf32>, tensor<4x8xf32>) outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %0, %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<8x4xf32>
}

// -----

// A batch that the weight has too is one of rows.
// CHECK-LABEL: func @batched_weight
func.func @batched_weight(%x: tensor<2x4x8xf32>, %init: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  // ROW: quant.dynamic_range %{{.*}} <int8, asymmetric, per_channel<[0, 1]>> : tensor<2x4x8xf32> -> tensor<2x4x1xf32>, tensor<2x4x1xi32>
  %c = arith.constant dense<1> : tensor<2x8x8xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x8x8xi8> -> tensor<2x8x8xf32>
  %0 = linalg.batch_matmul ins(%x, %w : tensor<2x4x8xf32>, tensor<2x8x8xf32>) outs(%init : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return %0 : tensor<2x4x8xf32>
}

// -----

// Of a convolution the batch; windows and channels stay whole, depthwise ones too.
// CHECK-LABEL: func @convolutions
func.func @convolutions(%x: tensor<3x6x6x2xf32>, %i0: tensor<3x4x4x5xf32>, %i1: tensor<3x4x4x2xf32>) -> (tensor<3x4x4x5xf32>, tensor<3x4x4x2xf32>) {
  // ROW: quant.dynamic_range %{{.*}} <int8, asymmetric, per_channel<[0]>> : tensor<3x6x6x2xf32> -> tensor<3x1x1x1xf32>
  // ROW-NOT: quant.dynamic_range
  // ROW: linalg.conv_2d_nhwc_hwcf
  // ROW: linalg.depthwise_conv_2d_nhwc_hwc
  %c0 = arith.constant dense<1> : tensor<3x3x2x5xi8>
  %w0 = quant.dequantize %c0 <int8, per_tensor, scale = 0.5> : tensor<3x3x2x5xi8> -> tensor<3x3x2x5xf32>
  %c1 = arith.constant dense<1> : tensor<3x3x2xi8>
  %w1 = quant.dequantize %c1 <int8, per_tensor, scale = 0.5> : tensor<3x3x2xi8> -> tensor<3x3x2xf32>
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w0 : tensor<3x6x6x2xf32>, tensor<3x3x2x5xf32>) outs(%i0 : tensor<3x4x4x5xf32>) -> tensor<3x4x4x5xf32>
  %1 = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w1 : tensor<3x6x6x2xf32>, tensor<3x3x2xf32>) outs(%i1 : tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  return %0, %1 : tensor<3x4x4x5xf32>, tensor<3x4x4x2xf32>
}

// -----

// One row is the tensor; f16.
// CHECK-LABEL: func @one_row
func.func @one_row(%x: tensor<1x8xf16>, %v: tensor<8xf16>, %i: tensor<1x8xf32>, %j: tensor<8xf32>) -> (tensor<1x8xf32>, tensor<8xf32>) {
  // ROW: quant.dynamic_range %{{.*}} <int8, asymmetric> : tensor<8xf16> -> tensor<f32>, tensor<i32>
  // ROW: quant.dynamic_range %{{.*}} <int8, asymmetric> : tensor<1x8xf16> -> tensor<f32>, tensor<i32>
  %c = arith.constant dense<1> : tensor<8x8xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<8x8xi8> -> tensor<8x8xf16>
  %0 = linalg.matmul ins(%x, %w : tensor<1x8xf16>, tensor<8x8xf16>) outs(%i : tensor<1x8xf32>) -> tensor<1x8xf32>
  %1 = linalg.vecmat ins(%v, %w : tensor<8xf16>, tensor<8x8xf16>) outs(%j : tensor<8xf32>) -> tensor<8xf32>
  return %0, %1 : tensor<1x8xf32>, tensor<8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// What is never negative is asymmetric, but for float storage; also behind a move.
// TENSOR-LABEL: func @relu
// FP8-LABEL: func @relu
func.func @relu(%x: tensor<4x8xf32>, %e: tensor<4x8xf32>, %t: tensor<8x4xf32>) -> (tensor<4x8xf32>, tensor<8x8xf32>) {
  // TENSOR-COUNT-2: quant.dynamic_range %{{.*}} <int8, asymmetric>
  // FP8-COUNT-2: quant.dynamic_range %{{.*}} <float8_e4m3fn, symmetric
  %zero = arith.constant 0.0 : f32
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.maximumf %in, %zero : f32
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  %rt = linalg.transpose ins(%r : tensor<4x8xf32>) outs(%t : tensor<8x4xf32>) permutation = [1, 0]
  %c = arith.constant dense<1> : tensor<8x8xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<8x8xi8> -> tensor<8x8xf32>
  %c4 = arith.constant dense<1> : tensor<4x8xi8>
  %w4 = quant.dequantize %c4 <int8, per_tensor, scale = 0.5> : tensor<4x8xi8> -> tensor<4x8xf32>
  %zeros = arith.constant dense<0.0> : tensor<8x8xf32>
  %0 = linalg.matmul ins(%r, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul ins(%rt, %w4 : tensor<8x4xf32>, tensor<4x8xf32>) outs(%zeros : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<8x8xf32>
}

// -----

// What stays in floating point is named; what has no weight to speak of is not.
// CHECK-LABEL: func @left_alone
func.func @left_alone(%x: tensor<4x8xf32>, %y: tensor<8x8xf32>, %d: tensor<4x8xf64>, %w64: tensor<8x8xf64>, %e: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK-NOT: quant.dynamic_range
  %f = arith.constant dense<1.0> : tensor<8x8xf32>
  %c = arith.constant dense<1> : tensor<8x8xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<8x8xi8> -> tensor<8x8xf32>
  // expected-remark @below {{the input of 'left_alone/linalg.matmul#0' stays in floating point: it has no quantized weight beside it}}
  %0 = linalg.matmul ins(%x, %y : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  // expected-remark @below {{the input of 'left_alone/linalg.matmul#1' stays in floating point: it has no quantized weight beside it}}
  %1 = linalg.matmul ins(%x, %f : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4x8xf32> -> tensor<4x8xi8>
  %dq = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x8xi8> -> tensor<4x8xf32>
  // expected-remark @below {{the input of 'left_alone/linalg.matmul#2' stays in floating point: it is quantized already}}
  %2 = linalg.matmul ins(%dq, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %k = arith.constant dense<1.0> : tensor<4x8xf32>
  // expected-remark @below {{the input of 'left_alone/linalg.matmul#3' stays in floating point: it is a constant}}
  %3 = linalg.matmul ins(%k, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1, %2, %3 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}
