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
