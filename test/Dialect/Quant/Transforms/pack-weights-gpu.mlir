// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm | FileCheck %s
// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm --quant-pack-weights="gpu=nvvm undo" | FileCheck %s --check-prefix=UNDO

// CHECK-DAG: #[[BX:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0 + d3, d1 + d4, d5, d6)>
// CHECK-DAG: #[[BW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d2, d3, d4, d5, d6)>
// CHECK-DAG: #[[BY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2)>

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes of two bits become nibbles of the same range: code, zero point and what a minval
// counts from stay.
// CHECK-LABEL: @two_bits
// CHECK-NOT: xi2>
// CHECK: quant.contract {{.*}} rhs(%{{.*}} as <int4 range<[-2, 1]>, per_tensor, scale = 2.500000e-01, zero_point = 1> in <panels, tensor<5x1xi4>, {{.*}} offset = 8> sums %{{.*}} : tensor<1xi32>
// CHECK: quant.contract {{.*}} rhs(%{{.*}} as <uint4 range<[0, 3]>, per_tensor, scale = 2.500000e-01, minval = -1.000000e+00> in <panels, tensor<5x1xi4>, {{.*}} group = 16> sums
// UNDO-LABEL: @two_bits
// UNDO-DAG: arith.constant dense<{{\[\[}}-2], [-1], [0], [1], [-2]]> : tensor<5x1xi4>
// UNDO-DAG: arith.constant dense<{{\[\[}}2], [3], [0], [1], [2]]> : tensor<5x1xi4>
func.func @two_bits(%x: tensor<4x5xi8>, %o: tensor<4x1xf32>) -> (tensor<4x1xf32>, tensor<4x1xf32>) {
  %w = arith.constant dense<[[-2], [-1], [0], [1], [-2]]> : tensor<5x1xi2>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x5xi8>)
    rhs(%w as <int2, per_tensor, scale = 0.25, zero_point = 1> : tensor<5x1xi2>)
    outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  %z = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x5xi8>)
    rhs(%w as <uint2, per_tensor, scale = 0.25, minval = -1.0> : tensor<5x1xi2>)
    outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  return %y, %z : tensor<4x1xf32>, tensor<4x1xf32>
}

// Filters of channels have no kernel that unpacks: their codes become bytes.
#dx = affine_map<(h, w, c, i, j) -> (h + i, w + j, c)>
#dw = affine_map<(h, w, c, i, j) -> (i, j, c)>
#dy = affine_map<(h, w, c, i, j) -> (h, w, c)>
// CHECK-LABEL: @channels
// CHECK: quant.contract {{.*}} rhs(%{{.*}} as <int8 range<[-8, 7]>, per_tensor, scale = 2.500000e-01, zero_point = 1> in <panels, tensor<1x2x2xi8>, {{.*}} group = 4> sums
// CHECK: quant.contract {{.*}} rhs(%{{.*}} as <uint8 range<[0, 3]>, per_tensor, scale = 2.500000e-01, minval = -1.000000e+00> in <panels, tensor<1x2x2xi8>, {{.*}} group = 4, offset = -128> sums
// UNDO-LABEL: @channels
// UNDO-DAG: arith.constant dense<{{\[\[\[}}-8, 7], [3, -1]]]> : tensor<1x2x2xi8>
// UNDO-DAG: arith.constant dense<{{\[\[\[}}2, 3], [0, 1]]]> : tensor<1x2x2xi8>
func.func @channels(%x: tensor<3x4x2xi8>, %o: tensor<3x3x2xf32>) -> (tensor<3x3x2xf32>, tensor<3x3x2xf32>) {
  %w = arith.constant dense<[[[-8, 7], [3, -1]]]> : tensor<1x2x2xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<3x4x2xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.25, zero_point = 1> : tensor<1x2x2xi4>)
    outs(%o : tensor<3x3x2xf32>) maps [#dx, #dw, #dy] -> tensor<3x3x2xf32>
  %v = arith.constant dense<[[[-2, -1], [0, 1]]]> : tensor<1x2x2xi2>
  %z = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<3x4x2xi8>)
    rhs(%v as <uint2, per_tensor, scale = 0.25, minval = -1.0> : tensor<1x2x2xi2>)
    outs(%o : tensor<3x3x2xf32>) maps [#dx, #dw, #dy] -> tensor<3x3x2xf32>
  return %y, %z : tensor<3x3x2xf32>, tensor<3x3x2xf32>
}

// Blocks of channels under a window are a dimension of their own, the outermost of the
// reduction: their codes follow each other, and those of a position are 32 bytes.
// Two operations share the weights.
#bx = affine_map<(h, w, n, i, j, c) -> (h + i, w + j, c)>
#bw = affine_map<(h, w, n, i, j, c) -> (n, i, j, c)>
#by = affine_map<(h, w, n, i, j, c) -> (h, w, n)>
// CHECK-LABEL: @blocks_under_a_window(
// CHECK-SAME: %[[X:.*]]: tensor<6x?x64xi8>, %[[S:.*]]: tensor<1x1x1xf32>, %[[Z:.*]]: tensor<i32>, %[[V:.*]]: tensor<6x8x64xf32>,
// CHECK-COUNT-1: arith.constant dense<{{.*}}> : tensor<9216xi8>
// CHECK-NOT: tensor<9216xi8>
// CHECK: %[[XS:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1], [2, 3]] output_shape [6, %{{.*}}, 2, 32]
// CHECK: %[[SS:.*]] = tensor.expand_shape %[[S]] {{\[\[}}0], [1], [2, 3]] output_shape [1, 1, 1, 1]
// CHECK: quant.contract lhs(%[[XS]] as <int8, per_tensor> scale %[[SS]] : tensor<1x1x1x1xf32>, zero_point %[[Z]] : tensor<i32>, : tensor<6x?x2x32xi8>) rhs(%{{.*}} as <int4, per_channel<[0, 3]>, scale = dense<{{.*}}> : tensor<2x1x1x2x1xf32>, zero_point = dense<{{.*}}> : tensor<2x1x1x2x1xi8>> in <panels, tensor<2x3x3x2x32xi4>, columns = [0], reduction = [3, 1, 2, 4], run = 1, {{.*}}> sums %{{.*}} : tensor<2x2xi32>, : tensor<9216xi8>) {{.*}} maps [#[[BX]], #[[BW]], #[[BY]]] padding [1, 1, 1, 1, 0, 0, 0, 0]
// CHECK: %[[VS:.*]] = tensor.expand_shape %[[V]]
// CHECK: quant.contract lhs(%[[VS]] : tensor<6x8x2x32xf32>)
// UNDO-LABEL: @blocks_under_a_window
// UNDO: arith.constant dense<3> : tensor<2x3x3x2x32xi4>
func.func @blocks_under_a_window(%x: tensor<6x?x64xi8>, %s: tensor<1x1x1xf32>, %z: tensor<i32>, %v: tensor<6x8x64xf32>, %o: tensor<6x?x2xf32>, %p: tensor<4x6x2xf32>) -> (tensor<6x?x2xf32>, tensor<4x6x2xf32>) {
  %w = arith.constant dense<3> : tensor<2x3x3x64xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor> scale %s : tensor<1x1x1xf32>, zero_point %z : tensor<i32>, : tensor<6x?x64xi8>)
    rhs(%w as <int4, per_block<[1, -1, -1, 32]>, scale = dense<[[[[0.5, 0.25]]], [[[1.0, 2.0]]]]> : tensor<2x1x1x2xf32>, zero_point = dense<[[[[0, 1]]], [[[2, 3]]]]> : tensor<2x1x1x2xi8>> : tensor<2x3x3x64xi4>)
    outs(%o : tensor<6x?x2xf32>) maps [#bx, #bw, #by] padding [1, 1, 1, 1, 0, 0] -> tensor<6x?x2xf32>
  %u = quant.contract
    lhs(%v : tensor<6x8x64xf32>)
    rhs(%w as <int4, per_block<[1, -1, -1, 32]>, scale = dense<[[[[0.5, 0.25]]], [[[1.0, 2.0]]]]> : tensor<2x1x1x2xf32>, zero_point = dense<[[[[0, 1]]], [[[2, 3]]]]> : tensor<2x1x1x2xi8>> : tensor<2x3x3x64xi4>)
    outs(%p : tensor<4x6x2xf32>) maps [#bx, #bw, #by] -> tensor<4x6x2xf32>
  return %y, %u : tensor<6x?x2xf32>, tensor<4x6x2xf32>
}

// A block with a rest stays in its dimension, which is the outermost all the same.
// CHECK-LABEL: @blocks_with_a_rest
// CHECK-NOT: tensor.expand_shape
// CHECK: in <panels, tensor<2x3x3x40xi4>, columns = [0], reduction = [3, 1, 2], run = 3,
func.func @blocks_with_a_rest(%x: tensor<6x8x40xi8>, %o: tensor<4x6x2xf32>) -> tensor<4x6x2xf32> {
  %w = arith.constant dense<3> : tensor<2x3x3x40xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<6x8x40xi8>)
    rhs(%w as <int4, per_block<[1, -1, -1, 32]>, scale = dense<0.5> : tensor<2x1x1x2xf32>> : tensor<2x3x3x40xi4>)
    outs(%o : tensor<4x6x2xf32>) maps [#bx, #bw, #by] -> tensor<4x6x2xf32>
  return %y : tensor<4x6x2xf32>
}

// Nothing is left of what lies between.
// CHECK-LABEL: @pairs_under_a_window
// CHECK-COUNT-2: arith.constant
// CHECK-NOT: arith.constant
// CHECK: in <panels, tensor<2x3x3x2x32xi4>,
func.func @pairs_under_a_window(%x: tensor<6x8x64xi8>, %o: tensor<4x6x2xf32>) -> tensor<4x6x2xf32> {
  %w = arith.constant dense<1> : tensor<2x3x3x64xi2>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<6x8x64xi8>)
    rhs(%w as <int2, per_block<[1, -1, -1, 32]>, scale = dense<0.5> : tensor<2x1x1x2xf32>> : tensor<2x3x3x64xi2>)
    outs(%o : tensor<4x6x2xf32>) maps [#bx, #bw, #by] -> tensor<4x6x2xf32>
  return %y : tensor<4x6x2xf32>
}
