// Every granularity on one weight of 5x3 elements, last blocks ragged.

// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_tensor' | FileCheck %s --check-prefix=TENSOR
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_channel' | FileCheck %s --check-prefix=CHANNEL
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_channel block-size=2' | FileCheck %s --check-prefix=CHANNEL
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block' | FileCheck %s --check-prefix=DEFAULT
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=2' | FileCheck %s --check-prefix=RAGGED
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=-1' | FileCheck %s --check-prefix=CHANNEL
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=2,2' | FileCheck %s --check-prefix=LIST
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=2,-1' | FileCheck %s --check-prefix=WHOLE
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=-1,-1' | FileCheck %s --check-prefix=TENSOR
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=1,1' | FileCheck %s --check-prefix=EACH

// TENSOR: <int8, per_tensor, scale = 1.000000e+00>
// CHANNEL: <int8, per_channel<[1]>, scale = dense<1.000000e+00> : tensor<1x3xf32>>
// DEFAULT: <int8, per_block<[32, 1]>, scale = dense<1.000000e+00> : tensor<1x3xf32>>
// RAGGED: <int8, per_block<[2, 1]>, scale = dense<{{.*}}> : tensor<3x3xf32>>
// LIST: <int8, per_block<[2, 2]>, scale = dense<{{.*}}> : tensor<3x2xf32>>
// WHOLE: <int8, per_block<[2, -1]>, scale = dense<{{.*}}> : tensor<3x1xf32>>
// EACH: <int8, per_channel<[0, 1]>, scale = dense<{{.*}}> : tensor<5x3xf32>>
func.func @granularity(%x: tensor<4x5xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [1.0, 2.0, 3.0], [127.5, 127.5, 127.5]]> : tensor<5x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x5xf32>, tensor<5x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
