// A name that ends in .mlirbc asks for bytecode, and either form is read from a
// file or a pipe, resources included.

// RUN: quant-opt %s -o %t.mlirbc
// RUN: head -c 3 %t.mlirbc | tail -c 2 | FileCheck %s --check-prefix=MAGIC
// RUN: quant-opt %t.mlirbc | FileCheck %s
// RUN: cat %t.mlirbc | quant-opt | FileCheck %s
// RUN: quant-opt %t.mlirbc -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: quant-opt < %s --emit-bytecode | quant-opt - | FileCheck %s
// RUN: quant-opt %t.mlirbc --quantize-weights=int8 --weight-threshold=0 -o %t.q.mlirbc
// RUN: quant-opt %t.q.mlirbc | FileCheck %s --check-prefix=QUANTIZED

// MAGIC: L
// CHECK: arith.constant dense_resource<w> : tensor<2x2xf32>
// CHECK: w: "0x40000000000000
// QUANTIZED: quant.dequantize
func.func @main(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense_resource<w> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
{-# dialect_resources: { builtin: { w: "0x400000000000003F0000803F0000803F00000040" } } #-}
