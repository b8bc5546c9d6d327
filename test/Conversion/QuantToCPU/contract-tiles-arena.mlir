// RUN: quant-opt %s --lower-to=cpu --target-cpu=sapphirerapids --mlir-print-ir-after=quant-to-cpu -o /dev/null 2>&1 | FileCheck %s

#x = affine_map<(h, w, n, i, j, k) -> (h + i, w + j, k)>
#w = affine_map<(h, w, n, i, j, k) -> (i, j, k, n)>
#y = affine_map<(h, w, n, i, j, k) -> (h, w, n)>

// What the arena holds begins with a line of the cache, and tiles read it where it
// lies: rows of an argument are copied to such a place.
// CHECK: func.func @computed
// CHECK: memref.view
// CHECK-NOT: memref.alloca() {alignment = 64 : i64} : memref<{{[0-9]+}}xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
func.func @computed(%a: tensor<14x14x64xi8>) -> tensor<14x14x128xi8> {
  %w = arith.constant dense<1> : tensor<3x3x64x128xi8>
  %zero = arith.constant 0 : i8
  %x = tensor.pad %a low[1, 1, 0] high[1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : i8
  } : tensor<14x14x64xi8> to tensor<16x16x64xi8>
  %o = tensor.empty() : tensor<14x14x128xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x16x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<3x3x64x128xi8>)
    outs(%o as <int8, per_tensor, scale = 2.0> : tensor<14x14x128xi8>) maps [#x, #w, #y] -> tensor<14x14x128xi8>
  return %y : tensor<14x14x128xi8>
}

// CHECK: func.func @given
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{[0-9]+}}xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
func.func @given(%x: tensor<16x16x64xi8>) -> tensor<14x14x128xi8> {
  %w = arith.constant dense<1> : tensor<3x3x64x128xi8>
  %o = tensor.empty() : tensor<14x14x128xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x16x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<3x3x64x128xi8>)
    outs(%o as <int8, per_tensor, scale = 2.0> : tensor<14x14x128xi8>) maps [#x, #w, #y] -> tensor<14x14x128xi8>
  return %y : tensor<14x14x128xi8>
}
