// RUN: quant-opt %s --quant-fuse --quant-verify-integer-form --split-input-file | FileCheck %s

// What a contraction adds besides its bias: codes, values, the same for all rows,
// columns or elements.

#id = affine_map<(a, b) -> (a, b)>

// Values are added in units of the result.
// CHECK-LABEL: @values
// CHECK-SAME: (%{{[^ ]*}}: tensor<4x2xi8>, %[[R:.*]]: tensor<4x3xf32>)
// CHECK: %[[Y:.*]] = quant.contract {{.*}} residual(%[[R]] : tensor<4x3xf32>) outs(%{{.*}} as <int8, per_tensor, scale = 5.000000e-01> : tensor<4x3xi8>)
// CHECK: return %[[Y]]
func.func @values(%q: tensor<4x2xi8>, %r: tensor<4x3xf32>) -> tensor<4x3xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<1> : tensor<2x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x3xi8> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<4x3xf32>, tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x3xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.5> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

#id = affine_map<(a, b) -> (a, b)>

// So are codes whose scale is known at run time only.
// CHECK-LABEL: @dynamic
// CHECK: %[[R:.*]] = quant.dequantize %{{.*}} scale(%{{.*}} : tensor<f32>)
// CHECK: %[[Y:.*]] = quant.contract {{.*}} residual(%[[R]] : tensor<4x3xf32>) outs(%{{.*}} as <int8, {{.*}}> : tensor<4x3xi8>)
// CHECK: return %[[Y]]
func.func @dynamic(%q: tensor<4x2xi8>, %qr: tensor<4x3xi8>, %s: tensor<f32>) -> tensor<4x3xi8> {
  %r = quant.dequantize %qr scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4x3xi8> -> tensor<4x3xf32>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<1> : tensor<2x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x3xi8> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<4x3xf32>, tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x3xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.5> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

#id = affine_map<(a, b) -> (a, b)>
#column = affine_map<(a, b) -> (b)>

// CHECK-DAG: #[[$COLUMN:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: @same_for_all_rows
// CHECK-SAME: (%{{[^ ]*}}: tensor<4x2xi8>, %[[R:.*]]: tensor<3xi8>)
// CHECK: quant.contract {{.*}} residual(%[[R]] as <int8, per_tensor, scale = 2.500000e-01> : tensor<3xi8>)
// CHECK-SAME: maps [{{.*}}, {{.*}}, #[[$COLUMN]], {{.*}}]
func.func @same_for_all_rows(%q: tensor<4x2xi8>, %qr: tensor<3xi8>) -> tensor<4x3xi8> {
  %r = quant.dequantize %qr <int8, per_tensor, scale = 0.25> : tensor<3xi8> -> tensor<3xf32>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<1> : tensor<2x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x3xi8> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<4x3xf32>, tensor<3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x3xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.5> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

#id = affine_map<(a, b) -> (a, b)>

// A copy along rows is not made: before and behind the codes.
// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1, d2) -> (d0)>
// CHECK-LABEL: @broadcast
// CHECK-SAME: (%{{[^ ]*}}: tensor<4x2xi8>, %[[R:.*]]: tensor<4xi8>)
// CHECK-NOT: linalg.broadcast
// CHECK: quant.contract {{.*}} residual(%[[R]] as <int8, per_tensor, scale = 2.500000e-01> : tensor<4xi8>)
// CHECK-SAME: maps [{{.*}}, {{.*}}, #[[$ROW]], {{.*}}]
func.func @broadcast(%q: tensor<4x2xi8>, %qr: tensor<4xi8>) -> tensor<4x3xi8> {
  %d = quant.dequantize %qr <int8, per_tensor, scale = 0.25> : tensor<4xi8> -> tensor<4xf32>
  %b = tensor.empty() : tensor<4x3xf32>
  %r = linalg.broadcast ins(%d : tensor<4xf32>) outs(%b : tensor<4x3xf32>) dimensions = [1]
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<1> : tensor<2x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x3xi8> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<4x3xf32>, tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x3xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.5> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

#id = affine_map<(a, b) -> (a, b)>
#one = affine_map<(a, b) -> (0, 0)>

// CHECK-DAG: #[[$ONE:.*]] = affine_map<(d0, d1, d2) -> ()>
// CHECK-LABEL: @same_for_all
// CHECK-SAME: (%{{[^ ]*}}: tensor<4x2xi8>, %[[R:.*]]: tensor<1x1xf32>)
// CHECK: %[[ONLY:.*]] = tensor.collapse_shape %[[R]] [] : tensor<1x1xf32> into tensor<f32>
// CHECK: quant.contract {{.*}} residual(%[[ONLY]] : tensor<f32>)
// CHECK-SAME: maps [{{.*}}, {{.*}}, #[[$ONE]], {{.*}}]
func.func @same_for_all(%q: tensor<4x2xi8>, %r: tensor<1x1xf32>) -> tensor<4x3xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant dense<1> : tensor<2x3xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x3xi8> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %1 = linalg.generic {indexing_maps = [#id, #one, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<4x3xf32>, tensor<1x1xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %3 = arith.addf %in, %in2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x3xf32>
  %y = quant.quantize %1 <int8, per_tensor, scale = 0.5> : tensor<4x3xf32> -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}
