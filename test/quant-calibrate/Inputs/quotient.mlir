// 1 / x, one row at a time.
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %one = arith.constant dense<1.0> : tensor<1x4xf32>
  %0 = arith.divf %one, %x : tensor<1x4xf32>
  %1 = quant.observe %0 "quotient" <int8, symmetric, moving_average> : tensor<1x4xf32>
  return %1 : tensor<1x4xf32>
}
