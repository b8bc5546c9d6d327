// What belongs in level 1 passes unchanged and unspoken of.

// RUN: quant-opt %s --quant-verify-quantized-form 2>&1 | FileCheck %s --implicit-check-not=error

#row = affine_map<(d0, d1) -> (d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func @kernel
func.func @kernel(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %cw = arith.constant dense<33> : tensor<2xi8>
  %cb = arith.constant dense<[4, -16]> : tensor<2xi32>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4x2xf32> -> tensor<4x2xi8>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %u = quant.unpack %cw <canonical> : tensor<2xi8> -> tensor<2x2xi4>
  %w = quant.dequantize %u <int4, per_tensor, scale = 0.5> : tensor<2x2xi4> -> tensor<2x2xf32>
  %b = quant.dequantize %cb <int32, per_tensor, scale = 0.25> : tensor<2xi32> -> tensor<2xf32>
  %te = tensor.empty() : tensor<2x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%te : tensor<2x2xf32>) permutation = [1, 0]
  %e = tensor.empty() : tensor<4x2xf32>
  %i = linalg.broadcast ins(%b : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  %0 = linalg.matmul ins(%d, %t : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// CHECK-LABEL: func @moves
func.func @moves(%q: tensor<2x4xf8E4M3FN>, %c: i1) -> tensor<2xf8E4M3FN> {
  %zero = arith.constant 0.0 : f8E4M3FN
  %lowest = arith.constant dense<-448.0> : tensor<2xf8E4M3FN>
  %p = tensor.pad %q low[0, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f8E4M3FN
  } : tensor<2x4xf8E4M3FN> to tensor<2x6xf8E4M3FN>
  %m = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<2x6xf8E4M3FN>) outs(%lowest : tensor<2xf8E4M3FN>) {
  ^bb0(%in: f8E4M3FN, %out: f8E4M3FN):
    %a = arith.extf %in : f8E4M3FN to f32
    %b = arith.extf %out : f8E4M3FN to f32
    %n = arith.maximumf %a, %b : f32
    %r = arith.truncf %n : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2xf8E4M3FN>
  %s = scf.if %c -> tensor<2xf8E4M3FN> {
    scf.yield %m : tensor<2xf8E4M3FN>
  } else {
    scf.yield %lowest : tensor<2xf8E4M3FN>
  }
  return %s : tensor<2xf8E4M3FN>
}

// CHECK-LABEL: func @dynamic
func.func @dynamic(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %s, %z = quant.dynamic_range %x <int8, asymmetric, per_channel<[0]>> : tensor<?x4xf32> -> tensor<?x1xf32>, tensor<?x1xi32>
  %q = quant.quantize %x scale(%s : tensor<?x1xf32>) zero_point(%z : tensor<?x1xi32>) <int8, per_channel<[0]>> : tensor<?x4xf32> -> tensor<?x4xi8>
  %d = quant.dequantize %q scale(%s : tensor<?x1xf32>) zero_point(%z : tensor<?x1xi32>) <int8, per_channel<[0]>> : tensor<?x4xi8> -> tensor<?x4xf32>
  return %d : tensor<?x4xf32>
}

// Bytes that are no codes may be computed with.
// CHECK-LABEL: func @mask
func.func @mask(%m: tensor<4xi8>) -> tensor<4xi8> {
  %0 = arith.addi %m, %m : tensor<4xi8>
  return %0 : tensor<4xi8>
}
