// RUN: quant-opt %s --quant-fuse | FileCheck %s

// One operation on codes for each kernel.

#bias = affine_map<(m, n) -> (n)>
#id = affine_map<(m, n) -> (m, n)>

// CHECK-DAG: #[[$M_LHS:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[$M_RHS:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[$M_BIAS:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[$M_INIT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: @bias_and_clamp
// CHECK-SAME: (%[[Q:.*]]: tensor<4x2xi8>)
func.func @bias_and_clamp(%q: tensor<4x2xi8>) -> tensor<4x3xi8> {
  // CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x3xi8>
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<[4, -16, 5]> : tensor<3xi32>
  // CHECK-DAG: %[[E:.*]] = tensor.empty() : tensor<4x3xi8>
  // CHECK: %[[Y:.*]] = quant.contract lhs(%[[Q]] as <int8, per_tensor, scale = 5.000000e-01, zero_point = 3> : tensor<4x2xi8>)
  // CHECK-SAME: rhs(%[[W]] as <int8, per_channel<[1]>, scale = dense<{{.*}}> : tensor<1x3xf32>> : tensor<2x3xi8>)
  // CHECK-SAME: bias(%[[B]] : tensor<3xi32>)
  // CHECK-SAME: outs(%[[E]] as <int8, per_tensor, scale = 1.000000e-01, zero_point = -128> : tensor<4x3xi8>)
  // CHECK-SAME: maps [#[[$M_LHS]], #[[$M_RHS]], #[[$M_BIAS]], #[[$M_INIT]]] low 0.000000e+00 high 6.000000e+00 {quant.name = "fc"} -> tensor<4x3xi8>
  // CHECK-NEXT: return %[[Y]]
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<[[10, -20, 1], [30, 40, 2]]> : tensor<2x3xi8>
  %w = quant.dequantize %cw <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25, 1.0]]> : tensor<1x3xf32>> : tensor<2x3xi8> -> tensor<2x3xf32>
  %cb = arith.constant dense<[4, -16, 5]> : tensor<3xi32>
  %b = quant.dequantize %cb <int32, per_channel<[0]>, scale = dense<[0.25, 0.125, 0.5]> : tensor<3xf32>> : tensor<3xi32> -> tensor<3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %i = linalg.broadcast ins(%b : tensor<3xf32>) outs(%e : tensor<4x3xf32>) dimensions = [0]
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 6.0 : f32
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    %2 = arith.minimumf %in, %hi : f32
    %3 = arith.maximumf %2, %lo : f32
    linalg.yield %3 : f32
  } -> tensor<4x3xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.1, zero_point = -128> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// A bias in other units than those of the accumulator is added as f32.
// CHECK-LABEL: @float_bias
// CHECK: %[[B:.*]] = arith.constant dense<[1.000000e+00, 2.500000e+00]> : tensor<2xf32>
// CHECK: quant.contract {{.*}} bias(%[[B]] : tensor<2xf32>)
func.func @float_bias(%q: tensor<4x2xi8>) -> tensor<4x2xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.25> : tensor<2x2xi8> -> tensor<2x2xf32>
  %cb = arith.constant dense<[2, 5]> : tensor<2xi32>
  %b = quant.dequantize %cb <int32, per_tensor, scale = 0.5> : tensor<2xi32> -> tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  %1 = linalg.generic {indexing_maps = [#id, #bias, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %b : tensor<4x2xf32>, tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: f32, %c: f32, %out: f32):
    %2 = arith.addf %in, %c : f32
    linalg.yield %2 : f32
  } -> tensor<4x2xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.1> : tensor<4x2xf32> -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}

// A value that someone reads stays one.
// CHECK-LABEL: @result_of_values
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4x2xf32>
// CHECK: %[[Y:.*]] = quant.contract {{.*}} outs(%[[E]] : tensor<4x2xf32>)
// CHECK: %[[C:.*]] = quant.quantize %[[Y]]
// CHECK: return %[[Y]], %[[C]]
func.func @result_of_values(%q: tensor<4x2xi8>) -> (tensor<4x2xf32>, tensor<4x2xi8>) {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.25> : tensor<2x2xi8> -> tensor<2x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = quant.quantize %0 <int8, per_tensor, scale = 0.1> : tensor<4x2xf32> -> tensor<4x2xi8>
  return %0, %y : tensor<4x2xf32>, tensor<4x2xi8>
}
