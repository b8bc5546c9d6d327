func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<[[0.5, -1.0], [0.25, 2.0], [1.0, 1.0]]> : tensor<3x2xf32>
  %y = "my.dense"(%x, %w) : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}
