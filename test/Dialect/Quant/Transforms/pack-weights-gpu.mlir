// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm | FileCheck %s
// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm --quant-pack-weights="gpu=nvvm undo" | FileCheck %s --check-prefix=UNDO

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
