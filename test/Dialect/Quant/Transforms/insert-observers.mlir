// Where observers stand: one a class of values, none inside a kernel.

// RUN: quant-opt %s --quant-insert-observers --split-input-file 2>%t.log | FileCheck %s
// RUN: FileCheck %s --check-prefix=LOG < %t.log

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// A matmul, its bias and its relu are one kernel; the result is asymmetric.
// CHECK-LABEL: func @matmul_bias_relu
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>
func.func @matmul_bias_relu(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<8x6xf32>
  %b = arith.constant dense<[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]> : tensor<6xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  // CHECK: %[[IN:.*]] = quant.observe %[[X]] "matmul_bias_relu.in0" <int8, symmetric, moving_average>
  // CHECK: linalg.matmul {{.*}}quant.name = "fc"{{.*}} ins(%[[IN]]
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x6xf32>) outs(%f : tensor<4x6xf32>) -> tensor<4x6xf32> loc("fc")
  // CHECK-NOT: quant.observe
  // CHECK: arith.addf
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %b : tensor<4x6xf32>, tensor<6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x6xf32>
  // CHECK-NOT: quant.observe
  // CHECK: %[[RELU:.*]] = linalg.generic
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1 : tensor<4x6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %a, %zero : f32
    linalg.yield %s : f32
  } -> tensor<4x6xf32>
  // CHECK: %[[OUT:.*]] = quant.observe %[[RELU]] "fc.out0" <int8, asymmetric, moving_average>
  // CHECK: return %[[OUT]]
  return %2 : tensor<4x6xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d0)>

// What is added along rows is no bias of the matmul, so that the kernel ends
// before it.
// CHECK-LABEL: func @no_bias
func.func @no_bias(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<8x6xf32>
  %b = arith.constant dense<[0.1, 0.2, 0.3, 0.4]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  // CHECK: %[[FC:.*]] = linalg.matmul
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x6xf32>) outs(%f : tensor<4x6xf32>) -> tensor<4x6xf32> loc("fc")
  // CHECK: %[[O:.*]] = quant.observe %[[FC]] "fc.out0"
  // CHECK: linalg.generic {{.*}} ins(%[[O]]
  %1 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %b : tensor<4x6xf32>, tensor<4xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}

// -----

// A value that two operations read is observed once.
// CHECK-LABEL: func @two_readers
// CHECK-COUNT-1: quant.observe {{.*}} "two_readers.in0"
// CHECK-NOT: "two_readers.in0"
func.func @two_readers(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// The later of two matmuls takes the residual addition in; the other one's
// result is observed.
// CHECK-LABEL: func @residual
func.func @residual(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  // CHECK: %[[FIRST:.*]] = linalg.matmul
  // CHECK: %[[SKIP:.*]] = quant.observe %[[FIRST]] "first.out0" <int8, symmetric, moving_average>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("first")
  // CHECK: %[[SECOND:.*]] = linalg.matmul
  // CHECK-NOT: quant.observe
  %1 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("second")
  // CHECK: %[[SUM:.*]] = linalg.add ins(%[[SKIP]], %[[SECOND]]
  // CHECK: quant.observe %[[SUM]] "second.out0"
  %2 = linalg.add ins(%0, %1 : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// -----

// An addition of two values that are no kernel's result is a kernel of its own.
// CHECK-LABEL: func @add
// CHECK-DAG: quant.observe %arg0 "add.in0"
// CHECK-DAG: quant.observe %arg1 "add.in1"
// CHECK: linalg.add
// CHECK: quant.observe %{{.*}} "sum.out0"
func.func @add(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %2 = linalg.add ins(%x, %y : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> loc("sum")
  return %2 : tensor<4x8xf32>
}

// -----

// Everything that only moves values shares the parameters of where they come
// from: padding, slice, transpose, reshape, maximum pool.
// CHECK-LABEL: func @moves
// CHECK: quant.observe %arg0 "moves.in0"
// CHECK-NOT: quant.observe
// CHECK: linalg.matmul
// CHECK: quant.observe %{{.*}} "fc.out0"
// CHECK-NOT: quant.observe
func.func @moves(%x: tensor<1x4x4x2xf32>) -> tensor<2x8xf32> {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x4x2xf32> to tensor<1x6x6x2xf32>
  %slice = tensor.extract_slice %padded[0, 0, 0, 0] [1, 4, 4, 2] [1, 1, 1, 1] : tensor<1x6x6x2xf32> to tensor<1x4x4x2xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %pe = tensor.empty() : tensor<1x2x2x2xf32>
  %pf = linalg.fill ins(%lowest : f32) outs(%pe : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %pool = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%slice, %window : tensor<1x4x4x2xf32>, tensor<2x2xf32>) outs(%pf : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %flat = tensor.collapse_shape %pool [[0, 1, 2], [3]] : tensor<1x2x2x2xf32> into tensor<4x2xf32>
  %te = tensor.empty() : tensor<2x4xf32>
  %t = linalg.transpose ins(%flat : tensor<4x2xf32>) outs(%te : tensor<2x4xf32>) permutation = [1, 0]
  %w = arith.constant dense<0.5> : tensor<4x8xf32>
  %e = tensor.empty() : tensor<2x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %0 = linalg.matmul ins(%t, %w : tensor<2x4xf32>, tensor<4x8xf32>) outs(%f : tensor<2x8xf32>) -> tensor<2x8xf32> loc("fc")
  return %0 : tensor<2x8xf32>
}

// -----

// Padding with another value gives values of their own.
// CHECK-LABEL: func @pad_with_one
// CHECK: %[[P:.*]] = tensor.pad
// CHECK: quant.observe %[[P]] "fc.in0"
func.func @pad_with_one(%x: tensor<2x4xf32>) -> tensor<4x8xf32> {
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %one : f32
  } : tensor<2x4xf32> to tensor<4x4xf32>
  %w = arith.constant dense<0.5> : tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.matmul ins(%padded, %w : tensor<4x4xf32>, tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("fc")
  return %0 : tensor<4x8xf32>
}

// -----

// A concatenation makes one class of its operands: one id, whichever consumer
// or producer they have otherwise.
// CHECK-LABEL: func @concat
// CHECK: quant.observe %arg0 "concat.in0" <int8, symmetric, moving_average>
// CHECK: quant.observe %{{.*}} "concat.in0" <int8, symmetric, moving_average>
// CHECK: tensor.concat
// CHECK: quant.observe %{{.*}} "second.out0"
func.func @concat(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %w2 = arith.constant dense<0.5> : tensor<16x8xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("first")
  %c = tensor.concat dim(1) %x, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x16xf32>
  %1 = linalg.matmul ins(%c, %w2 : tensor<4x16xf32>, tensor<16x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("second")
  return %1 : tensor<4x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// An average pool takes the parameters of its input.
// CHECK-LABEL: func @average_pool
// CHECK: quant.observe %arg0 "average_pool.in0" <int8, symmetric, moving_average>
// CHECK: linalg.pooling_nhwc_sum
// CHECK-NOT: quant.observe
// CHECK: arith.divf
// CHECK: quant.observe %{{.*}} "average_pool.in0" follows <int8, symmetric, moving_average>
func.func @average_pool(%x: tensor<1x4x4x2xf32>) -> tensor<1x1x1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 16.0 : f32
  %window = tensor.empty() : tensor<4x4xf32>
  %e = tensor.empty() : tensor<1x1x1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %0 = linalg.pooling_nhwc_sum {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %window : tensor<1x4x4x2xf32>, tensor<4x4xf32>) outs(%f : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0 : tensor<1x1x1x2xf32>) outs(%e : tensor<1x1x1x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %d = arith.divf %a, %n : f32
    linalg.yield %d : f32
  } -> tensor<1x1x1x2xf32>
  return %1 : tensor<1x1x1x2xf32>
}

// -----

// Known ranges need no data; where nothing quantized reads them they matter to
// the boundary only.
// CHECK-LABEL: func @known_ranges
// CHECK: linalg.softmax
// CHECK: quant.observe %{{.*}} "known_ranges.out0" boundary <int8, asymmetric, float_range = [0.000000e+00, 0.99609375]>
// CHECK: linalg.tanh
// CHECK: quant.observe %{{.*}} "t.out0" <int8, asymmetric, float_range = [-1.000000e+00, 0.9921875]>
func.func @known_ranges(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %zero = arith.constant 0.0 : f32
  %s = linalg.softmax dimension(1) ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %t = linalg.tanh ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> loc("t")
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.matmul ins(%t, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %s, %0 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Ids are unique in the module: a name that another function has too is
// preceded by the function's.
// CHECK-LABEL: func @one
// CHECK: "fc.out0"
func.func @one(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%x : tensor<4x4xf32>) -> tensor<4x4xf32> loc("fc")
  return %0 : tensor<4x4xf32>
}
// CHECK-LABEL: func @two
// CHECK: "two/fc.out0"
func.func @two(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%x : tensor<4x4xf32>) -> tensor<4x4xf32> loc("fc")
  return %0 : tensor<4x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// A bias that is quantized already is a bias all the same.
// CHECK-LABEL: func @quantized_bias
// CHECK: linalg.matmul
// CHECK-NOT: quant.observe
// CHECK: arith.addf
// CHECK: quant.observe %{{.*}} "fc.out0"
func.func @quantized_bias(%x: tensor<4x8xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<0.5> : tensor<8x2xf32>
  %codes = arith.constant dense<[100, -200]> : tensor<2xi32>
  %b = quant.dequantize %codes <int32, per_channel<[0]>, scale = dense<[0.5, 0.25]> : tensor<2xf32>> : tensor<2xi32> -> tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("fc")
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %b : tensor<4x2xf32>, tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>

// A mean over two dimensions, summed over one after the other.
// CHECK-LABEL: func @mean
// CHECK: quant.observe %arg0 "mean.in0" <int8, symmetric, moving_average>
// CHECK-NOT: quant.observe
// CHECK: arith.mulf
// CHECK: quant.observe %{{.*}} "mean.in0" follows <int8, symmetric, moving_average>
func.func @mean(%x: tensor<4x8x2xf32>) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  %factor = arith.constant 0.03125 : f32
  %e = tensor.empty() : tensor<8x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x2xf32>) -> tensor<8x2xf32>
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<4x8x2xf32>) outs(%f : tensor<8x2xf32>) dimensions = [0]
  %e1 = tensor.empty() : tensor<2xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2xf32>) -> tensor<2xf32>
  %1 = linalg.reduce { arith.addf } ins(%0 : tensor<8x2xf32>) outs(%f1 : tensor<2xf32>) dimensions = [0]
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%1 : tensor<2xf32>) outs(%e1 : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %d = arith.mulf %a, %factor : f32
    linalg.yield %d : f32
  } -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>

// A sum that is divided by another number is none.
// CHECK-LABEL: func @no_mean
// CHECK: quant.observe %arg0 "no_mean.in0" boundary
// CHECK-NOT: follows
func.func @no_mean(%x: tensor<8x2xf32>) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 4.0 : f32
  %e = tensor.empty() : tensor<2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<8x2xf32>) outs(%f : tensor<2xf32>) dimensions = [0]
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%0 : tensor<2xf32>) outs(%e : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %d = arith.divf %a, %n : f32
    linalg.yield %d : f32
  } -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A mean that floating point alone reads stays there, and so does what it is a mean
// of; the matmul's result, which another matmul reads too, is the same for all.
// CHECK-LABEL: func @mean_of_a_norm
func.func @mean_of_a_norm(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 8.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %r = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %g = linalg.fill ins(%zero : f32) outs(%r : tensor<4xf32>) -> tensor<4xf32>
  // CHECK: %[[FC:.*]] = linalg.matmul
  // CHECK: %[[O:.*]] = quant.observe %[[FC]] "fc.out0"
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("fc")
  // CHECK: linalg.generic {{.*}} ins(%[[O]] :
  // CHECK-NOT: quant.observe
  // CHECK: arith.subf
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<4x8xf32>) outs(%g : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %mean = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%sum : tensor<4xf32>) outs(%r : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.divf %a, %n : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %mean : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.subf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  // CHECK: quant.observe %{{.*}} "last.in0"
  %2 = linalg.matmul ins(%1, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> loc("last")
  return %2 : tensor<4x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// A mask that is added before a softmax has a range that would leave one code for all
// scores: their sum stays in floating point, and so does the mask.
// CHECK-LABEL: func @mask
// CHECK-SAME: %[[Q:.*]]: tensor<4x8xf32>, %[[K:.*]]: tensor<8x4xf32>, %[[MASK:.*]]: tensor<4x4xf32>
// LOG: remark: {{.*}}the result of 'scores' and what is added to it stay in floating point: a softmax reads their sum
func.func @mask(%q: tensor<4x8xf32>, %k: tensor<8x4xf32>, %mask: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  // Of the mask only what --quantize-io asks for.
  // CHECK-DAG: %[[M:.*]] = quant.observe %[[MASK]] "mask.in2" boundary
  // CHECK-DAG: quant.observe %[[Q]] "mask.in0"
  // CHECK-DAG: quant.observe %[[K]] "mask.in1"
  // CHECK: %[[S:.*]] = linalg.matmul
  %0 = linalg.matmul ins(%q, %k : tensor<4x8xf32>, tensor<8x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32> loc("scores")
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[M]] :
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %mask : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  // CHECK: linalg.softmax {{.*}} ins(%[[SUM]] :
  %2 = linalg.softmax dimension(1) ins(%1 : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// The same with a softmax of several operations.
// CHECK-LABEL: func @steps
// LOG: remark: {{.*}}the result of 'steps' and what is added
func.func @steps(%q: tensor<4x8xf32>, %k: tensor<8x4xf32>, %mask: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant -3.40282347E+38 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %f1 = linalg.fill ins(%least : f32) outs(%e1 : tensor<4xf32>) -> tensor<4xf32>
  // CHECK: linalg.matmul
  // CHECK-NOT: quant.observe
  // CHECK: math.exp
  %0 = linalg.matmul ins(%q, %k : tensor<4x8xf32>, tensor<8x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32> loc("steps")
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%mask, %0 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%1 : tensor<4x4xf32>) outs(%f1 : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %3 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1, %2 : tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.subf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%3 : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %4 : tensor<4x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Where somebody else reads the sum too, it is observed as ever.
// CHECK-LABEL: func @read_twice
// LOG-NOT: 'twice'
func.func @read_twice(%q: tensor<4x8xf32>, %k: tensor<8x4xf32>, %mask: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %0 = linalg.matmul ins(%q, %k : tensor<4x8xf32>, tensor<8x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32> loc("twice")
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %mask : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  // CHECK: quant.observe %{{.*}} "twice.out0"
  %2 = linalg.softmax dimension(1) ins(%1 : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1, %2 : tensor<4x4xf32>, tensor<4x4xf32>
}
