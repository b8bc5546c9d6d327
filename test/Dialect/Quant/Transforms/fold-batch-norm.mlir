// What is affine per channel behind a multiply-accumulate goes into its weight
// and bias, in whatever form it is written.

// RUN: quant-opt %s --quant-fold-batch-norm -split-input-file -verify-diagnostics | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
#one = affine_map<(d0, d1) -> (0, d1)>
#scalar = affine_map<(d0, d1) -> ()>

// (y - mean) * rsqrt(variance + epsilon) * gamma + beta as importers of PyTorch
// write it: one operation, epsilon in f64.
// CHECK-LABEL: func @one_operation
func.func @one_operation(%x: tensor<?x2xf32>, %e: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 1.000000e+00], [3.000000e+00, 2.000000e+00]]>
  // CHECK: %[[Y:.*]] = linalg.matmul ins(%{{.*}}, %[[W]] :
  // CHECK: %[[B:.*]] = arith.constant dense<[4.000000e+00, 9.000000e+00]> : tensor<2xf32>
  // CHECK: linalg.generic {{.*}} ins(%[[Y]], %[[B]] :
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: arith.addf
  // CHECK-NEXT: linalg.yield
  // CHECK-NEXT: } -> tensor<?x2xf32>
  // CHECK-NEXT: return
  %zero = arith.constant 0.0 : f32
  %eps = arith.constant 1.0 : f64
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %mean = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %var = arith.constant dense<[3.0, 15.0]> : tensor<2xf32>
  %gamma = arith.constant dense<[2.0, 2.0]> : tensor<2xf32>
  %beta = arith.constant dense<[5.0, 10.0]> : tensor<2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%i : tensor<?x2xf32>) -> tensor<?x2xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #row, #row, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %gamma, %beta, %mean, %var : tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%in: f32, %g: f32, %b: f32, %m: f32, %v: f32, %out: f32):
    %1 = arith.truncf %eps : f64 to f32
    %2 = arith.addf %v, %1 : f32
    %3 = math.rsqrt %2 : f32
    %4 = arith.subf %in, %m : f32
    %5 = arith.mulf %4, %3 : f32
    %6 = arith.mulf %5, %g : f32
    %7 = arith.addf %6, %b : f32
    linalg.yield %7 : f32
  } -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// Constants that are computed: sqrt(variance + epsilon), reshaped, broadcast.
// CHECK-LABEL: func @computed_constants
func.func @computed_constants(%x: tensor<4x2xf32>, %e: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}5.000000e-01, 5.000000e-01], [1.500000e+00, 1.000000e+00]]>
  // CHECK-NOT: math.sqrt
  // CHECK-NOT: linalg.broadcast
  // CHECK: linalg.matmul
  // CHECK-NEXT: return
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %var = arith.constant dense<[3.0, 15.0]> : tensor<2xf32>
  %eps = arith.constant dense<1.0> : tensor<2xf32>
  %1 = arith.addf %var, %eps : tensor<2xf32>
  %2 = math.sqrt %1 : tensor<2xf32>
  %3 = tensor.expand_shape %2 [[0, 1]] output_shape [1, 2] : tensor<2xf32> into tensor<1x2xf32>
  %4 = tensor.collapse_shape %3 [[0, 1]] : tensor<1x2xf32> into tensor<2xf32>
  %5 = linalg.broadcast ins(%4 : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.div ins(%y, %5 : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// arith on tensors; a factor that is the same everywhere; c - y.
// CHECK-LABEL: func @tensor_arith
func.func @tensor_arith(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}-2.000000e+00, -4.000000e+00], [-6.000000e+00, -8.000000e+00]]>
  // CHECK: linalg.matmul
  // CHECK: arith.constant dense<3.000000e+00> : tensor<2xf32>
  // CHECK: linalg.generic
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: arith.addf
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %two = arith.constant dense<2.0> : tensor<4x2xf32>
  %three = arith.constant dense<3.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = arith.mulf %two, %y : tensor<4x2xf32>
  %1 = arith.subf %three, %0 : tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// A bias that is accumulated onto stays that, also where it is zero.
// CHECK-LABEL: func @bias_is_init
func.func @bias_is_init(%x: tensor<4x2xf32>, %e: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  // CHECK: %[[B0:.*]] = arith.constant dense<[1.000000e+01, 4.000000e+01]> : tensor<2xf32>
  // CHECK: %[[I0:.*]] = linalg.generic {{.*}} ins(%[[B0]] : tensor<2xf32>)
  // CHECK: %[[Y0:.*]] = linalg.matmul {{.*}} outs(%[[I0]] :
  // CHECK: %[[B1:.*]] = arith.constant dense<[7.000000e+00, 8.000000e+00]> : tensor<2xf32>
  // CHECK: %[[I1:.*]] = linalg.generic {{.*}} ins(%[[B1]] : tensor<2xf32>)
  // CHECK: %[[Y1:.*]] = linalg.matmul {{.*}} outs(%[[I1]] :
  // CHECK-NEXT: return %[[Y0]], %[[Y1]]
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %bias = arith.constant dense<[5.0, 10.0]> : tensor<2xf32>
  %none = arith.constant dense<0.0> : tensor<2xf32>
  %gamma = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %beta = arith.constant dense<[7.0, 8.0]> : tensor<2xf32>
  %i = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (0, d1)>, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%gamma, %y : tensor<1x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%g: f32, %in: f32, %out: f32):
    %m = arith.mulf %in, %g : f32
    linalg.yield %m : f32
  } -> tensor<4x2xf32>
  %j = linalg.broadcast ins(%none : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
  %z = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%j : tensor<4x2xf32>) -> tensor<4x2xf32>
  %1 = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (0, d1)>, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%z, %gamma, %beta : tensor<4x2xf32>, tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: f32, %g: f32, %b: f32, %out: f32):
    %m = arith.mulf %in, %g : f32
    %a = arith.addf %m, %b : f32
    linalg.yield %a : f32
  } -> tensor<4x2xf32>
  return %0, %1 : tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

// Additions alone are a bias.
// CHECK-LABEL: func @bias_alone
func.func @bias_alone(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]>
  // CHECK: linalg.matmul
  // CHECK-NEXT: arith.addf
  // CHECK-NEXT: arith.subf
  // CHECK-NEXT: return
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %two = arith.constant dense<2.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = arith.addf %y, %two : tensor<4x2xf32>
  %1 = arith.subf %0, %two : tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// -----

// A weight behind a transpose; others that use it keep it as it was.
// CHECK-LABEL: func @shared_weight
func.func @shared_weight(%x: tensor<4x2xf32>, %e: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  // CHECK-DAG: %[[OLD:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]>
  // CHECK-DAG: %[[NEW:.*]] = arith.constant dense<{{\[\[}}2.000000e+00, 4.000000e+00], [1.200000e+01, 1.600000e+01]]>
  // CHECK-DAG: %[[T0:.*]] = linalg.transpose ins(%[[OLD]] :
  // CHECK-DAG: %[[T1:.*]] = linalg.transpose ins(%[[NEW]] :
  // CHECK-DAG: linalg.matmul ins(%{{.*}}, %[[T0]] :
  // CHECK-DAG: linalg.matmul ins(%{{.*}}, %[[T1]] :
  // CHECK: return
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %gamma = arith.constant dense<[[2.0, 4.0], [2.0, 4.0], [2.0, 4.0], [2.0, 4.0]]> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %t = tensor.empty() : tensor<2x2xf32>
  %wt = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%t : tensor<2x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %wt : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %z = linalg.matmul ins(%x, %wt : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.mul ins(%y, %gamma : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0, %z : tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

#id5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// Channel and multiplier are joined between the convolution and the norm; NHWC
// to NCHW on top.
// CHECK-LABEL: func @depthwise
func.func @depthwise(%x: tensor<1x2x2x2xf32>, %init: tensor<1x2x2x2x2xf32>) -> tensor<1x4x2x2xf32> {
  // CHECK-DAG: arith.constant dense<{{\[\[\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]]]> : tensor<1x1x2x2xf32>
  // CHECK: %[[Y:.*]] = linalg.depthwise_conv_2d_nhwc_hwcm
  // CHECK: %[[C:.*]] = tensor.collapse_shape %[[Y]]
  // CHECK: %[[T:.*]] = linalg.transpose ins(%[[C]] :
  // CHECK-NEXT: return %[[T]]
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %gamma = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %i = linalg.fill ins(%zero : f32) outs(%init : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwcm ins(%x, %w : tensor<1x2x2x2xf32>, tensor<1x1x2x2xf32>) outs(%i : tensor<1x2x2x2x2xf32>) -> tensor<1x2x2x2x2xf32>
  %c = tensor.collapse_shape %y [[0], [1], [2], [3, 4]] : tensor<1x2x2x2x2xf32> into tensor<1x2x2x4xf32>
  %e = tensor.empty() : tensor<1x4x2x2xf32>
  %t = linalg.transpose ins(%c : tensor<1x2x2x4xf32>) outs(%e : tensor<1x4x2x2xf32>) permutation = [0, 3, 1, 2]
  %0 = linalg.generic {indexing_maps = [#id5, affine_map<(d0, d1, d2, d3) -> (d1, 0, 0)>, #id5], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%t, %gamma : tensor<1x4x2x2xf32>, tensor<4x1x1xf32>) outs(%e : tensor<1x4x2x2xf32>) {
  ^bb0(%in: f32, %g: f32, %out: f32):
    %m = arith.mulf %in, %g : f32
    linalg.yield %m : f32
  } -> tensor<1x4x2x2xf32>
  return %0 : tensor<1x4x2x2xf32>
}

// -----

// A splat stays one number where all channels get one factor; f16 is rounded
// once, from the exact product.
// CHECK-LABEL: func @splat_and_f16
func.func @splat_and_f16(%x: tensor<4x3000000xf16>) -> tensor<4x2xf32> {
  // CHECK-DAG: arith.constant dense<1.099610e+00> : tensor<3000000x2xf16>
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %g = arith.constant dense<1.1> : tensor<4x2xf32>
  %w = arith.constant dense<1.0> : tensor<3000000x2xf16>
  %y = linalg.matmul ins(%x, %w : tensor<4x3000000xf16>, tensor<3000000x2xf16>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = arith.mulf %y, %g : tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// Casts on the way: an f16 convolution that accumulates in f32.
// CHECK-LABEL: func @casts
func.func @casts(%x: tensor<4x2xf16>) -> tensor<4x2xf16> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}2.000000e+00, 8.000000e+00], [6.000000e+00, 1.600000e+01]]> : tensor<2x2xf16>
  // CHECK: %[[Y:.*]] = linalg.matmul
  // CHECK-NEXT: %[[T:.*]] = arith.truncf %[[Y]] :
  // CHECK-NEXT: return %[[T]]
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %g = arith.constant dense<[[2.0, 4.0], [2.0, 4.0], [2.0, 4.0], [2.0, 4.0]]> : tensor<4x2xf16>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf16>, tensor<2x2xf16>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %t = arith.truncf %y : tensor<4x2xf32> to tensor<4x2xf16>
  %0 = arith.mulf %t, %g : tensor<4x2xf16>
  return %0 : tensor<4x2xf16>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// As convert-elementwise-to-linalg writes it: an operand is written to, not read.
// CHECK-LABEL: func @operand_is_destination
func.func @operand_is_destination(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}2.000000e+00, 4.000000e+00], [6.000000e+00, 8.000000e+00]]>
  // CHECK: %[[Y:.*]] = linalg.matmul
  // CHECK-NEXT: return %[[Y]]
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %two = arith.constant dense<2.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %two : tensor<4x2xf32>, tensor<4x2xf32>) outs(%y : tensor<4x2xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %m = arith.mulf %in, %b : f32
    linalg.yield %m : f32
  } -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// What has other uses ends the chain; what is before it is folded.
// CHECK-LABEL: func @up_to_other_uses
func.func @up_to_other_uses(%x: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  // CHECK-DAG: arith.constant dense<{{\[\[}}2.000000e+00, 4.000000e+00], [6.000000e+00, 8.000000e+00]]>
  // CHECK: %[[Y:.*]] = linalg.matmul
  // CHECK: %[[A:.*]] = arith.addf %[[Y]]
  // CHECK: return %[[Y]], %[[A]]
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %two = arith.constant dense<2.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = arith.mulf %y, %two : tensor<4x2xf32>
  %1 = arith.addf %0, %two : tensor<4x2xf32>
  return %0, %1 : tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

// Dead code, code without a weight, and a product by something at run time.
// CHECK-LABEL: func @leaves_alone
func.func @leaves_alone(%x: tensor<4x2xf32>, %v: tensor<2x2xf32>, %s: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  // CHECK-COUNT-3: arith.mulf
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %two = arith.constant dense<2.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %dead = arith.mulf %y, %two : tensor<4x2xf32>
  %p = linalg.matmul ins(%x, %v : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = arith.mulf %p, %two : tensor<4x2xf32>
  %q = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %1 = arith.mulf %q, %s : tensor<4x2xf32>
  return %0, %1 : tensor<4x2xf32>, tensor<4x2xf32>
}
