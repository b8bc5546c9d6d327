// Weights of codes beside f32, as a model has them that is quantized in its weights alone.
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @nibbles(%x: tensor<128x512xf32>) -> tensor<128x512xf32> {
  %w = arith.constant dense<1> : tensor<512x512xi4>
  %o = tensor.empty() : tensor<128x512xf32>
  %y = quant.contract
    lhs(%x : tensor<128x512xf32>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.01> : tensor<16x512xf32>> : tensor<512x512xi4>)
    outs(%o : tensor<128x512xf32>) maps [#x, #w, #y] -> tensor<128x512xf32>
  return %y : tensor<128x512xf32>
}

func.func @row(%x: tensor<1x512xf32>) -> tensor<1x512xf32> {
  %w = arith.constant dense<1> : tensor<512x512xi4>
  %o = tensor.empty() : tensor<1x512xf32>
  %y = quant.contract
    lhs(%x : tensor<1x512xf32>)
    rhs(%w as <uint4, per_block<[32, 1]>, scale = dense<0.01> : tensor<16x512xf32>, minval = dense<-0.1> : tensor<16x512xf32>> : tensor<512x512xi4>)
    outs(%o : tensor<1x512xf32>) maps [#x, #w, #y] -> tensor<1x512xf32>
  return %y : tensor<1x512xf32>
}

func.func @bytes(%x: tensor<100x70xf32>) -> tensor<100x65xf32> {
  %w = arith.constant dense<1> : tensor<70x65xi8>
  %o = tensor.empty() : tensor<100x65xf32>
  %y = quant.contract
    lhs(%x : tensor<100x70xf32>)
    rhs(%w as <uint8, per_channel<[1]>, scale = dense<0.01> : tensor<1x65xf32>, zero_point = dense<3> : tensor<1x65xui8>> : tensor<70x65xi8>)
    outs(%o : tensor<100x65xf32>) maps [#x, #w, #y] -> tensor<100x65xf32>
  return %y : tensor<100x65xf32>
}
