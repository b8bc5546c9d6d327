// RUN: quant-opt %s --quant-small-float-to-arith | FileCheck %s

// CHECK-LABEL: func.func @extend_exponent(
// CHECK-SAME:    %[[X:.*]]: f8E8M0FNU)
// CHECK:         %[[CODE:.*]] = arith.bitcast %[[X]] : f8E8M0FNU to i8
// CHECK:         %[[WIDE:.*]] = arith.extui %[[CODE]] : i8 to i32
// CHECK:         %[[SHIFTED:.*]] = arith.shli %[[WIDE]], %c23_i32 : i32
// CHECK:         %[[IS_ZERO:.*]] = arith.cmpi eq, %[[WIDE]], %c0_i32 : i32
// CHECK:         %[[FINITE:.*]] = arith.select %[[IS_ZERO]], %{{.*}}, %[[SHIFTED]] : i32
// CHECK:         %[[IS_NAN:.*]] = arith.cmpi eq, %[[WIDE]], %c255_i32 : i32
// CHECK:         %[[BITS:.*]] = arith.select %[[IS_NAN]], %{{.*}}, %[[FINITE]] : i32
// CHECK:         %[[Y:.*]] = arith.bitcast %[[BITS]] : i32 to f32
// CHECK:         return %[[Y]] : f32
func.func @extend_exponent(%x: f8E8M0FNU) -> f32 {
  %y = arith.extf %x : f8E8M0FNU to f32
  return %y : f32
}

// CHECK-LABEL: func.func @truncate(
// CHECK-NOT:     arith.truncf
// CHECK:         %[[CODE:.*]] = arith.trunci %{{.*}} : i32 to i8
// CHECK:         arith.bitcast %[[CODE]] : i8 to f8E4M3FN
func.func @truncate(%x: f32) -> f8E4M3FN {
  %y = arith.truncf %x : f32 to f8E4M3FN
  return %y : f8E4M3FN
}

// CHECK-LABEL: func.func @vectors(
// CHECK:         %[[CODE:.*]] = arith.trunci %{{.*}} : vector<8xi32> to vector<8xi8>
// CHECK:         %[[NIBBLE:.*]] = arith.trunci %[[CODE]] : vector<8xi8> to vector<8xi4>
// CHECK:         arith.bitcast %[[NIBBLE]] : vector<8xi4> to vector<8xf4E2M1FN>
func.func @vectors(%x: vector<8xf32>) -> vector<8xf4E2M1FN> {
  %y = arith.truncf %x : vector<8xf32> to vector<8xf4E2M1FN>
  return %y : vector<8xf4E2M1FN>
}

// Through binary32, which holds both exactly.
// CHECK-LABEL: func.func @half(
// CHECK:         %[[WIDE:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK:         arith.truncf %[[WIDE]] : f32 to f16
func.func @half(%x: f8E5M2) -> f16 {
  %y = arith.extf %x : f8E5M2 to f16
  return %y : f16
}

// CHECK-LABEL: func.func @left_alone(
// CHECK:         arith.extf %{{.*}} : f8E5M2 to f64
// CHECK:         arith.truncf %{{.*}} toward_zero : f32 to f8E5M2
// CHECK:         arith.extf %{{.*}} : bf16 to f32
// CHECK:         arith.extf %{{.*}} : tensor<4xf8E5M2> to tensor<4xf32>
func.func @left_alone(%x: f8E5M2, %y: f32, %b: bf16, %t: tensor<4xf8E5M2>) -> (f64, f8E5M2, f32, tensor<4xf32>) {
  %0 = arith.extf %x : f8E5M2 to f64
  %1 = arith.truncf %y toward_zero : f32 to f8E5M2
  %2 = arith.extf %b : bf16 to f32
  %3 = arith.extf %t : tensor<4xf8E5M2> to tensor<4xf32>
  return %0, %1, %2, %3 : f64, f8E5M2, f32, tensor<4xf32>
}
