// The report: one entry for each weight, quantized or not, with the reason.

// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-weights="weight-threshold=4 config=%t/rules.yaml report=%t/report.json" -o %t/out.mlir
// RUN: FileCheck %s --input-file=%t/report.json
// RUN: %lit_python -m json.tool %t/report.json
// RUN: quant-opt %t/empty.mlir --quant-quantize-weights="report=-" -o %t/out.mlir | FileCheck %s --check-prefix=EMPTY

//--- empty.mlir
// EMPTY: {
// EMPTY-NEXT: "version": 1,
// EMPTY-NEXT: "weights": [],
// EMPTY-NEXT: "activations": [],
// EMPTY-NEXT: "skipped": [],
// EMPTY-NEXT: "totals": {
// EMPTY-NEXT: "bytes_before": 0,
// EMPTY-NEXT: "bytes_after": 0
// EMPTY-NEXT: }
// EMPTY-NEXT: }

//--- rules.yaml
op_name:
  blocks: {weight: {dtype: uint4, qscheme: asymmetric, granularity: {type: per_block, block_size: 2}, scale_dtype: f16}}
  disabled: null

//--- model.mlir
// CHECK: "version": 1,
// CHECK-NEXT: "weights": [
func.func @main(%x: tensor<1x4xf32>, %i: tensor<1x2xf32>, %d: tensor<1x4xf64>, %j: tensor<1x2xf64>, %k: tensor<1xf32>, %s: tensor<1x1xf32>) {
  // An exact one: JSON has no infinity.
  // CHECK: "op": "exact",
  // CHECK-NEXT: "loc": "{{.*}}model.mlir:{{[0-9]+}}:{{[0-9]+}}",
  // CHECK-NEXT: "shape": [
  // CHECK-NEXT: 4,
  // CHECK-NEXT: 2
  // CHECK-NEXT: ],
  // CHECK-NEXT: "dtype": "int8",
  // CHECK-NEXT: "granularity": "per_channel",
  // CHECK-NEXT: "block_sizes": [
  // CHECK-NEXT: 4,
  // CHECK-NEXT: 1
  // CHECK-NEXT: ],
  // CHECK-NEXT: "sqnr_db": null,
  // CHECK-NEXT: "max_abs_error": 0,
  // CHECK-NEXT: "clipped": 0,
  // CHECK-NEXT: "bytes_before": 32,
  // CHECK-NEXT: "bytes_after": 16
  // CHECK: "op": "blocks",
  // CHECK: "dtype": "uint4",
  // CHECK-NEXT: "granularity": "per_block",
  // CHECK-NEXT: "block_sizes": [
  // CHECK-NEXT: 2,
  // CHECK-NEXT: 1
  // CHECK-NEXT: ],
  // CHECK-NEXT: "sqnr_db": {{[0-9.]+}},
  // Packed codes, scales of f16 and zero points.
  // CHECK: "bytes_before": 32,
  // CHECK-NEXT: "bytes_after": 16
  // CHECK: "activations": [],
  // CHECK-NEXT: "skipped": [
  %exact = arith.constant dense<0.0> : tensor<4x2xf32>
  %blocks = arith.constant dense<[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]> : tensor<4x2xf32>
  %disabled = arith.constant dense<1.0> : tensor<4x2xf32>
  %small = arith.constant dense<1.0> : tensor<1x2xf32>
  %double = arith.constant dense<1.0> : tensor<4x2xf64>
  %c = arith.constant dense<1.0> : tensor<4x2xf32>
  %computed = arith.negf %c : tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %exact : tensor<1x4xf32>, tensor<4x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32> loc("exact")
  %1 = linalg.matmul ins(%x, %blocks : tensor<1x4xf32>, tensor<4x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32> loc("blocks")
  // Not reached first, then those left by decision.
  // CHECK: "op": "double",
  // CHECK-NEXT: "loc": "double",
  // CHECK-NEXT: "reason": "the weight has element type f64: expected f32, f16 or bf16"
  // CHECK: "op": "computed",
  // CHECK: "reason": "the weight is reached through 'arith.negf', which computes it from constants: fold it into one first"
  // CHECK: "op": "disabled",
  // CHECK: "reason": "disabled by the rule op_name \"disabled\""
  // CHECK: "op": "small",
  // CHECK: "reason": "2 elements, fewer than weight-threshold 4"
  // CHECK: "totals": {
  // CHECK-NEXT: "bytes_before": 64,
  // CHECK-NEXT: "bytes_after": 32
  %2 = linalg.matmul ins(%x, %disabled : tensor<1x4xf32>, tensor<4x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32> loc("disabled")
  %3 = linalg.matmul ins(%s, %small : tensor<1x1xf32>, tensor<1x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32> loc("small")
  %4 = linalg.matmul ins(%d, %double : tensor<1x4xf64>, tensor<4x2xf64>) outs(%j : tensor<1x2xf64>) -> tensor<1x2xf64> loc("double")
  %5 = linalg.matmul ins(%x, %computed : tensor<1x4xf32>, tensor<4x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32> loc("computed")
  return
}
