// Arrays with more leading entries than the argument are run batch by batch.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x2.npy "arange(6, dtype='f4').reshape(2, 3)"
// RUN: %{npy} make x4.npy "arange(12, dtype='f4').reshape(4, 3)"
// RUN: %{npy} make x5.npy "np.zeros((5, 3), 'f4')"
// RUN: %{npy} make x6.npy "np.zeros((6, 3), 'f4')"
// RUN: %{npy} make x1.npy "np.zeros((1, 3), 'f4')"
// RUN: %{npy} make s.npy "array(10, 'f4')"

// RUN: quant-run %s --input=x4.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=STACKED
// STACKED: float32 (4, 3) 0.0 2.0 4.0 6.0 8.0 10.0 12.0 14.0 16.0 18.0 20.0 22.0
func.func @main(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = arith.addf %a, %a : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// RUN: not quant-run %s --input=x5.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=REMAINDER
// REMAINDER: {{^}}quant-run: error: 'x5.npy' has 5 entries, which is no multiple of 2, the leading size of its argument tensor<2x3xf32>{{$}}
// RUN: not quant-run %s --input=x1.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=FEWER
// FEWER: error: 'x1.npy': argument 0 is tensor<2x3xf32>, found 1x3 float32{{$}}
// RUN: not quant-run %s --input=x4.npy --output=n.npy --batch=2 2>&1 | FileCheck %s --check-prefix=NO-EFFECT
// NO-EFFECT: error: --batch has no effect: no argument has a dynamic leading dimension{{$}}

// What is one batch, or has no leading dimension, is used for each of the others.
// RUN: quant-run %s --entry=three --input=x4.npy --input=x2.npy --input=s.npy --output=y.npy --output=z.npy
// RUN: %{npy} show y.npy z.npy | FileCheck %s --check-prefix=REUSED
// REUSED: float32 (4, 3) 10.0 12.0 14.0 16.0 18.0 20.0 16.0 18.0 20.0 22.0 24.0 26.0
// REUSED: float32 (2,) 15.0 51.0
// RUN: quant-run %s --entry=three --input=x4.npy --input=x4.npy --input=s.npy --output=y.npy --output=z.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=BOTH
// BOTH: float32 (4, 3) 10.0 12.0 14.0 16.0 18.0 20.0 22.0 24.0 26.0 28.0 30.0 32.0
// RUN: not quant-run %s --entry=three --input=x4.npy --input=x6.npy --input=s.npy --output=n.npy --output=m.npy 2>&1 | FileCheck %s --check-prefix=DISAGREE
// DISAGREE: error: 'x4.npy' makes 2 batches, 'x6.npy' makes 3; expected the same number{{$}}
// RUN: not ls n.npy
func.func @three(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>, %c: f32)
    -> (tensor<2x3xf32>, tensor<f32>) {
  %e = tensor.empty() : tensor<2x3xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  %0 = arith.addf %a, %b : tensor<2x3xf32>
  %1 = arith.addf %0, %f : tensor<2x3xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %2 = linalg.reduce ins(%a : tensor<2x3xf32>) outs(%zero : tensor<f32>) dimensions = [0, 1]
    (%x: f32, %sum: f32) {
      %s = arith.addf %sum, %x : f32
      linalg.yield %s : f32
    }
  return %1, %2 : tensor<2x3xf32>, tensor<f32>
}
