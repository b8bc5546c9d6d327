// Ids are the same in every run, and after a rewrite elsewhere: names that were
// fixed stay, whatever is added before them.

// RUN: quant-opt %s --quant-insert-observers -o %t.1
// RUN: quant-opt %s --quant-insert-observers -o %t.2
// RUN: cmp %t.1 %t.2
// RUN: FileCheck %s --input-file=%t.1
// The weight pass fixes the names of operations with weights.
// RUN: quant-opt %s --pass-pipeline="builtin.module(quant-quantize-weights{weight-threshold=0},canonicalize,cse,quant-insert-observers)" | FileCheck %s
// Printing without locations loses nothing.
// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 | quant-opt --quant-insert-observers | FileCheck %s

// CHECK-LABEL: func @main
// CHECK: "main.in0"
// CHECK: "named.out0"
// CHECK: "main/linalg.matmul#0.out0"
// CHECK: "main/linalg.matmul#1.out0"
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("named")
  %1 = linalg.matmul ins(%0, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = linalg.matmul ins(%1, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}
