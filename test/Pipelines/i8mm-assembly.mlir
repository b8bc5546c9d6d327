// RUN: quant-opt %s --lower-to=cpu --target-cpu=neoverse-v1 | mlir-translate --mlir-to-llvmir | llc -O3 -o %t.s
// RUN: sed -n '/Inner Loop Header/,/b\.l/p' %t.s | FileCheck %s --implicit-check-not=smmla --implicit-check-not=[sp

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// The inner loop: six rows are three registers, which are held while those of the
// columns pass by; 24 accumulators, and nothing goes to the stack and comes back.
// CHECK: Inner Loop Header
// CHECK-COUNT-24: smmla v{{[0-9]+}}.4s, v{{[0-9]+}}.16b, v{{[0-9]+}}.16b
// CHECK: b.l
func.func @matmul(%x: tensor<48x64xi8>) -> tensor<48x32xi8> {
  %w = arith.constant dense<3> : tensor<64x32xi8>
  %init = tensor.empty() : tensor<48x32xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<48x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<64x32xi8>)
    outs(%init as <int8, per_tensor, scale = 0.5> : tensor<48x32xi8>)
    maps [#x, #w, #y] -> tensor<48x32xi8>
  return %y : tensor<48x32xi8>
}
