#x = affine_map<(n, h, w, c, m, i, j) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, c, m, i, j) -> (i, j, c, m)>
#b = affine_map<(n, h, w, c, m, i, j) -> (c)>
#y = affine_map<(n, h, w, c, m, i, j) -> (n, h, w, c, m)>
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>

// x + x, then a filter of 3x3 for each of 70 channels, whose weights are all 3 and
// whose padding is the zero point.
func.func @depthwise(%x: tensor<1x5x6x70xi8>) -> tensor<1x5x6x70x1xi8> {
  %w = arith.constant dense<3> : tensor<3x3x70x1xi8>
  %b = arith.constant dense<11> : tensor<70xi32>
  %e0 = tensor.empty() : tensor<1x5x6x70xi8>
  %0 = quant.add lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x5x6x70xi8>)
    rhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x5x6x70xi8>)
    outs(%e0 as <int8, per_tensor, scale = 1.0, zero_point = -3> : tensor<1x5x6x70xi8>)
    maps [#id, #id, #id] -> tensor<1x5x6x70xi8>
  %e1 = tensor.empty() : tensor<1x5x6x70x1xi8>
  %1 = quant.contract
    lhs(%0 as <int8, per_tensor, scale = 1.0, zero_point = -3> : tensor<1x5x6x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x3x70x1xi8>)
    bias(%b : tensor<70xi32>)
    outs(%e1 as <int8, per_tensor, scale = 16.0, zero_point = 5> : tensor<1x5x6x70x1xi8>)
    maps [#x, #w, #b, #y] padding [0, 0, 1, 1, 1, 1, 0, 0] -> tensor<1x5x6x70x1xi8>
  return %1 : tensor<1x5x6x70x1xi8>
}
