// Models that cannot be read, or cannot be run.
// REQUIRES: numpy
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %python %S/Inputs/npy.py make x.npy "array([1, 2], 'f4')"
// DEFINE: %{run} = not quant-run --input=x.npy --output=y.npy

// RUN: %{run} none.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: {{^}}quant-run: error: 'none.mlir': cannot be read: No such file or directory{{$}}
// RUN: %{run} syntax.mlir 2>&1 | FileCheck %s --check-prefix=SYNTAX
// SYNTAX: {{^}}quant-run: error: syntax.mlir:1:16: expected '('{{$}}
// RUN: %{run} invalid.mlir 2>&1 | FileCheck %s --check-prefix=INVALID
// INVALID: {{^}}quant-run: error: invalid.mlir:2:8: 'arith.addf' op expected 2 operands, but found 1{{$}}
// RUN: %{run} x.npy 2>&1 | FileCheck %s --check-prefix=DATA
// DATA: {{^}}quant-run: error: {{'?}}x.npy{{.*}}
// RUN: %{run} names.mlir 2>&1 | FileCheck %s --check-prefix=NO-ENTRY
// NO-ENTRY: {{^}}quant-run: error: 'names.mlir': has no function 'main'; it has 'f', 'g', 'memref', 'sub_byte', 'calls', 'recursive': choose with --entry{{$}}
// RUN: %{run} names.mlir --entry=declared 2>&1 | FileCheck %s --check-prefix=DECLARED
// DECLARED: error: names.mlir:3:1: function 'declared' is only declared; expected one with a body{{$}}
// RUN: %{run} names.mlir --entry=memref 2>&1 | FileCheck %s --check-prefix=MEMREF
// MEMREF: error: names.mlir:4:1: argument 0 of 'memref' is memref<2xf32>; expected a ranked tensor, or a single value, of f32, f64, f16, bf16, i1, i8, i16, i32, i64 or index{{$}}
// RUN: %{run} names.mlir --entry=sub_byte 2>&1 | FileCheck %s --check-prefix=SUB-BYTE
// SUB-BYTE: error: names.mlir:7:1: result 0 of 'sub_byte' is tensor<2xi4>; expected
// RUN: %{run} names.mlir --entry=calls 2>&1 | FileCheck %s --check-prefix=CALLS
// CALLS: error: names.mlir:3:1: function 'declared' is called but has no body{{$}}
// RUN: %{run} names.mlir --entry=recursive 2>&1 | FileCheck %s --check-prefix=RECURSIVE
// RECURSIVE: error: names.mlir:15:1: function 'recursive' is recursive, which is not supported{{$}}
// RUN: %{run} ops.mlir --entry=complex 2>&1 | FileCheck %s --check-prefix=COMPLEX
// COMPLEX: error: ops.mlir:2:8: 'complex.create' op cannot be run: no lowering to linalg, arith, math, tensor or scf is known for it{{$}}
// RUN: %{run} ops.mlir --entry=large 2>&1 | FileCheck %s --check-prefix=LARGE
// LARGE: error: ops.mlir:7:8: 'tensor.empty' op cannot be run: the size of 'tensor<4294967296x4294967296xf32>' overflows 63 bits{{$}}
// RUN: %{run} located.mlir 2>&1 | FileCheck %s --check-prefix=LOCATED
// LOCATED: {{^}}quant-run: error: 'located.mlir': 'complex.create' op cannot be run: {{.*}} ("layer.3" at model.py:12:4){{$}}
// RUN: not ls y.npy

//--- syntax.mlir
func.func @main
//--- invalid.mlir
func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "arith.addf"(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
//--- names.mlir
func.func @f() { return }
func.func @g() { return }
func.func private @declared(tensor<2xf32>) -> tensor<2xf32>
func.func @memref(%a: memref<2xf32>) {
  return
}
func.func @sub_byte(%a: tensor<2xf32>) -> tensor<2xi4> {
  %0 = arith.fptosi %a : tensor<2xf32> to tensor<2xi4>
  return %0 : tensor<2xi4>
}
func.func @calls(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @declared(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func @recursive(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @recursive(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
//--- ops.mlir
func.func @complex(%a: f32) -> f32 {
  %0 = complex.create %a, %a : complex<f32>
  %1 = complex.abs %0 : complex<f32>
  return %1 : f32
}
func.func @large(%a: tensor<2xf32>) -> tensor<4294967296x4294967296xf32> {
  %0 = tensor.empty() : tensor<4294967296x4294967296xf32>
  return %0 : tensor<4294967296x4294967296xf32>
}
//--- located.mlir
func.func @main(%a: f32) -> f32 {
  %0 = complex.create %a, %a : complex<f32> loc("layer.3"("model.py":12:4))
  %1 = complex.abs %0 : complex<f32>
  return %1 : f32
}
