// Q * K^T, whose right-hand side has codes of a column beside each other, and what comes
// out times V, whose right-hand side has columns beside each other. Neither fills panels.
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#v = affine_map<(b, m, n, k) -> (b, k, n)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @main(%q: tensor<3x49x64xi8>, %k: tensor<3x70x64xi8>, %v: tensor<3x70x48xi8>) -> (tensor<3x49x70xi8>, tensor<3x49x48xi8>) {
  %o = tensor.empty() : tensor<3x49x70xi8>
  %s = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.05, zero_point = 7> : tensor<3x49x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.04, zero_point = -5> : tensor<3x70x64xi8>)
    outs(%o as <uint8, per_tensor, scale = 9.0, zero_point = 120> : tensor<3x49x70xi8>)
    maps [#q, #k, #y] -> tensor<3x49x70xi8>
  %p = tensor.empty() : tensor<3x49x48xi8>
  %z = quant.contract
    lhs(%s as <uint8, per_tensor, scale = 9.0, zero_point = 120> : tensor<3x49x70xi8>)
    rhs(%v as <uint8, per_tensor, scale = 0.03, zero_point = 131> : tensor<3x70x48xi8>)
    outs(%p as <int8, per_tensor, scale = 170.0, zero_point = -2> : tensor<3x49x48xi8>)
    maps [#q, #v, #y] -> tensor<3x49x48xi8>
  return %s, %z : tensor<3x49x70xi8>, tensor<3x49x48xi8>
}
