// RUN: quant-opt %s --transform-interpreter --split-input-file --verify-diagnostics

// Loops that stay whole, with the reason.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @reduction(%x: tensor<16x70xi8>, %w: tensor<70x24xi8>, %o: tensor<16x24xi8>) -> tensor<16x24xi8> {
  // expected-error @below {{to tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  // expected-remark @below {{loop 2 stays whole: it is a reduction, and what follows the sum needs all of it}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<16x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<16x24xi8>)
    maps [#x, #w, #y] -> tensor<16x24xi8>
  return %y : tensor<16x24xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [0, 0, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @columns_with_parameters(%x: tensor<16x70xi8>, %w: tensor<70x24xi8>, %o: tensor<16x24xi8>) -> tensor<16x24xi8> {
  // expected-error @below {{to tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  // expected-remark @below {{loop 1 stays whole: parameters of rhs go along it, #qparams.per_channel<[1]>}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<16x70xi8>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>> : tensor<70x24xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<16x24xi8>)
    maps [#x, #w, #y] -> tensor<16x24xi8>
  return %y : tensor<16x24xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(h, k, c, i) -> (h + i * 2, c)>
#w = affine_map<(h, k, c, i) -> (i, c, k)>
#y = affine_map<(h, k, c, i) -> (h, k)>

func.func @padding(%x: tensor<16x4xi8>, %w: tensor<3x4x2xi8>, %o: tensor<16x2xf32>) -> tensor<16x2xf32> {
  // expected-error @below {{to tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  // expected-remark @below {{loop 0 stays whole: dimension 0 of the input is padded}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<16x4xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x4x2xi8>)
    outs(%o : tensor<16x2xf32>)
    maps [#x, #w, #y] padding [2, 2, 0, 0] -> tensor<16x2xf32>
  return %y : tensor<16x2xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed(%x: tensor<4x70xi8>, %w: tensor<2304xi8>, %s: tensor<24xi32>, %o: tensor<4x24xi8>) -> tensor<4x24xi8> {
  // expected-error @below {{to tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  // expected-remark @below {{loop 1 stays whole: rhs is packed; tile before packing}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5>
      in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4>
      sums %s : tensor<24xi32>, : tensor<2304xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<4x24xi8>)
    maps [#x, #w, #y] -> tensor<4x24xi8>
  return %y : tensor<4x24xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.contract"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
