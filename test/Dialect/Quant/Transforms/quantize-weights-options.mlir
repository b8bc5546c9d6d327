// Storage types, schemes, formulations and scale types, on values for which the
// arithmetic is exact.

// DEFINE: %{run} = quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_tensor
// RUN: %{run} dtype=int8' | FileCheck %s --check-prefix=INT8
// RUN: %{run} dtype=uint8' | FileCheck %s --check-prefix=UINT8
// RUN: %{run} dtype=int4' | FileCheck %s --check-prefix=INT4
// RUN: %{run} dtype=uint4' | FileCheck %s --check-prefix=UINT4
// RUN: %{run} dtype=int2' | FileCheck %s --check-prefix=INT2
// RUN: %{run} dtype=uint2' | FileCheck %s --check-prefix=UINT2
// RUN: %{run} dtype=float8_e4m3fn' | FileCheck %s --check-prefix=E4M3
// RUN: %{run} dtype=float8_e5m2' | FileCheck %s --check-prefix=E5M2
// RUN: %{run} dtype=float8_e5m2 scale-dtype=f8E8M0FNU' | FileCheck %s --check-prefix=E8M0
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block dtype=float4_e2m1fn' | FileCheck %s --check-prefix=FP4
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block dtype=float4_e2m1fn scale-dtype=f8E8M0FNU block-size=32' | FileCheck %s --check-prefix=FP4
// RUN: %{run} qscheme=symmetric_with_clipping' | FileCheck %s --check-prefix=CLIP
// RUN: %{run} qscheme=asymmetric' | FileCheck %s --check-prefix=ASYMMETRIC
// RUN: %{run} dtype=uint8 qscheme=asymmetric' | FileCheck %s --check-prefix=UASYMMETRIC
// RUN: %{run} qformulation=minval' | FileCheck %s --check-prefix=MINVAL
// RUN: %{run} qscheme=asymmetric qformulation=minval' | FileCheck %s --check-prefix=AMINVAL
// RUN: %{run} qformulation=minval scale-dtype=bf16' | FileCheck %s --check-prefix=BF16
// RUN: %{run} scale-dtype=f16' | FileCheck %s --check-prefix=F16

func.func @options(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // INT8: arith.constant dense<{{\[\[}}-64, 0], [64, 127]]> : tensor<2x2xi8>
  // INT8: <int8, per_tensor, scale = 0.0313725509>
  // UINT8: arith.constant dense<{{\[\[}}64, -128], [-64, -1]]> : tensor<2x2xi8>
  // UINT8: <uint8, per_tensor, scale = 0.0313725509, zero_point = 128>
  // INT4: arith.constant dense<{{\[\[}}-4, 0], [4, 7]]> : tensor<2x2xi4>
  // INT4: <int4, per_tensor, scale = 0.533333361>
  // UINT4: arith.constant dense<{{\[\[}}4, -8], [-4, -1]]> : tensor<2x2xi4>
  // UINT4: <uint4, per_tensor, scale = 0.533333361, zero_point = 8>
  // INT2: arith.constant dense<{{\[\[}}-1, 0], [1, 1]]> : tensor<2x2xi2>
  // INT2: <int2, per_tensor, scale = 2.66666675>
  // UINT2: arith.constant dense<{{\[\[}}1, -2], [-1, -1]]> : tensor<2x2xi2>
  // UINT2: <uint2, per_tensor, scale = 2.66666675, zero_point = 2>
  // E4M3: arith.constant dense<{{\[\[}}-2.240000e+02, 0.000000e+00], [2.240000e+02, 4.480000e+02]]> : tensor<2x2xf8E4M3FN>
  // E4M3: <float8_e4m3fn, per_tensor, scale = 0.00892857183>
  // E5M2: arith.constant dense<{{\[\[}}-2.867200e+04, 0.000000e+00], [2.867200e+04, 5.734400e+04]]> : tensor<2x2xf8E5M2>
  // E5M2: <float8_e5m2, per_tensor, scale = 6.97544674E-5>
  // E8M0: arith.constant dense<{{\[\[}}-1.638400e+04, 0.000000e+00], [1.638400e+04, 3.276800e+04]]> : tensor<2x2xf8E5M2>
  // E8M0: <float8_e5m2, per_tensor, scale = 1.220700e-04 : f8E8M0FNU>
  // FP4: arith.constant dense<{{\[\[}}-4.000000e+00, 0.000000e+00], [4.000000e+00, 4.000000e+00]]> : tensor<2x2xf4E2M1FN>
  // FP4: <float4_e2m1fn, per_block<[32, 1]>, scale = dense<{{\[\[}}5.000000e-01, 1.000000e+00]]> : tensor<1x2xf8E8M0FNU>>
  // CLIP: arith.constant dense<{{\[\[}}-64, 0], [64, 127]]> : tensor<2x2xi8>
  // CLIP: <int8 narrow, per_tensor, scale = 0.0314960629>
  // ASYMMETRIC: arith.constant dense<{{\[\[}}-128, -43], [42, 127]]> : tensor<2x2xi8>
  // ASYMMETRIC: <int8, per_tensor, scale = 0.0235294122, zero_point = -43>
  // UASYMMETRIC: arith.constant dense<{{\[\[}}0, 85], [-86, -1]]> : tensor<2x2xi8>
  // UASYMMETRIC: <uint8, per_tensor, scale = 0.0235294122, zero_point = 85>
  // MINVAL: <int8, per_tensor, scale = 0.0313725509, minval = -4.000000e+00>
  // AMINVAL: <int8, per_tensor, scale = 0.0235294122, minval = -2.000000e+00>
  // BF16: <int8, per_tensor, scale = 3.149410e-02 : bf16, minval = -4.000000e+00 : bf16>
  // F16: <int8, per_tensor, scale = 3.137210e-02 : f16>
  %w = arith.constant dense<[[-2.0, 0.0], [2.0, 4.0]]> : tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
