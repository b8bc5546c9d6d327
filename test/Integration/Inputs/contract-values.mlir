// Values times codes: int4 in blocks, int8 with zero points, bf16, fp8, and f16 alone.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @nibbles(%x: tensor<2048x1024xf16>) -> tensor<2048x1024xf16> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<2048x1024xf16>
  %y = quant.contract
    lhs(%x : tensor<2048x1024xf16>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.01> : tensor<32x1024xf32>> : tensor<1024x1024xi4>)
    outs(%o : tensor<2048x1024xf16>)
    maps [#x, #w, #y] -> tensor<2048x1024xf16>
  return %y : tensor<2048x1024xf16>
}
func.func @bytes(%x: tensor<2048x1024xf16>) -> tensor<2048x1024xf16> {
  %w = arith.constant dense<3> : tensor<1024x1024xi8>
  %o = tensor.empty() : tensor<2048x1024xf16>
  %y = quant.contract
    lhs(%x : tensor<2048x1024xf16>)
    rhs(%w as <uint8, per_channel<[1]>, scale = dense<0.01> : tensor<1x1024xf32>, zero_point = dense<3> : tensor<1x1024xui8>> : tensor<1024x1024xi8>)
    outs(%o : tensor<2048x1024xf16>)
    maps [#x, #w, #y] -> tensor<2048x1024xf16>
  return %y : tensor<2048x1024xf16>
}
func.func @bf16(%x: tensor<2048x1024xbf16>) -> tensor<2048x1024xbf16> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<2048x1024xbf16>
  %y = quant.contract
    lhs(%x : tensor<2048x1024xbf16>)
    rhs(%w as <uint4, per_block<[128, 1]>, scale = dense<0.01> : tensor<8x1024xf32>, zero_point = dense<8> : tensor<8x1024xui8>> : tensor<1024x1024xi4>)
    outs(%o : tensor<2048x1024xbf16>)
    maps [#x, #w, #y] -> tensor<2048x1024xbf16>
  return %y : tensor<2048x1024xbf16>
}
func.func @halves(%x: tensor<2048x1024xf16>) -> tensor<2048x1024xf16> {
  %w = arith.constant dense<3.0> : tensor<1024x1024xf16>
  %o = tensor.empty() : tensor<2048x1024xf16>
  %y = quant.contract
    lhs(%x : tensor<2048x1024xf16>)
    rhs(%w : tensor<1024x1024xf16>)
    outs(%o : tensor<2048x1024xf16>)
    maps [#x, #w, #y] -> tensor<2048x1024xf16>
  return %y : tensor<2048x1024xf16>
}
func.func @row(%x: tensor<1x1024xf16>) -> tensor<1x1024xf16> {
  %w = arith.constant dense<3> : tensor<1024x1024xi4>
  %o = tensor.empty() : tensor<1x1024xf16>
  %y = quant.contract
    lhs(%x : tensor<1x1024xf16>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.01> : tensor<32x1024xf32>> : tensor<1024x1024xi4>)
    outs(%o : tensor<1x1024xf16>)
    maps [#x, #w, #y] -> tensor<1x1024xf16>
  return %y : tensor<1x1024xf16>
}
func.func @floats(%x: tensor<1x1024xf32>) -> tensor<1x1024xf32> {
  %w = arith.constant dense<3> : tensor<1024x1024xi8>
  %o = tensor.empty() : tensor<1x1024xf32>
  %y = quant.contract
    lhs(%x : tensor<1x1024xf32>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense<0.01> : tensor<1x1024xf32>> : tensor<1024x1024xi8>)
    outs(%o : tensor<1x1024xf32>)
    maps [#x, #w, #y] -> tensor<1x1024xf32>
  return %y : tensor<1x1024xf32>
}
