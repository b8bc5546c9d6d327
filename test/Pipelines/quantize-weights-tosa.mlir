// TOSA through the short flags: every weight is found behind the lowering, in
// every layout and expressed type, also through tosa.transpose and reshape.

// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 -split-input-file 2>&1 | FileCheck %s --implicit-check-not=remark --implicit-check-not=tosa.
// RUN: quant-opt %s --quantize-weights=int8 --weight-threshold=0 --granularity=per_block --block-size=2 -split-input-file | FileCheck %s --check-prefix=BLOCK

// CHECK-LABEL: func @conv2d
// BLOCK-LABEL: func @conv2d
func.func @conv2d(%x: tensor<1x4x4x2xf32>) -> tensor<1x3x3x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} -> tensor<3x2x2x2xf32>
  // CHECK: linalg.conv_2d_nhwc_fhwc {{.*}}, %[[WEIGHT]] :
  // BLOCK: <int8, per_block<[1, -1, -1, 2]>
  %w = "tosa.const"() {values = dense<0.25> : tensor<3x2x2x2xf32>} : () -> tensor<3x2x2x2xf32>
  %b = "tosa.const"() {values = dense<0.5> : tensor<3xf32>} : () -> tensor<3xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x3x3xf32>
  return %0 : tensor<1x3x3x3xf32>
}

// -----

// CHECK-LABEL: func @conv2d_f16
func.func @conv2d_f16(%x: tensor<1x4x4x2xf16>) -> tensor<1x3x3x3xf16> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} -> tensor<3x2x2x2xf16>
  %w = "tosa.const"() {values = dense<0.25> : tensor<3x2x2x2xf16>} : () -> tensor<3x2x2x2xf16>
  %b = "tosa.const"() {values = dense<0.5> : tensor<3xf16>} : () -> tensor<3xf16>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf16>} : () -> tensor<1xf16>
  %0 = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x2xf16>, tensor<3x2x2x2xf16>, tensor<3xf16>, tensor<1xf16>, tensor<1xf16>) -> tensor<1x3x3x3xf16>
  return %0 : tensor<1x3x3x3xf16>
}

// -----

// CHECK-LABEL: func @conv2d_bf16
func.func @conv2d_bf16(%x: tensor<1x4x4x2xbf16>) -> tensor<1x3x3x3xbf16> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>{{.*}} -> tensor<3x2x2x2xbf16>
  %w = "tosa.const"() {values = dense<0.25> : tensor<3x2x2x2xbf16>} : () -> tensor<3x2x2x2xbf16>
  %b = "tosa.const"() {values = dense<0.5> : tensor<3xbf16>} : () -> tensor<3xbf16>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xbf16>} : () -> tensor<1xbf16>
  %0 = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x2xbf16>, tensor<3x2x2x2xbf16>, tensor<3xbf16>, tensor<1xbf16>, tensor<1xbf16>) -> tensor<1x3x3x3xbf16>
  return %0 : tensor<1x3x3x3xbf16>
}

// -----

// CHECK-LABEL: func @depthwise
// BLOCK-LABEL: func @depthwise
func.func @depthwise(%x: tensor<1x4x4x2xf32>) -> tensor<1x3x3x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[2, 3]>
  // CHECK: linalg.depthwise_conv_2d_nhwc_hwcm {{.*}}, %[[WEIGHT]] :
  // BLOCK: <int8, per_channel<[2, 3]>
  %w = "tosa.const"() {values = dense<0.25> : tensor<2x2x2x2xf32>} : () -> tensor<2x2x2x2xf32>
  %b = "tosa.const"() {values = dense<0.5> : tensor<4xf32>} : () -> tensor<4xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.depthwise_conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x2xf32>, tensor<2x2x2x2xf32>, tensor<4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x3x4xf32>
  return %0 : tensor<1x3x3x4xf32>
}

// -----

// The lowering brings the kernel into another layout.
// CHECK-LABEL: func @conv3d
func.func @conv3d(%x: tensor<1x4x4x4x2xf32>) -> tensor<1x3x3x3x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[{{[04]}}]>
  // CHECK: linalg.conv_3d_ndhwc_dhwcf
  %w = "tosa.const"() {values = dense<0.25> : tensor<3x2x2x2x2xf32>} : () -> tensor<3x2x2x2x2xf32>
  %b = "tosa.const"() {values = dense<0.5> : tensor<3xf32>} : () -> tensor<3xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.conv3d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1, 1>, pad = array<i64: 0, 0, 0, 0, 0, 0>, stride = array<i64: 1, 1, 1>} : (tensor<1x4x4x4x2xf32>, tensor<3x2x2x2x2xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x3x3x3xf32>
  return %0 : tensor<1x3x3x3x3xf32>
}

// -----

// The decomposition reverses the kernel: it is folded into the constant.
// CHECK-LABEL: func @transpose_conv2d
// BLOCK-LABEL: func @transpose_conv2d
func.func @transpose_conv2d(%x: tensor<1x2x2x2xf32>) -> tensor<1x3x3x1xf32> {
  // CHECK: arith.constant dense<{{\[\[}}{{\[\[}}7, 8], [5, 6]], {{\[\[}}3, 4], [1, 127]]]]> : tensor<1x2x2x2xi8>
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>
  // CHECK: linalg.conv_2d_nhwc_fhwc {{.*}}, %[[WEIGHT]] :
  // BLOCK: <int8, per_block<[1, -1, -1, 2]>
  %w = "tosa.const"() {values = dense<[[[[1.0, 127.5], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]> : tensor<1x2x2x2xf32>} : () -> tensor<1x2x2x2xf32>
  %b = "tosa.const"() {values = dense<0.5> : tensor<1xf32>} : () -> tensor<1xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x3x1xf32>
  return %0 : tensor<1x3x3x1xf32>
}

// -----

// One kernel for each phase of the output: padded, split, transposed, reversed.
// CHECK-LABEL: func @transpose_conv2d_strided
func.func @transpose_conv2d_strided(%x: tensor<1x2x2x1xf32>) -> tensor<1x5x5x1xf32> {
  // CHECK: arith.constant dense<{{\[\[\[\[}}9], [7]], {{\[\[}}3], [127]]], {{\[\[\[}}0], [127]], {{\[\[}}0], [32]]], {{\[\[\[}}0], [0]], {{\[\[}}127], [85]]], {{\[\[\[}}0], [0]], {{\[\[}}0], [127]]]]> : tensor<4x2x2x1xi8>
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0]>
  %w = "tosa.const"() {values = dense<[[[[127.5], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]]]> : tensor<1x3x3x1xf32>} : () -> tensor<1x3x3x1xf32>
  %b = "tosa.const"() {values = dense<0.5> : tensor<1xf32>} : () -> tensor<1xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x2x2x1xf32>, tensor<1x3x3x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x5x5x1xf32>
  return %0 : tensor<1x5x5x1xf32>
}

// -----

// CHECK-LABEL: func @matmul
// BLOCK-LABEL: func @matmul
func.func @matmul(%x: tensor<1x4x2xf32>) -> tensor<1x4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 2]>
  // CHECK: linalg.batch_matmul {{.*}}, %[[WEIGHT]] :
  // BLOCK: <int8, per_block<[1, 2, 1]>
  %w = "tosa.const"() {values = dense<0.5> : tensor<1x2x3xf32>} : () -> tensor<1x2x3xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.matmul %x, %w, %z, %z : (tensor<1x4x2xf32>, tensor<1x2x3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x3xf32>
  return %0 : tensor<1x4x3xf32>
}

// -----

// CHECK-LABEL: func @matmul_f16
func.func @matmul_f16(%x: tensor<1x4x2xf16>) -> tensor<1x4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[0, 2]>{{.*}} -> tensor<1x2x3xf16>
  %w = "tosa.const"() {values = dense<0.5> : tensor<1x2x3xf16>} : () -> tensor<1x2x3xf16>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf16>} : () -> tensor<1xf16>
  %0 = tosa.matmul %x, %w, %z, %z : (tensor<1x4x2xf16>, tensor<1x2x3xf16>, tensor<1xf16>, tensor<1xf16>) -> tensor<1x4x3xf32>
  return %0 : tensor<1x4x3xf32>
}

// -----

// A fully connected layer: weights (out, in), transposed and reshaped.
// CHECK-LABEL: func @linear
// BLOCK-LABEL: func @linear
func.func @linear(%x: tensor<1x4x2xf32>) -> tensor<1x4x3xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[{{0|1|0, 2}}]>
  // CHECK: linalg.batch_matmul
  // BLOCK: <int8, per_block<[{{1, 2|2, 1|1, 2, 1}}]>
  %w = "tosa.const"() {values = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>} : () -> tensor<3x2xf32>
  %s = tosa.const_shape {values = dense<[1, 2, 3]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %t = tosa.transpose %w {perms = array<i32: 1, 0>} : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %r = tosa.reshape %t, %s : (tensor<2x3xf32>, !tosa.shape<3>) -> tensor<1x2x3xf32>
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %0 = tosa.matmul %x, %r, %z, %z : (tensor<1x4x2xf32>, tensor<1x2x3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x3xf32>
  return %0 : tensor<1x4x3xf32>
}

// -----

// CHECK-LABEL: func @gather
// BLOCK-LABEL: func @gather
func.func @gather(%i: tensor<1x3xi32>) -> tensor<1x3x4xf32> {
  // CHECK: %[[TABLE:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // CHECK: tensor.extract %[[TABLE]]
  // BLOCK: <int8, per_block<[-1, 1, 2]>
  %w = "tosa.const"() {values = dense<[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]> : tensor<1x2x4xf32>} : () -> tensor<1x2x4xf32>
  %0 = tosa.gather %w, %i : (tensor<1x2x4xf32>, tensor<1x3xi32>) -> tensor<1x3x4xf32>
  return %0 : tensor<1x3x4xf32>
}
