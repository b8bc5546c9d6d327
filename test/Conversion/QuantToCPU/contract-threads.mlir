// RUN: quant-opt %s --quant-pack-weights=target-cpu=sapphirerapids --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu="cpu=sapphirerapids threads=2" --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-pack-weights=target-cpu=sapphirerapids --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu="cpu=sapphirerapids threads=1" --canonicalize --cse | FileCheck %s --check-prefix=ALONE
// RUN: quant-opt %s --quant-pack-weights="target-cpu=sapphirerapids target-features=-amx-int8" --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu="cpu=sapphirerapids features=-amx-int8 threads=2" --canonicalize --cse | FileCheck %s --check-prefix=WITHOUT

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Each thread has its rows, which it copies itself, where tiles multiply them; the
// last share is smaller.
// CHECK-LABEL: func @rows
// CHECK-NOT: memref.alloca
// CHECK: scf.parallel (%[[FIRST:.*]]) = (%c0) to (%c331) step (%c192)
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{.*}}xi8>
// CHECK: %[[WHOLE:.*]] = arith.cmpi ult, %[[FIRST]], %c192
// CHECK: scf.if %[[WHOLE]]
// CHECK: scf.for %{{.*}} = %c0 to %c192 step %c1
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK: } else {
// CHECK: scf.for %{{.*}} = %c0 to %c139 step %c1
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// ALONE-LABEL: func @rows
// ALONE-NOT: scf.parallel
// ALONE: return
// WITHOUT-LABEL: func @rows
// WITHOUT: scf.parallel (%[[FIRST:.*]]) = (%c0) to (%c331) step (%c48)
// WITHOUT: %[[WHOLE:.*]] = arith.cmpi ult, %[[FIRST]], %c288
// WITHOUT: scf.if %[[WHOLE]]
// WITHOUT: } else {
func.func @rows(%x: tensor<331x1024xi8>) -> tensor<331x512xi8> {
  %c = arith.constant dense<1> : tensor<1024x512xi8>
  %o = tensor.empty() : tensor<331x512xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<331x1024xi8>)
    rhs(%c as <int8, per_tensor, scale = 0.25> : tensor<1024x512xi8>)
    outs(%o as <int8, per_tensor, scale = 2.0> : tensor<331x512xi8>) maps [#x, #w, #y] -> tensor<331x512xi8>
  return %y : tensor<331x512xi8>
}
