// Rules per operation for activations, which of them wins, and errors.

// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-insert-observers="config=%t/global.yaml dtype=" | FileCheck %s --check-prefix=GLOBAL
// Without a dtype only what the rules ask for; outputs are disabled, so that each
// value is observed because somebody reads it.
// GLOBAL: quant.observe %arg0 "main.in0" <uint8, asymmetric, percentile>
// GLOBAL: %[[FC1:.*]] = linalg.matmul
// GLOBAL: %[[O:.*]] = quant.observe %[[FC1]] "fc1.out0" <uint8, asymmetric, percentile>
// GLOBAL: %[[FC2:.*]] = linalg.matmul {{.*}} ins(%[[O]]
// Nobody reads the result of fc2; the boundary's output is disabled, too.
// GLOBAL-NOT: quant.observe
// GLOBAL: return %[[FC2]], %[[FC1]]

// RUN: quant-opt %t/model.mlir --quant-insert-observers=config=%t/specific.yaml | FileCheck %s --check-prefix=SPECIFIC
// op_name over op_type over flags.
// SPECIFIC: quant.observe %arg0 "main.in0" <float8_e4m3fn, symmetric, moving_average>
// SPECIFIC: quant.observe %{{.*}} "fc1.out0" <uint8, symmetric, mse>
// SPECIFIC: quant.observe %{{.*}} "fc2.out0" <int8, symmetric, float_range = [none, 6.000000e+00], moving_average>

// RUN: quant-opt %t/model.mlir --quant-insert-observers=config=%t/declines.yaml | FileCheck %s --check-prefix=DECLINES
// fc2 reads in floating point what fc1 writes quantized for everybody else.
// DECLINES: %[[FC1:.*]] = linalg.matmul
// DECLINES: %[[O:.*]] = quant.observe %[[FC1]] "fc1.out0"
// DECLINES: linalg.matmul {{.*}} ins(%[[FC1]]
// DECLINES: return %{{.*}}, %[[O]]

// RUN: quant-opt %t/model.mlir --quant-insert-observers=config=%t/channels.yaml | FileCheck %s --check-prefix=CHANNELS
// CHANNELS: quant.observe %{{.*}} "fc1.out0" <int8, symmetric, per_channel<[1]>, moving_average>

// RUN: quant-opt %t/model.mlir --quant-insert-observers="config=%t/declines.yaml explain" 2>&1 | FileCheck %s --check-prefix=EXPLAIN
// EXPLAIN: remark: {{.*}}'fc1' (matmul); input 'main.in0' int8 by the flags; output 'fc1.out0' int8 by the flags
// EXPLAIN: remark: {{.*}}'fc2' (matmul); input 'fc1.out0' int8 by the flags; output stays in floating point, by op_name "fc2"

// RUN: not quant-opt %t/model.mlir --quant-insert-observers=config=%t/unused.yaml 2>&1 | FileCheck %s --check-prefix=UNUSED
// UNUSED: error: quant-insert-observers: {{.*}}unused.yaml: the rule "conv" of op_type matches no operation
// RUN: not quant-opt %t/model.mlir --quant-insert-observers=config=%t/int4.yaml 2>&1 | FileCheck %s --check-prefix=INT4
// INT4: error: {{.*}}'fc1', by op_name "fc1": expected a storage type for activations, found 'int4': use one of int8, uint8, float8_e4m3fn, float8_e5m2
// RUN: not quant-opt %t/model.mlir --quant-insert-observers=config=%t/block.yaml 2>&1 | FileCheck %s --check-prefix=BLOCK
// BLOCK: error: {{.*}}'fc1', by op_name "fc1": expected per_tensor or per_channel for activations, found per_block: blocks are for weights
// RUN: not quant-opt %t/model.mlir --quant-insert-observers=config=%t/no-axis.yaml 2>&1 | FileCheck %s --check-prefix=NOAXIS
// NOAXIS: error: {{.*}}'fc1', by op_name "fc1": expected an axis beside per_channel for activations, found none
// RUN: not quant-opt %t/model.mlir --quant-insert-observers=config=%t/axis.yaml 2>&1 | FileCheck %s --check-prefix=AXIS
// AXIS: error: {{.*}}'fc1.out0', by op_name "fc1": expected an axis in [-2, 1] of the activation, found 2: give it a rule with another axis
// RUN: not quant-opt %t/model.mlir --quant-insert-observers=qscheme=odd 2>&1 | FileCheck %s --check-prefix=SCHEME
// SCHEME: error: quant-insert-observers: expected a scheme, found 'odd'

//--- global.yaml
global: {input: {dtype: uint8, qscheme: asymmetric, calibrator: percentile}, output: null}
//--- specific.yaml
op_type: {"matmul": {output: {float_range: [null, 6.0]}, input: {dtype: float8_e4m3fn}}}
op_name: {"fc1": {output: {dtype: uint8, calibrator: mse}}}
//--- declines.yaml
op_name: {"fc2": null}
//--- channels.yaml
op_name: {"fc1": {output: {granularity: {type: per_channel, axis: -1}}}}
//--- unused.yaml
op_type: {"conv": {input: null}}
//--- int4.yaml
op_name: {"fc1": {output: {dtype: int4}}}
//--- block.yaml
op_name: {"fc1": {output: {granularity: {type: per_block, block_size: 32}}}}
//--- no-axis.yaml
op_name: {"fc1": {output: {granularity: {type: per_channel}}}}
//--- axis.yaml
op_name: {"fc1": {output: {granularity: {type: per_channel, axis: 2}}}}
//--- model.mlir
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("fc1")
  %1 = linalg.matmul ins(%0, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("fc2")
  return %1, %0 : tensor<4x8xf32>, tensor<4x8xf32>
}
