// RUN: quant-opt %s --quant-observe-to-call --split-input-file --verify-diagnostics

func.func @per_block(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @below {{'quant.observe' op has no statistics per block: expected per_tensor or per_channel, found #qparams.per_block<[1, 4]>}}
  %o = quant.observe %x "x" <int8, symmetric, per_block<[1, 4]>, mse> : tensor<4x8xf32>
  return %o : tensor<4x8xf32>
}

// -----

func.func @different(%x: tensor<3xf32>) -> tensor<3xf32> {
  // expected-note @below {{which is #qparams.spec<int8, symmetric, mse>}}
  %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
  // expected-error @below {{'quant.observe' op of "a" asks for #qparams.spec<uint8, symmetric, mse>, expected what others of that id ask for: they share their statistics}}
  %b = quant.observe %a "a" <uint8, symmetric, mse> : tensor<3xf32>
  return %b : tensor<3xf32>
}

// -----

// expected-error @below {{has the name of a function of the calibration run time; expected its declaration, '(i64, i64, memref<*xf32>) -> ()', or another name}}
func.func @quant_observe_f32() {
  return
}
func.func @taken(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
  return %a : tensor<3xf32>
}

// -----

module {
  module @inner {
    func.func @nested(%x: tensor<3xf32>) -> tensor<3xf32> {
      // expected-error @below {{'quant.observe' op is in a module inside the module: expected observers in functions of the outermost one}}
      %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
      return %a : tensor<3xf32>
    }
  }
}
