// Products of matrices that are large enough for the largest tile of a GPU.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @bytes(%x: tensor<2048x1024xi8>) -> tensor<2048x1024xi8> {
  %w = arith.constant dense<3> : tensor<1024x1024xi8>
  %o = tensor.empty() : tensor<2048x1024xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<2048x1024xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<1024x1024xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1, zero_point = 3> : tensor<2048x1024xi8>)
    maps [#x, #w, #y] low 0.0 -> tensor<2048x1024xi8>
  return %y : tensor<2048x1024xi8>
}
func.func @nibbles(%x: tensor<2048x1024xi8>) -> tensor<2048x1024xf32> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<2048x1024xf32>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<2048x1024xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.01> : tensor<1024x1024xi4>)
    outs(%o : tensor<2048x1024xf32>)
    maps [#x, #w, #y] -> tensor<2048x1024xf32>
  return %y : tensor<2048x1024xf32>
}
func.func @panels(%x: tensor<8192x512xi8>) -> tensor<8192x8192xi8> {
  %w = arith.constant dense<3> : tensor<512x8192xi8>
  %o = tensor.empty() : tensor<8192x8192xi8>
  %y = quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : tensor<8192x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<512x8192xi8>)
    outs(%o as <uint8, per_tensor, scale = 0.1, zero_point = 3> : tensor<8192x8192xi8>)
    maps [#x, #w, #y] -> tensor<8192x8192xi8>
  return %y : tensor<8192x8192xi8>
}
