// Constants of 64 KiB and more are resources, named after operation and type;
// sub-byte ones of that many codes are stored packed.

// RUN: %lit_python %S/Inputs/append_resource.py %s w 65536 > %t.mlir
// RUN: quant-opt %t.mlir --quant-quantize-weights='weight-threshold=0 granularity=per_channel' | FileCheck %s --check-prefix=INT8
// RUN: quant-opt %t.mlir --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=1 dtype=uint4 qscheme=asymmetric' | FileCheck %s --check-prefix=UINT4
// RUN: quant-opt %t.mlir --quant-quantize-weights='weight-threshold=0 granularity=per_channel' --emit-bytecode | quant-opt | FileCheck %s --check-prefix=INT8

// INT8: %[[CODES:.*]] = arith.constant dense_resource<"fc \22\C3\A9.int8"> : tensor<256x256xi8>
// INT8: quant.dequantize %[[CODES]] <int8, per_channel<[1]>, scale = dense<
// INT8: dialect_resources
// INT8: "fc \22\C3\A9.int8": "0x10000000{{[0-9A-F]+}}"

// UINT4: %[[PACKED:.*]] = arith.constant dense{{.*}} : tensor<32768xi8>
// UINT4: %[[CODES:.*]] = quant.unpack %[[PACKED]] <canonical> : tensor<32768xi8> -> tensor<256x256xi4>
// UINT4: quant.dequantize %[[CODES]] <uint4, per_channel<[0, 1]>, scale = dense_resource<"fc \22\C3\A9.scale"> : tensor<256x256xf32>, zero_point = dense_resource<"fc \22\C3\A9.zero_point"> : tensor<256x256xui8>>
func.func @storage(%x: tensor<4x256xf32>, %init: tensor<4x256xf32>) -> tensor<4x256xf32> {
  %w = arith.constant dense_resource<w> : tensor<256x256xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x256xf32>, tensor<256x256xf32>) outs(%init : tensor<4x256xf32>) -> tensor<4x256xf32> loc("fc \22\C3\A9")
  return %0 : tensor<4x256xf32>
}
