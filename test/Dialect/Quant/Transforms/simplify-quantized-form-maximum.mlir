// A maximum of values is one of codes, compared by their signedness; what it
// begins with and its own padding are quant_min.

// RUN: quant-opt %s --split-input-file --quant-simplify-quantized-form | FileCheck %s

// CHECK-LABEL: func @pool_padded
// CHECK-SAME: (%[[CODES:.*]]: tensor<1x4x4x2xi8>)
func.func @pool_padded(%q: tensor<1x4x4x2xi8>) -> tensor<1x2x2x2xi8> {
  // CHECK: %[[MIN:.*]] = arith.constant -127 : i8
  // CHECK: %[[PADDED:.*]] = tensor.pad %[[CODES]]
  // CHECK: tensor.yield %[[MIN]] : i8
  // CHECK: %[[FIRST:.*]] = arith.constant -127 : i8
  // CHECK: %[[INIT:.*]] = linalg.fill ins(%[[FIRST]] : i8)
  // CHECK: %[[POOL:.*]] = linalg.generic {{.*}} ins(%[[PADDED]], %{{.*}} : tensor<1x6x6x2xi8>, tensor<3x3xf32>) outs(%[[INIT]] : tensor<1x2x2x2xi8>) attrs = {quant.name = "pool"} {
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: i8, %{{.*}}: f32, %[[OUT:.*]]: i8):
  // CHECK-NEXT: %[[MAX:.*]] = arith.maxsi %[[OUT]], %[[IN]] : i8
  // CHECK-NEXT: linalg.yield %[[MAX]]
  %lowest = arith.constant -3.40282347E+38 : f32
  %d = quant.dequantize %q <int8 narrow, per_tensor, scale = 0.05> : tensor<1x4x4x2xi8> -> tensor<1x4x4x2xf32>
  %p = tensor.pad %d low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %e: index, %f: index):
    tensor.yield %lowest : f32
  } : tensor<1x4x4x2xf32> to tensor<1x6x6x2xf32>
  %w = tensor.empty() : tensor<3x3xf32>
  %o = tensor.empty() : tensor<1x2x2x2xf32>
  %i = linalg.fill ins(%lowest : f32) outs(%o : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %m = linalg.pooling_nhwc_max {quant.name = "pool", dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%p, %w : tensor<1x6x6x2xf32>, tensor<3x3xf32>) outs(%i : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  // A code below quant_min could come in.
  // CHECK: quant.dequantize %[[POOL]]
  // CHECK: quant.quantize
  %r = quant.quantize %m <int8 narrow, per_tensor, scale = 0.05> : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xi8>
  return %r : tensor<1x2x2x2xi8>
}

// What a quantize of the same range gave stays in it, moved or not.
// CHECK-LABEL: func @pool_of_quantize
// CHECK: quant.quantize
// CHECK: linalg.generic
// CHECK-NOT: quant.
func.func @pool_of_quantize(%x: tensor<1x4x4x2xf32>) -> tensor<1x2x2x2xi8> {
  %lowest = arith.constant -3.40282347E+38 : f32
  %q = quant.quantize %x <int8 narrow, per_tensor, scale = 0.05> : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xi8>
  %d = quant.dequantize %q <int8 narrow, per_tensor, scale = 0.05> : tensor<1x4x4x2xi8> -> tensor<1x4x4x2xf32>
  %p = tensor.pad %d low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %e: index, %f: index):
    tensor.yield %lowest : f32
  } : tensor<1x4x4x2xf32> to tensor<1x6x6x2xf32>
  %w = tensor.empty() : tensor<3x3xf32>
  %o = tensor.empty() : tensor<1x2x2x2xf32>
  %i = linalg.fill ins(%lowest : f32) outs(%o : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %m = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%p, %w : tensor<1x6x6x2xf32>, tensor<3x3xf32>) outs(%i : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %r = quant.quantize %m <int8 narrow, per_tensor, scale = 0.05> : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xi8>
  return %r : tensor<1x2x2x2xi8>
}

// CHECK-LABEL: func @reduce_unsigned
// CHECK: %[[INIT:.*]] = arith.constant dense<0> : tensor<3xi8>
// CHECK: linalg.generic {{.*}} outs(%[[INIT]] : tensor<3xi8>)
// CHECK: arith.maxui {{.*}} : i8
func.func @reduce_unsigned(%q: tensor<3x4xi8>) -> tensor<3xf32> {
  %i = arith.constant dense<0xFF800000> : tensor<3xf32>
  %d = quant.dequantize %q <uint8, per_tensor, scale = 0.05, zero_point = 7> : tensor<3x4xi8> -> tensor<3x4xf32>
  %r = linalg.reduce { arith.maximumf } ins(%d : tensor<3x4xf32>) outs(%i : tensor<3xf32>) dimensions = [1]
  return %r : tensor<3xf32>
}

// CHECK-LABEL: func @reduce_minimum
// CHECK: %[[INIT:.*]] = arith.constant dense<-1> : tensor<3xi4>
// CHECK: arith.minui {{.*}} : i4
func.func @reduce_minimum(%q: tensor<3x4xi4>) -> tensor<3xf32> {
  %i = arith.constant dense<0x7F800000> : tensor<3xf32>
  %d = quant.dequantize %q <uint4, per_tensor, scale = 0.05> : tensor<3x4xi4> -> tensor<3x4xf32>
  %r = linalg.reduce { arith.minnumf } ins(%d : tensor<3x4xf32>) outs(%i : tensor<3xf32>) dimensions = [1]
  return %r : tensor<3xf32>
}

// The lowest f16 is what a maximum of f16 begins with.
// CHECK-LABEL: func @pool_f16
// CHECK: %[[MIN:.*]] = arith.constant -128 : i8
// CHECK: tensor.yield %[[MIN]] : i8
// CHECK: arith.constant dense<-128> : tensor<3xi8>
// CHECK: arith.maxsi
// CHECK: quant.dequantize {{.*}} : tensor<3xi8> -> tensor<3xf16>
func.func @pool_f16(%q: tensor<3x4xi8>) -> tensor<3xf16> {
  %lowest = arith.constant -65504.0 : f16
  %i = arith.constant dense<-65504.0> : tensor<3xf16>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.05> : tensor<3x4xi8> -> tensor<3x4xf16>
  %p = tensor.pad %d low[0, 1] high[0, 1] {
  ^bb0(%a: index, %b: index):
    tensor.yield %lowest : f16
  } : tensor<3x4xf16> to tensor<3x6xf16>
  %r = linalg.reduce { arith.maximumf } ins(%p : tensor<3x6xf16>) outs(%i : tensor<3xf16>) dimensions = [1]
  return %r : tensor<3xf16>
}

// Floats of eight bits are compared as binary32, which holds them.
// CHECK-LABEL: func @reduce_float8
// CHECK: %[[INIT:.*]] = arith.constant dense<-4.480000e+02> : tensor<3xf8E4M3FN>
// CHECK: ^bb0(%[[IN:.*]]: f8E4M3FN, %[[OUT:.*]]: f8E4M3FN):
// CHECK-DAG: %[[A:.*]] = arith.extf %[[IN]] : f8E4M3FN to f32
// CHECK-DAG: %[[B:.*]] = arith.extf %[[OUT]] : f8E4M3FN to f32
// CHECK: %[[MAX:.*]] = arith.maximumf %[[B]], %[[A]] : f32
// CHECK: %[[CODE:.*]] = arith.truncf %[[MAX]] : f32 to f8E4M3FN
// CHECK: linalg.yield %[[CODE]]
func.func @reduce_float8(%q: tensor<3x4xf8E4M3FN>) -> tensor<3xf32> {
  %i = arith.constant dense<0xFF800000> : tensor<3xf32>
  %d = quant.dequantize %q <float8_e4m3fn, per_tensor, scale = 0.05> : tensor<3x4xf8E4M3FN> -> tensor<3x4xf32>
  %r = linalg.reduce { arith.maximumf } ins(%d : tensor<3x4xf32>) outs(%i : tensor<3xf32>) dimensions = [1]
  return %r : tensor<3xf32>
}

// What the maximum begins with may be dequantized too.
// CHECK-LABEL: func @reduce_onto_values
// CHECK-SAME: , %[[INIT:.*]]: tensor<3xi8>)
// CHECK: linalg.generic {{.*}} outs(%[[INIT]] : tensor<3xi8>)
func.func @reduce_onto_values(%q: tensor<3x4xi8>, %p: tensor<3xi8>) -> tensor<3xf32> {
  %i = quant.dequantize %p <int8, per_tensor, scale = 0.05> : tensor<3xi8> -> tensor<3xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.05> : tensor<3x4xi8> -> tensor<3x4xf32>
  %r = linalg.reduce { arith.maximumf } ins(%d : tensor<3x4xf32>) outs(%i : tensor<3xf32>) dimensions = [1]
  return %r : tensor<3xf32>
}

// CHECK-LABEL: func @elementwise
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?xi8>, tensor<?xi8>)
// CHECK: arith.maxsi
func.func @elementwise(%p: tensor<?xi8>, %q: tensor<?xi8>, %o: tensor<?xf32>) -> tensor<?xf32> {
  %c = quant.dequantize %p <int8, per_tensor, scale = 0.05> : tensor<?xi8> -> tensor<?xf32>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.05> : tensor<?xi8> -> tensor<?xf32>
  %r = linalg.max ins(%c, %d : tensor<?xf32>, tensor<?xf32>) outs(%o : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Parameters per channel and per block
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @transpose_per_channel
// CHECK: linalg.transpose
// CHECK: quant.dequantize {{.*}} <int8, per_channel<[0]>, scale = dense<{{\[\[}}5.000000e-01], [2.500000e-01]]> : tensor<2x1xf32>, zero_point = dense<{{\[\[}}1], [2]]> : tensor<2x1xi8>> : tensor<2x3xi8> -> tensor<2x3xf32>
func.func @transpose_per_channel(%q: tensor<3x2xi8>) -> tensor<2x3xf32> {
  %d = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>, zero_point = dense<[[1, 2]]> : tensor<1x2xi8>> : tensor<3x2xi8> -> tensor<3x2xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %t = linalg.transpose ins(%d : tensor<3x2xf32>) outs(%e : tensor<2x3xf32>) permutation = [1, 0]
  return %t : tensor<2x3xf32>
}

// CHECK-LABEL: func @reshape_per_channel
// CHECK: tensor.expand_shape
// CHECK: quant.dequantize {{.*}} <int8, per_channel<[3]>, scale = dense<{{.*}}> : tensor<1x1x1x2xf32>>
// CHECK: tensor.collapse_shape
// CHECK: quant.dequantize {{.*}} <int8, per_channel<[0]>, scale = dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>>
func.func @reshape_per_channel(%p: tensor<6x2xi8>, %q: tensor<1x2x1xi8>) -> (tensor<2x3x1x2xf32>, tensor<2xf32>) {
  %c = quant.dequantize %p <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<6x2xi8> -> tensor<6x2xf32>
  %e = tensor.expand_shape %c [[0, 1], [2, 3]] output_shape [2, 3, 1, 2] : tensor<6x2xf32> into tensor<2x3x1x2xf32>
  %d = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<[[[0.5], [0.25]]]> : tensor<1x2x1xf32>> : tensor<1x2x1xi8> -> tensor<1x2x1xf32>
  %f = tensor.collapse_shape %d [[0, 1, 2]] : tensor<1x2x1xf32> into tensor<2xf32>
  return %e, %f : tensor<2x3x1x2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func @slice_per_block
// CHECK: tensor.extract_slice
// CHECK: quant.dequantize {{.*}} <uint4, per_block<[2]>, scale = dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf16>, minval = dense<-1.000000e+00> : tensor<2xf16>> : tensor<3xi4> -> tensor<3xf32>
func.func @slice_per_block(%q: tensor<4x3xi4>, %i: index) -> tensor<3xf32> {
  %d = quant.dequantize %q <uint4, per_block<[-1, 2]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf16>, minval = dense<-1.0> : tensor<1x2xf16>> : tensor<4x3xi4> -> tensor<4x3xf32>
  %s = tensor.extract_slice %d[%i, 0] [1, 3] [1, 1] : tensor<4x3xf32> to tensor<3xf32>
  return %s : tensor<3xf32>
}

// CHECK-LABEL: func @pad_pool_concat_per_channel
// CHECK: tensor.pad
// CHECK: tensor.concat
// CHECK: arith.maxsi
// CHECK: quant.dequantize {{.*}} <int8, per_channel<[1]>, scale = dense<{{.*}}> : tensor<1x2xf32>> : tensor<8x2xi8> -> tensor<8x2xf32>
// CHECK-NOT: quant.dequantize
func.func @pad_pool_concat_per_channel(%q: tensor<3x2xi8>) -> tensor<8x2xf32> {
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<3x2xi8> -> tensor<3x2xf32>
  %p = tensor.pad %d low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<3x2xf32> to tensor<5x2xf32>
  %c = tensor.concat dim(0) %p, %d : (tensor<5x2xf32>, tensor<3x2xf32>) -> tensor<8x2xf32>
  %e = tensor.empty() : tensor<8x2xf32>
  %m = linalg.max ins(%c, %c : tensor<8x2xf32>, tensor<8x2xf32>) outs(%e : tensor<8x2xf32>) -> tensor<8x2xf32>
  return %m : tensor<8x2xf32>
}

// CHECK-LABEL: func @insert_slice_per_channel
// CHECK: tensor.insert_slice {{.*}} : tensor<2xi8> into tensor<4x2xi8>
// CHECK-NEXT: quant.dequantize
func.func @insert_slice_per_channel(%p: tensor<2xi8>, %q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %c = quant.dequantize %p <int8, per_channel<[0]>, scale = dense<[0.5, 0.25]> : tensor<2xf32>> : tensor<2xi8> -> tensor<2xf32>
  %d = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<4x2xi8> -> tensor<4x2xf32>
  %r = tensor.insert_slice %c into %d[1, 0] [1, 2] [1, 1] : tensor<2xf32> into tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}
