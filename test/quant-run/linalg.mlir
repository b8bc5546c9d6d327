// linalg ops that are no loops of their own, control flow and calls.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x.npy "arange(6, dtype='f4').reshape(2, 3)"
// RUN: %{npy} make n.npy "array(3)"
// RUN: %{npy} make start.npy "array([0])"

// RUN: quant-run %s --entry=softmax --input=x.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=SOFTMAX
// SOFTMAX: float32 (2, 3) 0.0900305{{.*}} 0.244728{{.*}} 0.665240{{.*}} 0.0900305{{.*}}
func.func @softmax(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %e = tensor.empty() : tensor<2x3xf32>
  %0 = linalg.softmax dimension(1) ins(%a : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// RUN: quant-run %s --entry=pack --input=x.npy --output=y.npy --output=z.npy
// RUN: %{npy} show y.npy z.npy | FileCheck %s --check-prefix=PACK
// PACK: float32 (1, 2, 2, 2) 0.0 1.0 3.0 4.0 2.0 -1.0 5.0 -1.0
// PACK: float32 (2, 3) 0.0 1.0 2.0 3.0 4.0 5.0
func.func @pack(%a: tensor<2x3xf32>) -> (tensor<1x2x2x2xf32>, tensor<2x3xf32>) {
  %pad = arith.constant -1.0 : f32
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %0 = linalg.pack %a padding_value(%pad : f32) inner_dims_pos = [0, 1] inner_tiles = [2, 2]
    into %e : tensor<2x3xf32> -> tensor<1x2x2x2xf32>
  %f = tensor.empty() : tensor<2x3xf32>
  %1 = linalg.unpack %0 inner_dims_pos = [0, 1] inner_tiles = [2, 2]
    into %f : tensor<1x2x2x2xf32> -> tensor<2x3xf32>
  return %0, %1 : tensor<1x2x2x2xf32>, tensor<2x3xf32>
}

// The result of a loop may be larger in every round.
// RUN: quant-run %s --entry=grow --input=n.npy --input=start.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=GROW
// GROW: int64 (8,) 0 0 1 1 2 2 2 2
func.func @grow(%n: index, %init: tensor<?xi64>) -> tensor<?xi64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%t = %init) -> tensor<?xi64> {
    %size = tensor.dim %t, %c0 : tensor<?xi64>
    %twice = arith.addi %size, %size : index
    %e = tensor.empty(%twice) : tensor<?xi64>
    %value = arith.index_cast %i : index to i64
    %f = linalg.fill ins(%value : i64) outs(%e : tensor<?xi64>) -> tensor<?xi64>
    %g = tensor.insert_slice %t into %f[0] [%size] [1] : tensor<?xi64> into tensor<?xi64>
    scf.yield %g : tensor<?xi64>
  }
  return %r : tensor<?xi64>
}

// A model's functions may be called like those of the C library.
// RUN: quant-run %s --entry=malloc --input=x.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=CALL
// CALL: float32 (2, 3) 0.0 4.0 8.0 12.0 16.0 20.0
func.func private @free(%a: tensor<2x3xf32>) -> tensor<2x3xf32> attributes {no_inline} {
  %0 = arith.addf %a, %a : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
func.func @malloc(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = call @free(%a) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = call @free(%0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// Bytecode is read like text.
// RUN: mlir-opt %s --emit-bytecode -o model.mlirbc
// RUN: quant-run model.mlirbc --entry=malloc --input=x.npy --compare=y.npy | FileCheck %s --check-prefix=BYTECODE
// BYTECODE: exact match
