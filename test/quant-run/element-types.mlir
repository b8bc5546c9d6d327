// Every element type, in and out.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// DEFINE: %{binary} = quant-run %s --input=a.npy --input=b.npy --output=y.npy

// RUN: %{npy} make a.npy "array([1, 2, 250], 'f4')"
// RUN: %{npy} make b.npy "array([0.5, 4, 7], 'f4')"
// RUN: %{binary} --entry=add_f32 && %{npy} show y.npy | FileCheck %s --check-prefix=F32
// F32: float32 (3,) 1.5 6.0 257.0
// RUN: %{binary} --entry=add_bf16 && %{npy} show y.npy | FileCheck %s --check-prefix=BF16
// BF16: float32 (3,) 1.5 6.0 256.0

func.func @add_f32(%a: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<3xf32> {
  %0 = arith.addf %a, %b : tensor<3xf32>
  return %0 : tensor<3xf32>
}
func.func @add_bf16(%a: tensor<3xbf16>, %b: tensor<3xbf16>) -> tensor<3xbf16> {
  %0 = arith.addf %a, %b : tensor<3xbf16>
  return %0 : tensor<3xbf16>
}

// Going in, bf16 rounds half to even: 1 + 2^-8 down, 1 + 3*2^-8 up; NaN and
// infinities stay.
// RUN: %{npy} make a.npy "array([1+2.**-8, 1+3*2.**-8, np.inf, np.nan], 'f4')"
// RUN: quant-run %s --entry=same_bf16 --input=a.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=ROUND
// ROUND: float32 (4,) 1.0 1.015625 inf nan
func.func @same_bf16(%a: tensor<4xbf16>) -> tensor<4xbf16> {
  return %a : tensor<4xbf16>
}

// RUN: %{npy} make a.npy "array([1, 2048, 65504], 'f2')"
// RUN: %{npy} make b.npy "array([0.5, 1, 16], 'f2')"
// RUN: %{binary} --entry=add_f16 && %{npy} show y.npy | FileCheck %s --check-prefix=F16
// F16: float16 (3,) 1.5 2048.0 inf
func.func @add_f16(%a: tensor<3xf16>, %b: tensor<3xf16>) -> tensor<3xf16> {
  %0 = arith.addf %a, %b : tensor<3xf16>
  return %0 : tensor<3xf16>
}

// RUN: %{npy} make a.npy "array([1, 2, 3], 'f8')"
// RUN: %{npy} make b.npy "array([1e-12, 0, 0], 'f8')"
// RUN: %{binary} --entry=add_f64 && %{npy} show y.npy | FileCheck %s --check-prefix=F64
// F64: float64 (3,) 1.000000000001 2.0 3.0
func.func @add_f64(%a: tensor<3xf64>, %b: tensor<3xf64>) -> tensor<3xf64> {
  %0 = arith.addf %a, %b : tensor<3xf64>
  return %0 : tensor<3xf64>
}

// RUN: %{npy} make a.npy "array([1, 0, 1], '?')"
// RUN: %{npy} make b.npy "array([1, 1, 0], '?')"
// RUN: %{binary} --entry=and_i1 && %{npy} show y.npy | FileCheck %s --check-prefix=I1
// I1: bool (3,) True False False
func.func @and_i1(%a: tensor<3xi1>, %b: tensor<3xi1>) -> tensor<3xi1> {
  %0 = arith.andi %a, %b : tensor<3xi1>
  return %0 : tensor<3xi1>
}

// Signless integers take signed and unsigned arrays, and give signed ones.
// RUN: %{npy} make a.npy "array([1, -2, 127], 'i1')"
// RUN: %{npy} make b.npy "array([1, 200, 1], 'u1')"
// RUN: %{binary} --entry=add_i8 && %{npy} show y.npy | FileCheck %s --check-prefix=I8
// I8: int8 (3,) 2 -58 -128
func.func @add_i8(%a: tensor<3xi8>, %b: tensor<3xi8>) -> tensor<3xi8> {
  %0 = arith.addi %a, %b : tensor<3xi8>
  return %0 : tensor<3xi8>
}

// RUN: %{npy} make a.npy "array([1, -2, 32767], 'i2')"
// RUN: %{npy} make b.npy "array([1, 2, 1], 'u2')"
// RUN: %{binary} --entry=add_i16 && %{npy} show y.npy | FileCheck %s --check-prefix=I16
// I16: int16 (3,) 2 0 -32768
func.func @add_i16(%a: tensor<3xi16>, %b: tensor<3xi16>) -> tensor<3xi16> {
  %0 = arith.addi %a, %b : tensor<3xi16>
  return %0 : tensor<3xi16>
}

// RUN: %{npy} make a.npy "array([1, -2, 7], 'i4')"
// RUN: %{npy} make b.npy "array([1, 2, 2**32-1], 'u4')"
// RUN: %{binary} --entry=add_i32 && %{npy} show y.npy | FileCheck %s --check-prefix=I32
// I32: int32 (3,) 2 0 6
func.func @add_i32(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  %0 = arith.addi %a, %b : tensor<3xi32>
  return %0 : tensor<3xi32>
}

// RUN: %{npy} make a.npy "array([1, 2**40, -1], 'i8')"
// RUN: %{npy} make b.npy "array([1, 2, 2**64-1], 'u8')"
// RUN: %{binary} --entry=add_i64 && %{npy} show y.npy | FileCheck %s --check-prefix=I64
// RUN: %{binary} --entry=add_index && %{npy} show y.npy | FileCheck %s --check-prefix=I64
// I64: int64 (3,) 2 1099511627778 -2
func.func @add_i64(%a: tensor<3xi64>, %b: tensor<3xi64>) -> tensor<3xi64> {
  %0 = arith.addi %a, %b : tensor<3xi64>
  return %0 : tensor<3xi64>
}
func.func @add_index(%a: tensor<3xindex>, %b: tensor<3xindex>) -> tensor<3xindex> {
  %0 = arith.addi %a, %b : tensor<3xindex>
  return %0 : tensor<3xindex>
}
