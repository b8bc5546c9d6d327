// Products of two activations with rows enough for wgmma, for as many keys as the run time
// says. Left-hand sides have no zero points, so that nobody reads sums of columns.
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#v = affine_map<(b, m, n, k) -> (b, k, n)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @main(%q: tensor<3x300x64xi8>, %k: tensor<3x?x64xi8>, %v: tensor<3x?x128xi8>) -> (tensor<3x300x?xi8>, tensor<3x300x128xf32>) {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %k, %c1 : tensor<3x?x64xi8>
  %o = tensor.empty(%n) : tensor<3x300x?xi8>
  %s = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.05> : tensor<3x300x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.04> : tensor<3x?x64xi8>)
    outs(%o as <uint8, per_tensor, scale = 9.0> : tensor<3x300x?xi8>)
    maps [#q, #k, #y] -> tensor<3x300x?xi8>
  %p = tensor.empty() : tensor<3x300x128xf32>
  %z = quant.contract
    lhs(%s as <uint8, per_tensor, scale = 9.0> : tensor<3x300x?xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.03> : tensor<3x?x128xi8>)
    outs(%p : tensor<3x300x128xf32>)
    maps [#q, #v, #y] -> tensor<3x300x128xf32>
  return %s, %z : tensor<3x300x?xi8>, tensor<3x300x128xf32>
}
