// Kernels of codes in and out, for fuse-runs.test: each runs at level 1 and at
// level 2.

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#channel = affine_map<(n, h, w, c) -> (c)>
#mat = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m, 0)>

// Padding, stride, bias, residual, relu6.
func.func @conv(%q: tensor<2x9x8x6xi8>, %qr: tensor<2x5x4x7xi8>) -> tensor<2x5x4x7xi8> {
  %z = arith.constant 9 : i8
  %p = tensor.pad %q low[0, 1, 0, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %z : i8
  } : tensor<2x9x8x6xi8> to tensor<2x11x9x6xi8>
  %x = quant.dequantize %p <int8, per_tensor, scale = 0.043, zero_point = 9> : tensor<2x11x9x6xi8> -> tensor<2x11x9x6xf32>
  %cw = arith.constant dense<[[[[-7, 13, 21, -5, 99, 3], [1, -2, 3, -4, 5, -6]], [[17, -23, 31, 47, -53, 61], [-71, 11, 0, 12, -3, 8]]], [[[5, 4, 3, 2, 1, 0], [127, -128, 64, -64, 32, -32]], [[9, 8, 7, 6, 5, 4], [-9, -8, -7, -6, -5, -4]]], [[[1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2]], [[3, 3, 3, 3, 3, 3], [4, 4, 4, 4, 4, 4]]], [[[-30, 20, -10, 0, 10, -20], [30, 40, 50, 60, 70, 80]], [[-80, -70, -60, -50, -40, -30], [15, 25, 35, 45, 55, 65]]], [[[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0]], [[0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0]]], [[[12, 34, 56, 78, 90, 12], [-12, -34, -56, -78, -90, -12]], [[21, 43, 65, 87, 9, 21], [-21, -43, -65, -87, -9, -21]]], [[[6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]], [[-6, -5, -4, -3, -2, -1], [-1, -2, -3, -4, -5, -6]]]]> : tensor<7x2x2x6xi8>
  %w = quant.dequantize %cw <int8, per_channel<[0]>, scale = dense<[[[[0.011]]], [[[0.012]]], [[[0.013]]], [[[0.014]]], [[[0.015]]], [[[0.016]]], [[[0.017]]]]> : tensor<7x1x1x1xf32>> : tensor<7x2x2x6xi8> -> tensor<7x2x2x6xf32>
  %b = arith.constant dense<[0.5, -0.25, 1.0, 2.0, -1.5, 0.125, 3.0]> : tensor<7xf32>
  %e = tensor.empty() : tensor<2x5x4x7xf32>
  %i = linalg.broadcast ins(%b : tensor<7xf32>) outs(%e : tensor<2x5x4x7xf32>) dimensions = [0, 1, 2]
  %0 = linalg.conv_2d_nhwc_fhwc {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<2x11x9x6xf32>, tensor<7x2x2x6xf32>) outs(%i : tensor<2x5x4x7xf32>) -> tensor<2x5x4x7xf32>
  %r = quant.dequantize %qr <int8, per_tensor, scale = 0.031, zero_point = -100> : tensor<2x5x4x7xi8> -> tensor<2x5x4x7xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%0, %r : tensor<2x5x4x7xf32>, tensor<2x5x4x7xf32>) outs(%e : tensor<2x5x4x7xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<2x5x4x7xf32>
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 6.0 : f32
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1 : tensor<2x5x4x7xf32>) outs(%e : tensor<2x5x4x7xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.maximumf %in, %lo : f32
    %4 = arith.minimumf %3, %hi : f32
    linalg.yield %4 : f32
  } -> tensor<2x5x4x7xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.03, zero_point = -128> : tensor<2x5x4x7xf32> -> tensor<2x5x4x7xi8>
  return %y : tensor<2x5x4x7xi8>
}

// A depthwise convolution with a multiplier, its bias behind a reshape.
func.func @depthwise(%q: tensor<1x6x7x3xi8>) -> tensor<1x5x6x6xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<1x6x7x3xi8> -> tensor<1x6x7x3xf32>
  %cw = arith.constant dense<[[[[1, -2], [3, 4], [-5, 6]], [[70, 8], [-90, 10], [11, 120]]], [[[-13, 14], [15, -16], [17, 18]], [[19, 20], [-21, 22], [23, -24]]]]> : tensor<2x2x3x2xi8>
  %w = quant.dequantize %cw <int8, per_channel<[2, 3]>, scale = dense<[[[[0.01, 0.02], [0.03, 0.04], [0.05, 0.06]]]]> : tensor<1x1x3x2xf32>> : tensor<2x2x3x2xi8> -> tensor<2x2x3x2xf32>
  %e = tensor.empty() : tensor<1x5x6x3x2xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x5x6x3x2xf32>) -> tensor<1x5x6x3x2xf32>
  %0 = linalg.depthwise_conv_2d_nhwc_hwcm ins(%x, %w : tensor<1x6x7x3xf32>, tensor<2x2x3x2xf32>) outs(%f : tensor<1x5x6x3x2xf32>) -> tensor<1x5x6x3x2xf32>
  %1 = tensor.collapse_shape %0 [[0], [1], [2], [3, 4]] : tensor<1x5x6x3x2xf32> into tensor<1x5x6x6xf32>
  %b = arith.constant dense<[0.5, -0.25, 1.0, 2.0, -1.5, 0.125]> : tensor<6xf32>
  %o = tensor.empty() : tensor<1x5x6x6xf32>
  %2 = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1, %b : tensor<1x5x6x6xf32>, tensor<6xf32>) outs(%o : tensor<1x5x6x6xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x5x6x6xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.4, zero_point = 2> : tensor<1x5x6x6xf32> -> tensor<1x5x6x6xi8>
  return %y : tensor<1x5x6x6xi8>
}

// Two activations, and a residual behind a reshape.
func.func @attention(%q: tensor<2x3x8xi8>, %k: tensor<2x8x5xi8>, %qr: tensor<6x5xi8>) -> tensor<6x5xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.05, zero_point = 11> : tensor<2x3x8xi8> -> tensor<2x3x8xf32>
  %w = quant.dequantize %k <uint8, per_tensor, scale = 0.02, zero_point = 100> : tensor<2x8x5xi8> -> tensor<2x8x5xf32>
  %e = tensor.empty() : tensor<2x3x5xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %0 = linalg.batch_matmul ins(%x, %w : tensor<2x3x8xf32>, tensor<2x8x5xf32>) outs(%f : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<2x3x5xf32> into tensor<6x5xf32>
  %r = quant.dequantize %qr <int8, per_tensor, scale = 0.1> : tensor<6x5xi8> -> tensor<6x5xf32>
  %o = tensor.empty() : tensor<6x5xf32>
  %2 = linalg.generic {indexing_maps = [#mat, #mat, #mat], iterator_types = ["parallel", "parallel"]} ins(%r, %1 : tensor<6x5xf32>, tensor<6x5xf32>) outs(%o : tensor<6x5xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<6x5xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.5> : tensor<6x5xf32> -> tensor<6x5xi8>
  return %y : tensor<6x5xi8>
}

func.func @sum_and_product(%qa: tensor<9x7xi8>, %qb: tensor<9x1xi8>) -> tensor<9x7xi8> {
  %a = quant.dequantize %qa <int8, per_tensor, scale = 0.05, zero_point = 11> : tensor<9x7xi8> -> tensor<9x7xf32>
  %b = quant.dequantize %qb <int8, per_tensor, scale = 0.03, zero_point = -7> : tensor<9x1xi8> -> tensor<9x1xf32>
  %e = tensor.empty() : tensor<9x7xf32>
  %0 = linalg.generic {indexing_maps = [#mat, #row, #mat], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<9x7xf32>, tensor<9x1xf32>) outs(%e : tensor<9x7xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.mulf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<9x7xf32>
  %q0 = quant.quantize %0 <int8, per_tensor, scale = 0.2, zero_point = 5> : tensor<9x7xf32> -> tensor<9x7xi8>
  %d0 = quant.dequantize %q0 <int8, per_tensor, scale = 0.2, zero_point = 5> : tensor<9x7xi8> -> tensor<9x7xf32>
  %1 = linalg.generic {indexing_maps = [#mat, #mat, #mat], iterator_types = ["parallel", "parallel"]} ins(%d0, %a : tensor<9x7xf32>, tensor<9x7xf32>) outs(%e : tensor<9x7xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<9x7xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.3> : tensor<9x7xf32> -> tensor<9x7xi8>
  return %y : tensor<9x7xi8>
}

// The average of 3x3 windows, padding counted.
func.func @average(%q: tensor<1x5x6x3xi8>) -> tensor<1x5x6x3xi8> {
  %z = arith.constant -20 : i8
  %p = tensor.pad %q low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %z : i8
  } : tensor<1x5x6x3xi8> to tensor<1x7x8x3xi8>
  %x = quant.dequantize %p <int8, per_tensor, scale = 0.5, zero_point = -20> : tensor<1x7x8x3xi8> -> tensor<1x7x8x3xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %e = tensor.empty() : tensor<1x5x6x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x5x6x3xf32>) -> tensor<1x5x6x3xf32>
  %s = linalg.pooling_nhwc_sum ins(%x, %k : tensor<1x7x8x3xf32>, tensor<3x3xf32>) outs(%i : tensor<1x5x6x3xf32>) -> tensor<1x5x6x3xf32>
  %n = arith.constant 9.0 : f32
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<1x5x6x3xf32>) outs(%e : tensor<1x5x6x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.divf %in, %n : f32
    linalg.yield %3 : f32
  } -> tensor<1x5x6x3xf32>
  %y = quant.quantize %a <int8, per_tensor, scale = 0.5, zero_point = -20> : tensor<1x5x6x3xf32> -> tensor<1x5x6x3xi8>
  return %y : tensor<1x5x6x3xi8>
}
