// Moves that stay in floating point are named with the reason, and stay exactly
// as they are. What has nothing to do with codes is not spoken of.

// RUN: quant-opt %s --split-input-file --verify-diagnostics --quant-simplify-quantized-form | FileCheck %s

// CHECK-LABEL: func @float_operand
func.func @float_operand(%q: tensor<2xi8>, %x: tensor<3xf32>) -> tensor<5xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<2xi8> -> tensor<2xf32>
  // CHECK: tensor.concat {{.*}} -> tensor<5xf32>
  // expected-remark@+1 {{'tensor.concat' moves floating-point values: operand #1 is in floating point}}
  %r = tensor.concat dim(0) %d, %x : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

func.func @different_parameters(%q: tensor<2xi8>, %p: tensor<3xi8>) -> tensor<5xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<2xi8> -> tensor<2xf32>
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.25> : tensor<3xi8> -> tensor<3xf32>
  // expected-remark@+1 {{'tensor.concat' moves floating-point values: its operands have different parameters}}
  %r = tensor.concat dim(0) %d, %c {quant.name = "tensor.concat"} : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

func.func @different_scale_operands(%q: tensor<2xi8>, %p: tensor<3xi8>, %s: tensor<f32>, %t: tensor<f32>) -> tensor<5xf32> {
  %d = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<2xi8> -> tensor<2xf32>
  %c = quant.dequantize %p scale(%t : tensor<f32>) <int8, per_tensor> : tensor<3xi8> -> tensor<3xf32>
  // expected-remark@+1 {{its operands have different parameters}}
  %r = tensor.concat dim(0) %d, %c : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

func.func @per_row_operands(%q: tensor<2x3xi8>, %s: tensor<2x1xf32>) -> tensor<6xf32> {
  %d = quant.dequantize %q scale(%s : tensor<2x1xf32>) <int8, per_channel<[0]>> : tensor<2x3xi8> -> tensor<2x3xf32>
  // expected-remark@+1 {{its parameters are operands and not per_tensor}}
  %r = tensor.collapse_shape %d [[0, 1]] : tensor<2x3xf32> into tensor<6xf32>
  return %r : tensor<6xf32>
}

func.func @joins_channels(%q: tensor<2x3xi8>) -> tensor<6xf32> {
  %d = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.5> : tensor<2x1xf32>> : tensor<2x3xi8> -> tensor<2x3xf32>
  // expected-remark@+1 {{it takes the units of its parameters apart or joins them}}
  %r = tensor.collapse_shape %d [[0, 1]] : tensor<2x3xf32> into tensor<6xf32>
  return %r : tensor<6xf32>
}

func.func @slices_channels(%q: tensor<2x3xi8>) -> tensor<1x3xf32> {
  %d = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.5> : tensor<2x1xf32>> : tensor<2x3xi8> -> tensor<2x3xf32>
  // expected-remark@+1 {{it takes the units of its parameters apart or joins them}}
  %r = tensor.extract_slice %d[0, 0] [1, 3] [1, 1] : tensor<2x3xf32> to tensor<1x3xf32>
  return %r : tensor<1x3xf32>
}

func.func @no_elements(%q: tensor<0x3xi8>) -> tensor<3x0xf32> {
  %d = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<> : tensor<0x3xf32>> : tensor<0x3xi8> -> tensor<0x3xf32>
  %e = tensor.empty() : tensor<3x0xf32>
  // expected-remark@+1 {{it takes the units of its parameters apart or joins them}}
  %t = linalg.transpose ins(%d : tensor<0x3xf32>) outs(%e : tensor<3x0xf32>) permutation = [1, 0]
  return %t : tensor<3x0xf32>
}

func.func @zero_points_differ(%q: tensor<2x3xi8>) -> tensor<2x5xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.5> : tensor<2x1xf32>, zero_point = dense<[[1], [2]]> : tensor<2x1xi8>> : tensor<2x3xi8> -> tensor<2x3xf32>
  // expected-remark@+1 {{'tensor.pad' moves floating-point values: no code stands for the value that it adds}}
  %p = tensor.pad %d low[0, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x3xf32> to tensor<2x5xf32>
  return %p : tensor<2x5xf32>
}

// With a minval zero is no code.
func.func @minval(%q: tensor<3xi8>) -> tensor<5xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q <uint8, per_tensor, scale = 0.3, minval = -1.0> : tensor<3xi8> -> tensor<3xf32>
  // expected-remark@+1 {{no code stands for the value that it adds}}
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<3xf32> to tensor<5xf32>
  return %p : tensor<5xf32>
}

func.func @negative_zero(%q: tensor<3xi8>) -> tensor<5xf32> {
  %zero = arith.constant -0.0 : f32
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.3> : tensor<3xi8> -> tensor<3xf32>
  // expected-remark@+1 {{no code stands for the value that it adds}}
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<3xf32> to tensor<5xf32>
  return %p : tensor<5xf32>
}

func.func @inexact_constant(%q: tensor<3xi8>) -> tensor<5xf32> {
  %c = arith.constant dense<0.1> : tensor<2xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf32>
  // expected-remark@+1 {{no code stands for the elements of operand #0}}
  %r = tensor.concat dim(0) %c, %d : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

#id = affine_map<(d0) -> (d0)>
func.func @body_converts(%q: tensor<3xi8>, %p: tensor<3xi8>) -> tensor<3xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf16>
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf16>
  %e = tensor.empty() : tensor<3xf32>
  // expected-remark@+1 {{'linalg.generic' moves floating-point values: it converts its elements}}
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%d, %c : tensor<3xf16>, tensor<3xf16>) outs(%e : tensor<3xf32>) {
  ^bb0(%a: f16, %b: f16, %o: f32):
    %m = arith.maximumf %a, %b : f16
    %w = arith.extf %m : f16 to f32
    linalg.yield %w : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}

func.func @body_computes(%q: tensor<3xi8>, %p: tensor<3xi8>) -> tensor<3xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf32>
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf32>
  %e = tensor.empty() : tensor<3xf32>
  // expected-remark@+1 {{'arith.truncf' in its body computes}}
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%d, %c : tensor<3xf32>, tensor<3xf32>) outs(%e : tensor<3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.truncf %a : f32 to f16
    %w = arith.extf %t : f16 to f32
    %m = arith.maximumf %w, %b : f32
    linalg.yield %m : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}

func.func @no_rank(%q: tensor<3xi8>) -> tensor<*xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf32>
  // expected-remark@+1 {{'tensor.cast' moves floating-point values: its result has no rank}}
  %r = tensor.cast %d : tensor<3xf32> to tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Nothing to say
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @weight
func.func @weight() -> tensor<4x2xf32> {
  %c = arith.constant dense<1> : tensor<2x4xi8>
  // CHECK: quant.dequantize {{.*}} -> tensor<2x4xf32>
  %d = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x4xi8> -> tensor<2x4xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  // CHECK: linalg.transpose ins(%{{.*}} : tensor<2x4xf32>)
  %t = linalg.transpose ins(%d : tensor<2x4xf32>) outs(%e : tensor<4x2xf32>) permutation = [1, 0]
  return %t : tensor<4x2xf32>
}

// CHECK-LABEL: func @packed_weight
func.func @packed_weight() -> tensor<8xf32> {
  %p = arith.constant dense<1> : tensor<4xi8>
  %c = quant.unpack %p <canonical> : tensor<4xi8> -> tensor<2x4xi4>
  // CHECK: quant.dequantize {{.*}} -> tensor<2x4xf32>
  %d = quant.dequantize %c <int4, per_tensor, scale = 0.5> : tensor<2x4xi4> -> tensor<2x4xf32>
  %r = tensor.collapse_shape %d [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK-LABEL: func @average
func.func @average(%q: tensor<2x4xi8>) -> tensor<2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  // CHECK: quant.dequantize {{.*}} -> tensor<2x4xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<2x4xi8> -> tensor<2x4xf32>
  %r = linalg.reduce { arith.addf } ins(%d : tensor<2x4xf32>) outs(%zero : tensor<2xf32>) dimensions = [1]
  return %r : tensor<2xf32>
}
