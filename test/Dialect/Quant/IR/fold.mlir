// quantize(dequantize(q)) folds to q exactly where it is the identity, and
// pack(unpack(p)), unpack(pack(q)) where they are. dequantize(quantize(x))
// loses precision on purpose and never folds.

// RUN: quant-opt %s --canonicalize | FileCheck %s

//===----------------------------------------------------------------------===//
// Folded
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @per_tensor
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>)
func.func @per_tensor(%q: tensor<4xi8>) -> tensor<4xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @per_block
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi4>)
func.func @per_block(%q: tensor<4xi4>) -> tensor<4xi4> {
  %x = quant.dequantize %q <uint4, per_block<[2]>, scale = dense<[0.5, 1.0]> : tensor<2xf16>> : tensor<4xi4> -> tensor<4xf32>
  %r = quant.quantize %x <uint4, per_block<[2]>, scale = dense<[0.5, 1.0]> : tensor<2xf16>> : tensor<4xf32> -> tensor<4xi4>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi4>
}

// CHECK-LABEL: func @minval
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>)
func.func @minval(%q: tensor<4xi8>) -> tensor<4xi8> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5, minval = -1.0> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <uint8, per_tensor, scale = 0.5, minval = -1.0> : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @f16
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>)
func.func @f16(%q: tensor<4xi8>) -> tensor<4xi8> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.1, zero_point = 127> : tensor<4xi8> -> tensor<4xf16>
  %r = quant.quantize %x <int8, per_tensor, scale = 0.1, zero_point = 127> : tensor<4xf16> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// |q - zero_point| <= 128 for every code: bf16 holds each value apart.
// CHECK-LABEL: func @bf16_near_zero_point
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>)
func.func @bf16_near_zero_point(%q: tensor<4xi8>) -> tensor<4xi8> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.1, zero_point = 128> : tensor<4xi8> -> tensor<4xbf16>
  %r = quant.quantize %x <uint8, per_tensor, scale = 0.1, zero_point = 128> : tensor<4xbf16> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @float4
// CHECK-SAME: (%[[CODES:.*]]: tensor<32xf4E2M1FN>)
func.func @float4(%q: tensor<32xf4E2M1FN>) -> tensor<32xf4E2M1FN> {
  %x = quant.dequantize %q <float4_e2m1fn, per_block<[32]>, scale = dense<0.5> : tensor<1xf8E8M0FNU>> : tensor<32xf4E2M1FN> -> tensor<32xf32>
  %r = quant.quantize %x <float4_e2m1fn, per_block<[32]>, scale = dense<0.5> : tensor<1xf8E8M0FNU>> : tensor<32xf32> -> tensor<32xf4E2M1FN>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<32xf4E2M1FN>
}

// CHECK-LABEL: func @operands
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>, %
func.func @operands(%q: tensor<4xi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<4xi8> {
  %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @equal_contents
// CHECK-SAME: (%[[CODES:.*]]: tensor<4xi8>)
func.func @equal_contents(%q: tensor<4xi8>) -> tensor<4xi8> {
  %x = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.5> : tensor<4xf32>, zero_point = dense<[1, 2, 3, 4]> : tensor<4xi8>> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8, per_channel<[0]>, scale = dense_resource<halves> : tensor<4xf32>, zero_point = dense_resource<one_to_four> : tensor<4xi8>> : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// Codes outside a range in use that is not the type's would be clamped; those of
// a quantize of that range are inside.
// CHECK-LABEL: func @narrow_after_quantize
func.func @narrow_after_quantize(%v: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK-NEXT: %[[CODES:.*]] = quant.quantize
  %q = quant.quantize %v <int8 narrow, per_tensor, scale = 0.25> : tensor<4xf32> -> tensor<4xi8>
  %x = quant.dequantize %q <int8 narrow, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8 narrow, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @float8_after_quantize
func.func @float8_after_quantize(%v: tensor<4xf32>) -> tensor<4xf8E5M2> {
  // CHECK-NEXT: %[[CODES:.*]] = quant.quantize
  %q = quant.quantize %v <float8_e5m2, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xf8E5M2>
  %x = quant.dequantize %q <float8_e5m2, per_tensor, scale = 0.5> : tensor<4xf8E5M2> -> tensor<4xf32>
  %r = quant.quantize %x <float8_e5m2, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xf8E5M2>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<4xf8E5M2>
}

//===----------------------------------------------------------------------===//
// Not folded
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @dequantize_of_quantize
func.func @dequantize_of_quantize(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: quant.quantize
  // CHECK: quant.dequantize
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  %y = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func @other_scale
func.func @other_scale(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8, per_tensor, scale = 0.25> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @other_zero_point
func.func @other_zero_point(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8, per_tensor, scale = 0.5, zero_point = 1> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @other_storage
func.func @other_storage(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <uint8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @other_granularity
func.func @other_granularity(%q: tensor<1x4xi8>) -> tensor<1x4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.5> : tensor<1x1xf32>> : tensor<1x4xi8> -> tensor<1x4xf32>
  %r = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<1x4xf32> -> tensor<1x4xi8>
  return %r : tensor<1x4xi8>
}

// CHECK-LABEL: func @other_contents
func.func @other_contents(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<[0.5, 0.5, 0.5, 0.25]> : tensor<4xf32>> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8, per_channel<[0]>, scale = dense_resource<halves> : tensor<4xf32>> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @other_scale_operand
func.func @other_scale_operand(%q: tensor<4xi8>, %s: tensor<f32>, %t: tensor<f32>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x scale(%t : tensor<f32>) <int8, per_tensor> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @zero_point_operand_on_one_side
func.func @zero_point_operand_on_one_side(%q: tensor<4xi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @narrow_of_any_codes
func.func @narrow_of_any_codes(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8 narrow, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8 narrow, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @narrow_after_wider_quantize
func.func @narrow_after_wider_quantize(%v: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: quant.quantize
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %q = quant.quantize %v <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  %x = quant.dequantize %q <int8 narrow, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8 narrow, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// NaN and Inf, which these types have, come back as the code of 0 and as the
// largest one.
// CHECK-LABEL: func @float8_of_any_codes
func.func @float8_of_any_codes(%q: tensor<4xf8E4M3FN>) -> tensor<4xf8E4M3FN> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4xf8E4M3FN> -> tensor<4xf32>
  %r = quant.quantize %x <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xf8E4M3FN>
  return %r : tensor<4xf8E4M3FN>
}

// CHECK-LABEL: func @bf16_far_from_zero_point
func.func @bf16_far_from_zero_point(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.1> : tensor<4xi8> -> tensor<4xbf16>
  %r = quant.quantize %x <uint8, per_tensor, scale = 0.1> : tensor<4xbf16> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// One unit that is far is enough.
// CHECK-LABEL: func @bf16_far_in_one_unit
func.func @bf16_far_in_one_unit(%q: tensor<2xi8>) -> tensor<2xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.1> : tensor<2xf32>, zero_point = dense<[0, 1]> : tensor<2xi8>> : tensor<2xi8> -> tensor<2xbf16>
  %r = quant.quantize %x <int8, per_channel<[0]>, scale = dense<0.1> : tensor<2xf32>, zero_point = dense<[0, 1]> : tensor<2xi8>> : tensor<2xbf16> -> tensor<2xi8>
  return %r : tensor<2xi8>
}

// CHECK-LABEL: func @bf16_zero_point_operand
func.func @bf16_zero_point_operand(%q: tensor<4xi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<4xi8> -> tensor<4xbf16>
  %r = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int8, per_tensor> : tensor<4xbf16> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: func @bf16_minval
func.func @bf16_minval(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5, minval = 0.0> : tensor<4xi8> -> tensor<4xbf16>
  %r = quant.quantize %x <uint8, per_tensor, scale = 0.5, minval = 0.0> : tensor<4xbf16> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// A minval that dwarfs the scale: values of different codes are one number.
// CHECK-LABEL: func @minval_far_from_scale
func.func @minval_far_from_scale(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <uint8, per_tensor, scale = 1.0e-5, minval = -1000.0> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <uint8, per_tensor, scale = 1.0e-5, minval = -1000.0> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// Values overflow f16.
// CHECK-LABEL: func @f16_overflow
func.func @f16_overflow(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_tensor, scale = 10000.0> : tensor<4xi8> -> tensor<4xf16>
  %r = quant.quantize %x <int8, per_tensor, scale = 10000.0> : tensor<4xf16> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// Values are denormals of f32, and too few of them.
// CHECK-LABEL: func @denormal_scale
func.func @denormal_scale(%q: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int8, per_tensor, scale = 1.4e-45> : tensor<4xi8> -> tensor<4xf32>
  %r = quant.quantize %x <int8, per_tensor, scale = 1.4e-45> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// binary32 does not hold every int32.
// CHECK-LABEL: func @int32
func.func @int32(%q: tensor<4xi32>) -> tensor<4xi32> {
  // CHECK: quant.dequantize
  // CHECK: quant.quantize
  %x = quant.dequantize %q <int32, per_tensor, scale = 0.5> : tensor<4xi32> -> tensor<4xf32>
  %r = quant.quantize %x <int32, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi32>
  return %r : tensor<4xi32>
}

//===----------------------------------------------------------------------===//
// Pack and unpack
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @unpack_of_pack
// CHECK-SAME: (%[[CODES:.*]]: tensor<3xi4>)
func.func @unpack_of_pack(%q: tensor<3xi4>) -> tensor<3xi4> {
  %p = quant.pack %q <canonical> : tensor<3xi4> -> tensor<2xi8>
  %r = quant.unpack %p <canonical> : tensor<2xi8> -> tensor<3xi4>
  // CHECK-NEXT: return %[[CODES]]
  return %r : tensor<3xi4>
}

// CHECK-LABEL: func @unpack_of_pack_to_other_type
func.func @unpack_of_pack_to_other_type(%q: tensor<4xi4>) -> tensor<8xi2> {
  // CHECK: quant.pack
  // CHECK: quant.unpack
  %p = quant.pack %q <canonical> : tensor<4xi4> -> tensor<2xi8>
  %r = quant.unpack %p <canonical> : tensor<2xi8> -> tensor<8xi2>
  return %r : tensor<8xi2>
}

// CHECK-LABEL: func @pack_of_unpack
// CHECK-SAME: (%[[PACKED:.*]]: tensor<2xi8>)
func.func @pack_of_unpack(%p: tensor<2xi8>) -> tensor<2xi8> {
  %q = quant.unpack %p <canonical> : tensor<2xi8> -> tensor<2x2xi4>
  %r = quant.pack %q <canonical> : tensor<2x2xi4> -> tensor<2xi8>
  // CHECK-NEXT: return %[[PACKED]]
  return %r : tensor<2xi8>
}

// The last bits of the bytes are part of no code; packing makes them 0.
// CHECK-LABEL: func @pack_of_unpack_with_tail
func.func @pack_of_unpack_with_tail(%p: tensor<2xi8>) -> tensor<2xi8> {
  // CHECK: quant.unpack
  // CHECK: quant.pack
  %q = quant.unpack %p <canonical> : tensor<2xi8> -> tensor<3xi4>
  %r = quant.pack %q <canonical> : tensor<3xi4> -> tensor<2xi8>
  return %r : tensor<2xi8>
}

{-#
  dialect_resources: {
    builtin: {
      halves: "0x040000000000003F0000003F0000003F0000003F",
      one_to_four: "0x0100000001020304"
    }
  }
#-}
