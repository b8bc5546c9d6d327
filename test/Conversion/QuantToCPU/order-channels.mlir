// RUN: quant-opt %s --quant-order-channels --canonicalize --split-input-file 2>%t.log | FileCheck %s
// RUN: FileCheck %s --check-prefix=LOG < %t.log

// What has no kernel by rows is computed with channels innermost.

#x = affine_map<(n, k, h, w, c, i, j) -> (n, c, h + i, w + j)>
#w = affine_map<(n, k, h, w, c, i, j) -> (k, c, i, j)>
#b = affine_map<(n, k, h, w, c, i, j) -> (k)>
#y = affine_map<(n, k, h, w, c, i, j) -> (n, k, h, w)>

// Padding and what is added move along, weights stay.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2 + d5, d3 + d6, d4)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d1)>
// CHECK-LABEL: func @values
// CHECK-SAME: %[[X0:[^:]*]]: tensor<1x8x6x7xf32>, %[[W0:[^:]*]]: tensor<16x8x3x3xf32>, %[[B0:[^:]*]]: tensor<16xf32>, %[[R0:[^:]*]]: tensor<1x16x6x7xf32>
// LOG: remark: {{.*}} is computed with channels innermost, between transpositions
func.func @values(%x: tensor<1x8x6x7xf32>, %w: tensor<16x8x3x3xf32>, %b: tensor<16xf32>, %r: tensor<1x16x6x7xf32>, %o: tensor<1x16x6x7xf32>) -> tensor<1x16x6x7xf32> {
  // CHECK: %[[XT:.*]] = linalg.transpose ins(%[[X0]] : {{.*}}) outs(%{{.*}} : tensor<1x6x7x8xf32>) permutation = [0, 2, 3, 1]
  // CHECK: %[[RT:.*]] = linalg.transpose ins(%[[R0]] : {{.*}}) outs(%{{.*}} : tensor<1x6x7x16xf32>) permutation = [0, 2, 3, 1]
  // CHECK: %[[Y0:.*]] = quant.contract lhs(%[[XT]] : tensor<1x6x7x8xf32>) rhs(%[[W0]] : tensor<16x8x3x3xf32>)
  // CHECK-SAME: bias(%[[B0]] : tensor<16xf32>) residual(%[[RT]] : tensor<1x6x7x16xf32>)
  // CHECK-SAME: maps [#[[X]], #[[W]], #[[B]], #[[Y]], #[[Y]]] padding [0, 0, 1, 1, 1, 1, 0, 0] low 0.000000e+00 -> tensor<1x6x7x16xf32>
  // CHECK: %[[YT:.*]] = linalg.transpose ins(%[[Y0]] : {{.*}}) outs(%{{.*}} : tensor<1x16x6x7xf32>) permutation = [0, 3, 1, 2]
  // CHECK: return %[[YT]]
  %y = quant.contract lhs(%x : tensor<1x8x6x7xf32>) rhs(%w : tensor<16x8x3x3xf32>)
    bias(%b : tensor<16xf32>) residual(%r : tensor<1x16x6x7xf32>)
    outs(%o : tensor<1x16x6x7xf32>)
    maps [#x, #w, #b, #y, #y] padding [0, 0, 0, 0, 1, 1, 1, 1] low 0.0 -> tensor<1x16x6x7xf32>
  return %y : tensor<1x16x6x7xf32>
}

// -----

#x = affine_map<(n, k, h, w, c) -> (n, c, h, w)>
#w = affine_map<(n, k, h, w, c) -> (k, c)>
#y = affine_map<(n, k, h, w, c) -> (n, k, h, w)>

// The second one reads what the first one computed before it is transposed. Scales of
// images follow.
// CHECK-LABEL: func @chain
// CHECK-SAME: %{{[^:]*}}: tensor<2x8x6x7xi8>, %[[S:[^:]*]]: tensor<2x1x1x1xf32>
func.func @chain(%x: tensor<2x8x6x7xi8>, %s: tensor<2x1x1x1xf32>, %s2: tensor<f32>, %o: tensor<2x8x6x7xi8>) -> tensor<2x8x6x7xi8> {
  // CHECK: linalg.transpose
  // CHECK: linalg.transpose ins(%[[S]] : tensor<2x1x1x1xf32>)
  // CHECK: %[[FIRST:.*]] = quant.contract {{.*}} -> tensor<2x6x7x8xi8>
  // CHECK-NOT: linalg.transpose
  // CHECK: %[[SECOND:.*]] = quant.contract lhs(%[[FIRST]] as
  // CHECK: %[[Y:.*]] = linalg.transpose ins(%[[SECOND]]
  // CHECK-NOT: linalg.transpose
  // CHECK: return %[[Y]]
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %y = quant.contract lhs(%x as <int8, per_channel<[0]>> scale %s : tensor<2x1x1x1xf32>, : tensor<2x8x6x7xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<8x8xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<2x8x6x7xi8>) maps [#x, #w, #y] -> tensor<2x8x6x7xi8>
  %z = quant.contract lhs(%y as <int8, per_tensor> scale %s2 : tensor<f32>, : tensor<2x8x6x7xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<8x8xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<2x8x6x7xi8>) maps [#x, #w, #y] -> tensor<2x8x6x7xi8>
  return %z : tensor<2x8x6x7xi8>
}

// -----

#x = affine_map<(n, k, h, w, c) -> (n, c, h, w)>
#w = affine_map<(n, k, h, w, c) -> (k, c)>
#y = affine_map<(n, k, h, w, c) -> (n, k, h, w)>

// Static codes of 8 bits have a kernel by rows.
// CHECK-LABEL: func @by_rows
// CHECK-NOT: linalg.transpose
func.func @by_rows(%x: tensor<1x8x6x7xi8>, %o: tensor<1x16x6x7xi8>) -> tensor<1x16x6x7xi8> {
  %w = arith.constant dense<1> : tensor<16x8xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x8x6x7xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<16x8xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<1x16x6x7xi8>) maps [#x, #w, #y] -> tensor<1x16x6x7xi8>
  return %y : tensor<1x16x6x7xi8>
}

// -----

#x = affine_map<(n, c, h, w, i, j) -> (n, c, h + i, w + j)>
#w = affine_map<(n, c, h, w, i, j) -> (c, i, j)>
#y = affine_map<(n, c, h, w, i, j) -> (n, c, h, w)>

// Of a depthwise convolution the channels are those of both sides. Sizes need not be known.
// CHECK-LABEL: func @depthwise
// CHECK: %[[XT:.*]] = linalg.transpose ins(%{{.*}} : tensor<1x8x?x?xf32>) outs(%{{.*}} : tensor<1x?x?x8xf32>) permutation = [0, 2, 3, 1]
// CHECK: quant.contract lhs(%[[XT]] : tensor<1x?x?x8xf32>) {{.*}} -> tensor<1x?x?x8xf32>
// CHECK: linalg.transpose {{.*}} permutation = [0, 3, 1, 2]
func.func @depthwise(%x: tensor<1x8x?x?xf32>, %w: tensor<8x3x3xf32>, %o: tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32> {
  %y = quant.contract lhs(%x : tensor<1x8x?x?xf32>) rhs(%w : tensor<8x3x3xf32>)
    outs(%o : tensor<1x8x?x?xf32>) maps [#x, #w, #y] -> tensor<1x8x?x?xf32>
  return %y : tensor<1x8x?x?xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (n, m)>

// A product whose result is transposed: lhs is as it should be.
// CHECK-LABEL: func @product
// CHECK-SAME: %[[X0:[^:]*]]: tensor<4x8xf16>
// CHECK-NOT: linalg.transpose
// CHECK: %[[Y0:.*]] = quant.contract lhs(%[[X0]] : {{.*}} -> tensor<4x5xf32>
// CHECK: linalg.transpose ins(%[[Y0]] : tensor<4x5xf32>)
func.func @product(%x: tensor<4x8xf16>, %w: tensor<8x5xf16>, %o: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %y = quant.contract lhs(%x : tensor<4x8xf16>) rhs(%w : tensor<8x5xf16>)
    outs(%o : tensor<5x4xf32>) maps [#x, #w, #y] -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}
