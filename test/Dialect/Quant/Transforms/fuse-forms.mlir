// RUN: quant-opt %s --quant-fuse --quant-verify-integer-form --split-input-file | FileCheck %s

// Every form of a matrix product or convolution: operands, types, layouts.

// Values times a weight of blocks.
// CHECK-LABEL: @weight_only
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xf32>, %[[C:.*]]: tensor<4x3xi4>)
// CHECK: quant.contract lhs(%[[X]] : tensor<2x4xf32>)
// CHECK-SAME: rhs(%[[C]] as <uint4, per_block<[2, 1]>, scale = dense<5.000000e-01> : tensor<2x3xf16>, minval = dense<-1.000000e+00> : tensor<2x3xf16>> : tensor<4x3xi4>)
// CHECK-SAME: outs(%{{.*}} : tensor<2x3xf32>)
func.func @weight_only(%x: tensor<2x4xf32>, %c: tensor<4x3xi4>) -> tensor<2x3xf32> {
  %w = quant.dequantize %c <uint4, per_block<[2, 1]>, scale = dense<0.5> : tensor<2x3xf16>, minval = dense<-1.0> : tensor<2x3xf16>> : tensor<4x3xi4> -> tensor<4x3xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// A scale for each row, found at run time, and a bias in values.
// CHECK-LABEL: @dynamic_per_row
// CHECK-SAME: (%[[Q:.*]]: tensor<?x4xi8>, %[[S:.*]]: tensor<?x1xf32>, %[[Z:.*]]: tensor<?x1xi32>
// CHECK: %[[B:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
// CHECK: quant.contract lhs(%[[Q]] as <int8, per_channel<[0]>> scale %[[S]] : tensor<?x1xf32>, zero_point %[[Z]] : tensor<?x1xi32>, : tensor<?x4xi8>)
// CHECK-SAME: bias(%[[B]] : tensor<3xf32>)
// CHECK-SAME: outs(%{{.*}} : tensor<?x3xf32>)
func.func @dynamic_per_row(%q: tensor<?x4xi8>, %s: tensor<?x1xf32>, %z: tensor<?x1xi32>, %n: index) -> tensor<?x3xf32> {
  %x = quant.dequantize %q scale(%s : tensor<?x1xf32>) zero_point(%z : tensor<?x1xi32>) <int8, per_channel<[0]>> : tensor<?x4xi8> -> tensor<?x4xf32>
  %c = arith.constant dense<2> : tensor<4x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<4x3xi8> -> tensor<4x3xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %e = tensor.empty(%n) : tensor<?x3xf32>
  %i = linalg.broadcast ins(%b : tensor<3xf32>) outs(%e : tensor<?x3xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x3xf32>) outs(%i : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// -----

// CHECK-LABEL: @dynamic_per_tensor
// CHECK: quant.contract lhs(%{{.*}} as <int8, per_tensor> scale %{{.*}} : tensor<f32>, : tensor<2x4xi8>)
// CHECK-SAME: outs(%{{.*}} as <int8, per_tensor, scale = 1.250000e-01> : tensor<2x3xi8>)
func.func @dynamic_per_tensor(%q: tensor<2x4xi8>, %s: tensor<f32>) -> tensor<2x3xi8> {
  %x = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<2x4xi8> -> tensor<2x4xf32>
  %c = arith.constant dense<2> : tensor<4x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<4x3xi8> -> tensor<4x3xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  %y = quant.quantize %0 <int8, per_tensor, scale = 0.125> : tensor<2x3xf32> -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// -----

// Floats of 8 bits have no integer sum: their bias is in values.
// CHECK-LABEL: @float8
// CHECK: %[[B:.*]] = arith.constant dense<2.000000e+00> : tensor<3xf32>
// CHECK: quant.contract lhs(%{{.*}} as <float8_e4m3fn, per_tensor, scale = 5.000000e-01> : tensor<2x4xf8E4M3FN>)
// CHECK-SAME: bias(%[[B]] : tensor<3xf32>)
func.func @float8(%q: tensor<2x4xf8E4M3FN>, %c: tensor<4x3xf8E4M3FN>) -> tensor<2x3xf32> {
  %x = quant.dequantize %q <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<2x4xf8E4M3FN> -> tensor<2x4xf32>
  %w = quant.dequantize %c <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4x3xf8E4M3FN> -> tensor<4x3xf32>
  %i = arith.constant dense<2.0> : tensor<2x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Packed codes stay packed.
// CHECK-LABEL: @packed
// CHECK: %[[C:.*]] = quant.unpack
// CHECK: quant.contract {{.*}} rhs(%[[C]] as <int4,
func.func @packed(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %p = arith.constant dense<[-31, 3, 18, 4]> : tensor<4xi8>
  %c = quant.unpack %p <canonical> : tensor<4xi8> -> tensor<4x2xi4>
  %w = quant.dequantize %c <int4, per_tensor, scale = 0.5> : tensor<4x2xi4> -> tensor<4x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x2xf32>) outs(%i : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

// A weight that is transposed behind its dequantize is transposed as codes, and
// its scales with it.
// CHECK-LABEL: @transposed_weight
// CHECK{LITERAL}: arith.constant dense<[[1, 3, 5], [2, 4, 6]]> : tensor<2x3xi8>
// CHECK{LITERAL}: as <int8, per_channel<[1]>, scale = dense<[[5.000000e-01, 2.500000e-01, 1.000000e+00]]> : tensor<1x3xf32>>
func.func @transposed_weight(%q: tensor<4x2xi8>) -> tensor<4x3xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8>
  %w = quant.dequantize %c <int8, per_channel<[0]>, scale = dense<[[0.5], [0.25], [1.0]]> : tensor<3x1xf32>> : tensor<3x2xi8> -> tensor<3x2xf32>
  %te = tensor.empty() : tensor<2x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x2xf32>) outs(%te : tensor<2x3xf32>) permutation = [1, 0]
  %e = tensor.empty() : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %t : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// Two activations, as attention multiplies them; linalg.contract.
// CHECK: #[[LHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[RHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-LABEL: @two_activations
// CHECK-SAME: (%[[Q:.*]]: tensor<2x3x4xi8>, %[[K:.*]]: tensor<2x5x4xi8>)
// CHECK: quant.contract lhs(%[[Q]] as <int8, per_tensor, scale = 5.000000e-01> : tensor<2x3x4xi8>)
// CHECK-SAME: rhs(%[[K]] as <uint8, per_tensor, scale = 2.500000e-01, zero_point = 7> : tensor<2x5x4xi8>)
// CHECK-SAME: maps [#[[LHS]], #[[RHS]],
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @two_activations(%q: tensor<2x3x4xi8>, %k: tensor<2x5x4xi8>) -> tensor<2x3x5xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<2x3x4xi8> -> tensor<2x3x4xf32>
  %w = quant.dequantize %k <uint8, per_tensor, scale = 0.25, zero_point = 7> : tensor<2x5x4xi8> -> tensor<2x5x4xf32>
  %e = tensor.empty() : tensor<2x3x5xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %0 = linalg.contract indexing_maps = [#q, #k, #s] ins(%x, %w : tensor<2x3x4xf32>, tensor<2x5x4xf32>) outs(%i : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}

// -----

// The weight on the left: rhs is what is constant.
// CHECK: #[[LHS:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK: #[[RHS:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: @matvec
// CHECK-SAME: (%[[Q:.*]]: tensor<4xi8>)
// CHECK: quant.contract lhs(%[[Q]] as {{.*}} rhs(%{{.*}} : tensor<3x4xi8>) {{.*}} maps [#[[LHS]], #[[RHS]],
func.func @matvec(%q: tensor<4xi8>) -> tensor<3xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %c = arith.constant dense<2> : tensor<3x4xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<3x4xi8> -> tensor<3x4xf32>
  %e = tensor.empty() : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<3xf32>) -> tensor<3xf32>
  %0 = linalg.matvec ins(%w, %x : tensor<3x4xf32>, tensor<4xf32>) outs(%i : tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// Padding with the zero point is taken in; strides and dilations are in the map.
// CHECK: #[[LHS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5 * 3, d3 + d6)>
// CHECK-LABEL: @conv_nchw
// CHECK-SAME: (%[[Q:.*]]: tensor<1x2x8x4xi8>)
// CHECK-NOT: tensor.pad
// CHECK: quant.contract lhs(%[[Q]] as <int8, per_tensor, scale = 5.000000e-01, zero_point = -5> : tensor<1x2x8x4xi8>)
// CHECK-SAME: maps [#[[LHS]], {{.*}} padding [0, 0, 0, 0, 1, 2, 1, 0]
func.func @conv_nchw(%q: tensor<1x2x8x4xi8>) -> tensor<1x3x4x4xf32> {
  %z = arith.constant -5 : i8
  %p = tensor.pad %q low[0, 0, 1, 1] high[0, 0, 2, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %z : i8
  } : tensor<1x2x8x4xi8> to tensor<1x2x11x5xi8>
  %x = quant.dequantize %p <int8, per_tensor, scale = 0.5, zero_point = -5> : tensor<1x2x11x5xi8> -> tensor<1x2x11x5xf32>
  %cw = arith.constant dense<2> : tensor<3x2x2x2xi8>
  %w = quant.dequantize %cw <int8, per_channel<[0]>, scale = dense<0.5> : tensor<3x1x1x1xf32>> : tensor<3x2x2x2xi8> -> tensor<3x2x2x2xf32>
  %e = tensor.empty() : tensor<1x3x4x4xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<[3, 1]> : tensor<2xi64>}
    ins(%x, %w : tensor<1x2x11x5xf32>, tensor<3x2x2x2xf32>) outs(%i : tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  return %0 : tensor<1x3x4x4xf32>
}

// -----

// Padding with another code stays in front.
// CHECK-LABEL: @other_padding
// CHECK: %[[P:.*]] = tensor.pad
// CHECK: quant.contract lhs(%[[P]]
// CHECK-NOT: padding
func.func @other_padding(%q: tensor<1x8x2xi8>) -> tensor<1x8x3xf32> {
  %z = arith.constant 1 : i8
  %p = tensor.pad %q low[0, 1, 0] high[0, 0, 0] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %z : i8
  } : tensor<1x8x2xi8> to tensor<1x9x2xi8>
  %x = quant.dequantize %p <int8, per_tensor, scale = 0.5> : tensor<1x9x2xi8> -> tensor<1x9x2xf32>
  %cw = arith.constant dense<2> : tensor<2x2x3xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2x3xi8> -> tensor<2x2x3xf32>
  %e = tensor.empty() : tensor<1x8x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x3xf32>) -> tensor<1x8x3xf32>
  %0 = linalg.conv_1d_nwc_wcf ins(%x, %w : tensor<1x9x2xf32>, tensor<2x2x3xf32>) outs(%i : tensor<1x8x3xf32>) -> tensor<1x8x3xf32>
  return %0 : tensor<1x8x3xf32>
}

// -----

// Depthwise with a multiplier: the bias is added behind a reshape, which goes
// behind the kernel; it has a number for each channel and multiple.
// CHECK: #[[BIAS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d3)>
// CHECK-LABEL: @depthwise
// CHECK{LITERAL}: arith.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi32>
// CHECK: %[[Y:.*]] = quant.contract {{.*}} bias(%{{.*}} : tensor<3x2xi32>) {{.*}} maps [{{.*}}, {{.*}}, #[[BIAS]], {{.*}}]
// CHECK-SAME: -> tensor<1x7x3x2xi8>
// CHECK: tensor.collapse_shape %[[Y]] {{\[}}[0], [1], [2, 3]] : tensor<1x7x3x2xi8> into tensor<1x7x6xi8>
#c = affine_map<(n, w, c) -> (c)>
#i = affine_map<(n, w, c) -> (n, w, c)>
func.func @depthwise(%q: tensor<1x8x3xi8>) -> tensor<1x7x6xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x8x3xi8> -> tensor<1x8x3xf32>
  %cw = arith.constant dense<2> : tensor<2x3x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x3x2xi8> -> tensor<2x3x2xf32>
  %e = tensor.empty() : tensor<1x7x3x2xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x7x3x2xf32>) -> tensor<1x7x3x2xf32>
  %0 = linalg.depthwise_conv_1d_nwc_wcm ins(%x, %w : tensor<1x8x3xf32>, tensor<2x3x2xf32>) outs(%f : tensor<1x7x3x2xf32>) -> tensor<1x7x3x2xf32>
  %1 = tensor.collapse_shape %0 [[0], [1], [2, 3]] : tensor<1x7x3x2xf32> into tensor<1x7x6xf32>
  %cb = arith.constant dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi32>
  %b = quant.dequantize %cb <int32, per_tensor, scale = 0.25> : tensor<6xi32> -> tensor<6xf32>
  %o = tensor.empty() : tensor<1x7x6xf32>
  %2 = linalg.generic {indexing_maps = [#i, #c, #i], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1, %b : tensor<1x7x6xf32>, tensor<6xf32>) outs(%o : tensor<1x7x6xf32>) {
  ^bb0(%in: f32, %bias: f32, %out: f32):
    %3 = arith.addf %in, %bias : f32
    linalg.yield %3 : f32
  } -> tensor<1x7x6xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.5> : tensor<1x7x6xf32> -> tensor<1x7x6xi8>
  return %y : tensor<1x7x6xi8>
}

// -----

// A residual that is added behind a reshape is reshaped back.
// CHECK: #[[INIT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @residual_behind_reshape
// CHECK-SAME: (%[[Q:.*]]: tensor<6x4xi8>, %[[R:.*]]: tensor<2x3x5xi8>)
// CHECK: %[[RR:.*]] = tensor.collapse_shape %[[R]] {{\[}}[0, 1], [2]] : tensor<2x3x5xi8> into tensor<6x5xi8>
// CHECK: %[[Y:.*]] = quant.contract {{.*}} residual(%[[RR]] as <int8, per_tensor, scale = 2.500000e-01> : tensor<6x5xi8>)
// CHECK-SAME: maps [{{.*}}, {{.*}}, #[[INIT]], #[[INIT]]]
// CHECK: tensor.expand_shape %[[Y]] {{\[}}[0, 1], [2]] output_shape [2, 3, 5] : tensor<6x5xi8> into tensor<2x3x5xi8>
#id3 = affine_map<(a, b, c) -> (a, b, c)>
func.func @residual_behind_reshape(%q: tensor<6x4xi8>, %qr: tensor<2x3x5xi8>) -> tensor<2x3x5xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<6x4xi8> -> tensor<6x4xf32>
  %r = quant.dequantize %qr <int8, per_tensor, scale = 0.25> : tensor<2x3x5xi8> -> tensor<2x3x5xf32>
  %cw = arith.constant dense<2> : tensor<4x5xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<4x5xi8> -> tensor<4x5xf32>
  %e = tensor.empty() : tensor<6x5xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<6x5xf32>) -> tensor<6x5xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<6x4xf32>, tensor<4x5xf32>) outs(%f : tensor<6x5xf32>) -> tensor<6x5xf32>
  %1 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [2, 3, 5] : tensor<6x5xf32> into tensor<2x3x5xf32>
  %o = tensor.empty() : tensor<2x3x5xf32>
  %2 = linalg.generic {indexing_maps = [#id3, #id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1, %r : tensor<2x3x5xf32>, tensor<2x3x5xf32>) outs(%o : tensor<2x3x5xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<2x3x5xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.5> : tensor<2x3x5xf32> -> tensor<2x3x5xi8>
  return %y : tensor<2x3x5xi8>
}

// -----

// What is accumulated onto is a residual, in values here.
// CHECK-LABEL: @accumulates_onto_values
// CHECK-SAME: (%{{[^ ]*}}: tensor<4x4xi8>, %[[R:.*]]: tensor<4x2xf32>)
// CHECK: quant.contract {{.*}} residual(%[[R]] : tensor<4x2xf32>) outs(%{{.*}} : tensor<4x2xf32>)
func.func @accumulates_onto_values(%q: tensor<4x4xi8>, %r: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x4xi8> -> tensor<4x4xf32>
  %cw = arith.constant dense<2> : tensor<4x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x2xf32>) outs(%r : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// A weight stored as outputs x inputs, with a scale for every two inputs: nibbles and
// scales are transposed when it is fused.
// CHECK-LABEL: @transposed_nibbles
// CHECK{LITERAL}: arith.constant dense<[[1, -3], [2, -4], [3, 5], [4, 6]]> : tensor<4x2xi4>
// CHECK: quant.contract
// CHECK-SAME{LITERAL}: <int4, per_block<[2, 1]>, scale = dense<[[1.000000e+00, 4.000000e+00], [2.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>>
func.func @transposed_nibbles(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %c = arith.constant dense<[[1, 2, 3, 4], [-3, -4, 5, 6]]> : tensor<2x4xi4>
  %d = quant.dequantize %c <int4, per_block<[1, 2]>, scale = dense<[[1.0, 2.0], [4.0, 8.0]]> : tensor<2x2xf32>> : tensor<2x4xi4> -> tensor<2x4xf32>
  %te = tensor.empty() : tensor<4x2xf32>
  %w = linalg.transpose ins(%d : tensor<2x4xf32>) outs(%te : tensor<4x2xf32>) permutation = [1, 0]
  %e = tensor.empty() : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// Both factors dynamic: scores of attention. Keys are transposed on their codes, which
// one scale for all of them does not mind.
// CHECK-LABEL: @dynamic_product
// CHECK-SAME: (%[[Q:.*]]: tensor<2x4x8xi8>, %[[SQ:.*]]: tensor<2x4x1xf32>, %[[K:.*]]: tensor<2x5x8xi8>, %[[SK:.*]]: tensor<f32>, %[[ZK:.*]]: tensor<i32>)
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[K]] : tensor<2x5x8xi8>)
// CHECK: quant.contract lhs(%[[Q]] as <int8, per_channel<[0, 1]>> scale %[[SQ]] : tensor<2x4x1xf32>, : tensor<2x4x8xi8>)
// CHECK-SAME: rhs(%[[T]] as <uint8, per_tensor> scale %[[SK]] : tensor<f32>, zero_point %[[ZK]] : tensor<i32>, : tensor<2x8x5xi8>)
// CHECK-SAME: outs(%{{.*}} : tensor<2x4x5xf32>)
func.func @dynamic_product(%q: tensor<2x4x8xi8>, %sq: tensor<2x4x1xf32>, %k: tensor<2x5x8xi8>, %sk: tensor<f32>, %zk: tensor<i32>) -> tensor<2x4x5xf32> {
  %x = quant.dequantize %q scale(%sq : tensor<2x4x1xf32>) <int8, per_channel<[0, 1]>> : tensor<2x4x8xi8> -> tensor<2x4x8xf32>
  %w = quant.dequantize %k scale(%sk : tensor<f32>) zero_point(%zk : tensor<i32>) <uint8, per_tensor> : tensor<2x5x8xi8> -> tensor<2x5x8xf32>
  %et = tensor.empty() : tensor<2x8x5xf32>
  %t = linalg.transpose ins(%w : tensor<2x5x8xf32>) outs(%et : tensor<2x8x5xf32>) permutation = [0, 2, 1]
  %e = tensor.empty() : tensor<2x4x5xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %0 = linalg.batch_matmul ins(%x, %t : tensor<2x4x8xf32>, tensor<2x8x5xf32>) outs(%i : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %0 : tensor<2x4x5xf32>
}

// -----

// A scale for each column, beside an lhs of static codes, and codes of the result.
// CHECK-LABEL: @dynamic_columns
// CHECK: quant.contract lhs(%{{.*}} as <uint8, per_tensor, scale = 3.906250e-03> : tensor<4x8xi8>)
// CHECK-SAME: rhs(%{{.*}} as <int8, per_channel<[1]>> scale %{{.*}} : tensor<1x5xf32>, : tensor<8x5xi8>)
// CHECK-SAME: outs(%{{.*}} as <int8, per_tensor, scale = 1.250000e-01> : tensor<4x5xi8>)
func.func @dynamic_columns(%q: tensor<4x8xi8>, %v: tensor<8x5xi8>, %s: tensor<1x5xf32>) -> tensor<4x5xi8> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.00390625> : tensor<4x8xi8> -> tensor<4x8xf32>
  %w = quant.dequantize %v scale(%s : tensor<1x5xf32>) <int8, per_channel<[1]>> : tensor<8x5xi8> -> tensor<8x5xf32>
  %e = tensor.empty() : tensor<4x5xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%i : tensor<4x5xf32>) -> tensor<4x5xf32>
  %y = quant.quantize %0 <int8, per_tensor, scale = 0.125> : tensor<4x5xf32> -> tensor<4x5xi8>
  return %y : tensor<4x5xi8>
}

// -----

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>

// A depthwise convolution takes what others take: a dynamic input, a bias, a residual of
// values, a clamp, codes of the result.
// CHECK-LABEL: @depthwise
// CHECK-SAME: (%[[Q:.*]]: tensor<1x5x6x8xi8>, %[[S:.*]]: tensor<f32>, %[[R:.*]]: tensor<1x3x4x8xf32>)
// CHECK: quant.contract lhs(%[[Q]] as <int8, per_tensor> scale %[[S]] : tensor<f32>, : tensor<1x5x6x8xi8>)
// CHECK-SAME: rhs(%{{.*}} as <int8, per_channel<[2]>{{.*}} : tensor<3x3x8xi8>)
// CHECK-SAME: bias(%{{.*}} : tensor<8xf32>) residual(%[[R]] : tensor<1x3x4x8xf32>)
// CHECK-SAME: outs(%{{.*}} as <int8, {{.*}} : tensor<1x3x4x8xi8>) {{.*}} low 0.000000e+00
func.func @depthwise(%q: tensor<1x5x6x8xi8>, %s: tensor<f32>, %r: tensor<1x3x4x8xf32>) -> tensor<1x3x4x8xi8> {
  %x = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<1x5x6x8xi8> -> tensor<1x5x6x8xf32>
  %c = arith.constant dense<2> : tensor<3x3x8xi8>
  %w = quant.dequantize %c <int8, per_channel<[2]>, scale = dense<[[[0.5, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]]]> : tensor<1x1x8xf32>> : tensor<3x3x8xi8> -> tensor<3x3x8xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %e = tensor.empty() : tensor<1x3x4x8xf32>
  %i = linalg.broadcast ins(%b : tensor<8xf32>) outs(%e : tensor<1x3x4x8xf32>) dimensions = [0, 1, 2]
  %0 = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : tensor<1x5x6x8xf32>, tensor<3x3x8xf32>) outs(%i : tensor<1x3x4x8xf32>) -> tensor<1x3x4x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%0, %r : tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>) outs(%e : tensor<1x3x4x8xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x3x4x8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1 : tensor<1x3x4x8xf32>) outs(%e : tensor<1x3x4x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %low = arith.constant 0.0 : f32
    %3 = arith.maximumf %in, %low : f32
    linalg.yield %3 : f32
  } -> tensor<1x3x4x8xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.125> : tensor<1x3x4x8xf32> -> tensor<1x3x4x8xi8>
  return %y : tensor<1x3x4x8xi8>
}
