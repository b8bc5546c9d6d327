// RUN: quant-opt %s --quant-to-cpu -verify-diagnostics

#x = affine_map<(n, c, i) -> (n + i, c)>
#y = affine_map<(n, c, i) -> (n, c)>

func.func @float_codes(%x: memref<4x16xf8E4M3FN>, %y: memref<2x16xf8E4M3FN>) {
  // expected-error@+1 {{'quant.pool' op has no kernel for this processor: expected a form that one is known for}}
  quant.pool max ins(%x as <float8_e4m3fn, per_tensor, scale = 0.5> : memref<4x16xf8E4M3FN>)
    outs(%y : memref<2x16xf8E4M3FN>) maps [#x, #y] window [3]
  return
}
