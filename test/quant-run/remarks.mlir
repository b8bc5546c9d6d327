// What has no kernel is said on stderr; the run goes on with loops.
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: quant-run %s --output=y.npy 2>&1 | FileCheck %s
// RUN: quant-run %s --output=y.npy --target=reference 2>&1 | count 0

#x = affine_map<(n, c, i) -> (n + i, c)>
#y = affine_map<(n, c, i) -> (n, c)>

func.func @main() -> tensor<2x2xf32> {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 0.5], [-1.0, 4.0], [0.0, 0.0]]> : tensor<4x2xf8E4M3FN>
  %o = tensor.empty() : tensor<2x2xf8E4M3FN>
  // CHECK: quant-run: remark: {{.*}}remarks.mlir:[[@LINE+1]]:8: 'quant.pool' has no kernel and is lowered to loops: it is of codes in floating point
  %y = quant.pool max ins(%x as <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4x2xf8E4M3FN>)
    outs(%o : tensor<2x2xf8E4M3FN>) maps [#x, #y] window [3] -> tensor<2x2xf8E4M3FN>
  %f = quant.dequantize %y <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<2x2xf8E4M3FN> -> tensor<2x2xf32>
  return %f : tensor<2x2xf32>
}
