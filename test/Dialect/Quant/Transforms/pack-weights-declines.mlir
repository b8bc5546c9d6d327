// RUN: quant-opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=znver4})" | FileCheck %s
// RUN: echo "module {}" | not quant-opt --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=znver44})" 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: echo "module {}" | not quant-opt --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=znver4 target-features=avx2})" 2>&1 | FileCheck %s --check-prefix=FEATURES

// CPU: error: quant-pack-weights: expected a CPU of x86_64 that LLVM knows, found 'znver44': use znver4
// FEATURES: error: quant-pack-weights: expected features with + or - before each, such as +avx512vnni,-avx512f, found 'avx2'

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// What is computed is left to kernels, without a word.
// CHECK-LABEL: @argument
// CHECK-NOT: panels
func.func @argument(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xf32>) -> tensor<4x24xf32> {
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return %y : tensor<4x24xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @activation
func.func @activation(%x: tensor<4x70xi8>, %w: tensor<70x24xf32>, %o: tensor<4x24xf32>) -> tensor<4x24xf32> {
  %q = quant.quantize %w <int8, per_tensor, scale = 0.5> : tensor<70x24xf32> -> tensor<70x24xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%q as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return %y : tensor<4x24xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @resource
func.func @resource(%x: tensor<4x70xi8>, %o: tensor<4x24xf32>) -> tensor<4x24xf32> {
  %w = arith.constant dense_resource<missing> : tensor<70x24xi8>
  // expected-remark @below {{the weights of 'quant.contract' are not packed: their elements are not in memory: a resource is missing, or of the wrong size}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return %y : tensor<4x24xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @buffers(%x: memref<4x70xi8>, %w: memref<70x24xi8>, %o: memref<4x24xf32>) {
  // expected-remark @below {{the weights of 'quant.contract' are not packed: they are a buffer: pack them before bufferization}}
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : memref<70x24xi8>) outs(%o : memref<4x24xf32>) maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(n, h, w, c, i, j) -> (n, c, h + i, w + j)>
#w = affine_map<(n, h, w, c, i, j) -> (c, i, j)>
#y = affine_map<(n, h, w, c, i, j) -> (n, c, h, w)>

// CHECK-LABEL: @depthwise_of_channels_first
// CHECK: rhs(%{{.*}} : tensor<64x3x3xi4>)
func.func @depthwise_of_channels_first(%x: tensor<1x64x12x12xi8>, %o: tensor<1x64x10x10xi8>) -> tensor<1x64x10x10xi8> {
  %w = arith.constant dense<1> : tensor<64x3x3xi4>
  // expected-remark @below {{the weights of 'quant.contract' are not packed: every channel has weights of its own, and channels are not the innermost dimension of lhs and result}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x64x12x12xi8>) rhs(%w as <int4, per_tensor, scale = 0.5> : tensor<64x3x3xi4>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<1x64x10x10xi8>) maps [#x, #w, #y] -> tensor<1x64x10x10xi8>
  return %y : tensor<1x64x10x10xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @packed_for_another_target
// CHECK: panel = 16, group = 2
func.func @packed_for_another_target(%x: tensor<4x4xi8>, %o: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %s = arith.constant dense<4> : tensor<16xi32>
  // expected-remark @below {{the weights of 'quant.contract' are left as they are: its right-hand side is in another layout than avx512vnni reads: undo that first, with quant-pack-weights{undo}}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x4xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<4x16xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 2> sums %s : tensor<16xi32>, : tensor<64xi8>) outs(%o : tensor<4x16xf32>) maps [#x, #w, #y] -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}
