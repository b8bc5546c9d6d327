// The short flags: each does what its pass option does, in any order.

// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 | FileCheck %s --check-prefix=INT8
// RUN: quant-opt %s --quantize-weights=int8 | FileCheck %s --check-prefix=THRESHOLD
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --granularity=per_tensor | FileCheck %s --check-prefix=TENSOR
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --granularity=per_block --block-size=2 | FileCheck %s --check-prefix=BLOCK
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --granularity=per_block --block-size=2,-1 | FileCheck %s --check-prefix=LIST
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --block-size=2 | FileCheck %s --check-prefix=INT8
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --axis=-2 | FileCheck %s --check-prefix=AXIS
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --qscheme=symmetric_with_clipping | FileCheck %s --check-prefix=CLIPPING
// RUN: quant-opt %s --quantize-weights=uint4 --weight-threshold=0 --qscheme=asymmetric --qformulation=minval --scale-dtype=bf16 | FileCheck %s --check-prefix=MINVAL
// RUN: quant-opt %s --quantize-weights=int4 --weight-threshold=0 --pack | FileCheck %s --check-prefix=PACK
// RUN: quant-opt %s --quantize-weights=int4 --weight-threshold=0 --fuse --pack | FileCheck %s --check-prefix=FUSE
// RUN: quant-opt %s --pack | FileCheck %s --check-prefix=THRESHOLD

// Whatever order flags are written in, the output is the same, also where the
// input stands among them.
// RUN: quant-opt %s --quantize-weights=int4 --granularity=per_block --block-size=2 --qscheme=asymmetric --scale-dtype=f16 --weight-threshold=0 --pack -o %t.1
// RUN: quant-opt --pack --scale-dtype=f16 --weight-threshold=0 %s -o %t.2 --block-size=2 --qscheme=asymmetric --granularity=per_block --quantize-weights=int4
// RUN: cmp %t.1 %t.2

// INT8: quant.dequantize %{{.*}} <int8, per_channel<[1]>
// THRESHOLD-NOT: quant.
// THRESHOLD: arith.constant dense<5.000000e-01> : tensor<6x3xf32>
// TENSOR: quant.dequantize %{{.*}} <int8, per_tensor
// BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
// LIST: quant.dequantize %{{.*}} <int8, per_block<[2, -1]>
// AXIS: quant.dequantize %{{.*}} <int8, per_channel<[0]>
// CLIPPING: quant.dequantize %{{.*}} <int8 narrow, per_channel<[1]>
// MINVAL: quant.dequantize %{{.*}} <uint4, per_channel<[1]>, scale = dense<{{.*}}> : tensor<1x3xbf16>, minval = dense<0.000000e+00> : tensor<1x3xbf16>>
// PACK: arith.constant dense<119> : tensor<9xi8>
// PACK: quant.unpack %{{.*}} <canonical> : tensor<9xi8> -> tensor<6x3xi4>
// FUSE: %[[CODES:.*]] = quant.unpack %{{.*}} <canonical> : tensor<9xi8> -> tensor<6x3xi4>
// FUSE: quant.contract lhs(%{{.*}} : tensor<4x6xf32>) rhs(%[[CODES]] as <int4, per_channel<[1]>
func.func @main(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
