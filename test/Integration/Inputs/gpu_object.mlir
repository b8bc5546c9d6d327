#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @model(%x: tensor<48x128xi8>) -> tensor<48x64xf32> {
  %w = arith.constant dense<3> : tensor<128x64xi8>
  %o = tensor.empty() : tensor<48x64xf32>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<48x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<128x64xi8>)
    outs(%o : tensor<48x64xf32>)
    maps [#x, #w, #y] -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
