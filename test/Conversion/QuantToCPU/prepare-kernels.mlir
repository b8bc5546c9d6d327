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
  // CHECK: %[[ZERO:.*]] = arith.constant -3 : i8
  // CHECK: %[[WHOLE:.*]] = tensor.empty() : tensor<10xi8>
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
