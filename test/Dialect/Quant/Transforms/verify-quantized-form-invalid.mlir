// RUN: quant-opt %s --split-input-file --verify-diagnostics --quant-verify-quantized-form

func.func @observer(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'quant.observe' op does not belong in the quantized form: expected every observer to be folded, found one: calibrate and run quant-fold-ranges first}}
  %o = quant.observe %x "a.out0" <int8, asymmetric, moving_average> : tensor<4xf32>
  return %o : tensor<4xf32>
}

// -----

// Every one of them is named.
func.func @tosa(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'tosa.abs' op does not belong in the quantized form: expected linalg on tensors, found tosa: run quant-lower-tosa first}}
  %0 = tosa.abs %x : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error@+1 {{'tosa.exp' op does not belong in the quantized form}}
  %1 = tosa.exp %0 : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

func.func @upstream_casts(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'quant.qcast' op does not belong in the quantized form: expected quant.quantize and quant.dequantize, found a cast of upstream's quant dialect: convert it}}
  %0 = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 2.0>>
  // expected-error@+1 {{'quant.dcast' op does not belong in the quantized form}}
  %1 = quant.dcast %0 : tensor<4x!quant.uniform<i8:f32, 2.0>> to tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// expected-error@+1 {{'func.func' op does not belong in the quantized form: expected codes with their parameters in operations, found the type !quant.uniform<i8:f32, 2.000000e+00>}}
func.func private @upstream_types(tensor<4x!quant.uniform<i8:f32, 2.0>>)

// -----

// expected-error@+1 {{'func.func' op does not belong in the quantized form: expected tensors, found the buffer memref<4xf32>: check before bufferization}}
func.func private @buffers(memref<4xf32>)

// -----

func.func @int32_activation(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'quant.quantize' op does not belong in the quantized form: expected int32 for constant biases only, found it for an activation: use a storage type of 8 bits or less}}
  %q = quant.quantize %x <int32, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi32>
  // expected-error@+1 {{'quant.dequantize' op does not belong in the quantized form: expected int32 for constant biases only, found it for a value that is computed: use a storage type of 8 bits or less}}
  %d = quant.dequantize %q <int32, per_tensor, scale = 0.5> : tensor<4xi32> -> tensor<4xf32>
  return %d : tensor<4xf32>
}

// -----

func.func @constant() -> tensor<4xi8> {
  %x = arith.constant dense<1.0> : tensor<4xf32>
  // expected-error@+1 {{'quant.quantize' op does not belong in the quantized form: expected a constant of codes, found a constant that is quantized at run time: run quant-simplify-quantized-form first}}
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// -----

func.func @pair(%q: tensor<4xi8>) -> tensor<4xi8> {
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  // expected-error@+1 {{'quant.quantize' op does not belong in the quantized form: expected no quantize of what was dequantized with equal parameters, found one: run quant-simplify-quantized-form first}}
  %r = quant.quantize %d <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// -----

func.func @computes_with_codes(%x: tensor<4xf32>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4xf32> -> tensor<4xi8>
  // expected-error@+1 {{'arith.addi' op does not belong in the quantized form: expected codes to be moved or dequantized, found an operation that is not known to leave them as they are: dequantize its operand}}
  %s = arith.addi %q, %q : tensor<4xi8>
  return %s : tensor<4xi8>
}

// -----

// Through moves in either direction.
func.func @computes_codes(%a: tensor<2x2xi8>) -> tensor<4xf32> {
  // expected-error@+1 {{'arith.addi' op does not belong in the quantized form: expected codes from quantize, constants and moves, found an operation that is not known to leave them as they are: quantize its result}}
  %s = arith.addi %a, %a : tensor<2x2xi8>
  %c = tensor.collapse_shape %s [[0, 1]] : tensor<2x2xi8> into tensor<4xi8>
  %d = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  return %d : tensor<4xf32>
}

// -----

func.func @computes_with_moved_codes(%x: tensor<2x2xf32>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<2x2xf32> -> tensor<2x2xi8>
  %c = tensor.collapse_shape %q [[0, 1]] : tensor<2x2xi8> into tensor<4xi8>
  // expected-error@+1 {{'arith.subi' op does not belong in the quantized form}}
  %s = arith.subi %c, %c : tensor<4xi8>
  return %s : tensor<4xi8>
}

// -----

func.func @sub_byte(%a: tensor<4xi4>) -> tensor<4xi4> {
  // expected-error@+1 {{'arith.muli' op does not belong in the quantized form: expected computation in f32, f16, bf16 or integers of whole bytes, found tensor<4xi4>: dequantize it first}}
  %s = arith.muli %a, %a : tensor<4xi4>
  return %s : tensor<4xi4>
}

// -----

func.func @float8(%a: tensor<4xf8E5M2>) -> tensor<4xf32> {
  // expected-error@+1 {{'arith.extf' op does not belong in the quantized form: expected computation in f32, f16, bf16 or integers of whole bytes, found tensor<4xf8E5M2>: dequantize it first}}
  %s = arith.extf %a : tensor<4xf8E5M2> to tensor<4xf32>
  return %s : tensor<4xf32>
}
