// RUN: quant-opt %s --quant-to-linalg --canonicalize | FileCheck %s

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>

// CHECK-LABEL: func.func @zero_point(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>)
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-DAG:     %[[LO:.*]] = arith.constant -1.250000e+02 : f32
// CHECK-DAG:     %[[HI:.*]] = arith.constant 1.300000e+02 : f32
// CHECK-DAG:     %[[MAGIC:.*]] = arith.constant 0x4B400000 : f32
// The zero point less the bits of 1.5 * 2^23.
// CHECK-DAG:     %[[ZP:.*]] = arith.constant -1262485507 : i32
// CHECK:         linalg.generic {{.*}} ins(%[[X]] : tensor<4xf32>)
// CHECK:         ^bb0(%[[IN:.*]]: f32, %{{.*}}: i8):
// CHECK:           %[[NAN:.*]] = arith.cmpf uno, %[[IN]], %[[IN]] : f32
// CHECK:           %[[VALUE:.*]] = arith.select %[[NAN]], %[[ZERO]], %[[IN]] : f32
// CHECK:           %[[QUOTIENT:.*]] = arith.divf %[[VALUE]], %[[SCALE]] : f32
// CHECK:           %[[ABOVE:.*]] = arith.cmpf ogt, %[[QUOTIENT]], %[[LO]] : f32
// CHECK:           %[[V0:.*]] = arith.select %[[ABOVE]], %[[QUOTIENT]], %[[LO]] : f32
// CHECK:           %[[BELOW:.*]] = arith.cmpf olt, %[[V0]], %[[HI]] : f32
// CHECK:           %[[V1:.*]] = arith.select %[[BELOW]], %[[V0]], %[[HI]] : f32
// CHECK:           %[[SUM:.*]] = arith.addf %[[V1]], %[[MAGIC]] : f32
// CHECK:           %[[BITS:.*]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK:           %[[CODE:.*]] = arith.addi %[[BITS]], %[[ZP]] : i32
// CHECK:           %[[BYTE:.*]] = arith.trunci %[[CODE]] : i32 to i8
// CHECK:           linalg.yield %[[BYTE]] : i8
func.func @zero_point(%x: tensor<4xf32>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// -128 is not in the range in use.
// CHECK-LABEL: func.func @narrow_range(
// CHECK-DAG:     arith.constant -1.270000e+02 : f32
// CHECK-DAG:     arith.constant 1.270000e+02 : f32
// CHECK:         %[[INTEGER:.*]] = arith.subi
// CHECK-NEXT:    arith.trunci %[[INTEGER]] : i32 to i8
func.func @narrow_range(%x: tensor<4xf32>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8 narrow, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// quant_min is 0, so that nothing is added to the rounded quotient.
// CHECK-LABEL: func.func @minval(
// CHECK-DAG:     %[[MINVAL:.*]] = arith.constant -1.000000e+00 : f32
// CHECK-DAG:     arith.constant 1.500000e+01 : f32
// CHECK:         %[[DIFFERENCE:.*]] = arith.subf %{{.*}}, %[[MINVAL]] : f32
// CHECK:         arith.divf %[[DIFFERENCE]], %{{.*}} : f32
// CHECK:         %[[INTEGER:.*]] = arith.subi
// CHECK-NEXT:    arith.trunci %[[INTEGER]] : i32 to i4
func.func @minval(%x: tensor<4xf32>) -> tensor<4xi4> {
  %q = quant.quantize %x <uint4, per_tensor, scale = 0.5, minval = -1.0> : tensor<4xf32> -> tensor<4xi4>
  return %q : tensor<4xi4>
}

// No rounding to an integer: the cast to the storage type rounds.
// CHECK-LABEL: func.func @float_storage(
// CHECK-DAG:     %[[LO:.*]] = arith.constant -4.480000e+02 : f32
// CHECK-DAG:     %[[HI:.*]] = arith.constant 4.480000e+02 : f32
// CHECK:         %[[QUOTIENT:.*]] = arith.divf
// CHECK:         arith.cmpf ogt, %[[QUOTIENT]], %[[LO]] : f32
// CHECK:         %[[BELOW:.*]] = arith.cmpf olt, %{{.*}}, %[[HI]] : f32
// CHECK:         %[[V:.*]] = arith.select %[[BELOW]]
// CHECK-NOT:     arith.addf
// CHECK-NOT:     arith.truncf
// CHECK:         arith.bitcast %[[V]] : f32 to i32
// CHECK:         %[[CODE:.*]] = arith.trunci %{{.*}} : i32 to i8
// CHECK:         arith.bitcast %[[CODE]] : i8 to f8E4M3FN
func.func @float_storage(%x: tensor<4xf32>) -> tensor<4xf8E4M3FN> {
  %q = quant.quantize %x <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xf8E4M3FN>
  return %q : tensor<4xf8E4M3FN>
}

// CHECK-LABEL: func.func @half_is_widened_first(
// CHECK:         %[[WIDE:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK:         arith.cmpf uno, %[[WIDE]], %[[WIDE]] : f32
func.func @half_is_widened_first(%x: tensor<4xf16>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf16> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// CHECK-LABEL: func.func @bfloat_is_widened_by_a_shift(
// CHECK:         %[[BITS:.*]] = arith.bitcast %{{.*}} : bf16 to i16
// CHECK:         %[[I32:.*]] = arith.extui %[[BITS]] : i16 to i32
// CHECK:         %[[UPPER:.*]] = arith.shli %[[I32]], %{{.*}} : i32
// CHECK:         arith.bitcast %[[UPPER]] : i32 to f32
func.func @bfloat_is_widened_by_a_shift(%x: tensor<4xbf16>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xbf16> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// Bounds and rounding in f64, which has the ends of the range.
// CHECK-LABEL: func.func @bias(
// CHECK-DAG:     arith.constant 0x4338000000000000 : f64
// CHECK-DAG:     arith.constant 0x41DFFFFFFFC00000 : f64
// CHECK:         %[[QUOTIENT:.*]] = arith.divf %{{.*}} : f32
// CHECK:         arith.extf %[[QUOTIENT]] : f32 to f64
// CHECK:         arith.fptosi %{{.*}} : f64 to i32
func.func @bias(%x: tensor<4xf32>) -> tensor<4xi32> {
  %q = quant.quantize %x <int32, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi32>
  return %q : tensor<4xi32>
}

// CHECK-LABEL: func.func @operands_per_row(
// CHECK-SAME:    %[[X:.*]]: tensor<?x8xf32>, %[[S:.*]]: tensor<?x1xf32>, %[[Z:.*]]: tensor<?x1xi32>)
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ROW]], #[[ID]]], {{.*}}} ins(%[[X]], %[[S]], %[[Z]] :
// CHECK:         ^bb0(%[[IN:.*]]: f32, %[[SCALE:.*]]: f32, %[[ZP:.*]]: i32, %{{.*}}: i8):
// CHECK:           arith.divf %{{.*}}, %[[SCALE]] : f32
// CHECK:           %[[LO:.*]] = arith.subi %{{.*}}, %[[ZP]] : i32
// CHECK:           arith.sitofp %[[LO]] : i32 to f32
// CHECK:           %[[HI:.*]] = arith.subi %{{.*}}, %[[ZP]] : i32
// CHECK:           arith.sitofp %[[HI]] : i32 to f32
// CHECK:           arith.addi %{{.*}}, %[[ZP]] : i32
func.func @operands_per_row(%x: tensor<?x8xf32>, %s: tensor<?x1xf32>, %z: tensor<?x1xi32>) -> tensor<?x8xi8> {
  %q = quant.quantize %x scale(%s : tensor<?x1xf32>) zero_point(%z : tensor<?x1xi32>) <int8, per_channel<[0]>> : tensor<?x8xf32> -> tensor<?x8xi8>
  return %q : tensor<?x8xi8>
}

// CHECK-LABEL: func.func @no_elements(
// CHECK-NOT:     linalg.generic
// CHECK:         tensor.empty() : tensor<0x4xi8>
func.func @no_elements(%x: tensor<0x4xf32>) -> tensor<0x4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<0x4xf32> -> tensor<0x4xi8>
  return %q : tensor<0x4xi8>
}
