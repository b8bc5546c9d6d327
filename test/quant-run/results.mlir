// Results that are not computed, more than one of them, and single values.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x.npy "array([1, 2], 'f4')"
// RUN: %{npy} make p.npy "array(False)"
// RUN: %{npy} make i.npy "array(41, 'i4')"
// RUN: %{npy} make h.npy "array(1.00390625, 'f4')"

// RUN: quant-run %s --entry=unchanged --input=x.npy --output=a.npy --output=b.npy --output=c.npy --output=d.npy
// RUN: %{npy} show a.npy b.npy c.npy d.npy | FileCheck %s --check-prefix=UNCHANGED
// UNCHANGED:      float32 (2,) 1.0 2.0
// UNCHANGED-NEXT: int16 (3,) 1 2 3
// UNCHANGED-NEXT: float32 (2,) 2.0 4.0
// UNCHANGED-NEXT: float32 (2,) 2.0 4.0
func.func @unchanged(%a: tensor<2xf32>)
    -> (tensor<2xf32>, tensor<3xi16>, tensor<2xf32>, tensor<2xf32>) {
  %c = arith.constant dense<[1, 2, 3]> : tensor<3xi16>
  %0 = arith.addf %a, %a : tensor<2xf32>
  return %a, %c, %0, %0
    : tensor<2xf32>, tensor<3xi16>, tensor<2xf32>, tensor<2xf32>
}

// RUN: quant-run %s --entry=either --input=p.npy --input=x.npy --output=a.npy
// RUN: %{npy} show a.npy | FileCheck %s --check-prefix=EITHER
// EITHER: float32 (2,) 5.0 6.0
func.func @either(%p: i1, %a: tensor<2xf32>) -> tensor<2xf32> {
  %c = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %0 = scf.if %p -> tensor<2xf32> {
    scf.yield %a : tensor<2xf32>
  } else {
    scf.yield %c : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// RUN: quant-run %s --entry=values --input=i.npy --input=h.npy --output=a.npy --output=b.npy --output=c.npy --output=d.npy
// RUN: %{npy} show a.npy b.npy c.npy d.npy | FileCheck %s --check-prefix=VALUES
// VALUES:      float32 () 1.0
// VALUES-NEXT: int32 () 42
// VALUES-NEXT: bool () True
// VALUES-NEXT: float64 () 0.25
func.func @values(%i: i32, %h: bf16) -> (bf16, i32, i1, tensor<f64>) {
  %c1 = arith.constant 1 : i32
  %0 = arith.addi %i, %c1 : i32
  %1 = arith.cmpi sgt, %0, %i : i32
  %2 = arith.constant dense<0.25> : tensor<f64>
  return %h, %0, %1, %2 : bf16, i32, i1, tensor<f64>
}

// RUN: quant-run %s --entry=one_value --input=i.npy --output=a.npy
// RUN: %{npy} show a.npy | FileCheck %s --check-prefix=ONE
// ONE: int32 () 41
func.func @one_value(%i: i32) -> i32 {
  return %i : i32
}

// A function without results can be timed.
// RUN: quant-run %s --entry=nothing --bench=2 | FileCheck %s --check-prefix=NOTHING
// NOTHING: latency min {{[0-9.]+}} us, median {{[0-9.]+}} us (2 runs, 1 thread)
func.func @nothing() {
  return
}
