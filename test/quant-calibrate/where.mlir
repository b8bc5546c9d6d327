// Where observers stand, and what passes them. All ranges are those of one call.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/../quant-run/Inputs/npy.py
// DEFINE: %{entry} =
// DEFINE: %{in} = --input=x.npy
// DEFINE: %{calibrate} = quant-calibrate %s --entry=%{entry} %{in} -o - | FileCheck %s --check-prefix=%{entry}
// RUN: %{npy} make x.npy "arange(12, dtype='f4').reshape(4, 3) - 3"
// RUN: %{npy} make h.npy "(arange(12, dtype='f2').reshape(4, 3) - 3) / 8"

// Operands of a concatenation: the union.
// REDEFINE: %{entry} = concat
// RUN: %{calibrate}
// concat: "id": "both",
// concat-NEXT: "count": 18,
// concat-NEXT: "batches": 1,
// concat-NEXT: "nan": 0,
// concat-NEXT: "inf": 0,
// concat-NEXT: "min": -3,
// concat-NEXT: "max": 100
func.func @concat(%x: tensor<4x3xf32>) -> tensor<6x3xf32> {
  %c = arith.constant dense<100.0> : tensor<2x3xf32>
  %a = quant.observe %x "both" <int8, symmetric, global_minmax> : tensor<4x3xf32>
  %b = quant.observe %c "both" <int8, symmetric, global_minmax> : tensor<2x3xf32>
  %0 = tensor.concat dim(0) %a, %b : (tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<6x3xf32>
  return %0 : tensor<6x3xf32>
}

// A slice is read where it lies: every second row of the middle column, per
// channel and with a histogram.
// REDEFINE: %{entry} = slice
// RUN: %{calibrate}
// slice: "id": "slice",
// slice: "count": 2,
// slice: "min": -2,
// slice-NEXT: "max": 4
// slice: "id": "channels",
// slice: "min": [
// slice-NEXT: -2,
// slice-NEXT: 4
// slice-NEXT: ],
// slice: "histogram": {
// slice-NEXT: "width_log2": -8,
// slice-NEXT: "first": -512,
// slice: "id": "transposed",
// slice: "min": [
// slice-NEXT: -3,
// slice-NEXT: -2,
// slice-NEXT: -1
// slice-NEXT: ],
// slice-NEXT: "max": [
// slice-NEXT: 6,
// slice-NEXT: 7,
// slice-NEXT: 8
func.func @slice(%x: tensor<4x3xf32>) -> (tensor<2x1xf32>, tensor<3x4xf32>) {
  %s = tensor.extract_slice %x[0, 1] [2, 1] [2, 1] : tensor<4x3xf32> to tensor<2x1xf32>
  %0 = quant.observe %s "slice" <int8, symmetric, global_minmax> : tensor<2x1xf32>
  %1 = quant.observe %0 "channels" <int8, symmetric, per_channel<[0]>, global_minmax> : tensor<2x1xf32>
  %2 = quant.observe %1 "percentile" <int8, symmetric, percentile> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<3x4xf32>
  %t = linalg.transpose ins(%x : tensor<4x3xf32>) outs(%e : tensor<3x4xf32>) permutation = [1, 0]
  %3 = quant.observe %t "transposed" <int8, symmetric, per_channel<[0]>, global_minmax> : tensor<3x4xf32>
  return %2, %3 : tensor<2x1xf32>, tensor<3x4xf32>
}

// A value that is overwritten in place behind the observer was seen before.
// REDEFINE: %{entry} = in_place
// RUN: %{calibrate}
// in_place: "id": "before",
// in_place: "min": -6,
// in_place-NEXT: "max": 16
// in_place: "id": "between",
// in_place: "min": -6,
// in_place-NEXT: "max": 16
// in_place: "id": "after",
// in_place: "min": -60,
// in_place-NEXT: "max": 160
func.func @in_place(%x: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %ten = arith.constant dense<10.0> : tensor<4x3xf32>
  %y = arith.addf %x, %x : tensor<4x3xf32>
  %0 = quant.observe %y "before" <int8, symmetric, global_minmax> : tensor<4x3xf32>
  %1 = linalg.mul ins(%y, %ten : tensor<4x3xf32>, tensor<4x3xf32>) outs(%y : tensor<4x3xf32>) -> tensor<4x3xf32>
  %2 = quant.observe %0 "between" <int8, symmetric, global_minmax> : tensor<4x3xf32>
  %3 = quant.observe %1 "after" <int8, symmetric, global_minmax> : tensor<4x3xf32>
  return %2, %3 : tensor<4x3xf32>, tensor<4x3xf32>
}

// In a loop an observer sees the value of every iteration, and takes no stack for
// any of them; in a branch it may see none; behind a call, what is passed.
// REDEFINE: %{entry} = control_flow
// RUN: quant-calibrate %s --entry=control_flow %{in} -o r.json 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING-NOT: observer 'loop'
// NOTHING: {{^}}quant-calibrate: warning: observer 'branch' has seen nothing finite, and so has no range{{$}}
// NOTHING-NOT: observer 'callee'
// RUN: FileCheck %s --check-prefix=control_flow <r.json
// control_flow: "id": "loop",
// control_flow-NEXT: "count": 3600000,
// control_flow-NEXT: "batches": 1,
// control_flow: "min": -3,
// control_flow-NEXT: "max": 300007
// control_flow: "id": "branch",
// control_flow-NEXT: "count": 0,
// control_flow-NEXT: "batches": 0,
// control_flow: "min": null,
// control_flow: "id": "callee",
// control_flow: "min": 299997,
// control_flow-NEXT: "max": 300008
func.func @control_flow(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %n = arith.constant 300000 : index
  %one = arith.constant dense<1.0> : tensor<4x3xf32>
  %y = scf.for %i = %0 to %n step %1 iter_args(%v = %x) -> tensor<4x3xf32> {
    %o = quant.observe %v "loop" <int8, symmetric, global_minmax> : tensor<4x3xf32>
    %s = arith.addf %o, %one : tensor<4x3xf32>
    scf.yield %s : tensor<4x3xf32>
  }
  %e = tensor.extract %x[%0, %0] : tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %positive = arith.cmpf ogt, %e, %zero : f32
  %z = scf.if %positive -> tensor<4x3xf32> {
    %o = quant.observe %y "branch" <int8, symmetric, global_minmax> : tensor<4x3xf32>
    scf.yield %o : tensor<4x3xf32>
  } else {
    scf.yield %y : tensor<4x3xf32>
  }
  %r = call @callee(%z) : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}
func.func private @callee(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %o = quant.observe %x "callee" <int8, symmetric, global_minmax> : tensor<4x3xf32>
  return %o : tensor<4x3xf32>
}

// Narrow floats, rank 0, a dynamic leading dimension: whole, or cut.
// REDEFINE: %{entry} = narrow
// REDEFINE: %{in} = --input=h.npy --input=x.npy
// RUN: %{calibrate}
// narrow: "id": "f16",
// narrow: "batches": 1,
// narrow: "min": -0.375,
// narrow-NEXT: "max": 1
// narrow: "id": "bf16",
// narrow: "min": -3,
// narrow-NEXT: "max": 8
// narrow: "id": "scalar",
// narrow-NEXT: "count": 1,
// narrow: "min": -0.375,
// narrow-NEXT: "max": -0.375
// REDEFINE: %{in} = --input=h.npy --input=x.npy --batch=2
// RUN: quant-calibrate %s --entry=narrow %{in} -o - | FileCheck %s --check-prefix=CUT
// CUT: "id": "f16",
// CUT-NEXT: "count": 12,
// CUT-NEXT: "batches": 2,
func.func @narrow(%x: tensor<?x3xf16>, %y: tensor<?x3xbf16>) -> (tensor<?x3xf16>, tensor<?x3xbf16>, tensor<f32>) {
  %0 = quant.observe %x "f16" <int8, symmetric, global_minmax> : tensor<?x3xf16>
  %1 = quant.observe %y "bf16" <int8, symmetric, global_minmax> : tensor<?x3xbf16>
  %c0 = arith.constant 0 : index
  %e = tensor.extract %x[%c0, %c0] : tensor<?x3xf16>
  %w = arith.extf %e : f16 to f32
  %s = tensor.from_elements %w : tensor<f32>
  %2 = quant.observe %s "scalar" <int8, symmetric, global_minmax> : tensor<f32>
  return %0, %1, %2 : tensor<?x3xf16>, tensor<?x3xbf16>, tensor<f32>
}

// Channels that differ from call to call.
// REDEFINE: %{in} = --input=x.npy
// RUN: not quant-calibrate %s --entry=channels %{in} -o - 2>&1 | FileCheck %s --check-prefix=CHANNELS
// CHANNELS: {{^}}quant-calibrate: error: observer 'x' sees tensors with different numbers of channels; it had 4{{$}}
func.func @channels(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %0 = quant.observe %x "x" <int8, symmetric, per_channel<[0]>, mse> : tensor<4x3xf32>
  %s = tensor.extract_slice %x[0, 0] [2, 3] [1, 1] : tensor<4x3xf32> to tensor<2x3xf32>
  %1 = quant.observe %s "x" <int8, symmetric, per_channel<[0]>, mse> : tensor<2x3xf32>
  return %0 : tensor<4x3xf32>
}

// Runs of several functions of a module are put together, whatever the
// calibrator: each observer has seen samples in one of them.
// RUN: quant-calibrate %s --entry=concat --input=x.npy -o c.json 2>/dev/null
// RUN: quant-calibrate %s --entry=average --input=x.npy -o a.json 2>/dev/null
// RUN: quant-calibrate --merge c.json a.json -o - 2>/dev/null | FileCheck %s --check-prefix=FUNCTIONS
// FUNCTIONS: "id": "both",
// FUNCTIONS: "max": 100
// FUNCTIONS: "id": "average",
// FUNCTIONS: "max": 8
// RUN: not quant-calibrate --merge a.json a.json -o - 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: error: 'a.json': observer 'average' is calibrated by moving_average, which depends on the order of the samples and does not merge;
func.func @average(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %0 = quant.observe %x "average" <int8, symmetric, moving_average> : tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// Elsewhere an observer is the identity.
// RUN: quant-run %s --entry=in_place --input=x.npy --output=y.npy --output=z.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=IDENTITY
// IDENTITY: float32 (4, 3) -6.0 -4.0 -2.0 0.0
// RUN: quant-opt %s --quant-to-linalg | FileCheck %s --check-prefix=LINALG
// LINALG-NOT: quant.observe
