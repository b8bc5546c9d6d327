// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=znver4})" | FileCheck %s
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=haswell})" | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=neoverse-v1})" | FileCheck %s --check-prefix=I8MM
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=cortex-a53})" | FileCheck %s --check-prefix=GENERIC
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=znver4},quant-pack-weights{target-cpu=znver4})" | FileCheck %s
// RUN: quant-opt %s --split-input-file --cse > %t.before
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=znver4},quant-pack-weights{undo},cse)" > %t.after
// RUN: diff %t.before %t.after
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-pack-weights{target-cpu=neoverse-v1},quant-pack-weights{undo},cse)" > %t.after
// RUN: diff %t.before %t.after

// Panels of the registers that the columns need, groups of the instruction.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @matmul
// AVX2-LABEL: @matmul
// I8MM-LABEL: @matmul
// GENERIC-LABEL: @matmul
func.func @matmul(%x: tensor<?x6xi8>, %o: tensor<?x2xi8>) -> tensor<?x2xi8> {
  %w = arith.constant dense<[[1, 10], [2, 20], [3, 30], [-4, -40], [5, 50], [6, 60]]> : tensor<6x2xi8>
  // CHECK-DAG: %[[SUMS:.*]] = arith.constant dense<[13, 130]> : tensor<2xi32>
  // CHECK-DAG: %[[PACKED:.*]] = arith.constant dense<"0x010203FC0A141ED8{{0*}}05060000323C{{0*}}"> : tensor<128xi8>
  // CHECK: rhs(%[[PACKED]] as <int8, per_tensor, scale = 5.000000e-01> in <panels, tensor<6x2xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %[[SUMS]] : tensor<2xi32>, : tensor<128xi8>)
  // AVX2: dense<[1, 2, 10, 20, {{[0, ]*}}, 3, -4, 30, -40, {{[0, ]*}}, 5, 6, 50, 60, {{[0, ]*}}]> : tensor<48xi8>
  // AVX2: in <panels, tensor<6x2xi8>, columns = [1], reduction = [0], run = 1, panel = 8, group = 2>
  // I8MM: dense<[1, 2, 3, -4, 5, 6, 0, 0, 10, 20, 30, -40, 50, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]> : tensor<32xi8>
  // I8MM: in <panels, tensor<6x2xi8>, columns = [1], reduction = [0], run = 1, panel = 4, group = 8>
  // GENERIC: dense<[1, 10, 0, 0, 2, 20, 0, 0, 3, 30, 0, 0, -4, -40, 0, 0, 5, 50, 0, 0, 6, 60, 0, 0]> : tensor<24xi8>
  // GENERIC: in <panels, tensor<6x2xi8>, columns = [1], reduction = [0], run = 1, panel = 4, group = 1>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<?x6xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<6x2xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<?x2xi8>) maps [#x, #w, #y] -> tensor<?x2xi8>
  return %y : tensor<?x2xi8>
}

// -----

// Codes of uint8 become signed, those of int4 unsigned; sums are of the codes.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @storages
func.func @storages(%x: tensor<4x4xi8>, %o: tensor<4x1xf32>) -> (tensor<4x1xf32>, tensor<4x1xf32>, tensor<4x1xf32>) {
  %u = arith.constant dense<[[0, 127, -128, -1]]> : tensor<1x4xi8>
  %n = arith.constant dense<[[-8, -1, 0, 7]]> : tensor<1x4xi4>
  // CHECK-DAG: arith.constant dense<510> : tensor<1xi32>
  // CHECK-DAG: arith.constant dense<[-128, -1, 0, 127{{[0, ]*}}]> : tensor<64xi8>
  // CHECK-DAG: arith.constant dense<-2> : tensor<1xi32>
  // CHECK-DAG: arith.constant dense<[0, 7, 8, 15{{[0, ]*}}]> : tensor<64xi8>
  // CHECK-DAG: arith.constant dense<30> : tensor<1xi32>
  // CHECK-DAG: arith.constant dense<[8, 15, 0, 7{{[0, ]*}}]> : tensor<64xi8>
  // CHECK: <uint8, {{.*}} in <panels, tensor<1x4xi8>, columns = [0], reduction = [1], run = 1, panel = 16, group = 4, offset = -128> sums
  %a = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x4xi8>) rhs(%u as <uint8, per_tensor, scale = 0.5, zero_point = 128> : tensor<1x4xi8>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  // CHECK: <int4, {{.*}} group = 4, offset = 8> sums
  %b = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x4xi8>) rhs(%n as <int4, per_tensor, scale = 0.5> : tensor<1x4xi4>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  // CHECK: <uint4, {{.*}} group = 4> sums
  %c = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x4xi8>) rhs(%n as <uint4, per_tensor, scale = 0.5> : tensor<1x4xi4>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  return %a, %b, %c : tensor<4x1xf32>, tensor<4x1xf32>, tensor<4x1xf32>
}

// -----

// Blocks of whole tuples are nothing special; others begin one. Sums are those of
// blocks.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @blocks
func.func @blocks(%x: tensor<4x70xi8>, %o: tensor<4x96xf32>) -> (tensor<4x96xf32>, tensor<4x96xf32>) {
  %w = arith.constant dense<1> : tensor<70x96xi4>
  // CHECK-DAG: %[[SUMS32:.*]] = arith.constant dense<"0x20000000{{.*}}06000000"> : tensor<3x96xi32>
  // CHECK-DAG: %[[SUMS20:.*]] = arith.constant dense<"0x14000000{{.*}}0A000000"> : tensor<4x96xi32>
  // CHECK: in <panels, tensor<70x96xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 4, offset = 8> sums %[[SUMS32]] : tensor<3x96xi32>, : tensor<3456xi8>)
  %a = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x96xf32>> : tensor<70x96xi4>) outs(%o : tensor<4x96xf32>) maps [#x, #w, #y] -> tensor<4x96xf32>
  // CHECK: in <panels, tensor<70x96xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 4, block = 20, offset = 8> sums %[[SUMS20]] : tensor<4x96xi32>, : tensor<4224xi8>)
  %b = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int4, per_block<[20, 1]>, scale = dense<0.5> : tensor<4x96xf32>> : tensor<70x96xi4>) outs(%o : tensor<4x96xf32>) maps [#x, #w, #y] -> tensor<4x96xf32>
  return %a, %b : tensor<4x96xf32>, tensor<4x96xf32>
}

// -----

// Values are multiplied one by one, floating-point codes too: groups of one, no
// sums.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @values
func.func @values(%x: tensor<4x4xf32>, %o: tensor<4x1xf32>) -> (tensor<4x1xf32>, tensor<4x1xf32>) {
  %i = arith.constant dense<[[-8], [-1], [0], [7]]> : tensor<4x1xi4>
  %f = arith.constant dense<[[0.5], [1.0], [-6.0], [0.0]]> : tensor<4x1xf4E2M1FN>
  // CHECK-DAG: dense<[112{{[0, ]*}}, -8{{[0, ]*}}]> : tensor<32xi8>
  // CHECK-DAG: dense<[33{{[0, ]*}}, 15{{[0, ]*}}]> : tensor<32xi8>
  // CHECK: rhs(%{{.*}} as <int4, per_tensor, scale = 5.000000e-01> in <panels, tensor<4x1xi4>, columns = [1], reduction = [0], run = 1, panel = 16, group = 1, offset = 8> : tensor<32xi8>)
  %a = quant.contract lhs(%x : tensor<4x4xf32>) rhs(%i as <int4, per_tensor, scale = 0.5> : tensor<4x1xi4>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  // CHECK: in <panels, tensor<4x1xf4E2M1FN>, columns = [1], reduction = [0], run = 1, panel = 16, group = 1> : tensor<32xi8>)
  %b = quant.contract lhs(%x : tensor<4x4xf32>) rhs(%f as <float4_e2m1fn, per_block<[32, 1]>, scale = dense<0.5> : tensor<1x1xf8E8M0FNU>> : tensor<4x1xf4E2M1FN>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  return %a, %b : tensor<4x1xf32>, tensor<4x1xf32>
}

// -----

// Kernel column and channel are one run of lhs, read from there.

#x = affine_map<(n, h, w, f, i, j, c) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, f, i, j, c) -> (f, c, i, j)>
#y = affine_map<(n, h, w, f, i, j, c) -> (n, h, w, f)>

// CHECK-LABEL: @convolution
// CHECK: in <panels, tensor<32x16x3x3xi8>, columns = [0], reduction = [2, 3, 1], run = 2, panel = 32, group = 4> sums %{{.*}} : tensor<32xi32>, : tensor<4608xi8>)
func.func @convolution(%x: tensor<1x10x10x16xi8>, %o: tensor<1x10x10x32xi8>) -> tensor<1x10x10x32xi8> {
  %w = arith.constant dense<1> : tensor<32x16x3x3xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x10x10x16xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<32x16x3x3xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<1x10x10x32xi8>) maps [#x, #w, #y] padding [0, 0, 1, 1, 1, 1, 0, 0] -> tensor<1x10x10x32xi8>
  return %y : tensor<1x10x10x32xi8>
}

// -----

// Three channels: lhs is gathered, so that a quarter of the products is not with
// zeros.

#x = affine_map<(n, h, w, f, i, j, c) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, f, i, j, c) -> (i, j, c, f)>
#y = affine_map<(n, h, w, f, i, j, c) -> (n, h, w, f)>

// CHECK-LABEL: @few_channels
// CHECK: reduction = [0, 1, 2], run = 3, panel = 16, group = 4> sums %{{.*}} : tensor<16xi32>, : tensor<448xi8>)
func.func @few_channels(%x: tensor<1x12x12x3xi8>, %o: tensor<1x10x10x16xi8>) -> tensor<1x10x10x16xi8> {
  %w = arith.constant dense<1> : tensor<3x3x3x16xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x12x12x3xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x3x3x16xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<1x10x10x16xi8>) maps [#x, #w, #y] -> tensor<1x10x10x16xi8>
  return %y : tensor<1x10x10x16xi8>
}

// -----

// Blocks of channels: the run is the channel alone, without the kernel column.

#x = affine_map<(n, h, w, f, i, j, c) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, f, i, j, c) -> (i, j, c, f)>
#y = affine_map<(n, h, w, f, i, j, c) -> (n, h, w, f)>

// CHECK-LABEL: @blocks_of_channels
func.func @blocks_of_channels(%x: tensor<1x12x12x48xi8>, %o: tensor<1x10x10x16xf32>) -> (tensor<1x10x10x16xf32>, tensor<1x10x10x16xf32>) {
  %w = arith.constant dense<1> : tensor<3x3x48x16xi8>
  // CHECK: reduction = [0, 1, 2], run = 1, panel = 16, group = 4> sums %{{.*}} : tensor<3x16xi32>
  %a = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x12x12x48xi8>) rhs(%w as <int8, per_block<[-1, -1, 16, 1]>, scale = dense<0.5> : tensor<1x1x3x16xf32>> : tensor<3x3x48x16xi8>) outs(%o : tensor<1x10x10x16xf32>) maps [#x, #w, #y] -> tensor<1x10x10x16xf32>
  // CHECK: reduction = [0, 1, 2], run = 1, panel = 16, group = 4> sums %{{.*}} : tensor<2x16xi32>
  %b = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x12x12x48xi8>) rhs(%w as <int8, per_block<[-1, -1, 32, 1]>, scale = dense<0.5> : tensor<1x1x2x16xf32>> : tensor<3x3x48x16xi8>) outs(%o : tensor<1x10x10x16xf32>) maps [#x, #w, #y] -> tensor<1x10x10x16xf32>
  return %a, %b : tensor<1x10x10x16xf32>, tensor<1x10x10x16xf32>
}

// -----

// Channels are the columns of a depthwise convolution. Its window is packed column
// by column, as the kernel walks it; smmla has no use for it.

#x = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#y = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>

// CHECK-LABEL: @depthwise
// CHECK: in <panels, tensor<3x3x64xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 64, group = 4> sums %{{.*}} : tensor<64xi32>, : tensor<768xi8>)
// I8MM-LABEL: @depthwise
// I8MM: reduction = [1, 0], run = 1, panel = 16, group = 4>
func.func @depthwise(%x: tensor<1x12x12x64xi8>, %o: tensor<1x10x10x64xi8>) -> tensor<1x10x10x64xi8> {
  %w = arith.constant dense<1> : tensor<3x3x64xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x12x12x64xi8>) rhs(%w as <int8, per_channel<[2]>, scale = dense<0.5> : tensor<1x1x64xf32>> : tensor<3x3x64xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<1x10x10x64xi8>) maps [#x, #w, #y] -> tensor<1x10x10x64xi8>
  return %y : tensor<1x10x10x64xi8>
}

// -----

// Groups are batches.

#x = affine_map<(n, w, g, f, j, c) -> (n, w + j, g, c)>
#w = affine_map<(n, w, g, f, j, c) -> (g, f, j, c)>
#y = affine_map<(n, w, g, f, j, c) -> (n, w, g, f)>

// CHECK-LABEL: @groups
// CHECK: in <panels, tensor<2x16x3x8xi8>, batch = [0], columns = [1], reduction = [2, 3], run = 1, panel = 16, group = 4> sums %{{.*}} : tensor<2x16xi32>, : tensor<768xi8>)
func.func @groups(%x: tensor<1x12x2x8xi8>, %o: tensor<1x10x2x16xi8>) -> tensor<1x10x2x16xi8> {
  %w = arith.constant dense<1> : tensor<2x16x3x8xi8>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x12x2x8xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<2x16x3x8xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<1x10x2x16xi8>) maps [#x, #w, #y] -> tensor<1x10x2x16xi8>
  return %y : tensor<1x10x2x16xi8>
}

// -----

// Operations that share weights share the packed ones.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @shared
func.func @shared(%x: tensor<4x4xi8>, %o: tensor<4x1xf32>) -> (tensor<4x1xf32>, tensor<4x1xf32>) {
  // CHECK: %[[PACKED:.*]] = arith.constant {{.*}} : tensor<64xi8>
  // CHECK-NEXT: %[[SUMS:.*]] = arith.constant
  // CHECK-NEXT: quant.contract{{.*}} rhs(%[[PACKED]] {{.*}} sums %[[SUMS]]
  // CHECK-NEXT: quant.contract{{.*}} rhs(%[[PACKED]] {{.*}} sums %[[SUMS]]
  %w = arith.constant dense<[[1], [2], [3], [4]]> : tensor<4x1xi8>
  %a = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x4xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<4x1xi8>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  %b = quant.contract lhs(%x as <int8, per_tensor, scale = 0.25> : tensor<4x4xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<4x1xi8>) outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
  return %a, %b : tensor<4x1xf32>, tensor<4x1xf32>
}

// -----

// Values lie in panels too, in groups of one and without sums.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @values
// AVX2-LABEL: @values
func.func @values(%x: tensor<4x2xf32>, %h: tensor<4x2xf16>, %o: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  // CHECK-DAG: %[[F32:.*]] = arith.constant dense<"0x0000803F0000004000004040{{0*}}000080400000A0400000C040{{0*}}"> : tensor<128xi8>
  // CHECK-DAG: %[[F16:.*]] = arith.constant dense<[0, 60, 0, 60, 0, 60, 0, {{.*}}]> : tensor<64xi8>
  // CHECK: rhs(%[[F32]] in <panels, tensor<2x3xf32>, columns = [1], reduction = [0], run = 1, panel = 16, group = 1> : tensor<128xi8>)
  // CHECK: rhs(%[[F16]] in <panels, tensor<2x3xf16>, columns = [1], reduction = [0], run = 1, panel = 16, group = 1> : tensor<64xi8>)
  // AVX2: in <panels, tensor<2x3xf32>, columns = [1], reduction = [0], run = 1, panel = 8, group = 1> : tensor<64xi8>)
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %v = arith.constant dense<1.0> : tensor<2x3xf16>
  %a = quant.contract lhs(%x : tensor<4x2xf32>) rhs(%w : tensor<2x3xf32>) outs(%o : tensor<4x3xf32>) maps [#x, #w, #y] -> tensor<4x3xf32>
  %b = quant.contract lhs(%h : tensor<4x2xf16>) rhs(%v : tensor<2x3xf16>) outs(%o : tensor<4x3xf32>) maps [#x, #w, #y] -> tensor<4x3xf32>
  return %a, %b : tensor<4x3xf32>, tensor<4x3xf32>
}
