// Kernels of contractions multiply and add with one rounding, where the processor
// can: in order, and nothing else is fused.
// REQUIRES: numpy, avx2
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python %S/Inputs/numerics.py
// RUN: quant-run %s --entry=matmul --input=m.npy --input=n.npy --compare=fused.npy --target=cpu | FileCheck %s
// RUN: quant-run %s --entry=multiply_add --input=a.npy --input=b.npy --input=c.npy --compare=multiply_add.npy --target=cpu | FileCheck %s
// CHECK: exact match

// Sizes are known: a load of a kernel is not checked.
// RUN: quant-opt %s --lower-to=cpu | FileCheck %s --check-prefix=LLVM --implicit-check-not=out-of-bounds
// LLVM: llvm.intr.fma

func.func @matmul(%a: tensor<17x301xf32>, %b: tensor<301x33xf32>) -> tensor<17x33xf32> {
  %zero = arith.constant dense<0.0> : tensor<17x33xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<17x301xf32>, tensor<301x33xf32>)
                     outs(%zero : tensor<17x33xf32>) -> tensor<17x33xf32>
  return %0 : tensor<17x33xf32>
}
func.func @multiply_add(%a: tensor<1024xf32>, %b: tensor<1024xf32>, %c: tensor<1024xf32>)
    -> tensor<1024xf32> {
  %0 = arith.mulf %a, %b : tensor<1024xf32>
  %1 = arith.addf %0, %c : tensor<1024xf32>
  return %1 : tensor<1024xf32>
}
