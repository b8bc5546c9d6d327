// A residual of which lanes load two bytes at a time.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<33x70xi8>) -> tensor<33x70xi8> {
  %w = arith.constant dense<3> : tensor<70x70xi8>
  %b = arith.constant dense<-5> : tensor<70xi32>
  %o = tensor.empty() : tensor<33x70xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<33x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<70x70xi8>)
    bias(%b : tensor<70xi32>)
    residual(%x as <int8, per_tensor, scale = 0.05> : tensor<33x70xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<33x70xi8>)
    maps [#x, #w, #b, #y, #y] -> tensor<33x70xi8>
  return %y : tensor<33x70xi8>
}
