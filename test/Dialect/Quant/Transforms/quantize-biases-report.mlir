// Biases that stay in floating point are added to a report, or are one.

// RUN: rm -f %t.json
// RUN: quant-opt %s --quant-quantize-biases=report=%t.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --check-prefix=NEW < %t.json
// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-quantize-weights{weight-threshold=0 report=%t.json},quant-quantize-biases{report=%t.json})' -o /dev/null 2>&1
// RUN: FileCheck %s --check-prefix=ADDED < %t.json
// RUN: echo '{"version": 2, "skipped": []}' > %t.json
// RUN: not quant-opt %s --quant-quantize-biases=report=%t.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=VERSION
// RUN: echo 'no json' > %t.json
// RUN: not quant-opt %s --quant-quantize-biases=report=%t.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=BROKEN
// RUN: grep 'no json' %t.json

// REMARK: remark: the bias of 'fc' stays in floating point: its weight is in floating point
// NEW: "version": 1
// NEW: "weights": []
// NEW: "skipped": [
// NEW: "op": "fc"
// NEW: "reason": "its bias: its weight is in floating point"
// ADDED: "version": 1
// ADDED: "weights": [
// ADDED: "op": "fc"
// ADDED: "skipped": [
// ADDED: "op": "fc2",
// ADDED: "reason": "its bias: its input is in floating point"
// ADDED: "totals"
// VERSION: error: cannot write the report '{{.*}}.json': expected a report of version 1, found another file: remove it
// BROKEN: error: cannot write the report '{{.*}}.json': {{.+}}

func.func @f(%q: tensor<4x2xi8>, %y: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  %1 = linalg.matmul {quant.name = "fc2"} ins(%y, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0, %1 : tensor<4x2xf32>, tensor<4x2xf32>
}
