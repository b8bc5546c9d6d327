// What is wrong with ranges is one error that names the observer.

// RUN: split-file %s %t
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges 2>&1 | FileCheck %s --check-prefix=NOFILE
// NOFILE: error: 'quant.observe' op 'a': expected a file with its range, found none: give ranges=ranges.json, which quant-calibrate writes
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges=ranges=%t/none.json 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: quant-fold-ranges: {{.*}}none.json
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges=ranges=%t/no-entry.json 2>&1 | FileCheck %s --check-prefix=NOENTRY
// NOENTRY: model.mlir:2:8: error: 'quant.observe' op 'a': expected a range in '{{.*}}no-entry.json', found none: calibrate this model with the same rules and storage type{{$}}
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges=ranges=%t/other.json 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: quant-fold-ranges: '{{.*}}other.json': the observer 'b' is not in the model: expected ranges of this model; calibrate it again
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges=ranges=%t/empty.json 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: 'quant.observe' op 'a': its range in '{{.*}}empty.json' is empty: no finite value has passed in calibration; calibrate with data that reach it, or give it a float_range
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges=ranges=%t/channels.json 2>&1 | FileCheck %s --check-prefix=CHANNELS
// CHANNELS: error: 'quant.observe' op 'a': expected 1 ranges in '{{.*}}channels.json', found 2: calibrate with the same granularity
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/good.json dtype=int4" 2>&1 | FileCheck %s --check-prefix=DTYPE
// DTYPE: error: quant-fold-ranges: expected a storage type for activations, found 'int4': use one of int8, uint8, float8_e4m3fn, float8_e5m2
// RUN: not quant-opt %t/model.mlir --quant-fold-ranges="ranges=%t/mse.json dtype=uint8" 2>&1 | FileCheck %s --check-prefix=MSE
// MSE: error: 'quant.observe' op 'a': the mse range in '{{.*}}mse.json' is for int8 symmetric, found uint8 symmetric: calibrate for what is asked
// RUN: not quant-opt %t/called.mlir --quant-fold-ranges="ranges=%t/good.json quantize-io" 2>&1 | FileCheck %s --check-prefix=CALLED
// CALLED: error: quantize-io changes the types of 'f', which is called: expected no calls of it; make a private function of what is called
// RUN: not quant-opt %t/bare.mlir --quant-fold-ranges="ranges=%t/good.json quantize-io" 2>&1 | FileCheck %s --check-prefix=BARE
// BARE: error: quantize-io: argument 1 of 'f' has no parameters: expected an observer on it; let a rule observe it

//--- no-entry.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": []}
//--- other.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "b", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 2.0}]}
//--- empty.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "a", "count": 0, "batches": 1, "nan": 8, "inf": 0, "min": null, "max": null}]}
//--- channels.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "a", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": [-1.0, 0.0], "max": [2.0, 1.0]}]}
//--- good.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "a", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 2.0}]}
//--- mse.json
{"version": 1, "calibrator": "mse", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "a", "count": 1, "batches": 1, "nan": 0, "inf": 0, "min": 0.0, "max": 0.75, "histogram": {"width_log2": -11, "first": 0, "counts": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]}}]}
//--- model.mlir
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quant.observe %x "a" <int8, symmetric> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
//--- called.mlir
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quant.observe %x "a" <int8, symmetric> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @g(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
//--- bare.mlir
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quant.observe %x "a" <int8, symmetric> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
