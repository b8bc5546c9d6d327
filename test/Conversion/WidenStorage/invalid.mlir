// RUN: quant-opt %s --quant-widen-storage --split-input-file --verify-diagnostics

func.func @quant_operation(%x: tensor<4xi4>) -> tensor<4xf32> {
  // expected-error@below {{expected quant operations to be lowered before storage is widened, found 'tensor<4xi4>': run quant-to-linalg first}}
  %0 = quant.dequantize %x <int4, per_tensor, scale = 0.5> : tensor<4xi4> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@below {{found the memref 'memref<4xi4>'}}
func.func @memref(%x: memref<4xi4>, %i: index) -> i4 {
  // expected-error@below {{expected tensors of narrow elements, found the memref 'memref<4xi4>': widen storage before bufferization}}
  %0 = memref.load %x[%i] : memref<4xi4>
  return %0 : i4
}

// -----

func.func @computes_with_elements(%x: tensor<4xf8E5M2>) -> tensor<4xf8E5M2> {
  // expected-error@below {{expected only func, scf, cf, tensor and linalg operations on 'tensor<4xf8E5M2>', found one that may compute with its elements}}
  %0 = tosa.clamp %x {min_val = 0.0 : f8E5M2, max_val = 6.0 : f8E5M2} : (tensor<4xf8E5M2>) -> tensor<4xf8E5M2>
  return %0 : tensor<4xf8E5M2>
}

// -----

// expected-error@below {{expected signless codes, found 'tensor<4xui4>'}}
func.func @unsigned(%x: tensor<4xui4>) {
  return
}

// -----

func.func @sparse() -> tensor<4xi4> {
  // expected-error@below {{expected dense or dense_resource elements with one byte per code in memory}}
  %0 = arith.constant sparse<[[1]], [3]> : tensor<4xi4>
  return %0 : tensor<4xi4>
}
