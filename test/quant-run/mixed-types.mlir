// A named operation whose body widens bf16 elements.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x.npy "array([[1, 2], [3, 4]], 'f4')"
// RUN: quant-run %s --input=x.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s
// CHECK: float32 (2, 1) 2.5 5.5
func.func @main(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[0.5], [1.0]]> : tensor<2x1xbf16>
  %init = arith.constant dense<0.0> : tensor<2x1xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x1xbf16>) outs(%init : tensor<2x1xf32>) -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}
