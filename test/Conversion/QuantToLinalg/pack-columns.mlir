// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-to-linalg{integer-form},func.func(canonicalize))' | FileCheck %s

// The panels are those of quant.pack; sums are of all reductions.
// CHECK-LABEL: @columns
// CHECK-SAME: %[[K:[^:]*]]: tensor<40x8x6xi8>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<6x1x1x3x64x16xi8>)
// CHECK: linalg.fill ins(%c0_i32 : i32) outs(%{{.*}} : tensor<6x8xi32>)
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-NOT: arith.select
// CHECK: tensor.extract %[[K]]
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.addi
func.func @columns(%k: tensor<40x8x6xi8>, %p: tensor<18432xi8>, %s: tensor<6x8xi32>) -> (tensor<18432xi8>, tensor<6x8xi32>) {
  %r:2 = quant.pack_columns
    ins(%k as <uint8, per_tensor> : tensor<40x8x6xi8>)
    in <panels, tensor<40x8x6xi8>, batch = [2], columns = [1], reduction = [0], run = 1, panel = 64, group = 16, offset = -128>
    outs(%p, %s : tensor<18432xi8>, tensor<6x8xi32>) -> tensor<18432xi8>, tensor<6x8xi32>
  return %r#0, %r#1 : tensor<18432xi8>, tensor<6x8xi32>
}

// What is beyond the last block counts 0.
// CHECK-LABEL: @blocks
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]{{.*}} ins(%{{.*}} : tensor<32xi8>) outs(%{{.*}} : tensor<2x8xi32>)
// CHECK: %[[EXISTS:.*]] = arith.cmpi ult
// CHECK: arith.minui
// CHECK: %[[CODE:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.select %[[EXISTS]], %[[CODE]], %c0_i32
func.func @blocks(%k: tensor<40x8xi8>, %p: tensor<3072xi8>, %s: tensor<2x8xi32>) -> (tensor<3072xi8>, tensor<2x8xi32>) {
  %r:2 = quant.pack_columns
    ins(%k as <int8, per_block<[32, 1]>> : tensor<40x8xi8>)
    in <panels, tensor<40x8xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16>
    outs(%p, %s : tensor<3072xi8>, tensor<2x8xi32>) -> tensor<3072xi8>, tensor<2x8xi32>
  return %r#0, %r#1 : tensor<3072xi8>, tensor<2x8xi32>
}
