// RUN: quant-opt %s --quant-to-linalg --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @zero_point(
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-DAG:     %[[ZP:.*]] = arith.constant 3 : i32
// CHECK:         ^bb0(%[[IN:.*]]: i4, %{{.*}}: f32):
// CHECK:           %[[CODE:.*]] = arith.extsi %[[IN]] : i4 to i32
// CHECK:           %[[CENTRED:.*]] = arith.subi %[[CODE]], %[[ZP]] : i32
// CHECK:           %[[FLOAT:.*]] = arith.sitofp %[[CENTRED]] : i32 to f32
// CHECK:           %[[VALUE:.*]] = arith.mulf %[[FLOAT]], %[[SCALE]] : f32
// CHECK:           linalg.yield %[[VALUE]] : f32
func.func @zero_point(%q: tensor<4xi4>) -> tensor<4xf32> {
  %x = quant.dequantize %q <int4, per_tensor, scale = 0.5, zero_point = 3> : tensor<4xi4> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @unsigned_codes(
// CHECK:         %[[CODE:.*]] = arith.extui %{{.*}} : i8 to i32
// CHECK-NEXT:    arith.sitofp %[[CODE]] : i32 to f32
func.func @unsigned_codes(%q: tensor<4xi8>) -> tensor<4xf32> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// The product is rounded, then the sum: no flag lets them contract.
// CHECK-LABEL: func.func @minval(
// CHECK-DAG:     %[[QUANT_MIN:.*]] = arith.constant -8 : i32
// CHECK-DAG:     %[[MINVAL:.*]] = arith.constant -1.000000e+00 : f32
// CHECK:         arith.subi %{{.*}}, %[[QUANT_MIN]] : i32
// CHECK:         %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK:         arith.addf %[[PRODUCT]], %[[MINVAL]] : f32
func.func @minval(%q: tensor<4xi4>) -> tensor<4xf32> {
  %x = quant.dequantize %q <int4, per_tensor, scale = 0.5, minval = -1.0> : tensor<4xi4> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @float_storage(
// CHECK:         %[[CODE:.*]] = arith.bitcast %{{.*}} : f8E5M2 to i8
// CHECK:         arith.extui %[[CODE]] : i8 to i32
// CHECK-NOT:     arith.extf
// CHECK:         %[[VALUE:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK:         arith.mulf %[[VALUE]], %{{.*}} : f32
func.func @float_storage(%q: tensor<4xf8E5M2>) -> tensor<4xf32> {
  %x = quant.dequantize %q <float8_e5m2, per_tensor, scale = 0.5> : tensor<4xf8E5M2> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @rounded_once_to_half(
// CHECK:         %[[VALUE:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK:         arith.truncf %[[VALUE]] : f32 to f16
func.func @rounded_once_to_half(%q: tensor<4xi8>) -> tensor<4xf16> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf16>
  return %x : tensor<4xf16>
}

// CHECK-LABEL: func.func @rounded_to_bfloat_in_integers(
// CHECK:         %[[VALUE:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK-NOT:     arith.truncf
// CHECK:         %[[BITS:.*]] = arith.trunci %{{.*}} : i32 to i16
// CHECK:         arith.bitcast %[[BITS]] : i16 to bf16
func.func @rounded_to_bfloat_in_integers(%q: tensor<4xi8>) -> tensor<4xbf16> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xbf16>
  return %x : tensor<4xbf16>
}

// CHECK-LABEL: func.func @bias(
// CHECK:         ^bb0(%[[IN:.*]]: i32, %{{.*}}: f32):
// CHECK-NEXT:      arith.sitofp %[[IN]] : i32 to f32
func.func @bias(%q: tensor<4xi32>) -> tensor<4xf32> {
  %x = quant.dequantize %q <int32, per_tensor, scale = 0.5> : tensor<4xi32> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @exponent_scale_operand(
// CHECK:         ^bb0(%{{.*}}: f8E4M3FN, %[[SCALE:.*]]: f8E8M0FNU, %{{.*}}: f32):
// CHECK:           %[[EXPONENT:.*]] = arith.bitcast %[[SCALE]] : f8E8M0FNU to i8
// CHECK:           %[[WIDE:.*]] = arith.extui %[[EXPONENT]] : i8 to i32
// CHECK:           arith.shli %[[WIDE]], %{{.*}} : i32
func.func @exponent_scale_operand(%q: tensor<4xf8E4M3FN>, %s: tensor<f8E8M0FNU>) -> tensor<4xf32> {
  %x = quant.dequantize %q scale(%s : tensor<f8E8M0FNU>) <float8_e4m3fn, per_tensor> : tensor<4xf8E4M3FN> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @zero_point_operand(
// CHECK:         ^bb0(%[[IN:.*]]: i8, %[[SCALE:.*]]: f32, %[[ZP:.*]]: i32, %{{.*}}: f32):
// CHECK:           %[[CODE:.*]] = arith.extsi %[[IN]] : i8 to i32
// CHECK:           arith.subi %[[CODE]], %[[ZP]] : i32
func.func @zero_point_operand(%q: tensor<4xi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<4xf32> {
  %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<4xi8> -> tensor<4xf32>
  return %x : tensor<4xf32>
}
