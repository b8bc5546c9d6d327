// Every calibrator on one value. Names that end in @D are per channel of D.
func.func @main(%x: tensor<16x50xf32>) -> tensor<16x50xf32> {
  %0 = quant.observe %x "average" <int8, symmetric, moving_average> : tensor<16x50xf32>
  %1 = quant.observe %0 "average@1" <int8, symmetric, per_channel<[1]>, moving_average> : tensor<16x50xf32>
  %2 = quant.observe %1 "minmax" <int8, symmetric, global_minmax> : tensor<16x50xf32>
  %3 = quant.observe %2 "minmax@0" <uint8, asymmetric, per_channel<[0]>, global_minmax> : tensor<16x50xf32>
  %4 = quant.observe %3 "percentile" <int8, asymmetric, percentile> : tensor<16x50xf32>
  %5 = quant.observe %4 "percentile@1" <int8, asymmetric, per_channel<[1]>, percentile> : tensor<16x50xf32>
  %6 = quant.observe %5 "mse int8" <int8, symmetric, mse> : tensor<16x50xf32>
  %7 = quant.observe %6 "mse int8 asymmetric" <int8, asymmetric, mse> : tensor<16x50xf32>
  %8 = quant.observe %7 "mse uint8" <uint8, symmetric, mse> : tensor<16x50xf32>
  %9 = quant.observe %8 "mse int4" <int4, symmetric, mse> : tensor<16x50xf32>
  %10 = quant.observe %9 "mse e4m3" <float8_e4m3fn, symmetric, mse> : tensor<16x50xf32>
  %11 = quant.observe %10 "mse clipping" <int8, symmetric_with_clipping, mse> : tensor<16x50xf32>
  %12 = quant.observe %11 "mse fixed" <int8, asymmetric, float_range = [none, 6.0], mse> : tensor<16x50xf32>
  %13 = quant.observe %12 "entropy int8" <int8, symmetric, entropy> : tensor<16x50xf32>
  %14 = quant.observe %13 "entropy uint8 asymmetric" <uint8, asymmetric, entropy> : tensor<16x50xf32>
  %15 = quant.observe %14 "entropy int4" <int4, symmetric, entropy> : tensor<16x50xf32>
  %16 = quant.observe %15 "entropy e4m3" <float8_e4m3fn, symmetric, entropy> : tensor<16x50xf32>
  return %16 : tensor<16x50xf32>
}
