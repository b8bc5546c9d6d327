// Observers become quantize and dequantize, with parameters from the file.

// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/ranges.json" | FileCheck %s
// RUN: quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/ranges.json dtype=uint8" | FileCheck %s --check-prefix=UINT8
// RUN: quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/ranges.json dtype=float8_e4m3fn" | FileCheck %s --check-prefix=FP8
// RUN: quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/ranges.json qscheme=asymmetric" | FileCheck %s --check-prefix=ASYM
// RUN: quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/ranges.json quantize-io" | FileCheck %s --check-prefix=IO

//--- ranges.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "f.in0", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 2.0},
  {"id": "fc.out0", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": 0.0, "max": 51.0},
  {"id": "half", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 2.0},
  {"id": "channels", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": [-1.275, 0.0], "max": [0.0, 2.55]}
]}

//--- model.mlir
// CHECK-LABEL: func @f
// IO-LABEL: func @f
// IO-SAME: (%[[ARG:.*]]: tensor<4x2xi8> {quant.params = #qparams.affine<int8, per_tensor, scale = 0.0156862754>}, %{{.*}}: tensor<4x2xi32>) -> (tensor<4x2xi8> {quant.params = #qparams.affine<int8, per_tensor, scale = 3.906250e-03, zero_point = -128>})
func.func @f(%x: tensor<4x2xf32>, %i: tensor<4x2xi32>) -> tensor<4x2xf32> {
  // max(1, 2) / 127.5
  // CHECK: %[[Q:.*]] = quant.quantize %arg0 <int8, per_tensor, scale = 0.0156862754> {quant.name = "f.in0"} : tensor<4x2xf32> -> tensor<4x2xi8>
  // CHECK: quant.dequantize %[[Q]] <int8, per_tensor, scale = 0.0156862754> : tensor<4x2xi8> -> tensor<4x2xf32>
  // UINT8: quant.quantize %{{.*}} <uint8, per_tensor, scale = 0.0156862754, zero_point = 128> {quant.name = "f.in0"}
  // FP8: quant.quantize %{{.*}} <float8_e4m3fn, per_tensor, scale = 0.00446428591> {quant.name = "f.in0"} : tensor<4x2xf32> -> tensor<4x2xf8E4M3FN>
  // 3 / 255, -128 + 85
  // ASYM: quant.quantize %{{.*}} <int8, per_tensor, scale = 0.0117647061, zero_point = -43> {quant.name = "f.in0"}
  // IO-NEXT: %[[X:.*]] = quant.dequantize %arg0
  %0 = quant.observe %x "f.in0" <int8, symmetric, moving_average> : tensor<4x2xf32>
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 2.000000e-01, zero_point = -128> {quant.name = "fc.out0"}
  // UINT8: quant.quantize %{{.*}} <uint8, per_tensor, scale = 2.000000e-01, zero_point = 0> {quant.name = "fc.out0"}
  // FP8: quant.quantize %{{.*}} <float8_e4m3fn, per_tensor, scale = 0.113839284> {quant.name = "fc.out0"}
  // ASYM: quant.quantize %{{.*}} <int8, per_tensor, scale = 2.000000e-01, zero_point = -128> {quant.name = "fc.out0"}
  // IO: quant.quantize %[[X]] <int8, per_tensor, scale = 2.000000e-01, zero_point = -128> {quant.name = "fc.out0"}
  %1 = quant.observe %0 "fc.out0" <int8, asymmetric, moving_average> : tensor<4x2xf32>
  // The range is fixed, the entry not needed; at the boundary it matters to
  // quantize-io only.
  // CHECK: %[[D:.*]] = quant.dequantize
  // CHECK-NEXT: return %[[D]]
  // IO: %[[R:.*]] = quant.quantize %{{.*}} <int8, per_tensor, scale = 3.906250e-03, zero_point = -128> {quant.name = "f.out0"}
  // IO: return %[[R]] : tensor<4x2xi8>
  %2 = quant.observe %1 "f.out0" boundary <int8, asymmetric, float_range = [0.0, 0.99609375]> : tensor<4x2xf32>
  return %2 : tensor<4x2xf32>
}

// One end of the range is fixed, the other from the file.
// CHECK-LABEL: func private @half
func.func private @half(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 0.0274509806> {quant.name = "half"}
  %0 = quant.observe %x "half" <int8, symmetric, float_range = [none, 3.5]> : tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// CHECK-LABEL: func private @channels
func.func private @channels(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK: quant.quantize %{{.*}} <int8, per_channel<[1]>, scale = dense<{{\[\[}}5.000000e-03, 0.00999999977]]> : tensor<1x2xf32>, zero_point = dense<{{\[\[}}127, -128]]> : tensor<1x2xi8>> {quant.name = "channels"}
  %0 = quant.observe %x "channels" <int8, asymmetric, per_channel<[1]>> : tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
