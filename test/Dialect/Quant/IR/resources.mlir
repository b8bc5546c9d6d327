// Parameters in resources: what is missing or broken is an error at the
// operation, never a guess.

// RUN: split-file %s %t
// RUN: not quant-opt %t/missing.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quant-opt %t/small.mlir 2>&1 | FileCheck %s --check-prefix=SMALL
// RUN: not quant-opt %t/large.mlir 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not quant-opt %t/scale.mlir 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not quant-opt %t/zero_point.mlir 2>&1 | FileCheck %s --check-prefix=ZERO-POINT
// RUN: quant-opt %t/good.mlir --mlir-elide-resource-strings-if-larger=4 -o %t/elided.mlir
// RUN: not quant-opt %t/elided.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: quant-opt %t/dense.mlir --mlir-elide-elementsattrs-if-larger=1 -o %t/elided.mlir
// RUN: not quant-opt %t/elided.mlir 2>&1 | FileCheck %s --check-prefix=ELIDED
// RUN: quant-opt %t/good.mlir --emit-bytecode --elide-resource-data-from-bytecode -o %t/elided.mlirbc
// RUN: not quant-opt %t/elided.mlirbc 2>&1 | FileCheck %s --check-prefix=MISSING

//--- good.mlir
func.func @good(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense_resource<s> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000003F0000003F" } } #-}

// MISSING: error: 'quant.dequantize' op the resource of dense_resource<s> : tensor<1x2xf32> is missing or has the wrong size: print the module with its resources
//--- missing.mlir
func.func @missing(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense_resource<s> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}

// ELIDED: error: 'quant.dequantize' op the resource of dense_resource<__elided__> : tensor<1x2xf32> is missing
//--- dense.mlir
func.func @dense(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}

// SMALL: error: 'quant.dequantize' op the resource of dense_resource<s> : tensor<1x2xf32> is missing or has the wrong size
//--- small.mlir
func.func @small(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense_resource<s> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000003F" } } #-}

// LARGE: error: 'quant.dequantize' op the resource of dense_resource<s> : tensor<1x2xf32> is missing or has the wrong size
//--- large.mlir
func.func @large(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense_resource<s> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000003F0000003F0000003F" } } #-}

// SCALE: error: 'quant.dequantize' op expected scales that are positive and finite, found -5.000000e-01 at index 1
//--- scale.mlir
func.func @scale(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[1]>, scale = dense_resource<s> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000003F000000BF" } } #-}

// ZERO-POINT: error: 'quant.dequantize' op expected zero points in the range in use [-127, 127], found -128 at index 0
//--- zero_point.mlir
func.func @zero_point(%q: tensor<2x2xi8>) -> tensor<2x2xf32> {
  %x = quant.dequantize %q <int8 narrow, per_channel<[1]>, scale = dense<0.5> : tensor<1x2xf32>, zero_point = dense_resource<z> : tensor<1x2xi8>> : tensor<2x2xi8> -> tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}
{-# dialect_resources: { builtin: { z: "0x010000008000" } } #-}
