// Requests that are wrong whatever the model holds, and those that do not fit a
// weight.

// DEFINE: %{run} = not quant-opt %s --quant-quantize-weights='weight-threshold=0
// RUN: %{run} dtype=int7' 2>&1 | FileCheck %s --check-prefix=DTYPE
// RUN: %{run} dtype=int32' 2>&1 | FileCheck %s --check-prefix=INT32
// RUN: %{run} granularity=per_row' 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// RUN: %{run} qscheme=lopsided' 2>&1 | FileCheck %s --check-prefix=SCHEME
// RUN: %{run} qformulation=affine' 2>&1 | FileCheck %s --check-prefix=FORMULATION
// RUN: %{run} scale-dtype=f64' 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: %{run} scale-dtype=f8E8M0FNU' 2>&1 | FileCheck %s --check-prefix=E8M0
// RUN: %{run} dtype=float8_e5m2 qscheme=asymmetric' 2>&1 | FileCheck %s --check-prefix=FLOAT-SCHEME
// RUN: %{run} dtype=float8_e5m2 qformulation=minval' 2>&1 | FileCheck %s --check-prefix=FLOAT-MINVAL
// RUN: %{run} dtype=float4_e2m1fn' 2>&1 | FileCheck %s --check-prefix=FP4-GRANULARITY
// RUN: %{run} dtype=float4_e2m1fn granularity=per_block block-size=16' 2>&1 | FileCheck %s --check-prefix=FP4-BLOCK
// RUN: %{run} dtype=float4_e2m1fn granularity=per_block scale-dtype=f32' 2>&1 | FileCheck %s --check-prefix=FP4-SCALE
// RUN: %{run} granularity=per_tensor axis=0' 2>&1 | FileCheck %s --check-prefix=TENSOR-AXIS
// RUN: %{run} granularity=per_block block-size=2,2 axis=0' 2>&1 | FileCheck %s --check-prefix=LIST-AXIS
// RUN: %{run} granularity=per_block block-size=0' 2>&1 | FileCheck %s --check-prefix=BLOCK-0
// RUN: %{run} granularity=per_block block-size=-2' 2>&1 | FileCheck %s --check-prefix=BLOCK-NEGATIVE
// RUN: %{run} granularity=per_block block-size=2,2,2' 2>&1 | FileCheck %s --check-prefix=BLOCK-RANK
// RUN: not quant-opt %s --quant-quantize-weights=weight-threshold=-1 2>&1 | FileCheck %s --check-prefix=THRESHOLD
// RUN: %{run} config=%t.missing.yaml' 2>&1 | FileCheck %s --check-prefix=CONFIG
// RUN: %{run} report=%t.missing/report.json' 2>&1 | FileCheck %s --check-prefix=REPORT

// DTYPE: error: quant-quantize-weights: expected a storage type, found 'int7': use one of int8, uint8, int4, uint4, int2, uint2, float8_e4m3fn, float8_e5m2, float4_e2m1fn{{$}}
// INT32: error: quant-quantize-weights: expected a storage type of 2, 4 or 8 bits, found int32
// GRANULARITY: error: quant-quantize-weights: expected a granularity, found 'per_row': use one of per_tensor, per_channel, per_block
// SCHEME: error: quant-quantize-weights: expected a scheme, found 'lopsided': use one of symmetric, symmetric_with_clipping, asymmetric
// FORMULATION: error: quant-quantize-weights: expected a formulation, found 'affine': use one of zp, minval
// SCALE: error: quant-quantize-weights: expected a scale type, found 'f64': use one of f32, f16, bf16, f8E8M0FNU
// E8M0: error: quant-quantize-weights: expected scale type f32, f16 or bf16 for int8, found f8E8M0FNU
// FLOAT-SCHEME: error: quant-quantize-weights: expected scheme symmetric for float8_e5m2, found asymmetric
// FLOAT-MINVAL: error: quant-quantize-weights: expected formulation zp for float8_e5m2, found minval
// FP4-GRANULARITY: error: quant-quantize-weights: {{.*}}float4_e2m1fn
// FP4-BLOCK: error: quant-quantize-weights: {{.*}}found {{.*}}16
// FP4-SCALE: error: quant-quantize-weights: expected scale type f8E8M0FNU for float4_e2m1fn, found f32
// TENSOR-AXIS: error: quant-quantize-weights: per_tensor has no axis, found axis 0: drop it or use per_channel or per_block
// LIST-AXIS: error: quant-quantize-weights: expected an axis with one block size, or one block size per dimension without an axis, found both
// BLOCK-0: error: quant-quantize-weights: expected block sizes that are positive, or -1 for the whole dimension, found 0
// BLOCK-NEGATIVE: error: quant-quantize-weights: expected block sizes that are positive, or -1 for the whole dimension, found -2
// BLOCK-RANK: error: 'errors/linalg.matmul#0': expected one block size, or one for each of the 2 dimensions of the weight, found 3
// THRESHOLD: error: quant-quantize-weights: expected weight-threshold to be at least 0, found -1
// CONFIG: error: quant-quantize-weights: cannot read the configuration '{{.*}}missing.yaml': No such file or directory
// REPORT: error: cannot write the report '{{.*}}missing/report.json': {{.*}}No such file or directory
func.func @errors(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[-2.0, 0.0], [2.0, 4.0]]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
