// What quant-opt has already may come again as a plugin built of the same code.

// UNSUPPORTED: asan

// RUN: quant-opt %s --load-dialect-plugin=%plugin | FileCheck %s
// RUN: quant-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin --quant-quantize-weights | FileCheck %s
// RUN: mlir-opt %s --load-dialect-plugin=%plugin --load-dialect-plugin=%plugin | FileCheck %s
// RUN: mlir-opt %s --load-dialect-plugin=%plugin --emit-bytecode | mlir-opt --load-dialect-plugin=%plugin | FileCheck %s

// CHECK-LABEL: func @twice
func.func @twice(%x: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: quant.quantize %{{.*}} <int8, per_tensor, scale = 5.000000e-01>
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}
