// Windows over channels: a depthwise contraction, a maximum and an average.
#x = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#y = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#x2 = affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>
func.func @depthwise(%x: tensor<8x56x56x128xi8>) -> tensor<8x56x56x128xi8> {
  %w = arith.constant dense<3> : tensor<3x3x128xi8>
  %o = tensor.empty() : tensor<8x56x56x128xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : tensor<8x56x56x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<3x3x128xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1, zero_point = 5> : tensor<8x56x56x128xi8>)
    maps [#x, #w, #y] padding [0, 0, 1, 1, 1, 1, 0, 0] -> tensor<8x56x56x128xi8>
  return %y : tensor<8x56x56x128xi8>
}
func.func @maximum(%x: tensor<8x112x112x64xi8>) -> tensor<8x56x56x64xi8> {
  %o = tensor.empty() : tensor<8x56x56x64xi8>
  %y = quant.pool max
    ins(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : tensor<8x112x112x64xi8>)
    outs(%o : tensor<8x56x56x64xi8>)
    maps [#x2, #y] window [3, 3] padding [0, 0, 1, 0, 1, 0, 0, 0] -> tensor<8x56x56x64xi8>
  return %y : tensor<8x56x56x64xi8>
}
func.func @average(%x: tensor<8x112x112x64xi8>) -> tensor<8x56x56x64xi8> {
  %o = tensor.empty() : tensor<8x56x56x64xi8>
  %y = quant.pool average
    ins(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : tensor<8x112x112x64xi8>)
    outs(%o : tensor<8x56x56x64xi8>)
    maps [#x2, #y] window [3, 3] padding [0, 0, 1, 0, 1, 0, 0, 0] -> tensor<8x56x56x64xi8>
  return %y : tensor<8x56x56x64xi8>
}
