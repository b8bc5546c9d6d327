// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm --quant-prepare-kernels=gpu=nvvm --split-input-file -verify-diagnostics | FileCheck %s

#q = affine_map<(b, h, m, n, k) -> (b, h, m, k)>
#k = affine_map<(b, h, m, n, k) -> (b, h, n, k)>
#y = affine_map<(b, h, m, n, k) -> (b, h, m, n)>

// Codes of a column beside each other, whole panels; nobody reads sums of columns where
// lhs has no zero point.
// CHECK: #[[AT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 128 + d4, d3 * 16 + d5)>
// CHECK-LABEL: func @scores
// CHECK-SAME: %[[K:[^:]*]]: tensor<2x3x256x64xi8>
func.func @scores(%k: tensor<2x3x256x64xi8>, %q: tensor<2x3x96x64xi8>, %o: tensor<2x3x96x256xi8>) -> tensor<2x3x96x256xi8> {
  // CHECK: %[[SUMS:.*]] = tensor.empty() : tensor<2x3x256xi32>
  // CHECK: linalg.generic {indexing_maps = [#[[AT]], {{.*}}} ins(%[[K]] : tensor<2x3x256x64xi8>) outs(%{{.*}} : tensor<2x3x2x4x128x16xi8>)
  // CHECK: linalg.yield %in : i8
  // CHECK: %[[PACKED:.*]] = tensor.collapse_shape {{.*}} into tensor<98304xi8>
  // CHECK: quant.contract {{.*}} rhs(%[[PACKED]] as <int8, per_tensor, {{.*}}> in <panels, tensor<2x3x256x64xi8>, batch = [0, 1], columns = [2], reduction = [3], run = 1, panel = 128, group = 16> sums %[[SUMS]]
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<2x3x96x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<2x3x256x64xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<2x3x96x256xi8>)
    maps [#q, #k, #y] -> tensor<2x3x96x256xi8>
  return %y : tensor<2x3x96x256xi8>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Columns beside each other, no whole panels or chunks, codes without signs.
// CHECK: #[[COLUMNS:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK: #[[AT:.*]] = affine_map<(d0, d1, d2, d3) -> (d1 * 16 + d3, d0 * 64 + d2)>
// CHECK-LABEL: func @context
// CHECK-SAME: %[[V:[^:]*]]: tensor<70x48xi8>
func.func @context(%v: tensor<70x48xi8>, %p: tensor<96x70xi8>, %o: tensor<96x48xf32>) -> tensor<96x48xf32> {
  // CHECK: linalg.fill {{.*}} outs(%{{.*}} : tensor<48xi32>)
  // CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [{{.*}}, #[[COLUMNS]]], iterator_types = ["reduction", "parallel"]} ins(%[[V]] :
  // CHECK: arith.extui %in : i8 to i32
  // CHECK: %[[FULL:.*]] = tensor.insert_slice %[[V]] into %{{.*}}[0, 0] [70, 48] [1, 1] : tensor<70x48xi8> into tensor<80x64xi8>
  // CHECK: linalg.generic {indexing_maps = [#[[AT]], {{.*}}} ins(%[[FULL]] :
  // CHECK: arith.addi %in, %c-128_i8
  // CHECK: quant.contract {{.*}} offset = -128> sums %[[SUMS]]
  %y = quant.contract
    lhs(%p as <uint8, per_tensor, scale = 0.5> : tensor<96x70xi8>)
    rhs(%v as <uint8, per_tensor, scale = 0.5, zero_point = 128> : tensor<70x48xi8>)
    outs(%o : tensor<96x48xf32>)
    maps [#p, #v, #y] -> tensor<96x48xf32>
  return %y : tensor<96x48xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Scales that only the run time knows stay operands.
// CHECK-LABEL: func @dynamic
func.func @dynamic(%v: tensor<64x64xi8>, %p: tensor<96x64xi8>, %s: tensor<1x64xf32>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // CHECK: quant.contract {{.*}} rhs(%{{.*}} as <int8, per_tensor> scale %{{.*}} : tensor<1x64xf32>, in <panels,
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x64xi8>)
    rhs(%v as <int8, per_tensor> scale %s : tensor<1x64xf32>, : tensor<64x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @unknown
// CHECK-NOT: quant.contract
func.func @unknown(%v: tensor<?x64xi8>, %p: tensor<96x?xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: the size of a batch, column or reduction is not known}}
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x?xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.5> : tensor<?x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k, l) -> (m, k, l)>
#v = affine_map<(m, n, k, l) -> (k, l, n)>
#y = affine_map<(m, n, k, l) -> (m, n)>

// CHECK-LABEL: func @several
// CHECK-NOT: quant.contract
func.func @several(%v: tensor<4x8x64xi8>, %p: tensor<96x4x8xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side is computed, and has several loops of columns or reductions}}
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x4x8xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.5> : tensor<4x8x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @values
// CHECK-NOT: quant.contract
func.func @values(%v: tensor<64x64xf16>, %p: tensor<96x64xf16>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side is computed, and products are not of integers}}
  %y = quant.contract
    lhs(%p : tensor<96x64xf16>)
    rhs(%v : tensor<64x64xf16>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}
