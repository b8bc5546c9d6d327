// A bias stays in floating point where there is no int32 accumulator with one
// scale per channel; the remark says what is in the way.

// RUN: quant-opt %s --verify-diagnostics --quant-quantize-biases -o /dev/null

func.func @input_float(%q: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its input is in floating point}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%q, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @weight_float(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its weight is in floating point}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @input_float8(%q: tensor<4x2xf8E4M3FN>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4x2xf8E4M3FN> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its input is float8_e4m3fn, which has no integer sum}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @weight_float8(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1.0> : tensor<2x2xf8E5M2>
  %w = quant.dequantize %cw <float8_e5m2, per_tensor, scale = 0.5> : tensor<2x2xf8E5M2> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its weight is float8_e5m2, which has no integer sum}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @dynamic(%q: tensor<4x2xi8>, %s: tensor<f32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q scale(%s : tensor<f32>) <int8, per_tensor> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its input has a scale that is known at run time only}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @input_minval(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, minval = -1.0> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its input has a minval in place of a zero point}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @weight_minval(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5, minval = -1.0> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its weight has a minval in place of a zero point}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @input_per_channel(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_channel<[0]>, scale = dense<0.5> : tensor<4x1xf32>> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its input has more than one scale}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @weight_per_block(%q: tensor<4x4xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x4xi8> -> tensor<4x4xf32>
  %cw = arith.constant dense<1> : tensor<4x2xi8>
  %w = quant.dequantize %cw <int8, per_block<[2, 1]>, scale = dense<0.5> : tensor<2x2xf32>> : tensor<4x2xi8> -> tensor<4x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its weight has a scale per block}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x4xf32>, tensor<4x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @scale_along_sum(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_channel<[0]>, scale = dense<[[0.5], [0.25]]> : tensor<2x1xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: the scales of its weight vary along what is summed}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// Of channel 0 all codes are one above the zero point.
func.func @overflow(%q: tensor<4x40000xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5> : tensor<4x40000xi8> -> tensor<4x40000xf32>
  %cw = arith.constant dense<255> : tensor<40000x2xi8>
  %w = quant.dequantize %cw <uint8, per_channel<[1]>, scale = dense<[[0.5, 1.0]]> : tensor<1x2xf32>, zero_point = dense<[[254, 0]]> : tensor<1x2xui8>> : tensor<40000x2xi8> -> tensor<40000x2xf32>
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: the sum of channel 1 of 2 may overflow an int32: 40000 * 255 * 255 + 4 is not below 2^31}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x40000xf32>, tensor<40000x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @no_int32(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0e9, 1.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: in channel 0 of 2 it is no int32 number of units of the accumulator}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @nan(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: in channel 1 of 2 it is no int32 number of units of the accumulator}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

func.func @tiny_scale(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 1.0e-30> : tensor<4x2xi8> -> tensor<4x2xf32>
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 1.0e-30> : tensor<2x2xi8> -> tensor<2x2xf32>
  %bias = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: the scale of the accumulator of channel 0 of 2 is not a positive finite f32}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

#id = affine_map<(d0, d1) -> (d0, d1)>
#one = affine_map<(d0, d1) -> (0)>
func.func @one_for_several_scales(%q: tensor<4x2xi8>) -> tensor<4x2xf32> {
  %cw = arith.constant dense<1> : tensor<2x2xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %cw <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %bias = arith.constant dense<1.0> : tensor<1xf32>
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: one element of it belongs to channels of several scales}}
  %1 = linalg.generic {indexing_maps = [#id, #one, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %bias : tensor<4x2xf32>, tensor<1xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %s = arith.addf %in, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

func.func @no_channels(%q: tensor<4x2xi8>) -> tensor<4x0xf32> {
  %cw = arith.constant dense<> : tensor<2x0xi8>
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %cw <int8, per_tensor, scale = 0.5> : tensor<2x0xi8> -> tensor<2x0xf32>
  %c = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<4x0xf32>
  %b = linalg.fill ins(%c : f32) outs(%e : tensor<4x0xf32>) -> tensor<4x0xf32>
  // expected-remark@+1 {{the bias of 'fc' stays in floating point: its weight has no channels}}
  %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x0xf32>) outs(%b : tensor<4x0xf32>) -> tensor<4x0xf32>
  return %0 : tensor<4x0xf32>
}
