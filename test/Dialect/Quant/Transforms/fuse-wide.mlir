// RUN: quant-opt %s --quant-fuse --quant-verify-integer-form --split-input-file --verify-diagnostics | FileCheck %s

// A sum that an int32 may not hold is wide, and says so.

// CHECK-LABEL: @long
// CHECK: quant.contract {{.*}} maps [{{.*}}] wide -> tensor<1x2xf32>
func.func @long(%q: tensor<1x140000xi8>, %i: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<1x140000xi8> -> tensor<1x140000xf32>
  %c = arith.constant dense<127> : tensor<140000x2xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<140000x2xi8> -> tensor<140000x2xf32>
  // expected-remark@below {{is summed in 64 bits, which takes longer: the sum may overflow an int32: 140000 * 128 * 127 + 0 is not below 2^31}}
  %0 = linalg.matmul ins(%x, %w : tensor<1x140000xf32>, tensor<140000x2xf32>) outs(%i : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// One code less than a sum that may overflow: 65793 * 255 * 128 < 2^31.
// CHECK-LABEL: @longest
// CHECK: quant.contract
// CHECK-NOT: wide
func.func @longest(%q: tensor<1x65793xi8>, %i: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5> : tensor<1x65793xi8> -> tensor<1x65793xf32>
  %c = arith.constant dense<-128> : tensor<65793x1xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<65793x1xi8> -> tensor<65793x1xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<1x65793xf32>, tensor<65793x1xf32>) outs(%i : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// -----

// CHECK-LABEL: @one_more
// CHECK: quant.contract {{.*}} wide
func.func @one_more(%q: tensor<1x65794xi8>, %i: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %x = quant.dequantize %q <uint8, per_tensor, scale = 0.5> : tensor<1x65794xi8> -> tensor<1x65794xf32>
  %c = arith.constant dense<-128> : tensor<65794x1xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<65794x1xi8> -> tensor<65794x1xf32>
  // expected-remark@below {{65794 * 255 * 128 + 0 is not below 2^31}}
  %0 = linalg.matmul ins(%x, %w : tensor<1x65794xf32>, tensor<65794x1xf32>) outs(%i : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// -----

// Where only the run time knows the length, it is checked there; but not what a
// bias adds.
// CHECK-LABEL: @of_unknown_length
// CHECK: quant.contract
// CHECK-NOT: wide
// CHECK: return
func.func @of_unknown_length(%q: tensor<4x?xi8>, %k: tensor<?x2xi8>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x?xi8> -> tensor<4x?xf32>
  %w = quant.dequantize %k <int8, per_tensor, scale = 0.5> : tensor<?x2xi8> -> tensor<?x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x?xf32>, tensor<?x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
