// Every line of the verifiers and every error of the parsers.

// RUN: quant-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// Reading granularities, specs and layouts
//===----------------------------------------------------------------------===//

// expected-error @below {{per_channel expects at least one axis, found none: use per_tensor}}
func.func private @axes_none() attributes {a = #qparams.per_channel<[]>}

// -----

// expected-error @below {{per_channel expects axes counted from the front, found -1}}
func.func private @axes_negative() attributes {a = #qparams.per_channel<[-1]>}

// -----

// expected-error @below {{per_channel expects axes in ascending order, found 0 after 1}}
func.func private @axes_descending() attributes {a = #qparams.per_channel<[1, 0]>}

// -----

// expected-error @below {{per_channel expects axes in ascending order, found 1 after 1}}
func.func private @axes_twice() attributes {a = #qparams.per_channel<[1, 1]>}

// -----

// expected-error @below {{per_block expects one block size per dimension, found none: use per_tensor for a scalar}}
func.func private @blocks_none() attributes {a = #qparams.per_block<[]>}

// -----

// expected-error @below {{per_block expects positive block sizes, or -1 for the whole dimension, found 0}}
func.func private @blocks_zero() attributes {a = #qparams.per_block<[0, 1]>}

// -----

// expected-error @below {{per_block expects positive block sizes, or -1 for the whole dimension, found -2}}
func.func private @blocks_negative() attributes {a = #qparams.per_block<[-2]>}

// -----

// expected-error @below {{expected integer value}}
func.func private @axes_not_integers() attributes {a = #qparams.per_channel<[x]>}

// -----

// expected-error @below {{expected '['}}
func.func private @axes_without_brackets() attributes {a = #qparams.per_channel<0>}

// -----

// expected-error @below {{expected a granularity, found 'per_row': use per_tensor, per_channel<[axes]> or per_block<[sizes]>}}
func.func private @granularity_unknown() attributes {a = #qparams.affine<int8, per_row, scale = 0.5>}

// -----

// expected-error @below {{expected a granularity, found '': use per_tensor, per_channel<[axes]> or per_block<[sizes]>}}
func.func private @granularity_not_a_word() attributes {a = #qparams.affine<int8, 0.5>}

// -----

// expected-error @below {{expected a storage type, found 'int7': use one of int8, uint8, int4, uint4, int2, uint2, float8_e4m3fn, float8_e5m2, float4_e2m1fn, int32}}
func.func private @storage_unknown() attributes {a = #qparams.affine<int7, per_tensor, scale = 0.5>}

// -----

// expected-error @below {{expected a layout, found 'diagonal': use canonical}}
func.func private @layout_unknown() attributes {a = #qparams.layout<diagonal>}

// -----

// expected-error @below {{unknown attribute `granularity` in dialect `qparams`}}
func.func private @attribute_unknown() attributes {a = #qparams.granularity}

// -----

// expected-error @below {{expected a scheme, found 'lopsided': use one of symmetric, symmetric_with_clipping, asymmetric}}
func.func private @scheme_unknown() attributes {a = #qparams.spec<int8, lopsided>}

// -----

// expected-error @below {{expected a scale type, found 'f64': use one of f32, f16, bf16, f8E8M0FNU}}
func.func private @scale_type_unknown() attributes {a = #qparams.spec<int8, symmetric, scale_type = f64>}

// -----

// expected-error @below {{expected ','}}
func.func private @float_range_open() attributes {a = #qparams.spec<int8, symmetric, float_range = [none]>}

// -----

// expected-error @below {{expected '>'}}
func.func private @calibrator_not_last() attributes {a = #qparams.spec<int8, symmetric, percentile, per_tensor>}

// -----

//===----------------------------------------------------------------------===//
// Specs that the contract forbids
//===----------------------------------------------------------------------===//

// expected-error @below {{expected scheme symmetric for float8_e4m3fn, found asymmetric: use symmetric, or an integer storage type}}
func.func private @spec_float_asymmetric() attributes {a = #qparams.spec<float8_e4m3fn, asymmetric>}

// -----

// expected-error @below {{expected formulation zp for float8_e4m3fn, found minval: use zp, or an integer storage type}}
func.func private @spec_float_minval() attributes {a = #qparams.spec<float8_e4m3fn, symmetric, minval>}

// -----

// expected-error @below {{expected scale type f32, f16 or bf16 for int8, found f8E8M0FNU: use one of these, or a floating-point storage type}}
func.func private @spec_integer_e8m0() attributes {a = #qparams.spec<int8, symmetric, scale_type = f8E8M0FNU>}

// -----

// expected-error @below {{expected scale type f8E8M0FNU for float4_e2m1fn, found f32: use f8E8M0FNU (MXFP4), or another storage type}}
func.func private @spec_float4_f32_scale() attributes {a = #qparams.spec<float4_e2m1fn, symmetric>}

// -----

// expected-error @below {{expected a storage type of 2, 4 or 8 bits, found int32: int32 is for biases only; use int8}}
func.func private @spec_int32() attributes {a = #qparams.spec<int32, symmetric>}

// -----

// expected-error @below {{expected float_range with lo <= 0, found [1, 2]: zero is always inside a range; use 0 as its lower end}}
func.func private @spec_float_range_above_0() attributes {a = #qparams.spec<int8, symmetric, float_range = [1.0, 2.0]>}

// -----

// expected-error @below {{expected float_range with lo < hi, found [0, 0]: move an end away from 0, or use none to take it from the data}}
func.func private @spec_float_range_empty() attributes {a = #qparams.spec<int8, symmetric, float_range = [0.0, 0.0]>}

// -----

// expected-error @below {{expected finite float_range ends, found [none, inf]: give numbers, or none to take an end from the data}}
func.func private @spec_float_range_infinite() attributes {a = #qparams.spec<int8, symmetric, float_range = [none, 1.0e300]>}

// -----

//===----------------------------------------------------------------------===//
// Reading parameters
//===----------------------------------------------------------------------===//

// expected-error @below {{expected scale, zero_point or minval, found 'bias'}}
func.func private @parameter_unknown() attributes {a = #qparams.affine<int8, per_tensor, bias = 0.5>}

// -----

// expected-error @below {{'scale' is given twice}}
func.func private @parameter_twice() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, scale = 0.5>}

// -----

// expected-error @below {{expected scale as a floating-point number, dense or dense_resource elements, found 1 : i64}}
func.func private @scale_integer() attributes {a = #qparams.affine<int8, per_tensor, scale = 1>}

// -----

// expected-error @below {{expected zero_point as an integer number, dense or dense_resource elements, found 1.000000e+00 : f64}}
func.func private @zero_point_float() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, zero_point = 1.0>}

// -----

// expected-error @below {{expected a zero_point of type 'i8', found 128 : i64}}
func.func private @zero_point_too_large() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, zero_point = 128>}

// -----

// expected-error @below {{expected a zero_point of type 'ui8', found -1 : i8}}
func.func private @zero_point_negative() attributes {a = #qparams.affine<uint8, per_tensor, scale = 0.5, zero_point = -1 : i8>}

// -----

// expected-error @below {{expected a zero_point of type 'i8', found 200 : ui8}}
func.func private @zero_point_unsigned_literal() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, zero_point = 200 : ui8>}

// -----

// expected-error @below {{expected a zero_point of type 'i8', found 300000000000000000000000 : i128}}
func.func private @zero_point_huge() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, zero_point = 300000000000000000000000 : i128>}

// -----

// expected-error @below {{expected a zero_point of type 'i8', found true}}
func.func private @zero_point_bool() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, zero_point = true>}

// -----

// expected-error @below {{expected scale as a floating-point number, dense or dense_resource elements, found array<f32: 1.000000e+00>}}
func.func private @parameter_array() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = array<f32: 1.0>>}

// -----

// expected-error @below {{expected parameters as dense or dense_resource elements of a tensor type, found dense<5.000000e-01> : vector<3xf32>}}
func.func private @parameter_vector() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = dense<0.5> : vector<3xf32>>}

// -----

// expected-error @below {{expected parameters as dense or dense_resource elements of a tensor type, found sparse<}}
func.func private @parameter_sparse() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = sparse<0, 1.0> : tensor<3xf32>>}

// -----

//===----------------------------------------------------------------------===//
// Range in use
//===----------------------------------------------------------------------===//

// expected-error @below {{expected a range in use inside [-128, 127] of int8 with quant_min < quant_max, found [-129, 127]}}
func.func private @range_beyond_type() attributes {a = #qparams.affine<int8 range<[-129, 127]>, per_tensor, scale = 0.5>}

// -----

// expected-error @below {{expected a range in use inside [0, 15] of uint4 with quant_min < quant_max, found [3, 3]}}
func.func private @range_empty() attributes {a = #qparams.affine<uint4 range<[3, 3]>, per_tensor, scale = 0.5>}

// -----

// expected-error @below {{expected a range in use inside [0, 255] of uint8 with quant_min < quant_max, found [-255, 255]}}
func.func private @range_narrow_unsigned() attributes {a = #qparams.affine<uint8 narrow, per_tensor, scale = 0.5>}

// -----

// expected-error @below {{floating-point storage uses its full range, found [-100, 100]: drop the range or use an integer storage type}}
func.func private @range_of_float_storage() attributes {a = #qparams.affine<float8_e4m3fn range<[-100, 100]>, per_tensor, scale = 0.5>}

// -----

//===----------------------------------------------------------------------===//
// Which parameters go together
//===----------------------------------------------------------------------===//

// expected-error @below {{expected a zero point or a minval, found both: the formulations exclude each other}}
func.func private @zero_point_and_minval() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, zero_point = 1, minval = 0.0>}

// -----

// expected-error @below {{expected a scale beside the zero point, found none: operands give scale and zero point together}}
func.func private @zero_point_alone() attributes {a = #qparams.affine<int8, per_tensor, zero_point = 1>}

// -----

// expected-error @below {{expected a scale beside the minval, found none: operands give scale and zero point together}}
func.func private @minval_alone() attributes {a = #qparams.affine<int8, per_tensor, minval = 1.0>}

// -----

// expected-error @below {{floating-point storage is symmetric: expected a scale only, found a zero point}}
func.func private @zero_point_of_float_storage() attributes {a = #qparams.affine<float8_e4m3fn, per_tensor, scale = 0.5, zero_point = 1>}

// -----

// expected-error @below {{floating-point storage is symmetric: expected a scale only, found a minval}}
func.func private @minval_of_float_storage() attributes {a = #qparams.affine<float8_e5m2, per_tensor, scale = 0.5, minval = 1.0>}

// -----

// expected-error @below {{int32 storage is for biases: expected a scale only, found a zero point}}
func.func private @zero_point_of_int32() attributes {a = #qparams.affine<int32, per_tensor, scale = 0.5, zero_point = 0>}

// -----

// expected-error @below {{int32 storage is for biases: expected a scale only, found a minval}}
func.func private @minval_of_int32() attributes {a = #qparams.affine<int32, per_tensor, scale = 0.5, minval = 1.0>}

// -----

// expected-error @below {{float4_e2m1fn expects per_block with block size 32, found #qparams.per_tensor}}
func.func private @float4_per_tensor() attributes {a = #qparams.affine<float4_e2m1fn, per_tensor, scale = 0.5 : f8E8M0FNU>}

// -----

// expected-error @below {{float4_e2m1fn expects per_block with block size 32, found #qparams.per_block<[16, 1]>}}
func.func private @float4_other_block() attributes {a = #qparams.affine<float4_e2m1fn, per_block<[16, 1]>>}

// -----

//===----------------------------------------------------------------------===//
// Types, shapes and values of parameters
//===----------------------------------------------------------------------===//

// expected-error @below {{expected scales of type f32, f16, bf16 or f8E8M0FNU, found 'f64'}}
func.func private @scale_f64() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = dense<0.5> : tensor<3xf64>>}

// -----

// expected-error @below {{f8E8M0FNU scales are for floating-point storage: expected f32, f16 or bf16 scales for int8}}
func.func private @scale_e8m0_of_integers() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5 : f8E8M0FNU>}

// -----

// expected-error @below {{float4_e2m1fn expects f8E8M0FNU scales, found 'f32'}}
func.func private @scale_f32_of_float4() attributes {a = #qparams.affine<float4_e2m1fn, per_block<[32]>, scale = dense<0.5> : tensor<3xf32>>}

// -----

// expected-error @below {{expected zero points of type 'ui8' for uint8, found 'i8'}}
func.func private @zero_point_sign() attributes {a = #qparams.affine<uint8, per_channel<[0]>, scale = dense<0.5> : tensor<3xf32>, zero_point = dense<1> : tensor<3xi8>>}

// -----

// expected-error @below {{expected minvals of type f32, f16 or bf16, found 'f8E8M0FNU'}}
func.func private @minval_e8m0() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, minval = 0.5 : f8E8M0FNU>}

// -----

// expected-error @below {{expected minvals of type f32, f16 or bf16, found 'i8'}}
func.func private @minval_integers() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, minval = dense<1> : tensor<i8>>}

// -----

// expected-error @below {{per_tensor expects a scalar scale, found the shape [1, 1]}}
func.func private @per_tensor_with_shape() attributes {a = #qparams.affine<int8, per_tensor, scale = dense<0.5> : tensor<1x1xf32>>}

// -----

// expected-error @below {{expected a zero point of the scale's shape [3], found [4]}}
func.func private @zero_point_shape() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = dense<0.5> : tensor<3xf32>, zero_point = dense<1> : tensor<4xi8>>}

// -----

// expected-error @below {{expected a minval of the scale's shape [3], found []}}
func.func private @minval_shape() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = dense<0.5> : tensor<3xf32>, minval = 0.5>}

// -----

// expected-error @below {{expected scales that are positive and finite, found 0.000000e+00 at index 0}}
func.func private @scale_zero() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.0>}

// -----

// expected-error @below {{expected scales that are positive and finite, found -1.000000e+00 at index 1}}
func.func private @scale_negative() attributes {a = #qparams.affine<int8, per_channel<[0]>, scale = dense<[1.0, -1.0]> : tensor<2xf32>>}

// -----

// expected-error @below {{expected scales that are positive and finite, found INF at index 0}}
func.func private @scale_infinite() attributes {a = #qparams.affine<int8, per_tensor, scale = 1.0e300>}

// -----

// expected-error @below {{expected scales that are positive and finite, found nan at index 0}}
func.func private @scale_nan() attributes {a = #qparams.affine<int8, per_tensor, scale = 0x7FC00000 : f32>}

// -----

// expected-error @below {{expected scales that are positive and finite, found nan at index 0}}
func.func private @scale_e8m0_nan() attributes {a = #qparams.affine<float8_e5m2, per_channel<[0]>, scale = dense<"0xFF"> : tensor<1xf8E8M0FNU>>}

// -----

// expected-error @below {{expected zero points in the range in use [-8, 7], found 9 at index 0}}
func.func private @zero_point_outside_range() attributes {a = #qparams.affine<int4, per_tensor, scale = 0.5, zero_point = 9>}

// -----

// expected-error @below {{expected zero points in the range in use [-127, 127], found -128 at index 1}}
func.func private @zero_point_outside_narrow() attributes {a = #qparams.affine<int8 narrow, per_channel<[0]>, scale = dense<0.5> : tensor<2xf32>, zero_point = dense<[0, -128]> : tensor<2xi8>>}

// -----

// expected-error @below {{expected finite minvals, found -INF at index 0}}
func.func private @minval_infinite() attributes {a = #qparams.affine<int8, per_tensor, scale = 0.5, minval = -1.0e300>}

// -----

//===----------------------------------------------------------------------===//
// Parameters and tensors
//===----------------------------------------------------------------------===//

func.func @element_type(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.quantize' op expected codes of type 'i8', the storage type of the parameters, found 'i4'}}
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi4>
  return
}

// -----

func.func @element_type_dequantize(%q: tensor<4xf8E5M2>) {
  // expected-error @below {{'quant.dequantize' op expected codes of type 'f8E4M3FN', the storage type of the parameters, found 'f8E5M2'}}
  %x = quant.dequantize %q <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4xf8E5M2> -> tensor<4xf32>
  return
}

// -----

func.func @expressed_f64(%x: tensor<4xf64>) {
  // expected-error @below {{operand #0 must be ranked tensor of 32-bit float or 16-bit float or bfloat16 type values, but got 'tensor<4xf64>'}}
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf64> -> tensor<4xi8>
  return
}

// -----

func.func @expressed_unranked(%x: tensor<*xf32>) {
  // expected-error @below {{custom op 'quant.quantize' invalid kind of type specified: expected builtin.tensor, but found 'tensor<*xf32>'}}
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<*xf32> -> tensor<4xi8>
  return
}

// -----

func.func @shapes_differ(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.quantize' op expected values and codes of one shape, found 'tensor<4xf32>' and 'tensor<?xi8>'}}
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<?xi8>
  return
}

// -----

func.func @axis_beyond_rank(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.quantize' op per_channel expects axes below the rank 1, found 1}}
  %q = quant.quantize %x <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x4xf32>> : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @blocks_of_other_rank(%q: tensor<4x4xi8>) {
  // expected-error @below {{'quant.dequantize' op per_block expects one block size per dimension (2), found 1}}
  %x = quant.dequantize %q <int8, per_block<[2]>, scale = dense<0.5> : tensor<2xf32>> : tensor<4x4xi8> -> tensor<4x4xf32>
  return
}

// -----

func.func @scale_shape_per_channel(%q: tensor<4x6xi8>) {
  // expected-error @below {{'quant.dequantize' op expected scales of shape [1, 6] for a tensor of shape [4, 6] and granularity #qparams.per_channel<[1]>, found [6]}}
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<0.5> : tensor<6xf32>> : tensor<4x6xi8> -> tensor<4x6xf32>
  return
}

// -----

func.func @scale_shape_per_block(%q: tensor<5x3xi8>) {
  // expected-error @below {{'quant.dequantize' op expected scales of shape [3, 3] for a tensor of shape [5, 3] and granularity #qparams.per_block<[2, 1]>, found [2, 3]}}
  %x = quant.dequantize %q <int8, per_block<[2, 1]>, scale = dense<0.5> : tensor<2x3xf32>> : tensor<5x3xi8> -> tensor<5x3xf32>
  return
}

// -----

func.func @scale_shape_empty(%q: tensor<0x3xi8>) {
  // expected-error @below {{'quant.dequantize' op expected scales of shape [0, 3] for a tensor of shape [0, 3] and granularity #qparams.per_channel<[1]>, found [1, 3]}}
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x3xf32>> : tensor<0x3xi8> -> tensor<0x3xf32>
  return
}

// -----

func.func @dynamic_dimension_split(%x: tensor<?x6xf32>) {
  // expected-error @below {{'quant.quantize' op a dynamic dimension cannot be split by constant parameters (dimension 0): pass scale and zero point as operands, or use a granularity that takes the whole dimension}}
  %q = quant.quantize %x <int8, per_channel<[0]>, scale = dense<0.5> : tensor<4x1xf32>> : tensor<?x6xf32> -> tensor<?x6xi8>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

func.func @scale_missing(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.quantize' op expected a scale, found none: give it in the parameters or as an operand}}
  %q = quant.quantize %x <int8, per_tensor> : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @scale_twice(%x: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error @below {{'quant.quantize' op expected one scale, found one in the parameters and one as an operand: drop either}}
  %q = quant.quantize %x scale(%s : tensor<f32>) <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @zero_point_operand_alone(%x: tensor<4xf32>, %z: tensor<i32>) {
  // expected-error @below {{'quant.quantize' op expected a scale operand beside the zero point operand, found none: give both as operands or both in the parameters}}
  %q = quant.quantize %x zero_point(%z : tensor<i32>) <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @zero_point_operand_of_float_storage(%x: tensor<4xf32>, %s: tensor<f32>, %z: tensor<i32>) {
  // expected-error @below {{'quant.quantize' op floating-point storage is symmetric: expected a scale only, found a zero point}}
  %q = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <float8_e5m2, per_tensor> : tensor<4xf32> -> tensor<4xf8E5M2>
  return
}

// -----

func.func @zero_point_operand_of_int32(%q: tensor<4xi32>, %s: tensor<f32>, %z: tensor<i32>) {
  // expected-error @below {{'quant.dequantize' op int32 storage is for biases: expected a scale only, found a zero point}}
  %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) <int32, per_tensor> : tensor<4xi32> -> tensor<4xf32>
  return
}

// -----

func.func @e8m0_operand_of_integers(%x: tensor<4xf32>, %s: tensor<f8E8M0FNU>) {
  // expected-error @below {{'quant.quantize' op f8E8M0FNU scales are for floating-point storage: expected f32, f16 or bf16 scales}}
  %q = quant.quantize %x scale(%s : tensor<f8E8M0FNU>) <int8, per_tensor> : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @f32_operand_of_float4(%x: tensor<64xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'quant.quantize' op float4_e2m1fn expects f8E8M0FNU scales, found 'f32'}}
  %q = quant.quantize %x scale(%s : tensor<2xf32>) <float4_e2m1fn, per_block<[32]>> : tensor<64xf32> -> tensor<64xf4E2M1FN>
  return
}

// -----

func.func @zero_point_operand_type(%x: tensor<4xf32>, %s: tensor<f32>, %z: tensor<i8>) {
  // expected-error @below {{operand #2 must be ranked tensor of 32-bit signless integer values, but got 'tensor<i8>'}}
  %q = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i8>) <int8, per_tensor> : tensor<4xf32> -> tensor<4xi8>
  return
}

// -----

func.func @scale_operand_shape(%x: tensor<4x6xf32>, %s: tensor<4xf32>) {
  // expected-error @below {{'quant.quantize' op expected a scale operand of type 'tensor<4x1xf32>' for granularity #qparams.per_channel<[0]>, found 'tensor<4xf32>'}}
  %q = quant.quantize %x scale(%s : tensor<4xf32>) <int8, per_channel<[0]>> : tensor<4x6xf32> -> tensor<4x6xi8>
  return
}

// -----

func.func @scale_operand_rank_per_tensor(%x: tensor<4x6xf32>, %s: tensor<1xf32>) {
  // expected-error @below {{'quant.quantize' op expected a scale operand of type 'tensor<f32>' for granularity #qparams.per_tensor, found 'tensor<1xf32>'}}
  %q = quant.quantize %x scale(%s : tensor<1xf32>) <int8, per_tensor> : tensor<4x6xf32> -> tensor<4x6xi8>
  return
}

// -----

func.func @zero_point_operand_shape(%x: tensor<4x6xf32>, %s: tensor<4x1xf32>, %z: tensor<1x1xi32>) {
  // expected-error @below {{'quant.quantize' op expected a zero point operand of type 'tensor<4x1xi32>' for granularity #qparams.per_channel<[0]>, found 'tensor<1x1xi32>'}}
  %q = quant.quantize %x scale(%s : tensor<4x1xf32>) zero_point(%z : tensor<1x1xi32>) <int8, per_channel<[0]>> : tensor<4x6xf32> -> tensor<4x6xi8>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Pack and unpack
//===----------------------------------------------------------------------===//

func.func @pack_wide_codes(%q: tensor<4xi32>) {
  // expected-error @below {{'quant.pack' op expected codes of at most 8 bits, found 'i32'}}
  %p = quant.pack %q <canonical> : tensor<4xi32> -> tensor<16xi8>
  return
}

// -----

func.func @pack_dynamic(%q: tensor<?xi4>) {
  // expected-error @below {{'quant.pack' op expected static shapes, found 'tensor<?xi4>' and 'tensor<2xi8>'}}
  %p = quant.pack %q <canonical> : tensor<?xi4> -> tensor<2xi8>
  return
}

// -----

func.func @unpack_dynamic(%p: tensor<?xi8>) {
  // expected-error @below {{'quant.unpack' op expected static shapes, found 'tensor<4xi4>' and 'tensor<?xi8>'}}
  %q = quant.unpack %p <canonical> : tensor<?xi8> -> tensor<4xi4>
  return
}

// -----

func.func @pack_size(%q: tensor<3xi4>) {
  // expected-error @below {{'quant.pack' op expected 2 bytes for 'tensor<3xi4>', found 'tensor<3xi8>'}}
  %p = quant.pack %q <canonical> : tensor<3xi4> -> tensor<3xi8>
  return
}

// -----

func.func @unpack_size(%p: tensor<2xi8>) {
  // expected-error @below {{'quant.unpack' op expected 1 bytes for 'tensor<3xi2>', found 'tensor<2xi8>'}}
  %q = quant.unpack %p <canonical> : tensor<2xi8> -> tensor<3xi2>
  return
}

// -----

func.func @packed_rank(%q: tensor<3xi4>) {
  // expected-error @below {{result #0 must be 1D tensor of 8-bit signless integer values, but got 'tensor<1x2xi8>'}}
  %p = quant.pack %q <canonical> : tensor<3xi4> -> tensor<1x2xi8>
  return
}

// -----

func.func @pack_layout(%q: tensor<3xi4>) {
  // expected-error @below {{expected a layout, found 'blocked': use canonical}}
  %p = quant.pack %q <blocked> : tensor<3xi4> -> tensor<2xi8>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Observers
//===----------------------------------------------------------------------===//

func.func @observe_without_id(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.observe' op expected an id, found an empty one: name the value, such as "conv1.out0"}}
  %0 = quant.observe %x "" <int8, symmetric> : tensor<4xf32>
  return
}

// -----

func.func @observe_minval(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.observe' op minval is for weights: expected the formulation zp}}
  %0 = quant.observe %x "a" <int8, asymmetric, minval> : tensor<4xf32>
  return
}

// -----

func.func @observe_other_rank(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.observe' op per_channel expects axes below the rank}}
  %0 = quant.observe %x "a" <int8, symmetric, per_channel<[1]>> : tensor<4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Dynamic range
//===----------------------------------------------------------------------===//

func.func @range_minval(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.dynamic_range' op minval is for weights: expected the formulation zp}}
  %s = quant.dynamic_range %x <int8, asymmetric, minval> : tensor<4xf32> -> tensor<f32>
  return
}

// -----

func.func @range_calibrator(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.dynamic_range' op the range is that of the input at run time: expected no calibrator, found 'percentile'}}
  %s = quant.dynamic_range %x <int8, symmetric, percentile> : tensor<4xf32> -> tensor<f32>
  return
}

// -----

func.func @range_fp4_without_blocks(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.dynamic_range' op expected per_block with block size 32 for float4_e2m1fn, found no block size}}
  %s = quant.dynamic_range %x <float4_e2m1fn, symmetric, scale_type = f8E8M0FNU> : tensor<4xf32> -> tensor<f8E8M0FNU>
  return
}

// -----

func.func @range_integer_with_e8m0(%x: tensor<4xf32>) {
  // expected-error @below {{expected scale type f32, f16 or bf16 for int8, found f8E8M0FNU}}
  %s = quant.dynamic_range %x <int8, symmetric, scale_type = f8E8M0FNU> : tensor<4xf32> -> tensor<f8E8M0FNU>
  return
}

// -----

func.func @range_other_rank(%x: tensor<4xf32>) {
  // expected-error @below {{'quant.dynamic_range' op per_channel expects axes below the rank}}
  %s = quant.dynamic_range %x <int8, symmetric, per_channel<[1]>> : tensor<4xf32> -> tensor<f32>
  return
}

// -----

func.func @range_scale_shape(%x: tensor<4x70xf32>) {
  // expected-error @below {{'quant.dynamic_range' op expected a scale of type 'tensor<4x1xf32>' for its input and spec, found 'tensor<4x70xf32>'}}
  %s = quant.dynamic_range %x <int8, symmetric, per_channel<[0]>> : tensor<4x70xf32> -> tensor<4x70xf32>
  return
}

// -----

func.func @range_scale_type(%x: tensor<4x70xf32>) {
  // expected-error @below {{'quant.dynamic_range' op expected a scale of type 'tensor<f16>' for its input and spec, found 'tensor<f32>'}}
  %s = quant.dynamic_range %x <int8, symmetric, scale_type = f16> : tensor<4x70xf32> -> tensor<f32>
  return
}

// -----

func.func @range_zero_point_shape(%x: tensor<4x70xf32>) {
  // expected-error @below {{'quant.dynamic_range' op expected a zero point of type 'tensor<4x1xi32>' for its input and spec, found 'tensor<1x4xi32>'}}
  %s, %z = quant.dynamic_range %x <int8, asymmetric, per_channel<[0]>> : tensor<4x70xf32> -> tensor<4x1xf32>, tensor<1x4xi32>
  return
}

// -----

func.func @range_zero_point_missing(%x: tensor<4x70xf32>) {
  // expected-error @below {{'quant.dynamic_range' op expected a zero point beside the scale, found none: this storage and scheme need one}}
  %s = quant.dynamic_range %x <uint8, symmetric> : tensor<4x70xf32> -> tensor<f32>
  return
}

// -----

func.func @range_zero_point_always_zero(%x: tensor<4x70xf32>) {
  // expected-error @below {{'quant.dynamic_range' op the zero point is always 0 here: expected a scale only, found a zero point}}
  %s, %z = quant.dynamic_range %x <int8, symmetric> : tensor<4x70xf32> -> tensor<f32>, tensor<i32>
  return
}
