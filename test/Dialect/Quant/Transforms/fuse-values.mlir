// RUN: quant-opt %s --quant-fuse-values --split-input-file -verify-diagnostics | FileCheck %s

// A product of values with bias, residual and clamp is one operation; the maps are
// the anchor's.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
// CHECK-LABEL: func @product
// CHECK-SAME: %[[X0:.*]]: tensor<4x2xf32>, %[[R:.*]]: tensor<4x3xf32>
func.func @product(%x: tensor<4x2xf32>, %r: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-DAG: %[[WEIGHT:.*]] = arith.constant dense<{{.*}}> : tensor<2x3xf32>
  // CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]>
  // CHECK: quant.contract lhs(%[[X0]] : tensor<4x2xf32>) rhs(%[[WEIGHT]] : tensor<2x3xf32>)
  // CHECK-SAME: bias(%[[BIAS]] : tensor<3xf32>) residual(%[[R]] : tensor<4x3xf32>)
  // CHECK-SAME: maps [#[[X]], #[[W]], #[[B]], #[[Y]], #[[Y]]] low 0.000000e+00
  // CHECK-NOT: linalg
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x3xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%0, %b : tensor<4x3xf32>, tensor<3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%1, %r : tensor<4x3xf32>, tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%2 : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %a, %zero : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  return %3 : tensor<4x3xf32>
}

// -----

// Weights that are codes stay codes; an input is not looked at through its
// dequantize, and the result not quantized: level 1 computes what it did.
// CHECK-LABEL: func @codes
func.func @codes(%q: tensor<4x2xi8>) -> tensor<4x3xi8> {
  // CHECK-DAG: %[[X:.*]] = quant.dequantize
  // CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x3xi4>
  // CHECK: %[[Y:.*]] = quant.contract lhs(%[[X]] : tensor<4x2xf32>) rhs(%[[W]] as <int4, per_channel<[1]>, scale = {{.*}}> : tensor<2x3xi4>) outs(%{{.*}} : tensor<4x3xf32>)
  // CHECK: quant.quantize %[[Y]]
  %c = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi4>
  %w = quant.dequantize %c <int4, per_channel<[1]>, scale = dense<[[0.5, 0.25, 1.0]]> : tensor<1x3xf32>> : tensor<2x3xi4> -> tensor<2x3xf32>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x3xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %y = quant.quantize %0 <int8, per_tensor, scale = 0.1> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

// Padding with 0.0 goes into the operation, of a convolution as of a depthwise one;
// a transposed weight is folded.
#x = affine_map<(h, w, f, i, j, c) -> (h + i, w + j, c)>
#w = affine_map<(h, w, f, i, j, c) -> (f, i, j, c)>
#y = affine_map<(h, w, f, i, j, c) -> (h, w, f)>
// CHECK-LABEL: func @padded
func.func @padded(%x: tensor<4x5x2xf32>) -> tensor<4x5x3xf32> {
  // CHECK: quant.contract lhs(%{{.*}} : tensor<4x5x2xf32>) rhs({{.*}} : tensor<3x3x3x2xf32>)
  // CHECK-SAME: padding [1, 1, 1, 1, 0, 0]
  %w = arith.constant dense<1.0> : tensor<3x3x3x2xf32>
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[1, 1, 0] high[1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<4x5x2xf32> to tensor<6x7x2xf32>
  %e = tensor.empty() : tensor<4x5x3xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5x3xf32>) -> tensor<4x5x3xf32>
  %0 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    ins(%p, %w : tensor<6x7x2xf32>, tensor<3x3x3x2xf32>) outs(%i : tensor<4x5x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x5x3xf32>
  return %0 : tensor<4x5x3xf32>
}

// -----

// f64 has no kernel, and sums of integers are not of values.
// CHECK-LABEL: func @others
func.func @others(%x: tensor<4x2xf64>, %q: tensor<4x2xi32>) -> (tensor<4x3xf64>, tensor<4x3xi32>) {
  // CHECK-NOT: quant.contract
  // CHECK: linalg.matmul
  // CHECK: linalg.matmul
  %w = arith.constant dense<1.0> : tensor<2x3xf64>
  %zero = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<4x3xf64>
  %i = linalg.fill ins(%zero : f64) outs(%e : tensor<4x3xf64>) -> tensor<4x3xf64>
  // expected-remark @below {{is lowered to loops: its result is no tensor of f32, f16 or bf16}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf64>, tensor<2x3xf64>) outs(%i : tensor<4x3xf64>) -> tensor<4x3xf64>
  %v = arith.constant dense<1> : tensor<2x3xi32>
  %n = arith.constant 0 : i32
  %f = tensor.empty() : tensor<4x3xi32>
  %j = linalg.fill ins(%n : i32) outs(%f : tensor<4x3xi32>) -> tensor<4x3xi32>
  %1 = linalg.matmul ins(%q, %v : tensor<4x2xi32>, tensor<2x3xi32>) outs(%j : tensor<4x3xi32>) -> tensor<4x3xi32>
  return %0, %1 : tensor<4x3xf64>, tensor<4x3xi32>
}

// -----

// Channels of the product are two times three, and the bias behind the reshape has one number
// for a part of them only: it stays outside, and no channel gets another number.
#id = affine_map<(m, a, b) -> (m, a, b)>
#last = affine_map<(m, a, b) -> (b)>
// CHECK-LABEL: func @bias_of_a_part
func.func @bias_of_a_part(%x: tensor<4x2xf32>) -> tensor<4x2x3xf32> {
  // CHECK: %[[Y:.*]] = quant.contract
  // CHECK-NOT: bias
  // CHECK-SAME: outs
  // CHECK: tensor.expand_shape %[[Y]]
  // CHECK: arith.addf
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]]> : tensor<2x6xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  // expected-remark@+1 {{stays outside its kernel: its bias is no constant of one number per channel}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = tensor.expand_shape %0 [[0], [1, 2]] output_shape [4, 2, 3] : tensor<4x6xf32> into tensor<4x2x3xf32>
  %e3 = tensor.empty() : tensor<4x2x3xf32>
  %2 = linalg.generic {indexing_maps = [#id, #last, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%1, %b : tensor<4x2x3xf32>, tensor<3xf32>) outs(%e3 : tensor<4x2x3xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x2x3xf32>
  return %2 : tensor<4x2x3xf32>
}
