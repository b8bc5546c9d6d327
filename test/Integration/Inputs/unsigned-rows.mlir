// Codes without signs, whose rows have scales that are operands, and no zero point.
#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @main(%p: tensor<96x64xi8>, %v: tensor<64x32xi8>, %s: tensor<96x1xf32>) -> tensor<96x32xf32> {
  %o = tensor.empty() : tensor<96x32xf32>
  %y = quant.contract
    lhs(%p as <uint8, per_tensor> scale %s : tensor<96x1xf32>, : tensor<96x64xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.04> : tensor<64x32xi8>)
    outs(%o : tensor<96x32xf32>)
    maps [#p, #v, #y] -> tensor<96x32xf32>
  return %y : tensor<96x32xf32>
}
