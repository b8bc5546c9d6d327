// A model on codes beside its original: what they mean is the attribute of argument
// and result, also where they pass moves before anything dequantizes them.

// REQUIRES: numpy
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %python %S/Inputs/npy.py make x.npy "np.array([[[100, 20], [-30, 64]]], 'i1')"
// RUN: %python %S/Inputs/npy.py make f.npy "np.array([[[1, 2], [-3, 4]]], 'f4')"
// RUN: quant-opt model.mlir --quantize-weights=int8 --quantize-activations=int8 --ranges=ranges.json --quantize-io -o q.mlir
// RUN: FileCheck %s --input-file=q.mlir
// CHECK: func.func @main(%[[X:.*]]: tensor<1x2x2xi8> {quant.params
// CHECK: tensor.collapse_shape %[[X]]
// CHECK: %[[Y:.*]] = tensor.expand_shape %{{.*}} : tensor<2x2xi8>
// CHECK: return %[[Y]]
// RUN: quant-run q.mlir --reference=model.mlir --input=x.npy | FileCheck %s --check-prefix=REPORT
// REPORT: result 0: SQNR
// REPORT: fc {{.*}}int8
// RUN: not quant-run q.mlir --reference=model.mlir --input=f.npy 2>&1 | FileCheck %s --check-prefix=FLOAT
// FLOAT: error: 'f.npy': argument 0 is tensor<1x2x2xi8>, which takes int8, found 1x2x2 float32; its values are codes: quantize the data by the argument's attribute quant.params

//--- ranges.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "main.in0", "count": 4, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 1.0},
  {"id": "fc.out0", "count": 4, "batches": 1, "nan": 0, "inf": 0, "min": -2.0, "max": 2.0}]}
//--- model.mlir
func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 0.3], [0.2, -0.7]]> : tensor<2x2xf32>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x2x2xf32> into tensor<2x2xf32>
  %y = linalg.matmul ins(%flat, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc")
  %out = tensor.expand_shape %y [[0, 1], [2]] output_shape [1, 2, 2] : tensor<2x2xf32> into tensor<1x2x2xf32>
  return %out : tensor<1x2x2xf32>
}
