// RUN: quant-opt %s --quant-verify-target-form=target=reference --split-input-file --verify-diagnostics --allow-unregistered-dialect

// Tensors, by any dialect that works on them.

func.func @good(%x: tensor<4xi8>, %m: tensor<4xi1>, %h: tensor<4xbf16>) -> tensor<4xi32> {
  %0 = arith.extsi %x : tensor<4xi8> to tensor<4xi32>
  %1 = "embedder.op"(%0) : (tensor<4xi32>) -> tensor<4xi32>
  return %1 : tensor<4xi32>
}

// -----

func.func @quant(%x: tensor<4xi8>) -> tensor<4xf32> {
  // expected-error@below {{does not belong in the form of the target: expected it to be lowered, found one of 'quant': run quant-to-linalg}}
  %0 = quant.dequantize %x <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @tosa(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{expected linalg on tensors, found tosa: run quant-lower-tosa first}}
  %0 = tosa.abs %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@below {{expected tensors with elements of whole bytes, and floats of more than 8 bits, found 'tensor<4xi4>': run quant-widen-storage first}}
func.func @nibbles(%x: tensor<4xi4>) {
  return
}

// -----

func.func @small_floats() {
  // expected-error@below {{found 'tensor<4xf8E4M3FN>': run quant-widen-storage first}}
  %0 = tensor.empty() : tensor<4xf8E4M3FN>
  return
}

// -----

func.func @buffers(%x: tensor<4xf32>) {
  // expected-error@below {{expected tensors, found an operation on buffers: bufferize behind the reference lowering, not before it}}
  %0 = bufferization.to_buffer %x : tensor<4xf32> to memref<4xf32>
  return
}

// -----

func.func @buffer_of_another(%x: tensor<4xf32>) {
  // expected-error@below {{found 'memref<4xf32>'}}
  %0 = "embedder.op"(%x) : (tensor<4xf32>) -> memref<4xf32>
  return
}
