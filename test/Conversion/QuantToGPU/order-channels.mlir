// RUN: quant-opt %s --quant-order-channels=gpu=nvvm --canonicalize --split-input-file 2>%t.log | FileCheck %s --check-prefixes=CHECK,NVVM
// RUN: FileCheck %s --check-prefix=LOG < %t.log
// RUN: quant-opt %s --quant-order-channels=gpu=spirv --canonicalize --split-input-file 2>/dev/null | FileCheck %s --check-prefixes=CHECK,SPIRV
// RUN: not quant-opt %s --split-input-file --quant-order-channels=gpu=metal 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: error: quant-order-channels: expected spirv, nvvm or rocdl as gpu, found 'metal'
// RUN: not quant-opt %s --split-input-file "--quant-order-channels=gpu=nvvm gpu-arch=gfx942" 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: error: quant-order-channels: expected {{.*}} found 'gfx942'

#x = affine_map<(n, k, h, w, c) -> (n, c, h, w)>
#w = affine_map<(n, k, h, w, c) -> (k, c)>
#y = affine_map<(n, k, h, w, c) -> (n, k, h, w)>

// Codes of 8 bits have a kernel by rows on CPUs, and none on GPUs.
// CHECK-LABEL: func @codes
// CHECK: %[[X:.*]] = linalg.transpose ins(%{{.*}} : tensor<1x8x6x7xi8>) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[Y:.*]] = quant.contract lhs(%[[X]] {{.*}} -> tensor<1x6x7x16xi8>
// CHECK: linalg.transpose ins(%[[Y]] : tensor<1x6x7x16xi8>) {{.*}} permutation = [0, 3, 1, 2]
// LOG: remark: {{.*}} is computed with channels innermost, between transpositions: no kernel of a GPU writes them elsewhere
func.func @codes(%x: tensor<1x8x6x7xi8>, %o: tensor<1x16x6x7xi8>) -> tensor<1x16x6x7xi8> {
  %w = arith.constant dense<1> : tensor<16x8xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x8x6x7xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<16x8xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<1x16x6x7xi8>)
    maps [#x, #w, #y] -> tensor<1x16x6x7xi8>
  return %y : tensor<1x16x6x7xi8>
}

// -----

#x = affine_map<(n, k, h, w, c) -> (n, c, h, w)>
#w = affine_map<(n, k, h, w, c) -> (k, c)>
#y = affine_map<(n, k, h, w, c) -> (n, k, h, w)>

// What has no kernel for its types has none with channels innermost.
// CHECK-LABEL: func @halves
// NVVM: linalg.transpose
// SPIRV-NOT: linalg.transpose
// CHECK: return
func.func @halves(%x: tensor<1x8x6x7xf16>, %o: tensor<1x16x6x7xf16>) -> tensor<1x16x6x7xf16> {
  %w = arith.constant dense<1> : tensor<16x8xi8>
  %y = quant.contract lhs(%x : tensor<1x8x6x7xf16>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<16x8xi8>)
    outs(%o : tensor<1x16x6x7xf16>)
    maps [#x, #w, #y] -> tensor<1x16x6x7xf16>
  return %y : tensor<1x16x6x7xf16>
}
