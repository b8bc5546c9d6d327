// Codes of fp8 on both sides, and beside f16.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @both(%x: tensor<2048x1024xf8E4M3FN>) -> tensor<2048x1024xf32> {
  %w = arith.constant dense<3.0> : tensor<1024x1024xf8E4M3FN>
  %o = tensor.empty() : tensor<2048x1024xf32>
  %y = quant.contract
    lhs(%x as <float8_e4m3fn, per_tensor, scale = 0.05> : tensor<2048x1024xf8E4M3FN>)
    rhs(%w as <float8_e4m3fn, per_channel<[1]>, scale = dense<0.01> : tensor<1x1024xf32>> : tensor<1024x1024xf8E4M3FN>)
    outs(%o : tensor<2048x1024xf32>)
    maps [#x, #w, #y] -> tensor<2048x1024xf32>
  return %y : tensor<2048x1024xf32>
}
func.func @beside(%x: tensor<2048x1024xf16>) -> tensor<2048x1024xf16> {
  %w = arith.constant dense<3.0> : tensor<1024x1024xf8E5M2>
  %o = tensor.empty() : tensor<2048x1024xf16>
  %y = quant.contract
    lhs(%x : tensor<2048x1024xf16>)
    rhs(%w as <float8_e5m2, per_channel<[1]>, scale = dense<0.01> : tensor<1x1024xf32>> : tensor<1024x1024xf8E5M2>)
    outs(%o : tensor<2048x1024xf16>)
    maps [#x, #w, #y] -> tensor<2048x1024xf16>
  return %y : tensor<2048x1024xf16>
}
