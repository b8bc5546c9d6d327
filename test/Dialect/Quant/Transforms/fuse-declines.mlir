// RUN: quant-opt %s --quant-fuse --quant-verify-integer-form --split-input-file --verify-diagnostics | FileCheck %s

// What stays at level 1 says why, and the verifier takes that for an answer.

func.func @minval_activation(%q: tensor<4x2xi8>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, minval = -1.0> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  // expected-remark@below {{stays in the quantized form: its input has a minval, which is for weights}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @float_weight(%q: tensor<4x2xi8>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  // expected-remark@below {{its weight is in floating point}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @dynamic_second_operand(%x: tensor<4x2xf32>, %k: tensor<2x2xi8>, %s: tensor<f32>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = quant.dequantize %k scale(%s : tensor<f32>) <int8, per_tensor> : tensor<2x2xi8> -> tensor<2x2xf32>
  // expected-remark@below {{the scale of its second operand is known at run time only, and its first operand is in floating point}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @dynamic_columns_moved(%q: tensor<4x2xi8>, %k: tensor<3x2xi8>, %s: tensor<3x1xf32>, %et: tensor<2x3xf32>, %i: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %k scale(%s : tensor<3x1xf32>) <int8, per_channel<[0]>> : tensor<3x2xi8> -> tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<3x2xf32>) outs(%et : tensor<2x3xf32>) permutation = [1, 0]
  // expected-remark@below {{its second operand is moved, and its scales, which are known at run time only, are not}}
  %0 = linalg.matmul ins(%x, %t : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

#id = affine_map<(a) -> (a)>

func.func @sum_of_values(%q: tensor<4xi8>, %r: tensor<4xf32>, %e: tensor<4xf32>) -> tensor<4xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  // expected-remark@below {{its second operand is in floating point}}
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%x, %r : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

#x = affine_map<(n, k) -> (n, k)>
#y = affine_map<(n, k) -> (n)>
#id = affine_map<(n) -> (n)>

func.func @average_of_other_parameters(%q: tensor<4x8xi8>) -> tensor<4xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x8xi8> -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 8.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#x, #y], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%i : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.addf %in, %out : f32
    linalg.yield %3 : f32
  } -> tensor<4xf32>
  // expected-remark@below {{its result has other parameters than its input}}
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%0 : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.divf %in, %n : f32
    linalg.yield %3 : f32
  } -> tensor<4xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.25> : tensor<4xf32> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

#x = affine_map<(n, w, k, f, c) -> (n, w, c)>
#w = affine_map<(n, w, k, f, c) -> (k, c, f)>
#y = affine_map<(n, w, k, f, c) -> (n, w * 2 + k, f)>

func.func @transposed_convolution(%q: tensor<1x4x2xi8>, %i: tensor<1x9x3xf32>) -> tensor<1x9x3xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x4x2xi8> -> tensor<1x4x2xf32>
  %c = arith.constant dense<1> : tensor<3x2x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<3x2x3xi8> -> tensor<3x2x3xf32>
  // expected-remark@below {{it scatters its result, as a transposed convolution does}}
  %0 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction", "parallel", "reduction"]} ins(%x, %w : tensor<1x4x2xf32>, tensor<3x2x3xf32>) outs(%i : tensor<1x9x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %1 = arith.mulf %a, %b : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x9x3xf32>
  return %0 : tensor<1x9x3xf32>
}

// -----

#id = affine_map<(a, b) -> (a, b)>

// Which of two dynamic sizes is which is not known behind the reshape: what is
// added stays behind, and says so.
// CHECK-LABEL: @residual_of_joined_sizes
// CHECK: quant.contract {{.*}} outs(%{{.*}} : tensor<?x?x5xf32>)
// CHECK: linalg.generic {{.*}}quant.not_fused = "what it adds does not follow its reshapes"
func.func @residual_of_joined_sizes(%q: tensor<?x?x4xi8>, %qr: tensor<?x5xi8>, %e: tensor<?x?x5xf32>, %o: tensor<?x5xf32>) -> tensor<?x5xi8> {
  %r = quant.dequantize %qr <int8, per_tensor, scale = 0.25> : tensor<?x5xi8> -> tensor<?x5xf32>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<?x?x4xi8> -> tensor<?x?x4xf32>
  %cw = arith.constant dense<2> : tensor<4x5xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<4x5xi8> -> tensor<4x5xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x5xf32>) -> tensor<?x?x5xf32>
  // expected-remark@below {{what follows 'linalg.contract' stays outside its kernel: what it adds does not follow its reshapes}}
  %0 = linalg.contract indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
    ins(%x, %w : tensor<?x?x4xf32>, tensor<4x5xf32>) outs(%f : tensor<?x?x5xf32>) -> tensor<?x?x5xf32>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<?x?x5xf32> into tensor<?x5xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%1, %r : tensor<?x5xf32>, tensor<?x5xf32>) outs(%o : tensor<?x5xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<?x5xf32>
  %y = quant.quantize %2 <int8, per_tensor, scale = 0.5> : tensor<?x5xf32> -> tensor<?x5xi8>
  return %y : tensor<?x5xi8>
}
