// Each kind of calibrator, one row at a time.
func.func @main(%x: tensor<1x4096xf32>) -> tensor<1x4096xf32> {
  %0 = quant.observe %x "average" <int8, symmetric, moving_average> : tensor<1x4096xf32>
  %1 = quant.observe %0 "minmax" <int8, symmetric, global_minmax> : tensor<1x4096xf32>
  %2 = quant.observe %1 "percentile" <int8, symmetric, percentile> : tensor<1x4096xf32>
  return %2 : tensor<1x4096xf32>
}
