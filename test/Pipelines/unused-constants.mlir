// RUN: quant-opt %s --quantize-activations=int8 --dynamic --fuse --lower-to=cpu --target-cpu=znver4 | FileCheck %s

// Sums of columns are multiplied with zero points of lhs. Nibbles are the unsigned side of
// the dot product, so that codes of lhs have none, and the module keeps no sums.
// CHECK-NOT: llvm.mlir.global {{.*}}xi32>
// CHECK: llvm.mlir.global private constant {{.*}} : tensor<128xi8>)
// CHECK-NOT: llvm.mlir.global {{.*}}xi32>
func.func @main(%x: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %packed = arith.constant dense_resource<w> : tensor<128xi8>
  %wc = quant.unpack %packed <canonical> : tensor<128xi8> -> tensor<16x16xi4>
  %w = quant.dequantize %wc <int4, per_tensor, scale = 0.5> : tensor<16x16xi4> -> tensor<16x16xf32>
  %empty = tensor.empty() : tensor<1x16xf32>
  %f0 = arith.constant 0.0 : f32
  %init = linalg.fill ins(%f0 : f32) outs(%empty : tensor<1x16xf32>) -> tensor<1x16xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x16xf32>, tensor<16x16xf32>) outs(%init : tensor<1x16xf32>) -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x010000000B30557A9FC4E90E33587DA2C7EC11365B80A5CAEF14395E83A8CDF2173C6186ABD0F51A3F6489AED3F81D42678CB1D6FB20456A8FB4D9FE23486D92B7DC01264B7095BADF04294E7398BDE2072C51769BC0E50A2F54799EC3E80D32577CA1C6EB10355A7FA4C9EE13385D82A7CCF1163B6085AACFF4193E6388ADD2F71C4166"
    }
  }
#-}
