// RUN: quant-opt %s --quant-observe-to-call --split-input-file | FileCheck %s

// CHECK: module attributes {quant.observers = ["x"]}
// CHECK: func.func private @quant_observe_f32(i64, i64, memref<*xf32>)
// CHECK-LABEL: func.func @per_tensor(
// CHECK-SAME:    %[[X:.*]]: tensor<4x8xf32>
// CHECK:         %[[BUFFER:.*]] = bufferization.to_buffer %[[X]] read_only {{.*}} : tensor<4x8xf32> to memref<4x8xf32, strided<[?, ?], offset: ?>>
// CHECK:         %[[DYNAMIC:.*]] = memref.cast %[[BUFFER]] : {{.*}} to memref<?x?xf32, strided<[?, ?], offset: ?>>
// CHECK-DAG:     %[[NUMBER:.*]] = arith.constant 0 : i64
// CHECK-DAG:     %[[CHANNELS:.*]] = arith.constant 0 : i64
// CHECK:         call @quant_observe_f32_rank2(%{{.*}}, %{{.*}}, %[[DYNAMIC]])
// CHECK:         return %[[X]]
// CHECK:       func.func private @quant_observe_f32_rank2(%[[N:.*]]: i64, %[[C:.*]]: i64, %[[M:.*]]: memref<?x?xf32, strided<[?, ?], offset: ?>>) attributes {no_inline}
// CHECK:         %[[UNRANKED:.*]] = memref.cast %[[M]] : {{.*}} to memref<*xf32>
// CHECK:         call @quant_observe_f32(%[[N]], %[[C]], %[[UNRANKED]])
func.func @per_tensor(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %o = quant.observe %x "x" <int8, symmetric, moving_average> : tensor<4x8xf32>
  return %o : tensor<4x8xf32>
}

// -----

// Dimensions 0 and 2: bits 1 and 4.
// CHECK-LABEL: func.func @per_channel(
// CHECK:         arith.constant 5 : i64
func.func @per_channel(%x: tensor<2x?x3xf16>) -> tensor<2x?x3xf16> {
  %o = quant.observe %x "x" <int8, symmetric, per_channel<[0, 2]>, mse> : tensor<2x?x3xf16>
  return %o : tensor<2x?x3xf16>
}

// -----

// Numbers count ids; one function serves all tensors of a type and a rank.
// CHECK: module attributes {quant.observers = ["a", "b"]}
// CHECK: func.func private @quant_observe_bf16(i64, i64, memref<*xbf16>)
// CHECK: func.func private @quant_observe_f32(i64, i64, memref<*xf32>)
// CHECK-NOT: private @quant_observe_
// CHECK-LABEL: func.func @numbers(
// CHECK:         %[[A0:.*]] = arith.constant 0 : i64
// CHECK:         call @quant_observe_f32_rank1(%[[A0]],
// CHECK:         %[[B:.*]] = arith.constant 1 : i64
// CHECK:         call @quant_observe_bf16_rank1(%[[B]],
// CHECK:         %[[A1:.*]] = arith.constant 0 : i64
// CHECK:         call @quant_observe_f32_rank1(%[[A1]],
// CHECK: func.func private @quant_observe_f32_rank1
// CHECK: func.func private @quant_observe_bf16_rank1
// CHECK-NOT: func.func private
func.func @numbers(%x: tensor<3xf32>, %y: tensor<?xf32>, %z: tensor<3xbf16>) {
  %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
  %b = quant.observe %z "b" <int8, symmetric, mse> : tensor<3xbf16>
  %c = quant.observe %y "a" <int8, symmetric, mse> : tensor<?xf32>
  return
}

// -----

// What needs no data is its operand.
// CHECK: module attributes {quant.observers = []}
// CHECK-LABEL: func.func @no_data(
// CHECK-SAME:    %[[X:.*]]: tensor<3xf32>
// CHECK-NEXT:    return %[[X]], %[[X]]
func.func @no_data(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %a = quant.observe %x "a" <int8, asymmetric, float_range = [0.0, 1.0]> : tensor<3xf32>
  %b = quant.observe %x "a" follows <int8, asymmetric, mse> : tensor<3xf32>
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}

// -----

// One end has to be found.
// CHECK: module attributes {quant.observers = ["a"]}
// CHECK-LABEL: func.func @one_end(
// CHECK:         call @quant_observe_f32_rank1
func.func @one_end(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = quant.observe %x "a" <int8, asymmetric, float_range = [0.0, none], mse> : tensor<3xf32>
  return %a : tensor<3xf32>
}

// -----

// Two looks at one tensor stay two: each has a number.
// CHECK-LABEL: func.func @twice(
// CHECK:         to_buffer %{{.*}} read_only {quant.call = 0 : i64}
// CHECK:         to_buffer %{{.*}} read_only {quant.call = 1 : i64}
func.func @twice(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
  %b = quant.observe %a "b" <int8, symmetric, mse> : tensor<3xf32>
  return %b : tensor<3xf32>
}

// -----

// A module without observers stays as it is.
// CHECK: module {
// CHECK-NEXT: func.func @none() {
// CHECK-NEXT: return
func.func @none() {
  return
}

// -----

// A declaration that is there serves.
// CHECK-LABEL: func.func @declared(
// CHECK: func.func private @quant_observe_f32(
// CHECK-NOT: func.func private @quant_observe_f32(
// CHECK: func.func private @quant_observe_f32_rank1(
func.func @declared(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
  return %a : tensor<3xf32>
}
func.func private @quant_observe_f32(i64, i64, memref<*xf32>)

// -----

// A function of the model's own that has the helper's name keeps it.
// CHECK-LABEL: func.func @taken(
// CHECK:         call @[[HELPER:quant_observe_f32_rank1_[0-9]+]](
// CHECK: func.func private @quant_observe_f32_rank1() {
// CHECK: func.func private @[[HELPER]](
func.func @taken(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = quant.observe %x "a" <int8, symmetric, mse> : tensor<3xf32>
  call @quant_observe_f32_rank1() : () -> ()
  return %a : tensor<3xf32>
}
func.func private @quant_observe_f32_rank1() {
  return
}
