// Rules for inputs over the options, and options that nobody can satisfy.

// RUN: rm -rf %t && split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-dynamic='config=%t/rules.yaml explain=true' 2>%t/log | FileCheck %s
// RUN: FileCheck %s --check-prefix=LOG < %t/log
// RUN: quant-opt %t/model.mlir --quant-quantize-dynamic='dtype= config=%t/only.yaml' 2>%t/log | FileCheck %s --check-prefix=ONLY
// RUN: FileCheck %s --check-prefix=ONLY-LOG < %t/log
// RUN: quant-opt %t/product.mlir --quant-quantize-dynamic='granularity=per_row config=%t/product.yaml' 2>%t/log | FileCheck %s --check-prefix=PRODUCT
// RUN: FileCheck %s --check-prefix=PRODUCT-LOG < %t/log
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic='config=%t/unused.yaml' 2>&1 | FileCheck %s --check-prefix=UNUSED
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic='config=%t/minval.yaml' 2>&1 | FileCheck %s --check-prefix=MINVAL
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic='config=%t/axis.yaml' 2>&1 | FileCheck %s --check-prefix=AXIS
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic='config=%t/missing.yaml' 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic=granularity=per_channel 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic=dtype=int4 2>&1 | FileCheck %s --check-prefix=DTYPE
// RUN: not quant-opt %t/model.mlir --quant-quantize-dynamic='dtype=float8_e4m3fn qscheme=asymmetric' 2>&1 | FileCheck %s --check-prefix=SCHEME

// CHECK: quant.dynamic_range %{{.*}} <uint8, asymmetric, scale_type = f16, float_range = [none, 6.000000e+00]>
// CHECK: quant.dynamic_range %{{.*}} <int8, symmetric, per_channel<[1]>>
// CHECK-NOT: quant.dynamic_range
// LOG-DAG: remark: 'a': input by op_name "a": {{.*}}uint8, asymmetric{{.*}} at run time
// LOG-DAG: remark: 'b': input by op_name "b": {{.*}} at run time
// LOG-DAG: remark: the input of 'c' stays in floating point: disabled by the rule op_name "c"
// ONLY: quant.dynamic_range %{{.*}} <int8, symmetric>
// ONLY-NOT: quant.dynamic_range
// ONLY-LOG: remark: the input of 'b' stays in floating point: no rule and no flag gives a storage type
// A rule for a product of two activations asks for both of them, each row of the first
// and each column of the second one by itself.
// PRODUCT-DAG: quant.dynamic_range %{{.*}} <int8, symmetric, per_channel<[0, 1]>>
// PRODUCT-DAG: quant.dynamic_range %{{.*}} <int8, symmetric, per_channel<[0, 2]>>
// PRODUCT-NOT: quant.dynamic_range
// PRODUCT-LOG: remark: the input of 'd' stays in floating point: it has no quantized weight beside it; a rule of a configuration for this operation quantizes both its operands
// UNUSED: error: quant-quantize-dynamic: {{.*}}unused.yaml: the rule "nothing" of op_name matches no operation
// MINVAL: error: 'a', by global: minval is for weights: expected the formulation zp
// AXIS: error: 'a', by op_name "a": expected an axis in [-2, 1] of the activation, found 2
// MISSING: error: quant-quantize-dynamic: cannot read the configuration
// GRANULARITY: error: quant-quantize-dynamic: expected granularity per_tensor or per_row, found 'per_channel'
// DTYPE: error: quant-quantize-dynamic: expected a storage type for activations, found 'int4'
// SCHEME: error: quant-quantize-dynamic: expected scheme symmetric for float8_e4m3fn, found asymmetric

//--- model.mlir
func.func @main(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>, %e: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %q = arith.constant dense<1> : tensor<8x8xi8>
  %w = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<8x8xi8> -> tensor<8x8xf32>
  %0 = linalg.matmul {quant.name = "a"} ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul {quant.name = "b"} ins(%0, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = linalg.matmul {quant.name = "c"} ins(%y, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}
//--- product.mlir
func.func @main(%a: tensor<2x4x8xf32>, %b: tensor<2x8x4xf32>, %e: tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>, tensor<2x4x4xf32>) {
  %0 = linalg.batch_matmul {quant.name = "scores"} ins(%a, %b : tensor<2x4x8xf32>, tensor<2x8x4xf32>) outs(%e : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %1 = linalg.batch_matmul {quant.name = "d"} ins(%a, %b : tensor<2x4x8xf32>, tensor<2x8x4xf32>) outs(%e : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return %0, %1 : tensor<2x4x4xf32>, tensor<2x4x4xf32>
}
//--- product.yaml
op_name: {scores: {input: {dtype: int8}}}
//--- rules.yaml
op_name:
  a: {input: {dtype: uint8, qscheme: asymmetric, scale_dtype: f16, float_range: [null, 6.0], calibrator: percentile}}
  b: {input: {granularity: {type: per_channel, axis: -1}}}
  c: {input: null}
//--- only.yaml
op_name: {a: {input: {dtype: int8}}}
//--- unused.yaml
op_name: {nothing: {input: {dtype: int8}}}
//--- minval.yaml
global: {input: {qscheme: asymmetric, qformulation: minval}}
//--- axis.yaml
op_name: {a: {input: {granularity: {type: per_channel, axis: 2}}}}
