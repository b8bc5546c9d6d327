// Blocks of int4 weights: of half a stage, of two stages, and with one row.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @short(%x: tensor<2048x1024xi8>) -> tensor<2048x1024xf32> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<2048x1024xf32>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<2048x1024xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.01> : tensor<32x1024xf32>> : tensor<1024x1024xi4>)
    outs(%o : tensor<2048x1024xf32>)
    maps [#x, #w, #y] -> tensor<2048x1024xf32>
  return %y : tensor<2048x1024xf32>
}
func.func @long(%x: tensor<2048x1024xi8>) -> tensor<2048x1024xf32> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<2048x1024xf32>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<2048x1024xi8>)
    rhs(%w as <int4, per_block<[128, 1]>, scale = dense<0.01> : tensor<8x1024xf32>> : tensor<1024x1024xi4>)
    outs(%o : tensor<2048x1024xf32>)
    maps [#x, #w, #y] -> tensor<2048x1024xf32>
  return %y : tensor<2048x1024xf32>
}
func.func @row(%x: tensor<1x1024xi8>) -> tensor<1x1024xf32> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<1x1024xf32>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<1x1024xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.01> : tensor<32x1024xf32>> : tensor<1024x1024xi4>)
    outs(%o : tensor<1x1024xf32>)
    maps [#x, #w, #y] -> tensor<1x1024xf32>
  return %y : tensor<1x1024xf32>
}
