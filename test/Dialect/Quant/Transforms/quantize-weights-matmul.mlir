// Roles of the dimensions of weights of matrix multiplications, in all spellings:
// channels and batches have parameters of their own, blocks are along the sum.

// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=2' | FileCheck %s --check-prefix=BLOCK

// CHECK-LABEL: func @matmul(
// BLOCK-LABEL: func @matmul(
func.func @matmul(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  // CHECK: linalg.matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// The left operand can be the weight as well.
// CHECK-LABEL: func @matmul_weight_left(
// BLOCK-LABEL: func @matmul_weight_left(
func.func @matmul_weight_left(%x: tensor<6x3xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<4x6xi8> -> tensor<4x6xf32>
  // CHECK: linalg.matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>, {{.*}} : tensor<4x6xi8> -> tensor<4x6xf32>
  %w = arith.constant dense<0.5> : tensor<4x6xf32>
  %0 = linalg.matmul ins(%w, %x : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: func @matmul_transpose_b(
// BLOCK-LABEL: func @matmul_transpose_b(
func.func @matmul_transpose_b(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<3x6xi8> -> tensor<3x6xf32>
  // CHECK: linalg.matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>, {{.*}} : tensor<3x6xi8> -> tensor<3x6xf32>
  %w = arith.constant dense<0.5> : tensor<3x6xf32>
  %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : tensor<4x6xf32>, tensor<3x6xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: func @matmul_transpose_a(
// BLOCK-LABEL: func @matmul_transpose_a(
func.func @matmul_transpose_a(%x: tensor<6x4xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  // CHECK: linalg.matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : tensor<6x4xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// The body widens its inputs before it multiplies.
// CHECK-LABEL: func @matmul_mixed_precision(
// BLOCK-LABEL: func @matmul_mixed_precision(
func.func @matmul_mixed_precision(%x: tensor<4x6xf16>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf16>
  // CHECK: linalg.matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf16>
  %w = arith.constant dense<0.5> : tensor<6x3xf16>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf16>, tensor<6x3xf16>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: func @matvec(
// BLOCK-LABEL: func @matvec(
func.func @matvec(%x: tensor<6xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<4x6xi8> -> tensor<4x6xf32>
  // CHECK: linalg.matvec {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>, {{.*}} : tensor<4x6xi8> -> tensor<4x6xf32>
  %w = arith.constant dense<0.5> : tensor<4x6xf32>
  %0 = linalg.matvec ins(%w, %x : tensor<4x6xf32>, tensor<6xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @vecmat(
// BLOCK-LABEL: func @vecmat(
func.func @vecmat(%x: tensor<6xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<6x4xi8> -> tensor<6x4xf32>
  // CHECK: linalg.vecmat {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>, {{.*}} : tensor<6x4xi8> -> tensor<6x4xf32>
  %w = arith.constant dense<0.5> : tensor<6x4xf32>
  %0 = linalg.vecmat ins(%x, %w : tensor<6xf32>, tensor<6x4xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// No dimension is a channel.
// CHECK-LABEL: func @dot(
// BLOCK-LABEL: func @dot(
func.func @dot(%x: tensor<6xf32>, %init: tensor<f32>) -> tensor<f32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<6xi8> -> tensor<6xf32>
  // CHECK: linalg.dot {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2]>, {{.*}} : tensor<6xi8> -> tensor<6xf32>
  %w = arith.constant dense<0.5> : tensor<6xf32>
  %0 = linalg.dot ins(%x, %w : tensor<6xf32>, tensor<6xf32>) outs(%init : tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func @batch_matmul(
// BLOCK-LABEL: func @batch_matmul(
func.func @batch_matmul(%x: tensor<2x4x6xf32>, %init: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 2]>, {{.*}} : tensor<2x6x3xi8> -> tensor<2x6x3xf32>
  // CHECK: linalg.batch_matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2, 1]>, {{.*}} : tensor<2x6x3xi8> -> tensor<2x6x3xf32>
  %w = arith.constant dense<0.5> : tensor<2x6x3xf32>
  %0 = linalg.batch_matmul ins(%x, %w : tensor<2x4x6xf32>, tensor<2x6x3xf32>) outs(%init : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// CHECK-LABEL: func @batch_matmul_transpose_b(
// BLOCK-LABEL: func @batch_matmul_transpose_b(
func.func @batch_matmul_transpose_b(%x: tensor<2x4x6xf32>, %init: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 1]>, {{.*}} : tensor<2x3x6xi8> -> tensor<2x3x6xf32>
  // CHECK: linalg.batch_matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 1, 2]>, {{.*}} : tensor<2x3x6xi8> -> tensor<2x3x6xf32>
  %w = arith.constant dense<0.5> : tensor<2x3x6xf32>
  %0 = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>] ins(%x, %w : tensor<2x4x6xf32>, tensor<2x3x6xf32>) outs(%init : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// One matrix for all batches.
// CHECK-LABEL: func @batch_matmul_broadcast(
// BLOCK-LABEL: func @batch_matmul_broadcast(
func.func @batch_matmul_broadcast(%x: tensor<2x4x6xf32>, %init: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  // CHECK: linalg.batch_matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>, {{.*}} : tensor<6x3xi8> -> tensor<6x3xf32>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>] ins(%x, %w : tensor<2x4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// CHECK-LABEL: func @batch_matvec(
// BLOCK-LABEL: func @batch_matvec(
func.func @batch_matvec(%x: tensor<2x6xf32>, %init: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 1]>, {{.*}} : tensor<2x4x6xi8> -> tensor<2x4x6xf32>
  // CHECK: linalg.batch_matvec {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 1, 2]>, {{.*}} : tensor<2x4x6xi8> -> tensor<2x4x6xf32>
  %w = arith.constant dense<0.5> : tensor<2x4x6xf32>
  %0 = linalg.batch_matvec ins(%w, %x : tensor<2x4x6xf32>, tensor<2x6xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func @batch_vecmat(
// BLOCK-LABEL: func @batch_vecmat(
func.func @batch_vecmat(%x: tensor<2x6xf32>, %init: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 2]>, {{.*}} : tensor<2x6x4xi8> -> tensor<2x6x4xf32>
  // CHECK: linalg.batch_vecmat {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2, 1]>, {{.*}} : tensor<2x6x4xi8> -> tensor<2x6x4xf32>
  %w = arith.constant dense<0.5> : tensor<2x6x4xf32>
  %0 = linalg.batch_vecmat ins(%x, %w : tensor<2x6xf32>, tensor<2x6x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// The batch is summed over; blocks are along the inner one of two reductions.
// CHECK-LABEL: func @batch_reduce_matmul(
// BLOCK-LABEL: func @batch_reduce_matmul(
func.func @batch_reduce_matmul(%x: tensor<2x4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[2]>, {{.*}} : tensor<2x6x3xi8> -> tensor<2x6x3xf32>
  // CHECK: linalg.batch_reduce_matmul {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, 2, 1]>, {{.*}} : tensor<2x6x3xi8> -> tensor<2x6x3xf32>
  %w = arith.constant dense<0.5> : tensor<2x6x3xf32>
  %0 = linalg.batch_reduce_matmul ins(%x, %w : tensor<2x4x6xf32>, tensor<2x6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// Tiles of tiles: both parts of N are channels.
// CHECK-LABEL: func @mmt4d(
// BLOCK-LABEL: func @mmt4d(
func.func @mmt4d(%x: tensor<2x3x4x6xf32>, %init: tensor<2x5x4x8xf32>) -> tensor<2x5x4x8xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 2]>, {{.*}} : tensor<5x3x8x6xi8> -> tensor<5x3x8x6xf32>
  // CHECK: linalg.mmt4d {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, -1, 1, 2]>, {{.*}} : tensor<5x3x8x6xi8> -> tensor<5x3x8x6xf32>
  %w = arith.constant dense<0.5> : tensor<5x3x8x6xf32>
  %0 = linalg.mmt4d ins(%x, %w : tensor<2x3x4x6xf32>, tensor<5x3x8x6xf32>) outs(%init : tensor<2x5x4x8xf32>) -> tensor<2x5x4x8xf32>
  return %0 : tensor<2x5x4x8xf32>
}

// CHECK-LABEL: func @contract(
// BLOCK-LABEL: func @contract(
func.func @contract(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<3x6xi8> -> tensor<3x6xf32>
  // CHECK: linalg.contract {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2]>, {{.*}} : tensor<3x6xi8> -> tensor<3x6xf32>
  %w = arith.constant dense<0.5> : tensor<3x6xf32>
  %0 = linalg.contract indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : tensor<4x6xf32>, tensor<3x6xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// The result may order dimensions as it likes.
// CHECK-LABEL: func @contract_attention(
// BLOCK-LABEL: func @contract_attention(
func.func @contract_attention(%x: tensor<2x4x6xf32>, %init: tensor<4x2x5xf32>) -> tensor<4x2x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 1]>, {{.*}} : tensor<2x5x6xi8> -> tensor<2x5x6xf32>
  // CHECK: linalg.contract {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 1, 2]>, {{.*}} : tensor<2x5x6xi8> -> tensor<2x5x6xf32>
  %w = arith.constant dense<0.5> : tensor<2x5x6xf32>
  %0 = linalg.contract indexing_maps = [affine_map<(h, q, k, d) -> (h, q, d)>, affine_map<(h, q, k, d) -> (h, k, d)>, affine_map<(h, q, k, d) -> (q, h, k)>] ins(%x, %w : tensor<2x4x6xf32>, tensor<2x5x6xf32>) outs(%init : tensor<4x2x5xf32>) -> tensor<4x2x5xf32>
  return %0 : tensor<4x2x5xf32>
}

// CHECK-LABEL: func @generic(
// BLOCK-LABEL: func @generic(
func.func @generic(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %b, %a : f32
    %s = arith.addf %p, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// Products in f32 of f16 operands, summed in f32, with the sum on the left.
// CHECK-LABEL: func @generic_with_casts(
// BLOCK-LABEL: func @generic_with_casts(
func.func @generic_with_casts(%x: tensor<4x6xf16>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} -> tensor<6x3xf16>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  %w = arith.constant dense<0.5> : tensor<6x3xf16>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x6xf16>, tensor<6x3xf16>) outs(%init : tensor<4x3xf32>) {
  ^bb0(%a: f16, %b: f16, %c: f32):
    %p = arith.mulf %a, %b : f16
    %e = arith.extf %p : f16 to f32
    %s = arith.addf %c, %e : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: func @dynamic(
// BLOCK-LABEL: func @dynamic(
func.func @dynamic(%x: tensor<?x6xf32>, %init: tensor<?x3xf32>) -> tensor<?x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<?x6xf32>, tensor<6x3xf32>) outs(%init : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// Inside control flow.
// CHECK-LABEL: func @nested(
// BLOCK-LABEL: func @nested(
func.func @nested(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>, %c: i1) -> tensor<4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // CHECK: scf.if
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = scf.if %c -> tensor<4x3xf32> {
    %1 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
    scf.yield %1 : tensor<4x3xf32>
  } else {
    scf.yield %init : tensor<4x3xf32>
  }
  return %0 : tensor<4x3xf32>
}

//===----------------------------------------------------------------------===//
// No weights
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @elementwise_product(
func.func @elementwise_product(%x: tensor<4xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<4xf32>
  %0 = linalg.mul ins(%x, %w : tensor<4xf32>, tensor<4xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// A sum that starts from the constant does not multiply it.
// CHECK-LABEL: func @init_operand(
func.func @init_operand(%x: tensor<4x6xf32>, %y: tensor<6x3xf32>) -> tensor<4x3xf32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<4x3xf32>
  %0 = linalg.matmul ins(%x, %y : tensor<4x6xf32>, tensor<6x3xf32>) outs(%w : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: func @maximum_of_products(
func.func @maximum_of_products(%x: tensor<6xf32>, %init: tensor<f32>) -> tensor<f32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<6xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(k) -> (k)>, affine_map<(k) -> (k)>, affine_map<(k) -> ()>],
      iterator_types = ["reduction"]}
      ins(%x, %w : tensor<6xf32>, tensor<6xf32>) outs(%init : tensor<f32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.maximumf %p, %c : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func @square(
func.func @square(%init: tensor<f32>) -> tensor<f32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<0.5> : tensor<6xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(k) -> (k)>, affine_map<(k) -> ()>],
      iterator_types = ["reduction"]}
      ins(%w : tensor<6xf32>) outs(%init : tensor<f32>) {
  ^bb0(%a: f32, %c: f32):
    %p = arith.mulf %a, %a : f32
    %s = arith.addf %p, %c : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

// Buffers hold no constants.
// CHECK-LABEL: func @buffers(
func.func @buffers(%x: memref<4x6xf32>, %init: memref<4x3xf32>) {
  // CHECK: linalg.matmul
  %w = memref.get_global @weight : memref<6x3xf32>
  linalg.matmul ins(%x, %w : memref<4x6xf32>, memref<6x3xf32>) outs(%init : memref<4x3xf32>)
  return
}
memref.global "private" constant @weight : memref<6x3xf32> = dense<0.5>

// Integers are no floating-point weights.
// CHECK-LABEL: func @integers(
func.func @integers(%x: tensor<4x6xi8>, %init: tensor<4x3xi32>) -> tensor<4x3xi32> {
  // CHECK-NOT: quant.dequantize
  %w = arith.constant dense<1> : tensor<6x3xi8>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xi8>, tensor<6x3xi8>) outs(%init : tensor<4x3xi32>) -> tensor<4x3xi32>
  return %0 : tensor<4x3xi32>
}
