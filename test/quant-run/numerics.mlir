// Floating point operations are computed as they are written: products are not
// fused into sums, but by kernels of contractions (fused-products.mlir), sums not
// reordered, and threads change nothing.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %python %S/Inputs/numerics.py

// RUN: quant-run %s --entry=multiply_add --input=a.npy --input=b.npy --input=c.npy --compare=multiply_add.npy | FileCheck %s
// RUN: quant-run %s --entry=matmul --input=m.npy --input=n.npy --compare=matmul.npy --target=reference | FileCheck %s
// RUN: quant-run %s --entry=matmul --input=m.npy --input=n.npy --output=y1.npy
// RUN: quant-run %s --entry=matmul --input=m.npy --input=n.npy --output=y3.npy --threads=3
// RUN: cmp y1.npy y3.npy
// RUN: quant-run %s --entry=add_bf16 --input=p.npy --input=q.npy --compare=add_bf16.npy | FileCheck %s
// RUN: quant-run %s --entry=mul_bf16 --input=p.npy --input=q.npy --compare=mul_bf16.npy | FileCheck %s
// RUN: quant-run %s --entry=mul_f16 --input=h.npy --input=k.npy --compare=mul_f16.npy | FileCheck %s
// CHECK: exact match

// Near 0, exp(x) - 1 and log(1 + x) lose every digit.
// RUN: %{npy} make small.npy "array([1e-10, -1e-10], 'f4')"
// RUN: quant-run %s --entry=near_zero --input=small.npy --compare=small.npy --compare=small.npy | FileCheck %s --check-prefix=SMALL
// SMALL-COUNT-2: exact match

func.func @multiply_add(%a: tensor<1024xf32>, %b: tensor<1024xf32>, %c: tensor<1024xf32>)
    -> tensor<1024xf32> {
  %0 = arith.mulf %a, %b : tensor<1024xf32>
  %1 = arith.addf %0, %c : tensor<1024xf32>
  return %1 : tensor<1024xf32>
}
func.func @matmul(%a: tensor<17x301xf32>, %b: tensor<301x33xf32>) -> tensor<17x33xf32> {
  %zero = arith.constant dense<0.0> : tensor<17x33xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<17x301xf32>, tensor<301x33xf32>)
                     outs(%zero : tensor<17x33xf32>) -> tensor<17x33xf32>
  return %0 : tensor<17x33xf32>
}
func.func @add_bf16(%a: tensor<65536xbf16>, %b: tensor<65536xbf16>) -> tensor<65536xbf16> {
  %0 = arith.addf %a, %b : tensor<65536xbf16>
  return %0 : tensor<65536xbf16>
}
func.func @mul_bf16(%a: tensor<65536xbf16>, %b: tensor<65536xbf16>) -> tensor<65536xbf16> {
  %0 = arith.mulf %a, %b : tensor<65536xbf16>
  return %0 : tensor<65536xbf16>
}
func.func @mul_f16(%a: tensor<65536xf16>, %b: tensor<65536xf16>) -> tensor<65536xf16> {
  %0 = arith.mulf %a, %b : tensor<65536xf16>
  return %0 : tensor<65536xf16>
}
func.func @near_zero(%a: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = math.expm1 %a : tensor<2xf32>
  %1 = math.log1p %a : tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
