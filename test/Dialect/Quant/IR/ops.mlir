// Every operation and every form of its attributes, read and printed as text
// (custom and generic) and as bytecode.

// RUN: quant-opt %s | FileCheck %s
// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt --emit-bytecode | quant-opt | FileCheck %s

//===----------------------------------------------------------------------===//
// Storage types
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @storage_int8
func.func @storage_int8(%x: tensor<4x6xf32>) -> tensor<4x6xi8> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 5.000000e-02, zero_point = -3> : tensor<4x6xf32> -> tensor<4x6xi8>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<4x6xf32> -> tensor<4x6xi8>
  return %q : tensor<4x6xi8>
}

// CHECK-LABEL: func @storage_uint8
func.func @storage_uint8(%x: tensor<4x6xf32>) -> tensor<4x6xi8> {
  // CHECK: quant.quantize %{{.*}} <uint8, per_tensor, scale = 5.000000e-01, zero_point = 255> : tensor<4x6xf32> -> tensor<4x6xi8>
  %q = quant.quantize %x <uint8, per_tensor, scale = 0.5, zero_point = 255> : tensor<4x6xf32> -> tensor<4x6xi8>
  return %q : tensor<4x6xi8>
}

// CHECK-LABEL: func @storage_int4
func.func @storage_int4(%x: tensor<4x6xf32>) -> tensor<4x6xi4> {
  // CHECK: quant.quantize %{{.*}} <int4, per_tensor, scale = 5.000000e-01, zero_point = -8> : tensor<4x6xf32> -> tensor<4x6xi4>
  %q = quant.quantize %x <int4, per_tensor, scale = 0.5, zero_point = -8> : tensor<4x6xf32> -> tensor<4x6xi4>
  return %q : tensor<4x6xi4>
}

// CHECK-LABEL: func @storage_uint4
func.func @storage_uint4(%x: tensor<4x6xf32>) -> tensor<4x6xi4> {
  // CHECK: quant.quantize %{{.*}} <uint4, per_tensor, scale = 5.000000e-01, zero_point = 15> : tensor<4x6xf32> -> tensor<4x6xi4>
  %q = quant.quantize %x <uint4, per_tensor, scale = 0.5, zero_point = 15> : tensor<4x6xf32> -> tensor<4x6xi4>
  return %q : tensor<4x6xi4>
}

// CHECK-LABEL: func @storage_int2
func.func @storage_int2(%x: tensor<4x6xf32>) -> tensor<4x6xi2> {
  // CHECK: quant.quantize %{{.*}} <int2, per_tensor, scale = 5.000000e-01> : tensor<4x6xf32> -> tensor<4x6xi2>
  %q = quant.quantize %x <int2, per_tensor, scale = 0.5> : tensor<4x6xf32> -> tensor<4x6xi2>
  return %q : tensor<4x6xi2>
}

// CHECK-LABEL: func @storage_uint2
func.func @storage_uint2(%x: tensor<4x6xf32>) -> tensor<4x6xi2> {
  // CHECK: quant.quantize %{{.*}} <uint2, per_tensor, scale = 5.000000e-01, zero_point = 3> : tensor<4x6xf32> -> tensor<4x6xi2>
  %q = quant.quantize %x <uint2, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x6xf32> -> tensor<4x6xi2>
  return %q : tensor<4x6xi2>
}

// CHECK-LABEL: func @storage_int32
func.func @storage_int32(%q: tensor<6xi32>) -> tensor<6xf32> {
  // CHECK: quant.dequantize %{{.*}} <int32, per_channel<[0]>, scale = dense<2.500000e-01> : tensor<6xf32>> : tensor<6xi32> -> tensor<6xf32>
  %x = quant.dequantize %q <int32, per_channel<[0]>, scale = dense<0.25> : tensor<6xf32>> : tensor<6xi32> -> tensor<6xf32>
  return %x : tensor<6xf32>
}

// CHECK-LABEL: func @storage_float8_e4m3fn
func.func @storage_float8_e4m3fn(%x: tensor<4x6xf32>) -> tensor<4x6xf8E4M3FN> {
  // CHECK: quant.quantize %{{.*}} <float8_e4m3fn, per_tensor, scale = 5.000000e-01> : tensor<4x6xf32> -> tensor<4x6xf8E4M3FN>
  %q = quant.quantize %x <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4x6xf32> -> tensor<4x6xf8E4M3FN>
  return %q : tensor<4x6xf8E4M3FN>
}

// CHECK-LABEL: func @storage_float8_e5m2
func.func @storage_float8_e5m2(%x: tensor<4x6xf32>) -> tensor<4x6xf8E5M2> {
  // CHECK: quant.quantize %{{.*}} <float8_e5m2, per_tensor, scale = 5.000000e-01 : f8E8M0FNU> : tensor<4x6xf32> -> tensor<4x6xf8E5M2>
  %q = quant.quantize %x <float8_e5m2, per_tensor, scale = 0.5 : f8E8M0FNU> : tensor<4x6xf32> -> tensor<4x6xf8E5M2>
  return %q : tensor<4x6xf8E5M2>
}

// CHECK-LABEL: func @storage_float4_e2m1fn
func.func @storage_float4_e2m1fn(%q: tensor<64x2xf4E2M1FN>) -> tensor<64x2xf32> {
  // CHECK: quant.dequantize %{{.*}} <float4_e2m1fn, per_block<[32, 1]>, scale = dense<{{.*}}> : tensor<2x2xf8E8M0FNU>> : tensor<64x2xf4E2M1FN> -> tensor<64x2xf32>
  %x = quant.dequantize %q <float4_e2m1fn, per_block<[32, 1]>, scale = dense<[[0.5, 1.0], [2.0, 4.0]]> : tensor<2x2xf8E8M0FNU>> : tensor<64x2xf4E2M1FN> -> tensor<64x2xf32>
  return %x : tensor<64x2xf32>
}

//===----------------------------------------------------------------------===//
// Expressed types and the range in use
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @expressed_f16
func.func @expressed_f16(%x: tensor<4xf16>) -> tensor<4xi8> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 5.000000e-01 : f16> : tensor<4xf16> -> tensor<4xi8>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5 : f16> : tensor<4xf16> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// CHECK-LABEL: func @expressed_bf16
func.func @expressed_bf16(%x: tensor<4xbf16>) -> tensor<4xi8> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 5.000000e-01 : bf16> : tensor<4xbf16> -> tensor<4xi8>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5 : bf16> : tensor<4xbf16> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// CHECK-LABEL: func @range_narrow
func.func @range_narrow(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: <int8 narrow, per_tensor, scale
  %q = quant.quantize %x <int8 narrow, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// A range that says the same as narrow prints as narrow.
// CHECK-LABEL: func @range_narrow_spelled_out
func.func @range_narrow_spelled_out(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: <int8 narrow, per_tensor, scale
  %q = quant.quantize %x <int8 range<[-127, 127]>, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// CHECK-LABEL: func @range_full_spelled_out
func.func @range_full_spelled_out(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: <int8, per_tensor, scale
  %q = quant.quantize %x <int8 range<[-128, 127]>, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// Symmetric, but not the type's narrow range.
// CHECK-LABEL: func @range_of_its_own
func.func @range_of_its_own(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: <int8 range<[-100, 100]>, per_tensor, scale
  %q = quant.quantize %x <int8 range<[-100, 100]>, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// CHECK-LABEL: func @range_unsigned
func.func @range_unsigned(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: <uint8 range<[1, 254]>, per_tensor, scale = 5.000000e-01, zero_point = 1>
  %q = quant.quantize %x <uint8 range<[1, 254]>, per_tensor, scale = 0.5, zero_point = 1> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @scale_dense
func.func @scale_dense(%q: tensor<2x3xi8>) -> tensor<2x3xf32> {
  // CHECK: <int8, per_channel<[1]>, scale = dense<{{\[\[}}5.000000e-01, 2.500000e-01, 1.000000e+00]]> : tensor<1x3xf32>>
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25, 1.0]]> : tensor<1x3xf32>> : tensor<2x3xi8> -> tensor<2x3xf32>
  return %x : tensor<2x3xf32>
}

// CHECK-LABEL: func @zero_point_dense
func.func @zero_point_dense(%q: tensor<2x3xi8>) -> tensor<2x3xf32> {
  // CHECK: zero_point = dense<{{\[\[}}-128, 0, 127]]> : tensor<1x3xi8>>
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x3xf32>, zero_point = dense<[[-128, 0, 127]]> : tensor<1x3xi8>> : tensor<2x3xi8> -> tensor<2x3xf32>
  return %x : tensor<2x3xf32>
}

// CHECK-LABEL: func @zero_point_dense_unsigned
func.func @zero_point_dense_unsigned(%q: tensor<2x3xi4>) -> tensor<2x3xf32> {
  // CHECK: zero_point = dense<{{\[\[}}0, 8, 15]]> : tensor<1x3xui8>>
  %x = quant.dequantize %q <uint4, per_channel<[1]>, scale = dense<0.5> : tensor<1x3xf32>, zero_point = dense<[[0, 8, 15]]> : tensor<1x3xui8>> : tensor<2x3xi4> -> tensor<2x3xf32>
  return %x : tensor<2x3xf32>
}

// CHECK-LABEL: func @minval_scalar
func.func @minval_scalar(%q: tensor<4xi8>) -> tensor<4xf32> {
  // CHECK: <uint8, per_tensor, scale = 5.000000e-01, minval = -1.000000e+00>
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5, minval = -1.0> : tensor<4xi8> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func @minval_dense
func.func @minval_dense(%q: tensor<70x24xi4>) -> tensor<70x24xf32> {
  // CHECK: <uint4, per_block<[32, 1]>, scale = dense<5.000000e-01> : tensor<3x24xf16>, minval = dense<-1.000000e+00> : tensor<3x24xf16>>
  %x = quant.dequantize %q <uint4, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x24xf16>, minval = dense<-1.0> : tensor<3x24xf16>> : tensor<70x24xi4> -> tensor<70x24xf32>
  return %x : tensor<70x24xf32>
}

// CHECK-LABEL: func @parameters_in_any_order
func.func @parameters_in_any_order(%q: tensor<4xi8>) -> tensor<4xf32> {
  // CHECK: <int8, per_tensor, scale = 5.000000e-01, zero_point = 1>
  %x = quant.dequantize %q <int8, per_tensor, zero_point = 1, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// A typed integer is read by its value, whatever its width and sign.
// CHECK-LABEL: func @zero_point_typed
func.func @zero_point_typed(%q: tensor<4xi8>) -> tensor<4xf32> {
  // CHECK: <int8, per_tensor, scale = 5.000000e-01, zero_point = -3>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = -3 : i4> : tensor<4xi8> -> tensor<4xf32>
  // CHECK: <uint8, per_tensor, scale = 5.000000e-01, zero_point = 200>
  %y = quant.dequantize %q <uint8, per_tensor, scale = 0.5, zero_point = 200 : ui8> : tensor<4xi8> -> tensor<4xf32>
  return %x : tensor<4xf32>
}

// Scales whose decimal form is long, and the smallest ones, come back as they
// were.
// CHECK-LABEL: func @scale_exact
func.func @scale_exact(%q: tensor<4xi8>, %f: tensor<4xf8E5M2>) -> tensor<4xf32> {
  // CHECK: scale = 0.00392156886
  %0 = quant.dequantize %q <int8, per_tensor, scale = 0.00392156886> : tensor<4xi8> -> tensor<4xf32>
  // CHECK: scale = 1.401300e-45
  %1 = quant.dequantize %q <int8, per_tensor, scale = 1.4e-45> : tensor<4xi8> -> tensor<4xf32>
  // CHECK: scale = 3.40282347E+38
  %2 = quant.dequantize %q <int8, per_tensor, scale = 3.40282347e38> : tensor<4xi8> -> tensor<4xf32>
  // CHECK: scale = 5.960460e-08 : f16
  %3 = quant.dequantize %q <int8, per_tensor, scale = 5.96e-8 : f16> : tensor<4xi8> -> tensor<4xf32>
  // CHECK: scale = 5.877470e-39 : f8E8M0FNU
  %4 = quant.dequantize %f <float8_e5m2, per_tensor, scale = 5.877472e-39 : f8E8M0FNU> : tensor<4xf8E5M2> -> tensor<4xf32>
  // CHECK: scale = 1.701410e+38 : f8E8M0FNU
  %5 = quant.dequantize %f <float8_e5m2, per_tensor, scale = 1.7014118e38 : f8E8M0FNU> : tensor<4xf8E5M2> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @resources
func.func @resources(%q: tensor<2x3xi8>, %u: tensor<4xi8>) -> tensor<2x3xf32> {
  // CHECK: scale = dense_resource<scales> : tensor<1x3xf32>, zero_point = dense_resource<zeros> : tensor<1x3xi8>
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense_resource<scales> : tensor<1x3xf32>, zero_point = dense_resource<zeros> : tensor<1x3xi8>> : tensor<2x3xi8> -> tensor<2x3xf32>
  // CHECK: scale = dense_resource<scale> : tensor<f32>, minval = dense_resource<minval> : tensor<bf16>
  %y = quant.dequantize %u <uint8, per_tensor, scale = dense_resource<scale> : tensor<f32>, minval = dense_resource<minval> : tensor<bf16>> : tensor<4xi8> -> tensor<4xf32>
  return %x : tensor<2x3xf32>
}

//===----------------------------------------------------------------------===//
// Granularity
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @per_channel_several_axes
func.func @per_channel_several_axes(%q: tensor<3x3x2x4xi8>) -> tensor<3x3x2x4xf32> {
  // CHECK: per_channel<[2, 3]>, scale = dense<5.000000e-01> : tensor<1x1x2x4xf32>
  %x = quant.dequantize %q <int8, per_channel<[2, 3]>, scale = dense<0.5> : tensor<1x1x2x4xf32>> : tensor<3x3x2x4xi8> -> tensor<3x3x2x4xf32>
  return %x : tensor<3x3x2x4xf32>
}

// CHECK-LABEL: func @per_block_ragged
func.func @per_block_ragged(%q: tensor<5x3xi8>) -> tensor<5x3xf32> {
  // CHECK: per_block<[2, -1]>, scale = dense<5.000000e-01> : tensor<3x1xf32>
  %x = quant.dequantize %q <int8, per_block<[2, -1]>, scale = dense<0.5> : tensor<3x1xf32>> : tensor<5x3xi8> -> tensor<5x3xf32>
  return %x : tensor<5x3xf32>
}

// CHECK-LABEL: func @per_block_larger_than_dimension
func.func @per_block_larger_than_dimension(%q: tensor<5x3xi8>) -> tensor<5x3xf32> {
  // CHECK: per_block<[9223372036854775807, 1]>
  %x = quant.dequantize %q <int8, per_block<[9223372036854775807, 1]>, scale = dense<0.5> : tensor<1x3xf32>> : tensor<5x3xi8> -> tensor<5x3xf32>
  return %x : tensor<5x3xf32>
}

// CHECK-LABEL: func @rank_0
func.func @rank_0(%x: tensor<f32>) -> tensor<f32> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 5.000000e-01> : tensor<f32> -> tensor<i8>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<f32> -> tensor<i8>
  %y = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<i8> -> tensor<f32>
  return %y : tensor<f32>
}

// CHECK-LABEL: func @empty_dimension
func.func @empty_dimension(%x: tensor<0x3xf32>, %s: tensor<0x1xf32>) -> tensor<0x3xi8> {
  // CHECK: scale = dense<> : tensor<0x3xf32>
  %q = quant.quantize %x <int8, per_channel<[1]>, scale = dense<> : tensor<0x3xf32>> : tensor<0x3xf32> -> tensor<0x3xi8>
  // CHECK: scale = dense<> : tensor<0x1xf32>
  %r = quant.quantize %x <int8, per_channel<[0]>, scale = dense<> : tensor<0x1xf32>> : tensor<0x3xf32> -> tensor<0x3xi8>
  // CHECK: scale(%{{.*}} : tensor<0x1xf32>)
  %t = quant.quantize %x scale(%s : tensor<0x1xf32>) <int8, per_channel<[0]>> : tensor<0x3xf32> -> tensor<0x3xi8>
  return %q : tensor<0x3xi8>
}

// CHECK-LABEL: func @high_rank
func.func @high_rank(%x: tensor<1x1x1x1x1x1x1x1x1x1x1x2xf32>) -> tensor<1x1x1x1x1x1x1x1x1x1x1x2xi8> {
  // CHECK: per_channel<[11]>
  %q = quant.quantize %x <int8, per_channel<[11]>, scale = dense<0.5> : tensor<1x1x1x1x1x1x1x1x1x1x1x2xf32>> : tensor<1x1x1x1x1x1x1x1x1x1x1x2xf32> -> tensor<1x1x1x1x1x1x1x1x1x1x1x2xi8>
  return %q : tensor<1x1x1x1x1x1x1x1x1x1x1x2xi8>
}

//===----------------------------------------------------------------------===//
// Dynamic shapes and dynamic quantization
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @dynamic_shape
func.func @dynamic_shape(%x: tensor<?x6xf32>) -> tensor<?x6xi8> {
  // CHECK: <int8, per_tensor, scale = 5.000000e-01> : tensor<?x6xf32> -> tensor<?x6xi8>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<?x6xf32> -> tensor<?x6xi8>
  // CHECK: per_channel<[1]>, scale = dense<5.000000e-01> : tensor<1x6xf32>> : tensor<?x6xi8> -> tensor<?x6xf32>
  %y = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x6xf32>> : tensor<?x6xi8> -> tensor<?x6xf32>
  return %q : tensor<?x6xi8>
}

// CHECK-LABEL: func @scale_operand
func.func @scale_operand(%x: tensor<4x6xf32>, %s: tensor<f32>) -> tensor<4x6xf32> {
  // CHECK: quant.quantize %{{.*}} scale(%{{.*}} : tensor<f32>) <int8, per_tensor> : tensor<4x6xf32> -> tensor<4x6xi8>
  %q = quant.quantize %x scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4x6xf32> -> tensor<4x6xi8>
  // CHECK: quant.dequantize %{{.*}} scale(%{{.*}} : tensor<f32>) <int8, per_tensor> : tensor<4x6xi8> -> tensor<4x6xf32>
  %y = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4x6xi8> -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// CHECK-LABEL: func @zero_point_operand
func.func @zero_point_operand(%x: tensor<?x6xf32>, %s: tensor<?x1xf32>, %z: tensor<?x1xi32>) -> tensor<?x6xi8> {
  // CHECK: quant.quantize %{{.*}} scale(%{{.*}} : tensor<?x1xf32>) zero_point(%{{.*}} : tensor<?x1xi32>) <uint8, per_channel<[0]>> : tensor<?x6xf32> -> tensor<?x6xi8>
  %q = quant.quantize %x scale(%s : tensor<?x1xf32>) zero_point(%z : tensor<?x1xi32>) <uint8, per_channel<[0]>> : tensor<?x6xf32> -> tensor<?x6xi8>
  return %q : tensor<?x6xi8>
}

// Where shapes are not known they are not compared.
// CHECK-LABEL: func @scale_operand_of_dynamic_shape
func.func @scale_operand_of_dynamic_shape(%x: tensor<4x6xf32>, %s: tensor<?x?xf32>) -> tensor<4x6xi8> {
  // CHECK: scale(%{{.*}} : tensor<?x?xf32>)
  %q = quant.quantize %x scale(%s : tensor<?x?xf32>) <int8, per_block<[1, 3]>> : tensor<4x6xf32> -> tensor<4x6xi8>
  return %q : tensor<4x6xi8>
}

// CHECK-LABEL: func @scale_operand_of_dynamic_blocks
func.func @scale_operand_of_dynamic_blocks(%x: tensor<4x?xf32>, %s: tensor<4x?xf16>) -> tensor<4x?xi8> {
  // CHECK: scale(%{{.*}} : tensor<4x?xf16>) <int8, per_block<[1, 32]>>
  %q = quant.quantize %x scale(%s : tensor<4x?xf16>) <int8, per_block<[1, 32]>> : tensor<4x?xf32> -> tensor<4x?xi8>
  return %q : tensor<4x?xi8>
}

// CHECK-LABEL: func @e8m0_scale_operand
func.func @e8m0_scale_operand(%x: tensor<4x64xf32>, %s: tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN> {
  // CHECK: scale(%{{.*}} : tensor<4x2xf8E8M0FNU>) <float4_e2m1fn, per_block<[1, 32]>>
  %q = quant.quantize %x scale(%s : tensor<4x2xf8E8M0FNU>) <float4_e2m1fn, per_block<[1, 32]>> : tensor<4x64xf32> -> tensor<4x64xf4E2M1FN>
  return %q : tensor<4x64xf4E2M1FN>
}

// CHECK-LABEL: func @discardable_attributes
func.func @discardable_attributes(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 5.000000e-01> {quant.name = "x"} : tensor<4xf32>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> {quant.name = "x"} : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

//===----------------------------------------------------------------------===//
// Pack and unpack
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @pack
func.func @pack(%q: tensor<7x3xi4>, %e: tensor<7x3xi2>, %f: tensor<3xf4E2M1FN>, %b: tensor<3xi8>, %z: tensor<0x3xi4>) -> tensor<11xi8> {
  // CHECK: quant.pack %{{.*}} <canonical> : tensor<7x3xi4> -> tensor<11xi8>
  %0 = quant.pack %q <canonical> : tensor<7x3xi4> -> tensor<11xi8>
  // CHECK: quant.pack %{{.*}} <canonical> : tensor<7x3xi2> -> tensor<6xi8>
  %1 = quant.pack %e <canonical> : tensor<7x3xi2> -> tensor<6xi8>
  // CHECK: quant.pack %{{.*}} <canonical> : tensor<3xf4E2M1FN> -> tensor<2xi8>
  %2 = quant.pack %f <canonical> : tensor<3xf4E2M1FN> -> tensor<2xi8>
  // CHECK: quant.pack %{{.*}} <canonical> : tensor<3xi8> -> tensor<3xi8>
  %3 = quant.pack %b <canonical> : tensor<3xi8> -> tensor<3xi8>
  // CHECK: quant.pack %{{.*}} <canonical> : tensor<0x3xi4> -> tensor<0xi8>
  %4 = quant.pack %z <canonical> : tensor<0x3xi4> -> tensor<0xi8>
  return %0 : tensor<11xi8>
}

// CHECK-LABEL: func @unpack
func.func @unpack(%p: tensor<11xi8>, %s: tensor<1xi8>) -> tensor<7x3xi4> {
  // CHECK: quant.unpack %{{.*}} <canonical> : tensor<11xi8> -> tensor<7x3xi4>
  %0 = quant.unpack %p <canonical> : tensor<11xi8> -> tensor<7x3xi4>
  // CHECK: quant.unpack %{{.*}} <canonical> : tensor<1xi8> -> tensor<i2>
  %1 = quant.unpack %s <canonical> : tensor<1xi8> -> tensor<i2>
  return %0 : tensor<7x3xi4>
}

//===----------------------------------------------------------------------===//
// Attributes by themselves
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func private @granularity_attributes
// CHECK-SAME: a = #qparams.per_tensor
// CHECK-SAME: b = #qparams.per_channel<[0, 2]>
// CHECK-SAME: c = #qparams.per_block<[1, -1, 32]>
// CHECK-SAME: d = #qparams.layout<canonical>
// CHECK-SAME: e = #qparams.affine<int8 narrow, per_tensor, scale = 5.000000e-01>
// CHECK-SAME: f = #qparams.affine<int8, per_channel<[0]>>
func.func private @granularity_attributes() attributes {
  a = #qparams.per_tensor,
  b = #qparams.per_channel<[0, 2]>,
  c = #qparams.per_block<[1, -1, 32]>,
  d = #qparams.layout<canonical>,
  e = #qparams.affine<int8 narrow, per_tensor, scale = 0.5>,
  f = #qparams.affine<int8, per_channel<[0]>>}

//===----------------------------------------------------------------------===//
// Observers
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @observe
func.func @observe(%x: tensor<4x?xf32>, %y: tensor<4xbf16>) -> tensor<4x?xf32> {
  // CHECK: quant.observe %{{.*}} "conv1.out0" <int8, asymmetric, moving_average> : tensor<4x?xf32>
  %0 = quant.observe %x "conv1.out0" <int8, asymmetric, moving_average> : tensor<4x?xf32>
  // CHECK: quant.observe %{{.*}} "conv1.out0" follows <int8, asymmetric, per_channel<[1]>, moving_average> : tensor<4x?xf32>
  %1 = quant.observe %0 "conv1.out0" follows <int8, asymmetric, per_channel<[1]>, moving_average> : tensor<4x?xf32>
  // An observer whose result nobody reads counts all the same.
  // CHECK: quant.observe %{{.*}} "main.in1" boundary <float8_e4m3fn, symmetric> : tensor<4xbf16>
  %2 = quant.observe %y "main.in1" boundary <float8_e4m3fn, symmetric> : tensor<4xbf16>
  return %1 : tensor<4x?xf32>
}

// CHECK-LABEL: func @dynamic_range
func.func @dynamic_range(%x: tensor<?x70xf32>, %y: tensor<4x70xbf16>, %r: tensor<f16>) {
  // CHECK: quant.dynamic_range %{{.*}} <int8, asymmetric, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x1xf32>, tensor<?x1xi32>
  %s0, %z0 = quant.dynamic_range %x <int8, asymmetric, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x1xf32>, tensor<?x1xi32>
  // CHECK: quant.dynamic_range %{{.*}} <int8, symmetric> : tensor<4x70xbf16> -> tensor<f32>
  %s1 = quant.dynamic_range %y <int8, symmetric> : tensor<4x70xbf16> -> tensor<f32>
  // CHECK: quant.dynamic_range %{{.*}} <uint4, symmetric, per_block<[2, 32]>, scale_type = f16, float_range = [none, 6.000000e+00]> : tensor<4x70xbf16> -> tensor<2x3xf16>, tensor<2x3xi32>
  %s2, %z2 = quant.dynamic_range %y <uint4, symmetric, per_block<[2, 32]>, scale_type = f16, float_range = [none, 6.0]> : tensor<4x70xbf16> -> tensor<2x3xf16>, tensor<2x3xi32>
  // CHECK: quant.dynamic_range %{{.*}} <float4_e2m1fn, symmetric, per_block<[1, 32]>, scale_type = f8E8M0FNU> : tensor<4x70xbf16> -> tensor<4x3xf8E8M0FNU>
  %s3 = quant.dynamic_range %y <float4_e2m1fn, symmetric, per_block<[1, 32]>, scale_type = f8E8M0FNU> : tensor<4x70xbf16> -> tensor<4x3xf8E8M0FNU>
  // CHECK: quant.dynamic_range %{{.*}} <int8, symmetric> : tensor<f16> -> tensor<f32>
  %s4 = quant.dynamic_range %r <int8, symmetric> : tensor<f16> -> tensor<f32>
  return
}

// What equals a default is not printed.
// CHECK-LABEL: func private @spec_attributes
// CHECK-SAME: a = #qparams.spec<int8, symmetric>
// CHECK-SAME: b = #qparams.spec<int8, asymmetric, moving_average>
// CHECK-SAME: c = #qparams.spec<uint4, asymmetric, minval, per_block<[32]>, scale_type = f16>
// CHECK-SAME: d = #qparams.spec<int8, symmetric, float_range = [none, 6.000000e+00], percentile>
// CHECK-SAME: e = #qparams.spec<int4, symmetric_with_clipping, per_channel<[1]>, scale_type = bf16, float_range = [-1.000000e+00, none]>
// CHECK-SAME: f = #qparams.spec<float4_e2m1fn, symmetric, per_block<[32]>, scale_type = f8E8M0FNU>
// CHECK-SAME: g = #qparams.spec<int8, symmetric>
func.func private @spec_attributes() attributes {
  a = #qparams.spec<int8, symmetric>,
  b = #qparams.spec<int8, asymmetric, moving_average>,
  c = #qparams.spec<uint4, asymmetric, minval, per_block<[32]>, scale_type = f16>,
  d = #qparams.spec<int8, symmetric, float_range = [none, 6.0], percentile>,
  e = #qparams.spec<int4, symmetric_with_clipping, scale_type = bf16, float_range = [-1.0, none], per_channel<[1]>>,
  f = #qparams.spec<float4_e2m1fn, symmetric, per_block<[32]>, scale_type = f8E8M0FNU>,
  g = #qparams.spec<int8, symmetric, zp, per_tensor, scale_type = f32, float_range = [none, none], static>}

{-#
  dialect_resources: {
    builtin: {
      scales: "0x040000000000003F0000803E0000803F",
      zeros: "0x0100000080007F",
      scale: "0x040000000000003F",
      minval: "0x0200000080BF"
    }
  }
#-}
