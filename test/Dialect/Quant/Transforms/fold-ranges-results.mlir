// quantize-io where a result is made of several values, or of a part of one:
// it takes the parameters that they share.

// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/ranges.json quantize-io" | FileCheck %s
// RUN: not quant-opt %t/channels.mlir --quant-fold-ranges="ranges=%t/ranges.json quantize-io" 2>&1 | FileCheck %s --check-prefix=CHANNELS
// RUN: not quant-opt %t/differ.mlir --quant-fold-ranges="ranges=%t/ranges.json quantize-io" 2>&1 | FileCheck %s --check-prefix=DIFFER

//--- ranges.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": []}

//--- model.mlir
// CHECK-LABEL: func @concat
// CHECK-SAME: -> (tensor<2x4xi8> {quant.params = #qparams.affine<int8, per_tensor, scale = 7.812500e-03>})
func.func @concat(%x: tensor<2x2xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[Q:.*]] = quant.quantize %{{.*}} <int8, per_tensor, scale = 7.812500e-03> : tensor<2x4xf32> -> tensor<2x4xi8>
  // CHECK: return %[[Q]]
  %0 = quant.observe %x "x" <int8, symmetric, float_range = [-0.99609375, 0.99609375]> : tensor<2x2xf32>
  %1 = math.absf %x : tensor<2x2xf32>
  %2 = quant.observe %1 "x" <int8, symmetric, float_range = [-0.99609375, 0.99609375]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %3 = tensor.insert_slice %0 into %e[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %4 = tensor.insert_slice %2 into %3[0, 2] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  return %4 : tensor<2x4xf32>
}

// CHECK-LABEL: func @slice
// CHECK-SAME: -> (tensor<1x2xi8> {quant.params = #qparams.affine<int8, per_tensor, scale = 7.812500e-03>})
func.func @slice(%x: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %0 = quant.observe %x "y" <int8, symmetric, float_range = [-0.99609375, 0.99609375]> : tensor<2x2xf32>
  %1 = tensor.extract_slice %0[1, 0] [1, 2] [1, 1] : tensor<2x2xf32> to tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// CHECK-LABEL: func @pad
// CHECK-SAME: -> (tensor<3x2xi8> {quant.params = #qparams.affine<int8, per_tensor, scale = 7.812500e-03>})
func.func @pad(%x: tensor<2x2xf32>) -> tensor<3x2xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = quant.observe %x "z" <int8, symmetric, float_range = [-0.99609375, 0.99609375]> : tensor<2x2xf32>
  %1 = tensor.pad %0 low[0, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x2xf32> to tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

//--- channels.mlir
// A transpose takes the channels to another dimension.
// CHANNELS: error: quantize-io: result 0 of 'f' has no parameters: expected an observer on it
func.func @f(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %0 = quant.observe %x "x" <int8, symmetric, per_channel<[1]>, float_range = [-1.0, 1.0]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %1 = linalg.transpose ins(%0 : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  return %1 : tensor<2x2xf32>
}

//--- differ.mlir
// DIFFER: error: quantize-io: result 0 of 'f' has no parameters: expected an observer on it
func.func @f(%x: tensor<2x2xf32>, %y: tensor<2x2xf32>) -> tensor<2x4xf32> {
  %0 = quant.observe %x "x" <int8, symmetric, float_range = [-1.0, 1.0]> : tensor<2x2xf32>
  %1 = quant.observe %y "y" <int8, symmetric, float_range = [-2.0, 2.0]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %2 = tensor.insert_slice %0 into %e[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %3 = tensor.insert_slice %1 into %2[0, 2] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  return %3 : tensor<2x4xf32>
}
