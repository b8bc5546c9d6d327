// Biases become int32 constants in units of the accumulator, sx * sw[c].

// RUN: quant-opt %s --split-input-file --quant-quantize-biases | FileCheck %s

// A quantized bias is one still: it belongs to its kernel, and nothing is said of
// it again.
// RUN: quant-opt %s --split-input-file --quant-quantize-biases | \
// RUN:   quant-opt --split-input-file --quant-insert-observers --quant-quantize-biases 2>&1 | FileCheck %s --check-prefix=AGAIN --implicit-check-not=remark
// AGAIN-LABEL: func @matmul_add
// AGAIN: arith.addf
// AGAIN: quant.observe {{.*}} "matmul_add/linalg.matmul#0.out0"
// AGAIN-NOT: quant.observe
// AGAIN-LABEL: func @matmul_fill
// AGAIN-LABEL: func @depthwise
// AGAIN: arith.addf
// AGAIN: quant.observe {{.*}} "depthwise/linalg.depthwise_conv_2d_nhwc_hwcm#0.out0"
// AGAIN-LABEL: func @shared

// 1 / 0.25, -2 / 0.125.
// CHECK-LABEL: func @matmul_init
// CHECK: %[[C:.*]] = arith.constant dense<[4, -16]> : tensor<2xi32>
// CHECK: %[[D:.*]] = quant.dequantize %[[C]] <int32, per_channel<[0]>, scale = dense<[2.500000e-01, 1.250000e-01]> : tensor<2xf32>> : tensor<2xi32> -> tensor<2xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4x2xf32>
// CHECK: %[[B:.*]] = linalg.broadcast ins(%[[D]] : tensor<2xf32>) outs(%[[E]] : tensor<4x2xf32>) dimensions = [0]
// CHECK: linalg.matmul {{.*}} outs(%[[B]] : tensor<4x2xf32>)
func.func @matmul_init(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %cw <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// Once more is no more.
// CHECK-LABEL: func @quantized_already
// CHECK: quant.dequantize %{{.*}} <int32
// CHECK-NOT: int32
func.func @quantized_already(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
  %cb = arith.constant dense<[4, -16]> : tensor<2xi32>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = quant.dequantize %cb <int32, per_tensor, scale = 0.25> : tensor<2xi32> -> tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// The weight passes a transpose, the batch is dynamic, the bias is added behind.
// 0.3 / (0.1 * 0.5) is 6 in binary64 with the scale as f32 is.
// CHECK-LABEL: func @matmul_add
// CHECK: %[[C:.*]] = arith.constant dense<[6, -3]> : tensor<2xi32>
// CHECK: %[[D:.*]] = quant.dequantize %[[C]] <int32, per_channel<[0]>, scale = dense<[5.000000e-02, 1.000000e-01]> : tensor<2xf32>>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[D]] : tensor<?x2xf32>, tensor<2xf32>)
func.func @matmul_add(%q: tensor<?x3xi8>, %n: index) -> tensor<?x2xf32> {
  %cw = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi4>
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.1, zero_point = 128> : tensor<?x3xi8> -> tensor<?x3xf32>
  %w = quant.dequantize %cw <int4, per_channel<[0]>, scale = dense<[[0.5], [1.0]]> : tensor<2x1xf32>> : tensor<2x3xi4> -> tensor<2x3xf32>
  %te = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%te : tensor<3x2xf32>) permutation = [1, 0]
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<[0.3, -0.3]> : tensor<2xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %0 = linalg.matmul ins(%x, %t : tensor<?x3xf32>, tensor<3x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %bias : tensor<?x2xf32>, tensor<2xf32>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %s = arith.addf %in, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

// One number for all channels.
// CHECK-LABEL: func @matmul_fill
// CHECK: %[[C:.*]] = arith.constant dense<6> : tensor<2xi32>
// CHECK: %[[D:.*]] = quant.dequantize %[[C]] <int32, per_tensor, scale = 2.500000e-01> : tensor<2xi32> -> tensor<2xf32>
// CHECK: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?x2xf32>
// CHECK: %[[B:.*]] = linalg.broadcast ins(%[[D]] : tensor<2xf32>) outs(%[[E]] : tensor<?x2xf32>) dimensions = [0]
// CHECK: linalg.matmul {{.*}} outs(%[[B]] : tensor<?x2xf32>)
func.func @matmul_fill(%q: tensor<?x3xi8>, %n: index) -> tensor<?x2xf32> {
  %cw = arith.constant dense<1> : tensor<3x2xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<?x3xi8> -> tensor<?x3xf32>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<3x2xi8> -> tensor<3x2xf32>
  %c = arith.constant 1.5 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %i = linalg.fill ins(%c : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#last = affine_map<(d0, d1, d2, d3) -> (d3)>

// Channels and their multiples have been joined; scales are per channel and
// multiple, 0.5 * [1, 2, 4, 8].
// CHECK-LABEL: func @depthwise
// CHECK: %[[C:.*]] = arith.constant dense<[2, 1, -1, 1]> : tensor<4xi32>
// CHECK: quant.dequantize %[[C]] <int32, per_channel<[0]>, scale = dense<[5.000000e-01, 1.000000e+00, 2.000000e+00, 4.000000e+00]> : tensor<4xf32>>
func.func @depthwise(%q: tensor<1x4x4x2xi8>) -> tensor<1x3x3x4xf32> {
  %cw = arith.constant dense<3> : tensor<2x2x2x2xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x4x4x2xi8> -> tensor<1x4x4x2xf32>
  %w = quant.dequantize %cw <int8, per_channel<[2, 3]>, scale = dense<[[[[1.0, 2.0], [4.0, 8.0]]]]> : tensor<1x1x2x2xf32>> : tensor<2x2x2x2xi8> -> tensor<2x2x2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x3x3x2x2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x3x2x2xf32>) -> tensor<1x3x3x2x2xf32>
  %0 = linalg.depthwise_conv_2d_nhwc_hwcm {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x4x4x2xf32>, tensor<2x2x2x2xf32>) outs(%i : tensor<1x3x3x2x2xf32>) -> tensor<1x3x3x2x2xf32>
  %1 = tensor.collapse_shape %0 [[0], [1], [2], [3, 4]] : tensor<1x3x3x2x2xf32> into tensor<1x3x3x4xf32>
  %bias = arith.constant dense<[1.0, 1.0, -2.0, 4.0]> : tensor<4xf32>
  %o = tensor.empty() : tensor<1x3x3x4xf32>
  %2 = linalg.generic {indexing_maps = [#last, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%bias, %1 : tensor<4xf32>, tensor<1x3x3x4xf32>) outs(%o : tensor<1x3x3x4xf32>) {
  ^bb0(%b: f32, %in: f32, %out: f32):
    %s = arith.addf %b, %in : f32
    linalg.yield %s : f32
  } -> tensor<1x3x3x4xf32>
  return %2 : tensor<1x3x3x4xf32>
}

// Both convolutions have the bias in the same units: one constant.
// CHECK-LABEL: func @shared
// CHECK-COUNT-1: arith.constant dense<[2, 8]> : tensor<2xi32>
// CHECK: linalg.conv_2d_nhwc_hwcf
// CHECK-NOT: i32
// CHECK: linalg.conv_2d_nhwc_hwcf
// CHECK: arith.constant dense<[1, 4]> : tensor<2xi32>
// CHECK: linalg.conv_2d_nhwc_hwcf
func.func @shared(%q: tensor<1x2x2x1xi8>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %cw = arith.constant dense<1> : tensor<1x1x1x2xi8>
  %cv = arith.constant dense<2> : tensor<1x1x1x2xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x2x2x1xi8> -> tensor<1x2x2x1xf32>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 1.0> : tensor<1x1x1x2xi8> -> tensor<1x1x1x2xf32>
  %v = quant.dequantize %cv <int8, per_tensor, scale = 2.0> : tensor<1x1x1x2xi8> -> tensor<1x1x1x2xf32>
  %bias = arith.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<1x2x2x2xf32>) dimensions = [0, 1, 2]
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x2x2x1xf32>, tensor<1x1x1x2xf32>) outs(%b : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %1 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x2x2x1xf32>, tensor<1x1x1x2xf32>) outs(%b : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %2 = linalg.conv_2d_nhwc_hwcf ins(%x, %v : tensor<1x2x2x1xf32>, tensor<1x1x1x2xf32>) outs(%b : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  return %0, %1, %2 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// Half to even, in binary64: 0.5 and 1.5 units.
// CHECK-LABEL: func @ties
// CHECK: arith.constant dense<[0, 2]> : tensor<2xi32>
func.func @ties(%q: tensor<1x2x2x1xi8>) -> tensor<1x2x2x2xf16> {
  %cw = arith.constant dense<1> : tensor<1x1x1x2xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x2x2x1xi8> -> tensor<1x2x2x1xf16>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 1.0> : tensor<1x1x1x2xi8> -> tensor<1x1x1x2xf16>
  %bias = arith.constant dense<[0.25, 0.75]> : tensor<2xf16>
  %e = tensor.empty() : tensor<1x2x2x2xf16>
  %b = linalg.broadcast ins(%bias : tensor<2xf16>) outs(%e : tensor<1x2x2x2xf16>) dimensions = [0, 1, 2]
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x2x2x1xf16>, tensor<1x1x1x2xf16>) outs(%b : tensor<1x2x2x2xf16>) -> tensor<1x2x2x2xf16>
  // CHECK: quant.dequantize {{.*}} : tensor<2xi32> -> tensor<2xf16>
  return %0 : tensor<1x2x2x2xf16>
}

// Codes that are stored packed are at hand too; their bound makes the proof.
// CHECK-LABEL: func @packed
// CHECK: arith.constant dense<{{.*}}> : tensor<2xi32>
func.func @packed(%q: tensor<1x2x2x1xi8>) -> tensor<1x2x2x2xf32> {
  %p = arith.constant dense<33> : tensor<1xi8>
  %cw = quant.unpack %p <canonical> : tensor<1xi8> -> tensor<1x1x1x2xi4>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x2x2x1xi8> -> tensor<1x2x2x1xf32>
  %w = quant.dequantize %cw <int4, per_tensor, scale = 1.0> : tensor<1x1x1x2xi4> -> tensor<1x1x1x2xf32>
  %bias = arith.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<1x2x2x2xf32>) dimensions = [0, 1, 2]
  %0 = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x2x2x1xf32>, tensor<1x1x1x2xf32>) outs(%b : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  return %0 : tensor<1x2x2x2xf32>
}
