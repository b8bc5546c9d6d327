// Weights in registers beside four warps: blocks of scales, zero points, values and codes.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @blocks(%x: tensor<4096x4096xi8>) -> tensor<4096x4096xf16> {
  %w = arith.constant dense<3> : tensor<4096x4096xi4>
  %o = tensor.empty() : tensor<4096x4096xf16>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4096x4096xi8>)
    rhs(%w as <int4, per_block<[128, 1]>, scale = dense<0.01> : tensor<32x4096xf32>> : tensor<4096x4096xi4>)
    outs(%o : tensor<4096x4096xf16>)
    maps [#x, #w, #y] -> tensor<4096x4096xf16>
  return %y : tensor<4096x4096xf16>
}
func.func @bytes(%x: tensor<4096x4096xi8>) -> tensor<4096x4096xf16> {
  %w = arith.constant dense<3> : tensor<4096x4096xi8>
  %o = tensor.empty() : tensor<4096x4096xf16>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4096x4096xi8>)
    rhs(%w as <int8, per_block<[64, 1]>, scale = dense<0.01> : tensor<64x4096xf32>> : tensor<4096x4096xi8>)
    outs(%o : tensor<4096x4096xf16>)
    maps [#x, #w, #y] -> tensor<4096x4096xf16>
  return %y : tensor<4096x4096xf16>
}
func.func @zero_points(%x: tensor<4096x4096xi8>) -> tensor<4096x4096xf16> {
  %w = arith.constant dense<3> : tensor<4096x4096xi4>
  %o = tensor.empty() : tensor<4096x4096xf16>
  %y = quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 7> : tensor<4096x4096xi8>)
    rhs(%w as <uint4, per_block<[128, 1]>, scale = dense<0.01> : tensor<32x4096xf32>, zero_point = dense<5> : tensor<32x4096xui8>> : tensor<4096x4096xi4>)
    outs(%o : tensor<4096x4096xf16>)
    maps [#x, #w, #y] -> tensor<4096x4096xf16>
  return %y : tensor<4096x4096xf16>
}
func.func @nibbles_of_values(%x: tensor<4096x4096xf16>) -> tensor<4096x4096xf16> {
  %w = arith.constant dense<3> : tensor<4096x4096xi4>
  %o = tensor.empty() : tensor<4096x4096xf16>
  %y = quant.contract
    lhs(%x : tensor<4096x4096xf16>)
    rhs(%w as <int4, per_block<[128, 1]>, scale = dense<0.01> : tensor<32x4096xf32>> : tensor<4096x4096xi4>)
    outs(%o : tensor<4096x4096xf16>)
    maps [#x, #w, #y] -> tensor<4096x4096xf16>
  return %y : tensor<4096x4096xf16>
}
func.func @bytes_of_values(%x: tensor<4096x4096xbf16>) -> tensor<4096x4096xf32> {
  %w = arith.constant dense<3> : tensor<4096x4096xi8>
  %o = tensor.empty() : tensor<4096x4096xf32>
  %y = quant.contract
    lhs(%x : tensor<4096x4096xbf16>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense<0.01> : tensor<1x4096xf32>> : tensor<4096x4096xi8>)
    outs(%o : tensor<4096x4096xf32>)
    maps [#x, #w, #y] -> tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}
func.func @small_floats(%x: tensor<4096x4096xf16>) -> tensor<4096x4096xf32> {
  %c = arith.constant dense<3.0> : tensor<4096x4096xf8E4M3FN>
  %o = tensor.empty() : tensor<4096x4096xf32>
  %y = quant.contract
    lhs(%x : tensor<4096x4096xf16>)
    rhs(%c as <float8_e4m3fn, per_channel<[1]>, scale = dense<0.01> : tensor<1x4096xf32>> : tensor<4096x4096xf8E4M3FN>)
    outs(%o : tensor<4096x4096xf32>)
    maps [#x, #w, #y] -> tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}
