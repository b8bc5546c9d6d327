// RUN: quant-opt %s --quant-fuse --quant-verify-integer-form --split-input-file | FileCheck %s

// Additions, products and pools on codes.

#id = affine_map<(a, b) -> (a, b)>
#row = affine_map<(a, b) -> (a, 0)>

// CHECK: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: @add_with_clamp
// CHECK-SAME: (%[[A:.*]]: tensor<4x2xi8>, %[[B:.*]]: tensor<4x2xi8>)
// CHECK: quant.add lhs(%[[A]] as <int8, per_tensor, scale = 5.000000e-01, zero_point = 3> : tensor<4x2xi8>)
// CHECK-SAME: rhs(%[[B]] as <uint8, per_tensor, scale = 2.500000e-01> : tensor<4x2xi8>)
// CHECK-SAME: outs(%{{.*}} as <int8, per_tensor, scale = 1.000000e+00, zero_point = -128> : tensor<4x2xi8>)
// CHECK-SAME: maps [#[[ID]], #[[ID]], #[[ID]]] low 0.000000e+00 {quant.name = "sum"} -> tensor<4x2xi8>
func.func @add_with_clamp(%qa: tensor<4x2xi8>, %qb: tensor<4x2xi8>) -> tensor<4x2xi8> {
  %a = quant.dequantize %qa <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
  %b = quant.dequantize %qb <uint8, per_tensor, scale = 0.25> : tensor<4x2xi8> -> tensor<4x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) attrs = {quant.name = "sum"} {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x2xf32>
  %zero = arith.constant 0.0 : f32
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.maximumf %in, %zero : f32
    linalg.yield %3 : f32
  } -> tensor<4x2xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 1.0, zero_point = -128> : tensor<4x2xf32> -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}

// A broadcast is a map: the dimension of size one goes.
// CHECK-LABEL: @mul_with_broadcast
// CHECK-SAME: (%[[A:.*]]: tensor<4x2xi8>, %[[B:.*]]: tensor<4x1xi8>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[B]] {{\[}}[0, 1]] : tensor<4x1xi8> into tensor<4xi8>
// CHECK: quant.mul lhs(%[[A]] {{.*}} rhs(%[[C]] {{.*}} maps [#[[ID]], #[[ROW]], #[[ID]]]
func.func @mul_with_broadcast(%qa: tensor<4x2xi8>, %qb: tensor<4x1xi8>) -> tensor<4x2xi8> {
  %a = quant.dequantize %qa <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %b = quant.dequantize %qb <int8, per_tensor, scale = 0.25> : tensor<4x1xi8> -> tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<4x2xf32>, tensor<4x1xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.mulf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x2xf32>
  %y = quant.quantize %0 <int8, per_tensor, scale = 1.0> : tensor<4x2xf32> -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}

// -----

#id = affine_map<(a, b, c) -> (a, b, c)>
#win = affine_map<(n, w, c, k) -> (n, w * 2 + k, c)>
#out = affine_map<(n, w, c, k) -> (n, w, c)>

// A constant divisor counts the padding.
// CHECK: #[[WIN:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 * 2 + d3, d2)>
// CHECK-LABEL: @average_counts_padding
// CHECK-SAME: (%[[Q:.*]]: tensor<1x5x2xi8>)
// CHECK: quant.pool average ins(%[[Q]] as <int8, per_tensor, scale = 5.000000e-01, zero_point = 4> : tensor<1x5x2xi8>)
// CHECK-SAME: maps [#[[WIN]], {{.*}}] window [3] padding [0, 0, 1, 1, 0, 0] count_padding -> tensor<1x3x2xi8>
func.func @average_counts_padding(%q: tensor<1x5x2xi8>) -> tensor<1x3x2xi8> {
  %z = arith.constant 4 : i8
  %p = tensor.pad %q low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %z : i8
  } : tensor<1x5x2xi8> to tensor<1x7x2xi8>
  %x = quant.dequantize %p <int8, per_tensor, scale = 0.5, zero_point = 4> : tensor<1x7x2xi8> -> tensor<1x7x2xf32>
  %k = tensor.empty() : tensor<3xf32>
  %e = tensor.empty() : tensor<1x3x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %s = linalg.pooling_nwc_sum {strides = dense<2> : vector<1xi64>, dilations = dense<1> : vector<1xi64>} ins(%x, %k : tensor<1x7x2xf32>, tensor<3xf32>) outs(%i : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %n = arith.constant 3.0 : f32
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<1x3x2xf32>) outs(%e : tensor<1x3x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.divf %in, %n : f32
    linalg.yield %3 : f32
  } -> tensor<1x3x2xf32>
  %y = quant.quantize %a <int8, per_tensor, scale = 0.5, zero_point = 4> : tensor<1x3x2xf32> -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}

// A divisor that is computed from the position is evaluated at each: 2 at the
// borders, 3 within.
// CHECK-LABEL: @average_counts_inside
// CHECK: quant.pool average
// CHECK-SAME: window [3] padding [0, 0, 1, 1, 0, 0] -> tensor<1x3x2xi8>
func.func @average_counts_inside(%q: tensor<1x5x2xi8>) -> tensor<1x3x2xi8> {
  %z = arith.constant 4 : i8
  %p = tensor.pad %q low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %z : i8
  } : tensor<1x5x2xi8> to tensor<1x7x2xi8>
  %x = quant.dequantize %p <int8, per_tensor, scale = 0.5, zero_point = 4> : tensor<1x7x2xi8> -> tensor<1x7x2xf32>
  %k = tensor.empty() : tensor<3xf32>
  %e = tensor.empty() : tensor<1x3x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %s = linalg.pooling_nwc_sum {strides = dense<2> : vector<1xi64>, dilations = dense<1> : vector<1xi64>} ins(%x, %k : tensor<1x7x2xf32>, tensor<3xf32>) outs(%i : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %c1 = arith.constant 1 : index
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<1x3x2xf32>) outs(%e : tensor<1x3x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %w = linalg.index 1 : index
    %is = arith.cmpi eq, %w, %c1 : index
    %n = arith.select %is, %three, %two : f32
    %3 = arith.divf %in, %n : f32
    linalg.yield %3 : f32
  } -> tensor<1x3x2xf32>
  %y = quant.quantize %a <int8, per_tensor, scale = 0.5, zero_point = 4> : tensor<1x3x2xf32> -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}

// -----

#in = affine_map<(n, w, c, k) -> (n, w, c)>
#first = affine_map<(n, h, w, c) -> (n, h, w, c)>
#firstOut = affine_map<(n, h, w, c) -> (n, w, c)>
#second = affine_map<(n, w, c) -> (n, w, c)>
#secondOut = affine_map<(n, w, c) -> (n, c)>
#id2 = affine_map<(n, c) -> (n, c)>

// Two sums, one after the other, are one window.
// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>
// CHECK: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2)>
// CHECK-LABEL: @mean_of_two_sums
// CHECK: quant.pool average {{.*}} maps [#[[IN]], #[[OUT]]] window [5, 4] -> tensor<1x2xi8>
func.func @mean_of_two_sums(%q: tensor<1x4x5x2xi8>) -> tensor<1x2xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x4x5x2xi8> -> tensor<1x4x5x2xf32>
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<1x5x2xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x5x2xf32>) -> tensor<1x5x2xf32>
  %s1 = linalg.generic {indexing_maps = [#first, #firstOut], iterator_types = ["parallel", "reduction", "parallel", "parallel"]} ins(%x : tensor<1x4x5x2xf32>) outs(%i1 : tensor<1x5x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.addf %in, %out : f32
    linalg.yield %3 : f32
  } -> tensor<1x5x2xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %i2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %s2 = linalg.generic {indexing_maps = [#second, #secondOut], iterator_types = ["parallel", "reduction", "parallel"]} ins(%s1 : tensor<1x5x2xf32>) outs(%i2 : tensor<1x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.addf %in, %out : f32
    linalg.yield %3 : f32
  } -> tensor<1x2xf32>
  %n = arith.constant 20.0 : f32
  %a = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%s2 : tensor<1x2xf32>) outs(%e2 : tensor<1x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.divf %in, %n : f32
    linalg.yield %3 : f32
  } -> tensor<1x2xf32>
  %y = quant.quantize %a <int8, per_tensor, scale = 0.5> : tensor<1x2xf32> -> tensor<1x2xi8>
  return %y : tensor<1x2xi8>
}

// -----

#win = affine_map<(n, w, c, k) -> (n, w * 2 + k, c)>
#k = affine_map<(n, w, c, k) -> (k)>
#out = affine_map<(n, w, c, k) -> (n, w, c)>

// Padding with quant_min is no part of a maximum.
// CHECK-LABEL: @maximum
// CHECK-SAME: (%[[Q:.*]]: tensor<1x5x2xi8>)
// CHECK: quant.pool max ins(%[[Q]] as <uint8, per_tensor, scale = 5.000000e-01, zero_point = 9> : tensor<1x5x2xi8>)
// CHECK-SAME: window [3] padding [0, 0, 1, 1, 0, 0] -> tensor<1x3x2xi8>
func.func @maximum(%q: tensor<1x5x2xi8>) -> tensor<1x3x2xf32> {
  %z = arith.constant 0 : i8
  %p = tensor.pad %q low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %z : i8
  } : tensor<1x5x2xi8> to tensor<1x7x2xi8>
  %w = tensor.empty() : tensor<3xf32>
  %e = tensor.empty() : tensor<1x3x2xi8>
  %i = linalg.fill ins(%z : i8) outs(%e : tensor<1x3x2xi8>) -> tensor<1x3x2xi8>
  %m = linalg.generic {indexing_maps = [#win, #k, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%p, %w : tensor<1x7x2xi8>, tensor<3xf32>) outs(%i : tensor<1x3x2xi8>) {
  ^bb0(%in: i8, %in2: f32, %out: i8):
    %3 = arith.maxui %in, %out : i8
    linalg.yield %3 : i8
  } -> tensor<1x3x2xi8>
  %y = quant.dequantize %m <uint8, per_tensor, scale = 0.5, zero_point = 9> : tensor<1x3x2xi8> -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}
