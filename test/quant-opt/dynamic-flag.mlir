// --dynamic: ranges of activations at run time, behind batch-norm folding and the
// quantization of weights.

// RUN: rm -rf %t && split-file %s %t
// RUN: quant-opt %t/model.mlir --quantize-activations=int8 --dynamic --quantize-weights=int8 | FileCheck %s
// RUN: quant-opt %t/model.mlir --quantize-activations=int8 --dynamic=per_tensor --quantize-weights=int8 | FileCheck %s
// The factor is part of the weight: 0.5 * 2.
// CHECK: quant.dynamic_range %{{.*}} <int8, symmetric> : tensor<4x8xf32> -> tensor<f32>
// CHECK: %[[X:.*]] = quant.dequantize %{{.*}} scale(%{{.*}} : tensor<f32>) <int8, per_tensor>
// CHECK: %[[W:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, scale = dense<0.00784313772>
// CHECK: linalg.matmul {{.*}} ins(%[[X]], %[[W]] :
// CHECK-NOT: arith.mulf
// RUN: quant-opt %t/model.mlir --dynamic=per_row --activation-qscheme=asymmetric --quantize-activations=uint8 --quantize-weights=int4 --pack | FileCheck %s --check-prefix=ROW
// ROW: quant.dynamic_range %{{.*}} <uint8, asymmetric, per_channel<[0]>> : tensor<4x8xf32> -> tensor<4x1xf32>, tensor<4x1xi32>
// ROW: quant.unpack
// RUN: quant-opt %t/model.mlir --dynamic --quant-config=%t/config.yaml --explain 2>&1 | FileCheck %s --check-prefix=CONFIG
// CONFIG: remark: {{.*}}'fc': input by op_name "fc": {{.*}}float8_e4m3fn
// CONFIG: quant.dynamic_range %{{.*}} <float8_e4m3fn, symmetric>
// RUN: quant-opt %t/model.mlir --quantize-activations=int8 --dynamic 2>&1 | FileCheck %s --check-prefix=FLOAT
// FLOAT: remark: {{.*}}the input of 'fc' stays in floating point: it has no quantized weight beside it
// RUN: not quant-opt %t/model.mlir --quantize-activations=int8 --dynamic=per_channel --quantize-weights=int8 2>&1 | FileCheck %s --check-prefix=UNIT
// UNIT: error: quant-quantize-dynamic: expected granularity per_tensor or per_row, found 'per_channel'

//--- model.mlir
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<8x6xf32>
  %two = arith.constant dense<2.0> : tensor<4x6xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x6xf32>) outs(%f : tensor<4x6xf32>) -> tensor<4x6xf32> loc("fc")
  %1 = arith.mulf %0, %two : tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
//--- config.yaml
op_name:
  fc: {weight: {dtype: int8}, input: {dtype: float8_e4m3fn}}
