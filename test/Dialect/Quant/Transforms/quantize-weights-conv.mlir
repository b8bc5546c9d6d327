// Roles of the dimensions of kernels of convolutions: output channels, groups and
// depthwise channels have parameters of their own, blocks are along the input
// channels, kernel dimensions stay whole.

// RUN: quant-opt %s --quant-quantize-weights=weight-threshold=0 | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights='weight-threshold=0 granularity=per_block block-size=2' | FileCheck %s --check-prefix=BLOCK

// A kernel without channels stays whole.
// CHECK-LABEL: func @conv_1d(
// BLOCK-LABEL: func @conv_1d(
func.func @conv_1d(%x: tensor<6xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<3xi8> -> tensor<3xf32>
  // CHECK: linalg.conv_1d {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<3xi8> -> tensor<3xf32>
  %w = arith.constant dense<0.5> : tensor<3xf32>
  %0 = linalg.conv_1d ins(%x, %w : tensor<6xf32>, tensor<3xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @conv_2d(
// BLOCK-LABEL: func @conv_2d(
func.func @conv_2d(%x: tensor<6x6xf32>, %init: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<3x3xi8> -> tensor<3x3xf32>
  // CHECK: linalg.conv_2d {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<3x3xi8> -> tensor<3x3xf32>
  %w = arith.constant dense<0.5> : tensor<3x3xf32>
  %0 = linalg.conv_2d ins(%x, %w : tensor<6x6xf32>, tensor<3x3xf32>) outs(%init : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func @conv_3d(
// BLOCK-LABEL: func @conv_3d(
func.func @conv_3d(%x: tensor<4x4x4xf32>, %init: tensor<3x3x3xf32>) -> tensor<3x3x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<2x2x2xi8> -> tensor<2x2x2xf32>
  // CHECK: linalg.conv_3d {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_tensor, {{.*}} : tensor<2x2x2xi8> -> tensor<2x2x2xf32>
  %w = arith.constant dense<0.5> : tensor<2x2x2xf32>
  %0 = linalg.conv_3d ins(%x, %w : tensor<4x4x4xf32>, tensor<2x2x2xf32>) outs(%init : tensor<3x3x3xf32>) -> tensor<3x3x3xf32>
  return %0 : tensor<3x3x3xf32>
}

// CHECK-LABEL: func @conv_1d_nwc_wcf(
// BLOCK-LABEL: func @conv_1d_nwc_wcf(
func.func @conv_1d_nwc_wcf(%x: tensor<1x6x4xf32>, %init: tensor<1x4x5xf32>) -> tensor<1x4x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[2]>, {{.*}} : tensor<3x4x5xi8> -> tensor<3x4x5xf32>
  // CHECK: linalg.conv_1d_nwc_wcf {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, 2, 1]>, {{.*}} : tensor<3x4x5xi8> -> tensor<3x4x5xf32>
  %w = arith.constant dense<0.5> : tensor<3x4x5xf32>
  %0 = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>} ins(%x, %w : tensor<1x6x4xf32>, tensor<3x4x5xf32>) outs(%init : tensor<1x4x5xf32>) -> tensor<1x4x5xf32>
  return %0 : tensor<1x4x5xf32>
}

// CHECK-LABEL: func @conv_1d_ncw_fcw(
// BLOCK-LABEL: func @conv_1d_ncw_fcw(
func.func @conv_1d_ncw_fcw(%x: tensor<1x4x6xf32>, %init: tensor<1x5x4xf32>) -> tensor<1x5x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<5x4x3xi8> -> tensor<5x4x3xf32>
  // CHECK: linalg.conv_1d_ncw_fcw {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2, -1]>, {{.*}} : tensor<5x4x3xi8> -> tensor<5x4x3xf32>
  %w = arith.constant dense<0.5> : tensor<5x4x3xf32>
  %0 = linalg.conv_1d_ncw_fcw {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>} ins(%x, %w : tensor<1x4x6xf32>, tensor<5x4x3xf32>) outs(%init : tensor<1x5x4xf32>) -> tensor<1x5x4xf32>
  return %0 : tensor<1x5x4xf32>
}

// CHECK-LABEL: func @conv_2d_nhwc_hwcf(
// BLOCK-LABEL: func @conv_2d_nhwc_hwcf(
func.func @conv_2d_nhwc_hwcf(%x: tensor<1x6x6x4xf32>, %init: tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[3]>, {{.*}} : tensor<3x3x4x5xi8> -> tensor<3x3x4x5xf32>
  // CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, -1, 2, 1]>, {{.*}} : tensor<3x3x4x5xi8> -> tensor<3x3x4x5xf32>
  %w = arith.constant dense<0.5> : tensor<3x3x4x5xf32>
  %0 = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x6x6x4xf32>, tensor<3x3x4x5xf32>) outs(%init : tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32>
  return %0 : tensor<1x4x4x5xf32>
}

// CHECK-LABEL: func @conv_2d_nhwc_fhwc(
// BLOCK-LABEL: func @conv_2d_nhwc_fhwc(
func.func @conv_2d_nhwc_fhwc(%x: tensor<1x6x6x4xf32>, %init: tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<5x3x3x4xi8> -> tensor<5x3x3x4xf32>
  // CHECK: linalg.conv_2d_nhwc_fhwc {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, -1, -1, 2]>, {{.*}} : tensor<5x3x3x4xi8> -> tensor<5x3x3x4xf32>
  %w = arith.constant dense<0.5> : tensor<5x3x3x4xf32>
  %0 = linalg.conv_2d_nhwc_fhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x6x6x4xf32>, tensor<5x3x3x4xf32>) outs(%init : tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32>
  return %0 : tensor<1x4x4x5xf32>
}

// CHECK-LABEL: func @conv_2d_nchw_fchw(
// BLOCK-LABEL: func @conv_2d_nchw_fchw(
func.func @conv_2d_nchw_fchw(%x: tensor<1x4x6x6xf32>, %init: tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<5x4x3x3xi8> -> tensor<5x4x3x3xf32>
  // CHECK: linalg.conv_2d_nchw_fchw {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2, -1, -1]>, {{.*}} : tensor<5x4x3x3xi8> -> tensor<5x4x3x3xf32>
  %w = arith.constant dense<0.5> : tensor<5x4x3x3xf32>
  %0 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x4x6x6xf32>, tensor<5x4x3x3xf32>) outs(%init : tensor<1x5x4x4xf32>) -> tensor<1x5x4x4xf32>
  return %0 : tensor<1x5x4x4xf32>
}

// CHECK-LABEL: func @conv_2d_pointwise(
// BLOCK-LABEL: func @conv_2d_pointwise(
func.func @conv_2d_pointwise(%x: tensor<1x6x6x4xf32>, %init: tensor<1x6x6x5xf32>) -> tensor<1x6x6x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[3]>, {{.*}} : tensor<1x1x4x5xi8> -> tensor<1x1x4x5xf32>
  // CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, -1, 2, 1]>, {{.*}} : tensor<1x1x4x5xi8> -> tensor<1x1x4x5xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x4x5xf32>
  %0 = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x6x6x4xf32>, tensor<1x1x4x5xf32>) outs(%init : tensor<1x6x6x5xf32>) -> tensor<1x6x6x5xf32>
  return %0 : tensor<1x6x6x5xf32>
}

// CHECK-LABEL: func @conv_2d_strided_dilated(
// BLOCK-LABEL: func @conv_2d_strided_dilated(
func.func @conv_2d_strided_dilated(%x: tensor<1x11x11x4xf32>, %init: tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[3]>, {{.*}} : tensor<3x3x4x5xi8> -> tensor<3x3x4x5xf32>
  // CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, -1, 2, 1]>, {{.*}} : tensor<3x3x4x5xi8> -> tensor<3x3x4x5xf32>
  %w = arith.constant dense<0.5> : tensor<3x3x4x5xf32>
  %0 = linalg.conv_2d_nhwc_hwcf {dilations = dense<2> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%x, %w : tensor<1x11x11x4xf32>, tensor<3x3x4x5xf32>) outs(%init : tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32>
  return %0 : tensor<1x4x4x5xf32>
}

// CHECK-LABEL: func @conv_3d_ndhwc_dhwcf(
// BLOCK-LABEL: func @conv_3d_ndhwc_dhwcf(
func.func @conv_3d_ndhwc_dhwcf(%x: tensor<1x4x4x4x4xf32>, %init: tensor<1x3x3x3x5xf32>) -> tensor<1x3x3x3x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[4]>, {{.*}} : tensor<2x2x2x4x5xi8> -> tensor<2x2x2x4x5xf32>
  // CHECK: linalg.conv_3d_ndhwc_dhwcf {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, -1, -1, 2, 1]>, {{.*}} : tensor<2x2x2x4x5xi8> -> tensor<2x2x2x4x5xf32>
  %w = arith.constant dense<0.5> : tensor<2x2x2x4x5xf32>
  %0 = linalg.conv_3d_ndhwc_dhwcf {dilations = dense<1> : tensor<3xi64>, strides = dense<1> : tensor<3xi64>} ins(%x, %w : tensor<1x4x4x4x4xf32>, tensor<2x2x2x4x5xf32>) outs(%init : tensor<1x3x3x3x5xf32>) -> tensor<1x3x3x3x5xf32>
  return %0 : tensor<1x3x3x3x5xf32>
}

// CHECK-LABEL: func @conv_3d_ncdhw_fcdhw(
// BLOCK-LABEL: func @conv_3d_ncdhw_fcdhw(
func.func @conv_3d_ncdhw_fcdhw(%x: tensor<1x4x4x4x4xf32>, %init: tensor<1x5x3x3x3xf32>) -> tensor<1x5x3x3x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<5x4x2x2x2xi8> -> tensor<5x4x2x2x2xf32>
  // CHECK: linalg.conv_3d_ncdhw_fcdhw {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 2, -1, -1, -1]>, {{.*}} : tensor<5x4x2x2x2xi8> -> tensor<5x4x2x2x2xf32>
  %w = arith.constant dense<0.5> : tensor<5x4x2x2x2xf32>
  %0 = linalg.conv_3d_ncdhw_fcdhw {dilations = dense<1> : tensor<3xi64>, strides = dense<1> : tensor<3xi64>} ins(%x, %w : tensor<1x4x4x4x4xf32>, tensor<5x4x2x2x2xf32>) outs(%init : tensor<1x5x3x3x3xf32>) -> tensor<1x5x3x3x3xf32>
  return %0 : tensor<1x5x3x3x3xf32>
}

// Group and filter are channels.
// CHECK-LABEL: func @grouped_ngchw_fgchw(
// BLOCK-LABEL: func @grouped_ngchw_fgchw(
func.func @grouped_ngchw_fgchw(%x: tensor<1x2x4x6x6xf32>, %init: tensor<1x2x5x4x4xf32>) -> tensor<1x2x5x4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 1]>, {{.*}} : tensor<5x2x4x3x3xi8> -> tensor<5x2x4x3x3xf32>
  // CHECK: linalg.conv_2d_ngchw_fgchw {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 1, 2, -1, -1]>, {{.*}} : tensor<5x2x4x3x3xi8> -> tensor<5x2x4x3x3xf32>
  %w = arith.constant dense<0.5> : tensor<5x2x4x3x3xf32>
  %0 = linalg.conv_2d_ngchw_fgchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x2x4x6x6xf32>, tensor<5x2x4x3x3xf32>) outs(%init : tensor<1x2x5x4x4xf32>) -> tensor<1x2x5x4x4xf32>
  return %0 : tensor<1x2x5x4x4xf32>
}

// CHECK-LABEL: func @grouped_ngchw_gfchw(
// BLOCK-LABEL: func @grouped_ngchw_gfchw(
func.func @grouped_ngchw_gfchw(%x: tensor<1x2x4x6x6xf32>, %init: tensor<1x2x5x4x4xf32>) -> tensor<1x2x5x4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 1]>, {{.*}} : tensor<2x5x4x3x3xi8> -> tensor<2x5x4x3x3xf32>
  // CHECK: linalg.conv_2d_ngchw_gfchw {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 1, 2, -1, -1]>, {{.*}} : tensor<2x5x4x3x3xi8> -> tensor<2x5x4x3x3xf32>
  %w = arith.constant dense<0.5> : tensor<2x5x4x3x3xf32>
  %0 = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x2x4x6x6xf32>, tensor<2x5x4x3x3xf32>) outs(%init : tensor<1x2x5x4x4xf32>) -> tensor<1x2x5x4x4xf32>
  return %0 : tensor<1x2x5x4x4xf32>
}

// CHECK-LABEL: func @grouped_nhwgc_gfhwc(
// BLOCK-LABEL: func @grouped_nhwgc_gfhwc(
func.func @grouped_nhwgc_gfhwc(%x: tensor<1x6x6x2x4xf32>, %init: tensor<1x4x4x2x5xf32>) -> tensor<1x4x4x2x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0, 1]>, {{.*}} : tensor<2x5x3x3x4xi8> -> tensor<2x5x3x3x4xf32>
  // CHECK: linalg.conv_2d_nhwgc_gfhwc {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[1, 1, -1, -1, 2]>, {{.*}} : tensor<2x5x3x3x4xi8> -> tensor<2x5x3x3x4xf32>
  %w = arith.constant dense<0.5> : tensor<2x5x3x3x4xf32>
  %0 = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x6x6x2x4xf32>, tensor<2x5x3x3x4xf32>) outs(%init : tensor<1x4x4x2x5xf32>) -> tensor<1x4x4x2x5xf32>
  return %0 : tensor<1x4x4x2x5xf32>
}

// No channels are summed over, so per_block is per_channel.
// CHECK-LABEL: func @depthwise_nhwc_hwc(
// BLOCK-LABEL: func @depthwise_nhwc_hwc(
func.func @depthwise_nhwc_hwc(%x: tensor<1x6x6x4xf32>, %init: tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[2]>, {{.*}} : tensor<3x3x4xi8> -> tensor<3x3x4xf32>
  // CHECK: linalg.depthwise_conv_2d_nhwc_hwc {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_channel<[2]>, {{.*}} : tensor<3x3x4xi8> -> tensor<3x3x4xf32>
  %w = arith.constant dense<0.5> : tensor<3x3x4xf32>
  %0 = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x6x6x4xf32>, tensor<3x3x4xf32>) outs(%init : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// Channel and multiplier.
// CHECK-LABEL: func @depthwise_nhwc_hwcm(
// BLOCK-LABEL: func @depthwise_nhwc_hwcm(
func.func @depthwise_nhwc_hwcm(%x: tensor<1x6x6x4xf32>, %init: tensor<1x4x4x4x2xf32>) -> tensor<1x4x4x4x2xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[2, 3]>, {{.*}} : tensor<3x3x4x2xi8> -> tensor<3x3x4x2xf32>
  // CHECK: linalg.depthwise_conv_2d_nhwc_hwcm {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_channel<[2, 3]>, {{.*}} : tensor<3x3x4x2xi8> -> tensor<3x3x4x2xf32>
  %w = arith.constant dense<0.5> : tensor<3x3x4x2xf32>
  %0 = linalg.depthwise_conv_2d_nhwc_hwcm {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x6x6x4xf32>, tensor<3x3x4x2xf32>) outs(%init : tensor<1x4x4x4x2xf32>) -> tensor<1x4x4x4x2xf32>
  return %0 : tensor<1x4x4x4x2xf32>
}

// CHECK-LABEL: func @depthwise_nchw_chw(
// BLOCK-LABEL: func @depthwise_nchw_chw(
func.func @depthwise_nchw_chw(%x: tensor<1x4x6x6xf32>, %init: tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<4x3x3xi8> -> tensor<4x3x3xf32>
  // CHECK: linalg.depthwise_conv_2d_nchw_chw {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_channel<[0]>, {{.*}} : tensor<4x3x3xi8> -> tensor<4x3x3xf32>
  %w = arith.constant dense<0.5> : tensor<4x3x3xf32>
  %0 = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%x, %w : tensor<1x4x6x6xf32>, tensor<4x3x3xf32>) outs(%init : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func @depthwise_1d_nwc_wc(
// BLOCK-LABEL: func @depthwise_1d_nwc_wc(
func.func @depthwise_1d_nwc_wc(%x: tensor<1x6x4xf32>, %init: tensor<1x4x4xf32>) -> tensor<1x4x4xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<3x4xi8> -> tensor<3x4xf32>
  // CHECK: linalg.depthwise_conv_1d_nwc_wc {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_channel<[1]>, {{.*}} : tensor<3x4xi8> -> tensor<3x4xf32>
  %w = arith.constant dense<0.5> : tensor<3x4xf32>
  %0 = linalg.depthwise_conv_1d_nwc_wc {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>} ins(%x, %w : tensor<1x6x4xf32>, tensor<3x4xf32>) outs(%init : tensor<1x4x4xf32>) -> tensor<1x4x4xf32>
  return %0 : tensor<1x4x4xf32>
}

// CHECK-LABEL: func @depthwise_1d_nwc_wcm(
// BLOCK-LABEL: func @depthwise_1d_nwc_wcm(
func.func @depthwise_1d_nwc_wcm(%x: tensor<1x6x4xf32>, %init: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[1, 2]>, {{.*}} : tensor<3x4x2xi8> -> tensor<3x4x2xf32>
  // CHECK: linalg.depthwise_conv_1d_nwc_wcm {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_channel<[1, 2]>, {{.*}} : tensor<3x4x2xi8> -> tensor<3x4x2xf32>
  %w = arith.constant dense<0.5> : tensor<3x4x2xf32>
  %0 = linalg.depthwise_conv_1d_nwc_wcm {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>} ins(%x, %w : tensor<1x6x4xf32>, tensor<3x4x2xf32>) outs(%init : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  return %0 : tensor<1x4x4x2xf32>
}

// CHECK-LABEL: func @depthwise_3d_ndhwc_dhwcm(
// BLOCK-LABEL: func @depthwise_3d_ndhwc_dhwcm(
func.func @depthwise_3d_ndhwc_dhwcm(%x: tensor<1x4x4x4x4xf32>, %init: tensor<1x3x3x3x4x3xf32>) -> tensor<1x3x3x3x4x3xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[3, 4]>, {{.*}} : tensor<2x2x2x4x3xi8> -> tensor<2x2x2x4x3xf32>
  // CHECK: linalg.depthwise_conv_3d_ndhwc_dhwcm {{.*}} ins({{.*}}%[[WEIGHT]]{{.*}}
  // BLOCK: quant.dequantize %{{.*}} <int8, per_channel<[3, 4]>, {{.*}} : tensor<2x2x2x4x3xi8> -> tensor<2x2x2x4x3xf32>
  %w = arith.constant dense<0.5> : tensor<2x2x2x4x3xf32>
  %0 = linalg.depthwise_conv_3d_ndhwc_dhwcm {dilations = dense<1> : tensor<3xi64>, strides = dense<1> : tensor<3xi64>} ins(%x, %w : tensor<1x4x4x4x4xf32>, tensor<2x2x2x4x3xf32>) outs(%init : tensor<1x3x3x3x4x3xf32>) -> tensor<1x3x3x3x4x3xf32>
  return %0 : tensor<1x3x3x3x4x3xf32>
}

// A kernel of size one whose dimension was folded away.
// CHECK-LABEL: func @generic_strided_pointwise(
// BLOCK-LABEL: func @generic_strided_pointwise(
func.func @generic_strided_pointwise(%x: tensor<7x4xf32>, %init: tensor<4x5xf32>) -> tensor<4x5xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[2, 1]>
  %w = arith.constant dense<0.5> : tensor<4x5xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(w, f, c) -> (w * 2, c)>, affine_map<(w, f, c) -> (c, f)>, affine_map<(w, f, c) -> (w, f)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<7x4xf32>, tensor<4x5xf32>) outs(%init : tensor<4x5xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// The output is indexed by a sum: each input is scattered.
// CHECK-LABEL: func @transposed_generic(
// BLOCK-LABEL: func @transposed_generic(
func.func @transposed_generic(%x: tensor<4x2xf32>, %init: tensor<9x5xf32>) -> tensor<9x5xf32> {
  // CHECK: quant.dequantize %{{.*}} <int8, per_channel<[1]>{{.*}} : tensor<3x5x2xi8>
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, 1, 2]>
  %w = arith.constant dense<0.5> : tensor<3x5x2xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(i, k, f, c) -> (i, c)>, affine_map<(i, k, f, c) -> (k, f, c)>, affine_map<(i, k, f, c) -> (i * 2 + k, f)>],
      iterator_types = ["reduction", "reduction", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x2xf32>, tensor<3x5x2xf32>) outs(%init : tensor<9x5xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<9x5xf32>
  return %0 : tensor<9x5xf32>
}

// The input is stuffed with zeros; the kernel is an ordinary one.
// CHECK-LABEL: func @transposed_zero_stuffed(
// BLOCK-LABEL: func @transposed_zero_stuffed(
func.func @transposed_zero_stuffed(%x: tensor<1x4x2xf32>, %zeros: tensor<1x11x2xf32>, %init: tensor<1x9x5xf32>) -> tensor<1x9x5xf32> {
  // CHECK: %[[WEIGHT:.*]] = quant.dequantize %{{.*}} <int8, per_channel<[2]>
  // CHECK: linalg.conv_1d_nwc_wcf {{.*}}, %[[WEIGHT]] :
  // BLOCK: quant.dequantize %{{.*}} <int8, per_block<[-1, 2, 1]>
  %w = arith.constant dense<0.5> : tensor<3x2x5xf32>
  %stuffed = tensor.insert_slice %x into %zeros[0, 2, 0] [1, 4, 2] [1, 2, 1] : tensor<1x4x2xf32> into tensor<1x11x2xf32>
  %0 = linalg.conv_1d_nwc_wcf ins(%stuffed, %w : tensor<1x11x2xf32>, tensor<3x2x5xf32>) outs(%init : tensor<1x9x5xf32>) -> tensor<1x9x5xf32>
  return %0 : tensor<1x9x5xf32>
}

// What slides is the data, constant or not: a signal is no kernel.
// CHECK-LABEL: func @constant_data(
// BLOCK-LABEL: func @constant_data(
func.func @constant_data(%k: tensor<3xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: quant.dequantize
  // BLOCK-NOT: quant.dequantize
  %x = arith.constant dense<0.5> : tensor<6xf32>
  %0 = linalg.conv_1d ins(%x, %k : tensor<6xf32>, tensor<3xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @pooling(
// BLOCK-LABEL: func @pooling(
func.func @pooling(%x: tensor<1x4x4x1xf32>, %init: tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32> {
  // CHECK-NOT: quant.dequantize
  // BLOCK-NOT: quant.dequantize
  %window = arith.constant dense<0.0> : tensor<2x2xf32>
  %0 = linalg.pooling_nhwc_sum ins(%x, %window : tensor<1x4x4x1xf32>, tensor<2x2xf32>) outs(%init : tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  return %0 : tensor<1x3x3x1xf32>
}
