func.func @main(%x: tensor<4x64xf32>) -> tensor<4x32xf32> {
  %w = arith.constant dense<1.5> : tensor<32x64xf32>
  %y = "my.dense"(%x, %w) : (tensor<4x64xf32>, tensor<32x64xf32>) -> tensor<4x32xf32>
  return %y : tensor<4x32xf32>
}
