// RUN: quant-opt %s --lower-to=cpu | FileCheck %s

// A result that a function returns twice is written to both places.
// CHECK: llvm.func @twice(%{{.*}}: !llvm.ptr, %[[A:.*]]: !llvm.ptr, %[[B:.*]]: !llvm.ptr)
// CHECK: llvm.fadd
// CHECK: "llvm.intr.memcpy"(%[[B]], %[[A]],
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y, %y : tensor<4xf32>, tensor<4xf32>
}
