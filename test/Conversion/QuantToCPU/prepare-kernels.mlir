// RUN: quant-opt %s --quant-pack-weights=target-cpu=cascadelake --quant-prepare-kernels=cpu=cascadelake --split-input-file -verify-diagnostics | FileCheck %s

#x = affine_map<(n, c, k) -> (n + k)>
#w = affine_map<(n, c, k) -> (k, c)>
#y = affine_map<(n, c, k) -> (n, c)>
#id = affine_map<(i) -> (i)>

// Padding holds the zero point, and stands before what the input is computed into.
// CHECK-LABEL: func @padding
// CHECK-SAME: %[[A:[^:]*]]: tensor<8xi8>
func.func @padding(%a: tensor<8xi8>, %o: tensor<8x16xi8>) -> tensor<8x16xi8> {
  %w = arith.constant dense<1> : tensor<3x16xi8>
  // CHECK: %[[WHOLE:.*]] = tensor.empty() : tensor<10xi8>
  // CHECK: %[[ZERO:.*]] = arith.constant -3 : i8
  // CHECK: %[[FILLED:.*]] = linalg.fill ins(%[[ZERO]] : i8) outs(%[[WHOLE]] : tensor<10xi8>)
  // CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<8xi8>
  // CHECK: %[[X:.*]] = quant.add {{.*}} outs(%[[EMPTY]]
  // CHECK: %[[IN:.*]] = tensor.insert_slice %[[X]] into %[[FILLED]][1] [8] [1]
  // CHECK: quant.contract lhs(%[[IN]] {{.*}} : tensor<10xi8>)
  // CHECK-NOT: padding
  // CHECK: return
  %e = tensor.empty() : tensor<8xi8>
  %x = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<8xi8>)
    rhs(%a as <int8, per_tensor, scale = 0.5> : tensor<8xi8>)
    outs(%e as <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<8xi8>)
    maps [#id, #id, #id] -> tensor<8xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<8xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<8x16xi8>)
    maps [#x, #w, #y] padding [1, 1] -> tensor<8x16xi8>
  return %y : tensor<8x16xi8>
}

// -----

#x = affine_map<(n, c, i) -> (n + i, c)>
#y = affine_map<(n, c, i) -> (n, c)>

// CHECK-LABEL: func @without_kernel
func.func @without_kernel(%x: tensor<4x16xf8E4M3FN>, %o: tensor<2x16xf8E4M3FN>)
    -> tensor<2x16xf8E4M3FN> {
  // CHECK-NOT: quant.pool
  // CHECK: linalg.
  // expected-remark@+1 {{has no kernel and is lowered to loops: it is of codes in floating point}}
  %y = quant.pool max ins(%x as <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4x16xf8E4M3FN>)
    outs(%o : tensor<2x16xf8E4M3FN>) maps [#x, #y] window [3] -> tensor<2x16xf8E4M3FN>
  return %y : tensor<2x16xf8E4M3FN>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Sums of values are of f32: codes of lhs are dequantized in front, codes of the
// result that are no bytes made behind.
// CHECK-LABEL: func @small_floats
// CHECK-SAME: %[[X:[^:]*]]: tensor<4x16xf8E4M3FN>
func.func @small_floats(%x: tensor<4x16xf8E4M3FN>, %o: tensor<4x16xf8E4M3FN>)
    -> tensor<4x16xf8E4M3FN> {
  // CHECK: %[[V:.*]] = quant.dequantize %[[X]] <float8_e4m3fn, per_tensor, scale = 5.000000e-01>
  // CHECK: %[[R:.*]] = quant.contract lhs(%[[V]] : tensor<4x16xf32>) rhs(%{{.*}} as <float8_e4m3fn, {{.*}}> in <panels, {{.*}}> : tensor<256xi8>) outs(%{{.*}} : tensor<4x16xf32>)
  // CHECK-SAME: low 0.000000e+00
  // CHECK: %[[Q:.*]] = quant.quantize %[[R]] <float8_e4m3fn, per_tensor, scale = 2.000000e+00>
  // CHECK: return %[[Q]]
  %w = arith.constant dense<1.0> : tensor<16x16xf8E4M3FN>
  %y = quant.contract lhs(%x as <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4x16xf8E4M3FN>)
    rhs(%w as <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<16x16xf8E4M3FN>)
    outs(%o as <float8_e4m3fn, per_tensor, scale = 2.0> : tensor<4x16xf8E4M3FN>)
    maps [#x, #w, #y] low 0.0 -> tensor<4x16xf8E4M3FN>
  return %y : tensor<4x16xf8E4M3FN>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @half
func.func @half(%x: tensor<4x16xf16>, %o: tensor<4x16xf16>) -> tensor<4x16xf16> {
  // CHECK: %[[V:.*]] = arith.extf %{{.*}} : tensor<4x16xf16> to tensor<4x16xf32>
  // CHECK: quant.contract lhs(%[[V]] : tensor<4x16xf32>) rhs(%{{.*}} in <panels, {{.*}}> : tensor<512xi8>) outs(%{{.*}} : tensor<4x16xf16>)
  %w = arith.constant dense<1.0> : tensor<16x16xf16>
  %y = quant.contract lhs(%x : tensor<4x16xf16>) rhs(%w : tensor<16x16xf16>)
    outs(%o : tensor<4x16xf16>) maps [#x, #w, #y] -> tensor<4x16xf16>
  return %y : tensor<4x16xf16>
}

// -----

#x = affine_map<(w, k, c) -> (w, c)>
#w = affine_map<(w, k, c) -> (c, k)>
#y = affine_map<(w, k, c) -> (k, w)>

// CHECK-LABEL: func @wide_by_rows
func.func @wide_by_rows(%x: tensor<64x70000xi8>, %o: tensor<4x64xi8>) -> tensor<4x64xi8> {
  %w = arith.constant dense<1> : tensor<70000x4xi8>
  // expected-remark@+1 {{has no kernel and is lowered to loops: columns do not follow each other in the result, and an int32 may not hold its sum}}
  %y = quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<64x70000xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70000x4xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x64xi8>) maps [#x, #w, #y] wide -> tensor<4x64xi8>
  return %y : tensor<4x64xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @wide_blocks(%x: tensor<4x140000xi8>, %o: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %w = arith.constant dense<1> : tensor<140000x16xi8>
  // expected-remark@+1 {{an int32 may not hold the sum of a block}}
  %y = quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<4x140000xi8>)
    rhs(%w as <int8, per_block<[70000, 1]>, scale = dense<0.5> : tensor<2x16xf32>> : tensor<140000x16xi8>)
    outs(%o : tensor<4x16xf32>) maps [#x, #w, #y] wide -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @wide_average(%x: tensor<1x9000000xi8>, %o: tensor<1xi8>) -> tensor<1xi8> {
  // expected-remark@+1 {{'quant.pool' has no kernel and is lowered to loops: an int32 may not hold its sum}}
  %y = quant.pool average ins(%x as <uint8, per_tensor, scale = 0.5> : tensor<1x9000000xi8>) outs(%o : tensor<1xi8>)
    maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] window [9000000] wide -> tensor<1xi8>
  return %y : tensor<1xi8>
}

// -----

#x = affine_map<(h, w, c, i, j) -> (h + i, w + j, c)>
#w = affine_map<(h, w, c, i, j) -> (i, j, c)>
#y = affine_map<(h, w, c, i, j) -> (h, w, c)>

// Depthwise kernels of values leave padding out, of windows of up to 25 taps.
// CHECK-LABEL: func @depthwise_values
func.func @depthwise_values(%x: tensor<4x9x16xf32>, %o: tensor<4x9x16xf32>) -> tensor<4x9x16xf32> {
  %w = arith.constant dense<1.0> : tensor<3x3x16xf32>
  // CHECK-NOT: insert_slice
  // CHECK: padding [1, 1, 1, 1, 0, 0]
  %y = quant.contract lhs(%x : tensor<4x9x16xf32>) rhs(%w : tensor<3x3x16xf32>)
    outs(%o : tensor<4x9x16xf32>) maps [#x, #w, #y] padding [1, 1, 1, 1, 0, 0] -> tensor<4x9x16xf32>
  return %y : tensor<4x9x16xf32>
}

// CHECK-LABEL: func @large_window
func.func @large_window(%x: tensor<4x9x16xf32>, %o: tensor<4x9x16xf32>) -> tensor<4x9x16xf32> {
  %w = arith.constant dense<1.0> : tensor<3x9x16xf32>
  // CHECK: insert_slice
  // CHECK-NOT: padding
  // CHECK: return
  %y = quant.contract lhs(%x : tensor<4x9x16xf32>) rhs(%w : tensor<3x9x16xf32>)
    outs(%o : tensor<4x9x16xf32>) maps [#x, #w, #y] padding [1, 1, 4, 4, 0, 0] -> tensor<4x9x16xf32>
  return %y : tensor<4x9x16xf32>
}

// -----

#x = affine_map<(n, c, i, b, k) -> (n + i, b, k)>
#w = affine_map<(n, c, i, b, k) -> (i, b, k, c)>
#y = affine_map<(n, c, i, b, k) -> (n, c)>
#id = affine_map<(i, j) -> (i, j)>

// What is reshaped is padded before, into what its source is computed into.
// CHECK-LABEL: func @reshaped
func.func @reshaped(%a: tensor<8x4xi8>, %o: tensor<8x16xi8>) -> tensor<8x16xi8> {
  %w = arith.constant dense<1> : tensor<3x2x2x16xi8>
  // CHECK: %[[WHOLE:.*]] = tensor.empty() : tensor<10x4xi8>
  // CHECK: %[[FILLED:.*]] = linalg.fill ins(%{{.*}} : i8) outs(%[[WHOLE]] : tensor<10x4xi8>)
  // CHECK: %[[X:.*]] = quant.add
  // CHECK: %[[PADDED:.*]] = tensor.insert_slice %[[X]] into %[[FILLED]][1, 0] [8, 4] [1, 1]
  // CHECK: %[[IN:.*]] = tensor.expand_shape %[[PADDED]] {{\[\[}}0], [1, 2]] output_shape [10, 2, 2]
  // CHECK: quant.contract lhs(%[[IN]] {{.*}} : tensor<10x2x2xi8>)
  // CHECK-NOT: padding
  // CHECK: return
  %e = tensor.empty() : tensor<8x4xi8>
  %x = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<8x4xi8>)
    rhs(%a as <int8, per_tensor, scale = 0.5> : tensor<8x4xi8>)
    outs(%e as <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<8x4xi8>)
    maps [#id, #id, #id] -> tensor<8x4xi8>
  %r = tensor.expand_shape %x [[0], [1, 2]] output_shape [8, 2, 2] : tensor<8x4xi8> into tensor<8x2x2xi8>
  %y = quant.contract
    lhs(%r as <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<8x2x2xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x2x2x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<8x16xi8>)
    maps [#x, #w, #y] padding [1, 1, 0, 0, 0, 0] -> tensor<8x16xi8>
  return %y : tensor<8x16xi8>
}
