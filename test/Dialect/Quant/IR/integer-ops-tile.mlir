// RUN: quant-opt %s --transform-interpreter --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s

// Tiles of the integer form: the same operation on slices.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @rows_and_columns
// CHECK-SAME: %[[X:.*]]: tensor<16x70xi8>, %[[W:.*]]: tensor<70x24xi8>, %[[B:.*]]: tensor<24xi32>, %[[R:.*]]: tensor<16x24xi8>, %[[O:.*]]: tensor<16x24xi8>)
// CHECK: scf.forall (%[[P:.*]], %[[Q:.*]]) in (4, 3) shared_outs(%[[OUT:.*]] = %[[O]])
// CHECK-DAG: %[[I:.*]] = affine.apply #{{.*}}(%[[P]])
// CHECK-DAG: %[[J:.*]] = affine.apply #{{.*}}(%[[Q]])
// CHECK-DAG: %[[XS:.*]] = tensor.extract_slice %[[X]][%[[I]], 0] [4, 70] [1, 1]
// CHECK-DAG: %[[WS:.*]] = tensor.extract_slice %[[W]][0, %[[J]]] [70, 8] [1, 1]
// CHECK-DAG: %[[BS:.*]] = tensor.extract_slice %[[B]][%[[J]]] [8] [1]
// CHECK-DAG: %[[RS:.*]] = tensor.extract_slice %[[R]][%[[I]], %[[J]]] [4, 8] [1, 1]
// CHECK-DAG: %[[OS:.*]] = tensor.extract_slice %[[OUT]][%[[I]], %[[J]]] [4, 8] [1, 1]
// CHECK: %[[Y:.*]] = quant.contract lhs(%[[XS]] as <int8, per_tensor, scale = 5.000000e-02> : tensor<4x70xi8>) rhs(%[[WS]] as
// CHECK-SAME: bias(%[[BS]] : tensor<8xi32>) residual(%[[RS]] as
// CHECK-SAME: outs(%[[OS]] as {{.*}} low 0.000000e+00 -> tensor<4x8xi8>
// CHECK: tensor.parallel_insert_slice %[[Y]] into %[[OUT]][%[[I]], %[[J]]] [4, 8] [1, 1]
func.func @rows_and_columns(%x: tensor<16x70xi8>, %w: tensor<70x24xi8>, %b: tensor<24xi32>, %r: tensor<16x24xi8>, %o: tensor<16x24xi8>) -> tensor<16x24xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<16x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>)
    bias(%b : tensor<24xi32>)
    residual(%r as <int8, per_tensor, scale = 0.5> : tensor<16x24xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<16x24xi8>)
    maps [#x, #w, #b, #y, #y] low 0.0 -> tensor<16x24xi8>
  return %y : tensor<16x24xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_forall %op tile_sizes [4, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Rows of dynamic number: each has its scale. Parameters of columns and blocks do
// not depend on rows.

// CHECK-LABEL: @dynamic_rows
// CHECK-SAME: %[[X:.*]]: tensor<?x70xi8>, %[[S:.*]]: tensor<?x1xf32>, %[[Z:.*]]: tensor<i32>
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK-DAG: %[[SIZE:.*]] = affine.min
// CHECK-DAG: tensor.extract_slice %[[X]][%[[I]], 0] [%[[SIZE]], 70] [1, 1]
// CHECK-DAG: %[[SS:.*]] = tensor.extract_slice %[[S]][%[[I]], 0] [%[[SIZE]], 1] [1, 1]
// CHECK: quant.contract lhs({{.*}} scale %[[SS]] : tensor<?x1xf32>, zero_point %[[Z]] : tensor<i32>, : tensor<?x70xi8>)
// CHECK-SAME: rhs(%{{.*}} as {{.*}} : tensor<3x24xf32>> : tensor<70x24xi8>)
func.func @dynamic_rows(%x: tensor<?x70xi8>, %s: tensor<?x1xf32>, %z: tensor<i32>, %w: tensor<70x24xi8>, %o: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_channel<[0]>> scale %s : tensor<?x1xf32>, zero_point %z : tensor<i32>, : tensor<?x70xi8>)
    rhs(%w as <int8, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x24xf32>> : tensor<70x24xi8>)
    outs(%o : tensor<?x24xf32>)
    maps [#x, #w, #y] -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(h, w, k, i, j, c) -> (h * 2 + i, w * 2 + j * 3, c)>
#w = affine_map<(h, w, k, i, j, c) -> (i, j, c, k)>
#y = affine_map<(h, w, k, i, j, c) -> (h, w, k)>
#id = affine_map<(i, j, k) -> (i, j, k)>

// Windows of tiles overlap. A producer is computed where a tile needs it.

// CHECK-LABEL: @windows
// CHECK-SAME: %[[A:.*]]: tensor<33x8x4xi8>
// CHECK: scf.forall (%[[P:.*]]) in (4)
// CHECK: affine.apply #{{.*}}(%[[P]])
// CHECK: %[[START:.*]] = affine.apply #{{.*}}(%[[P]])
// CHECK: %[[AS:.*]] = tensor.extract_slice %[[A]][%[[START]], 0, 0] [9, 8, 4] [1, 1, 1]
// CHECK: %[[SUM:.*]] = quant.add lhs(%[[AS]] as
// CHECK: quant.contract lhs(%[[SUM]] as {{.*}} : tensor<9x8x4xi8>)
// CHECK-SAME: -> tensor<4x3x8xi8>
func.func @windows(%a: tensor<33x8x4xi8>, %w: tensor<3x2x4x8xi8>, %o: tensor<16x3x8xi8>) -> tensor<16x3x8xi8> {
  %e = tensor.empty() : tensor<33x8x4xi8>
  %x = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<33x8x4xi8>)
    rhs(%a as <int8, per_tensor, scale = 0.5> : tensor<33x8x4xi8>)
    outs(%e as <int8, per_tensor, scale = 0.5> : tensor<33x8x4xi8>)
    maps [#id, #id, #id] -> tensor<33x8x4xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<33x8x4xi8>)
    rhs(%w as <int8, per_channel<[3]>, scale = dense<0.5> : tensor<1x1x1x8xf32>> : tensor<3x2x4x8xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<16x3x8xi8>)
    maps [#x, #w, #y] -> tensor<16x3x8xi8>
  return %y : tensor<16x3x8xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_forall %op tile_sizes [4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %add = transform.structured.match ops{["quant.add"]} in %root : (!transform.any_op) -> !transform.any_op
    %fused, %new = transform.structured.fuse_into_containing_op %add into %loop : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(h, c, i) -> (h * 2 + i + 1, c)>
#y = affine_map<(h, c, i) -> (c, h)>

// A constant of a map stays in it: the slice begins before what is read.

// CHECK-LABEL: @pool
// CHECK: scf.for %[[I:.*]] = %c0 to %c8 step %c2
// CHECK: %[[START:.*]] = affine.apply #{{.*}}(%[[I]])
// CHECK: tensor.extract_slice %{{.*}}[%[[START]], 0] [6, 5] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, %[[I]]] [5, 2] [1, 1]
// CHECK: quant.pool average {{.*}} window [3] padding [0, 0, 0, 0] -> tensor<5x2xi8>
func.func @pool(%x: tensor<18x5xi8>, %o: tensor<5x8xi8>) -> tensor<5x8xi8> {
  %y = quant.pool average ins(%x as <int8, per_tensor, scale = 0.5> : tensor<18x5xi8>)
    outs(%o : tensor<5x8xi8>) maps [#x, #y] window [3] padding [0, 0, 0, 0] -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.pool"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// Scales of columns that are operands are sliced, so that columns are tiled.

// CHECK-LABEL: @dynamic_columns
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<24x1xf32>
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK-DAG: %[[SS:.*]] = tensor.extract_slice %[[S]][%[[J]], 0] [8, 1] [1, 1]
// CHECK: quant.contract lhs({{.*}} : tensor<16x70xi8>) rhs(%{{.*}} as <int8, per_channel<[0]>> scale %[[SS]] : tensor<8x1xf32>, : tensor<8x70xi8>)
func.func @dynamic_columns(%x: tensor<16x70xi8>, %w: tensor<24x70xi8>, %s: tensor<24x1xf32>, %o: tensor<16x24xf32>) -> tensor<16x24xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x70xi8>)
    rhs(%w as <int8, per_channel<[0]>> scale %s : tensor<24x1xf32>, : tensor<24x70xi8>)
    outs(%o : tensor<16x24xf32>)
    maps [#x, #w, #y] -> tensor<16x24xf32>
  return %y : tensor<16x24xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
