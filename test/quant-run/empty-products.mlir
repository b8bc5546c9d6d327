// Sums of nothing are 0, on the way through kernels too: what is empty has none.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x.npy "np.zeros((16, 0), 'i1')"
// RUN: %{npy} make wide.npy "np.zeros((16, 64), 'i1')"
// RUN: %{npy} make none.npy "np.zeros((0, 64), 'i1')"
// RUN: %{npy} make codes.npy "np.full((16, 16), -3, 'i1')"
// RUN: %{npy} make values.npy "np.zeros((16, 16), 'f4')"
// RUN: quant-run %s --entry=codes --input=x.npy --compare=codes.npy 2>&1 | FileCheck %s
// RUN: quant-run %s --entry=blocks --input=x.npy --compare=values.npy 2>&1 | FileCheck %s
// RUN: quant-run %s --entry=codes --input=x.npy --compare=codes.npy --target=reference | FileCheck %s --check-prefix=EXACT
// RUN: quant-run %s --entry=blocks --input=x.npy --compare=values.npy --target=reference | FileCheck %s --check-prefix=EXACT
// RUN: quant-run %s --entry=no_columns --input=wide.npy --output=columns.npy
// RUN: quant-run %s --entry=no_rows --input=none.npy --output=rows.npy
// RUN: %{npy} show columns.npy | FileCheck %s --check-prefix=COLUMNS
// RUN: %{npy} show rows.npy | FileCheck %s --check-prefix=ROWS
// CHECK: 'quant.contract' has no kernel and is lowered to loops: it is empty
// CHECK: exact match
// EXACT: exact match
// COLUMNS: (16, 0)
// ROWS: (0, 16)

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @codes(%x: tensor<16x0xi8>) -> tensor<16x16xi8> {
  %w = arith.constant dense<1> : tensor<0x16xi8>
  %o = tensor.empty() : tensor<16x16xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x0xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<0x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0, zero_point = -3> : tensor<16x16xi8>)
    maps [#x, #w, #y] -> tensor<16x16xi8>
  return %y : tensor<16x16xi8>
}
func.func @blocks(%x: tensor<16x0xi8>) -> tensor<16x16xf32> {
  %w = arith.constant dense<1> : tensor<0x16xi4>
  %o = tensor.empty() : tensor<16x16xf32>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x0xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.5> : tensor<0x16xf32>> : tensor<0x16xi4>)
    outs(%o : tensor<16x16xf32>)
    maps [#x, #w, #y] -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}
func.func @no_columns(%x: tensor<16x64xi8>) -> tensor<16x0xi8> {
  %w = arith.constant dense<1> : tensor<64x0xi8>
  %o = tensor.empty() : tensor<16x0xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<64x0xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<16x0xi8>)
    maps [#x, #w, #y] -> tensor<16x0xi8>
  return %y : tensor<16x0xi8>
}
func.func @no_rows(%x: tensor<0x64xi8>) -> tensor<0x16xi8> {
  %w = arith.constant dense<1> : tensor<64x16xi8>
  %o = tensor.empty() : tensor<0x16xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<0x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<64x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<0x16xi8>)
    maps [#x, #w, #y] -> tensor<0x16xi8>
  return %y : tensor<0x16xi8>
}
