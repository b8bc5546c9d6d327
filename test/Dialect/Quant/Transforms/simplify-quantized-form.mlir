// Values move as codes, and pairs and duplicates vanish.

// RUN: quant-opt %s --split-input-file --quant-simplify-quantized-form | FileCheck %s

// CHECK-LABEL: func @pair
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>)
func.func @pair(%q: tensor<4xi8>) -> tensor<4xi8> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %d <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @other_scale_stays
func.func @other_scale_stays(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  // CHECK: quant.quantize
  %r = quant.quantize %d <int8, per_tensor, scale = 0.25> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// Precision is lost on purpose.
// CHECK-LABEL: func @other_order_stays
func.func @other_order_stays(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: quant.quantize
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  // CHECK: quant.dequantize
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  return %d : tensor<4xf32>
}

// Names do not count.
// CHECK-LABEL: func @duplicates
func.func @duplicates(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: quant.quantize {{.*}} {quant.name = "a.out0"}
  %p = quant.quantize %x <int8, per_tensor, scale = 0.5> {quant.name = "a.out0"} : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: %[[D:.*]] = quant.dequantize
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> {quant.name = "b.in0"} : tensor<4xf32> -> tensor<4xi8>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  // CHECK-NEXT: return %[[D]], %[[D]]
  return %c, %d : tensor<4xf32>, tensor<4xf32>
}

// The first does not come before the second on every path.
// CHECK-LABEL: func @duplicates_in_branches
func.func @duplicates_in_branches(%x: tensor<4xf32>, %c: i1) -> tensor<4xi8> {
  // CHECK-COUNT-2: quant.quantize
  %r = scf.if %c -> tensor<4xi8> {
    %p = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
    scf.yield %p : tensor<4xi8>
  } else {
    %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
    scf.yield %q : tensor<4xi8>
  }
  return %r : tensor<4xi8>
}

// -----

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @constant
func.func @constant() -> tensor<6xi8> {
  // CHECK-NEXT: %[[C:.*]] = arith.constant dense<[-3, -1, -1, 127, -128, -3]> : tensor<6xi8>
  %x = arith.constant dense<[0.0, 0.75, 1.25, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<6xf32>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<6xf32> -> tensor<6xi8>
  // CHECK-NEXT: return %[[C]]
  return %q : tensor<6xi8>
}

// CHECK-LABEL: func @constant_splat
func.func @constant_splat() -> tensor<1000x1000xi8> {
  // CHECK-NEXT: arith.constant dense<-56> : tensor<1000x1000xi8>
  %x = arith.constant dense<100.0> : tensor<1000x1000xf16>
  %q = quant.quantize %x <uint8, per_tensor, scale = 0.5> : tensor<1000x1000xf16> -> tensor<1000x1000xi8>
  return %q : tensor<1000x1000xi8>
}

// CHECK-LABEL: func @constant_splat_per_channel
func.func @constant_splat_per_channel() -> tensor<2x2xi8> {
  // CHECK-NEXT: arith.constant dense<{{\[\[}}2, 4], [2, 4]]> : tensor<2x2xi8>
  %x = arith.constant dense<1.0> : tensor<2x2xf32>
  %q = quant.quantize %x <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<2x2xf32> -> tensor<2x2xi8>
  return %q : tensor<2x2xi8>
}

// CHECK-LABEL: func @constant_sub_byte
func.func @constant_sub_byte() -> tensor<4xi4> {
  // CHECK-NEXT: arith.constant dense<[-8, -1, 0, 7]> : tensor<4xi4>
  %x = arith.constant dense<[-9.0, -1.0, 0.5, 9.0]> : tensor<4xbf16>
  %q = quant.quantize %x <int4, per_tensor, scale = 1.0> : tensor<4xbf16> -> tensor<4xi4>
  return %q : tensor<4xi4>
}

// CHECK-LABEL: func @constant_float8
func.func @constant_float8() -> tensor<3xf8E4M3FN> {
  // CHECK-NEXT: arith.constant dense<[4.480000e+02, -0.000000e+00, 1.125000e+00]> : tensor<3xf8E4M3FN>
  %x = arith.constant dense<[1.0e9, -0.0, 1.1]> : tensor<3xf32>
  %q = quant.quantize %x <float8_e4m3fn, per_tensor, scale = 1.0> : tensor<3xf32> -> tensor<3xf8E4M3FN>
  return %q : tensor<3xf8E4M3FN>
}

// CHECK-LABEL: func @constant_without_elements
func.func @constant_without_elements() -> (tensor<0xi8>, tensor<0x3xi4>) {
  // CHECK-DAG: arith.constant dense<> : tensor<0xi8>
  // CHECK-DAG: arith.constant dense<> : tensor<0x3xi4>
  // CHECK-NOT: quant.quantize
  %x = arith.constant dense<> : tensor<0xf32>
  %p = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<0xf32> -> tensor<0xi8>
  %y = arith.constant dense<1.0> : tensor<0x3xf32>
  %q = quant.quantize %y <int4, per_channel<[1]>, scale = dense<> : tensor<0x3xf32>> : tensor<0x3xf32> -> tensor<0x3xi4>
  return %p, %q : tensor<0xi8>, tensor<0x3xi4>
}

// CHECK-LABEL: func @constant_resource
func.func @constant_resource() -> tensor<2xi8> {
  // CHECK-NEXT: arith.constant dense<[2, -4]> : tensor<2xi8>
  %x = arith.constant dense_resource<values> : tensor<2xf32>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<2xf32> -> tensor<2xi8>
  return %q : tensor<2xi8>
}

{-#
  dialect_resources: {
    builtin: {
      values: "0x040000000000803F000000C0"
    }
  }
#-}

// -----

//===----------------------------------------------------------------------===//
// Moves without a body that computes
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @reshape_chain
// CHECK-SAME: (%[[CODES:.*]]: tensor<2x4xi8>)
func.func @reshape_chain(%q: tensor<2x4xi8>) -> tensor<4x2xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<2x4xi8> -> tensor<2x4xf32>
  // CHECK: %[[COLLAPSED:.*]] = tensor.collapse_shape %[[CODES]] {{.*}} : tensor<2x4xi8> into tensor<8xi8>
  %a = tensor.collapse_shape %d [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  // CHECK: %[[EXPANDED:.*]] = tensor.expand_shape %[[COLLAPSED]] {{.*}} : tensor<8xi8> into tensor<4x2xi8>
  %b = tensor.expand_shape %a [[0, 1]] output_shape [4, 2] : tensor<8xf32> into tensor<4x2xf32>
  // CHECK: quant.dequantize %[[EXPANDED]] <int8, per_tensor, scale = 5.000000e-01>
  return %b : tensor<4x2xf32>
}

// CHECK-LABEL: func @reshape_by_operand
// CHECK: tensor.reshape {{.*}} : (tensor<?xi4>, tensor<2xindex>) -> tensor<?x?xi4>
// CHECK: tensor.cast {{.*}} : tensor<?x?xi4> to tensor<3x4xi4>
func.func @reshape_by_operand(%q: tensor<?xi4>, %s: tensor<2xindex>) -> tensor<3x4xf32> {
  %d = quant.dequantize %q <uint4, per_tensor, scale = 0.5> : tensor<?xi4> -> tensor<?xf32>
  %r = tensor.reshape %d(%s) : (tensor<?xf32>, tensor<2xindex>) -> tensor<?x?xf32>
  %c = tensor.cast %r : tensor<?x?xf32> to tensor<3x4xf32>
  return %c : tensor<3x4xf32>
}

// CHECK-LABEL: func @slice
// CHECK: tensor.extract_slice {{.*}} : tensor<4x?xi8> to tensor<2xi8>
// CHECK-NEXT: quant.dequantize
func.func @slice(%q: tensor<4x?xi8>, %i: index) -> tensor<2xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x?xi8> -> tensor<4x?xf32>
  %s = tensor.extract_slice %d[%i, 1] [1, 2] [1, 2] : tensor<4x?xf32> to tensor<2xf32>
  return %s : tensor<2xf32>
}

// Named operations that only move stay what they are.
// CHECK-LABEL: func @transpose
// CHECK: %[[DIM:.*]] = tensor.dim
// CHECK: %[[EMPTY:.*]] = tensor.empty(%[[DIM]]) : tensor<3x?xi8>
// CHECK: linalg.transpose ins(%{{.*}} : tensor<?x3xi8>) outs(%[[EMPTY]] : tensor<3x?xi8>)
func.func @transpose(%q: tensor<?x3xi8>) -> tensor<3x?xf32> {
  %c0 = arith.constant 0 : index
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<?x3xi8> -> tensor<?x3xf32>
  %n = tensor.dim %q, %c0 : tensor<?x3xi8>
  %e = tensor.empty(%n) : tensor<3x?xf32>
  %t = linalg.transpose ins(%d : tensor<?x3xf32>) outs(%e : tensor<3x?xf32>) permutation = [1, 0]
  return %t : tensor<3x?xf32>
}

#row = affine_map<(d0, d1) -> (d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @broadcast_generic
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4xi8>) outs(%{{.*}} : tensor<3x4xi8>)
// CHECK-NEXT: ^bb0(%[[IN:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: linalg.yield %[[IN]] : i8
func.func @broadcast_generic(%q: tensor<4xi8>, %out: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %b = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<4xf32>) outs(%out : tensor<3x4xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<3x4xf32>
  return %b : tensor<3x4xf32>
}

// CHECK-LABEL: func @concat
// CHECK: tensor.concat dim(0) {{.*}} : (tensor<2xi8>, tensor<3xi8>) -> tensor<5xi8>
// CHECK-NEXT: quant.dequantize
// CHECK-NOT: quant.dequantize
func.func @concat(%p: tensor<2xi8>, %q: tensor<3xi8>) -> tensor<5xf32> {
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.5> : tensor<2xi8> -> tensor<2xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<3xi8> -> tensor<3xf32>
  %r = tensor.concat dim(0) %c, %d : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// A constant whose elements have a code is no obstacle.
// CHECK-LABEL: func @concat_with_constant
// CHECK: %[[C:.*]] = arith.constant dense<7> : tensor<2xi8>
// CHECK: tensor.concat dim(0) %[[C]], %{{.*}} -> tensor<5xi8>
func.func @concat_with_constant(%q: tensor<3xi8>) -> tensor<5xf32> {
  %c = arith.constant dense<2.0> : tensor<2xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<3xi8> -> tensor<3xf32>
  %r = tensor.concat dim(0) %c, %d : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: func @insert_slice
// CHECK: tensor.insert_slice {{.*}} : tensor<2xi8> into tensor<5xi8>
func.func @insert_slice(%p: tensor<2xi8>, %q: tensor<5xi8>) -> tensor<5xf32> {
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.5> : tensor<2xi8> -> tensor<2xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<5xi8> -> tensor<5xf32>
  %r = tensor.insert_slice %c into %d[1] [2] [1] : tensor<2xf32> into tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: func @insert_slice_into_zero
// CHECK: %[[ZERO:.*]] = arith.constant 3 : i8
// CHECK: %[[DEST:.*]] = linalg.fill ins(%[[ZERO]] : i8) outs(%{{.*}} : tensor<?xi8>)
// CHECK: tensor.insert_slice {{.*}} into %[[DEST]]
func.func @insert_slice_into_zero(%p: tensor<2xi8>, %n: index) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<2xi8> -> tensor<2xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %r = tensor.insert_slice %c into %f[0] [2] [1] : tensor<2xf32> into tensor<?xf32>
  return %r : tensor<?xf32>
}

// Other users keep the float values.
// CHECK-LABEL: func @other_users
// CHECK-SAME: (%[[CODES:.*]]: tensor<2x4xi8>)
// CHECK: %[[VALUES:.*]] = quant.dequantize %[[CODES]]
// CHECK: tensor.collapse_shape %[[CODES]]
// CHECK: return %[[VALUES]]
func.func @other_users(%q: tensor<2x4xi8>) -> (tensor<2x4xf32>, tensor<8xf32>) {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<2x4xi8> -> tensor<2x4xf32>
  %a = tensor.collapse_shape %d [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  return %d, %a : tensor<2x4xf32>, tensor<8xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @pad
// CHECK: %[[ZERO:.*]] = arith.constant -3 : i8
// CHECK: tensor.yield %[[ZERO]] : i8
// CHECK-NEXT: } : tensor<4xi8> to tensor<6xi8>
func.func @pad(%q: tensor<4xi8>) -> tensor<6xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<4xi8> -> tensor<4xf32>
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %p : tensor<6xf32>
}

// CHECK-LABEL: func @pad_unsigned
// CHECK: %[[ZERO:.*]] = arith.constant -56 : i8
// CHECK: tensor.yield %[[ZERO]] : i8
func.func @pad_unsigned(%q: tensor<4xi8>) -> tensor<6xf32> {
  %d = quant.dequantize %q <uint8, per_tensor, scale = 0.5, zero_point = 200> : tensor<4xi8> -> tensor<4xf32>
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    %zero = arith.constant 0.0 : f32
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %p : tensor<6xf32>
}

// CHECK-LABEL: func @pad_float8
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f8E5M2
// CHECK: tensor.yield %[[ZERO]] : f8E5M2
func.func @pad_float8(%q: tensor<4xf8E5M2>) -> tensor<6xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q <float8_e5m2, per_tensor, scale = 0.5> : tensor<4xf8E5M2> -> tensor<4xf32>
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %p : tensor<6xf32>
}

// CHECK-LABEL: func @pad_dynamic_parameters
// CHECK: %[[WIDE:.*]] = tensor.extract %{{.*}}[] : tensor<i32>
// CHECK: %[[ZERO:.*]] = arith.trunci %[[WIDE]] : i32 to i8
// CHECK: tensor.yield %[[ZERO]] : i8
// CHECK: quant.dequantize {{.*}} scale(%{{.*}} : tensor<f32>) zero_point(%{{.*}} : tensor<i32>) <int8, per_tensor> : tensor<?xi8>
func.func @pad_dynamic_parameters(%q: tensor<?xi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<?xi8> -> tensor<?xf32>
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<?xf32> to tensor<?xf32>
  return %p : tensor<?xf32>
}

// CHECK-LABEL: func @pad_dynamic_scale
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i8
// CHECK: tensor.yield %[[ZERO]] : i8
func.func @pad_dynamic_scale(%q: tensor<4xi8>, %s: tensor<f32>) -> tensor<6xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4xi8> -> tensor<4xf32>
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %p : tensor<6xf32>
}

// -----

// Parameters follow their channels into another order.
// CHECK-LABEL: func @transposes_channels
// CHECK-SAME: (%[[CODES:.*]]: tensor<2x3xi8>)
func.func @transposes_channels(%q: tensor<2x3xi8>) -> tensor<3x2xf32> {
  %d = quant.dequantize %q <int8, per_channel<[0, 1]>, scale = dense<[[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]> : tensor<2x3xf32>, zero_point = dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>> : tensor<2x3xi8> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  // CHECK: %[[T:.*]] = linalg.transpose ins(%[[CODES]] : tensor<2x3xi8>)
  // CHECK: quant.dequantize %[[T]] <int8, per_channel<[0, 1]>
  // CHECK-SAME{LITERAL}: scale = dense<[[1.000000e+00, 8.000000e+00], [2.000000e+00, 1.600000e+01], [4.000000e+00, 3.200000e+01]]> : tensor<3x2xf32>
  // CHECK-SAME{LITERAL}: zero_point = dense<[[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi8>
  %t = linalg.transpose ins(%d : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  return %t : tensor<3x2xf32>
}
