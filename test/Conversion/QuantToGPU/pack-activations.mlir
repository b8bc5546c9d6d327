// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm --quant-prepare-kernels=gpu=nvvm --split-input-file -verify-diagnostics | FileCheck %s

#q = affine_map<(b, h, m, n, k) -> (b, h, m, k)>
#k = affine_map<(b, h, m, n, k) -> (b, h, n, k)>
#y = affine_map<(b, h, m, n, k) -> (b, h, m, n)>

// One operation packs and adds up.
// CHECK-LABEL: func @scores
// CHECK-SAME: %[[K:[^:]*]]: tensor<2x3x256x64xi8>
func.func @scores(%k: tensor<2x3x256x64xi8>, %q: tensor<2x3x96x64xi8>, %o: tensor<2x3x96x256xi8>) -> tensor<2x3x96x256xi8> {
  // CHECK: %[[R:.*]]:2 = quant.pack_columns ins(%[[K]] as <int8, per_tensor, {{.*}}> : tensor<2x3x256x64xi8>)
  // CHECK-SAME: in <panels, tensor<2x3x256x64xi8>, batch = [0, 1], columns = [2], reduction = [3], run = 1, panel = 128, group = 16>
  // CHECK-SAME: -> tensor<98304xi8>, tensor<2x3x256xi32>
  // CHECK: quant.contract {{.*}} rhs(%[[R]]#0 as <int8, per_tensor, {{.*}}> in <panels, tensor<2x3x256x64xi8>, batch = [0, 1], columns = [2], reduction = [3], run = 1, panel = 128, group = 16> sums %[[R]]#1
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<2x3x96x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<2x3x256x64xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<2x3x96x256xi8>)
    maps [#q, #k, #y] -> tensor<2x3x96x256xi8>
  return %y : tensor<2x3x96x256xi8>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Columns beside each other, no whole panels or chunks, codes without signs.
// CHECK-LABEL: func @context
// CHECK-SAME: %[[V:[^:]*]]: tensor<70x48xi8>
func.func @context(%v: tensor<70x48xi8>, %p: tensor<96x70xi8>, %o: tensor<96x48xf32>) -> tensor<96x48xf32> {
  // CHECK: %[[R:.*]]:2 = quant.pack_columns ins(%[[V]] as <uint8, per_tensor, {{.*}}> : tensor<70x48xi8>)
  // CHECK-SAME: offset = -128> {{.*}} -> tensor<5120xi8>, tensor<48xi32>
  // CHECK: quant.contract {{.*}} rhs(%[[R]]#0 {{.*}} offset = -128> sums %[[R]]#1
  %y = quant.contract
    lhs(%p as <uint8, per_tensor, scale = 0.5> : tensor<96x70xi8>)
    rhs(%v as <uint8, per_tensor, scale = 0.5, zero_point = 128> : tensor<70x48xi8>)
    outs(%o : tensor<96x48xf32>)
    maps [#p, #v, #y] -> tensor<96x48xf32>
  return %y : tensor<96x48xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Scales that only the run time knows stay operands.
// CHECK-LABEL: func @dynamic
func.func @dynamic(%v: tensor<64x64xi8>, %p: tensor<96x64xi8>, %s: tensor<1x64xf32>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // CHECK: quant.contract {{.*}} rhs(%{{.*}} as <int8, per_tensor> scale %{{.*}} : tensor<1x64xf32>, in <panels,
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x64xi8>)
    rhs(%v as <int8, per_tensor> scale %s : tensor<1x64xf32>, : tensor<64x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A reduction whose size the run time knows: so many chunks of 16 of each column, and one
// at least. Both sides have to have it.
// CHECK-LABEL: func @unknown_reduction
// CHECK-SAME: %[[V:[^:]*]]: tensor<?x64xi8>, %[[P:[^:]*]]: tensor<96x?xi8>
func.func @unknown_reduction(%v: tensor<?x64xi8>, %p: tensor<96x?xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // CHECK: %[[K:.*]] = tensor.dim %[[V]], %c0
  // CHECK: %[[TUPLES:.*]] = arith.ceildivui %[[K]], %c16
  // CHECK: %[[BYTES:.*]] = arith.muli %[[TUPLES]], %c1024
  // CHECK: %[[SIZE:.*]] = arith.maxui %[[BYTES]], %c16
  // CHECK: tensor.empty(%[[SIZE]]) : tensor<?xi8>
  // CHECK: tensor.empty() : tensor<64xi32>
  // CHECK: cf.assert {{.*}}"a sum of products of codes is too long
  // CHECK: tensor.dim %[[P]], %c1
  // CHECK: tensor.dim %[[V]], %c0
  // CHECK: cf.assert {{.*}}"dimension #0 of operand #1 has another size than dimension #1 of operand #0
  // CHECK: quant.pack_columns {{.*}} in <panels, tensor<?x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16> {{.*}} -> tensor<?xi8>, tensor<64xi32>
  // CHECK-NEXT: quant.contract
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x?xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.5> : tensor<?x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k, l) -> (m, k, l)>
#v = affine_map<(m, n, k, l) -> (k, l, n)>
#y = affine_map<(m, n, k, l) -> (m, n)>

// CHECK-LABEL: func @several
// CHECK: quant.pack_columns {{.*}} columns = [2], reduction = [0, 1], run = 2
// CHECK: quant.contract
func.func @several(%v: tensor<4x8x64xi8>, %p: tensor<96x4x8xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x4x8xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.5> : tensor<4x8x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @values
// CHECK-NOT: quant.contract
func.func @values(%v: tensor<64x64xf16>, %p: tensor<96x64xf16>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side is computed, and products are not of integers}}
  %y = quant.contract
    lhs(%p : tensor<96x64xf16>)
    rhs(%v : tensor<64x64xf16>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// Sums of blocks, and codes of less than a byte.
// CHECK-LABEL: func @blocks
func.func @blocks(%v: tensor<64x96xi4>, %p: tensor<96x96xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // CHECK: quant.pack_columns {{.*}} offset = 8> {{.*}} -> tensor<3072xi8>, tensor<3x64xi32>
  // CHECK: quant.contract
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x96xi8>)
    rhs(%v as <int4, per_block<[64, 32]>, scale = dense<0.5> : tensor<1x3xf32>> : tensor<64x96xi4>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @halves_of_bytes
// CHECK-NOT: quant.contract
func.func @halves_of_bytes(%v: tensor<64x96xi4>, %p: tensor<96x96xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side is computed, and its blocks are not of whole groups of 16 bytes}}
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x96xi8>)
    rhs(%v as <int4, per_block<[64, 16]>, scale = dense<0.5> : tensor<1x6xf32>> : tensor<64x96xi4>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#x = affine_map<(n, h, c, i) -> (n, h + i, c)>
#w = affine_map<(n, h, c, i) -> (i, c)>
#y = affine_map<(n, h, c, i) -> (n, h, c)>

// CHECK-LABEL: func @filters_of_channels
// CHECK-NOT: quant.contract
func.func @filters_of_channels(%w: tensor<3x64xi8>, %x: tensor<2x9x64xi8>, %o: tensor<2x7x64xf32>) -> tensor<2x7x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side is computed, and its panels have no groups of 16 codes}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<2x9x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x64xi8>)
    outs(%o : tensor<2x7x64xf32>)
    maps [#x, #w, #y] -> tensor<2x7x64xf32>
  return %y : tensor<2x7x64xf32>
}

// -----

#x = affine_map<(n, h, f, i, c) -> (n, h + i, c)>
#w = affine_map<(n, h, f, i, c) -> (i, c, f)>
#y = affine_map<(n, h, f, i, c) -> (n, h, f)>

// A convolution whose filters are computed; what it pads is a value of its own before.
// CHECK-LABEL: func @filters
// CHECK: quant.pack_columns {{.*}} columns = [2], reduction = [0, 1], run = 2
// CHECK: quant.contract
func.func @filters(%w: tensor<3x16x64xi8>, %x: tensor<2x9x16xi8>, %o: tensor<2x9x64xf32>) -> tensor<2x9x64xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<2x9x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x16x64xi8>)
    outs(%o : tensor<2x9x64xf32>)
    maps [#x, #w, #y] padding [0, 0, 1, 1, 0, 0] -> tensor<2x9x64xf32>
  return %y : tensor<2x9x64xf32>
}

// -----

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// Batches and columns: so many panels. Columns whose number is not known are many.
// CHECK-LABEL: func @unknown_columns
// CHECK-SAME: %[[K:[^:]*]]: tensor<?x?x64xi8>
func.func @unknown_columns(%k: tensor<?x?x64xi8>, %q: tensor<?x96x64xi8>, %o: tensor<?x96x?xf32>) -> tensor<?x96x?xf32> {
  // CHECK: %[[B:.*]] = tensor.dim %[[K]], %c0
  // CHECK: %[[N:.*]] = tensor.dim %[[K]], %c1
  // CHECK: %[[PANELS:.*]] = arith.ceildivui %[[N]], %c128
  // CHECK: arith.muli %[[PANELS]], %c8192
  // CHECK: tensor.empty(%[[B]], %[[N]]) : tensor<?x?xi32>
  // CHECK: quant.pack_columns {{.*}} in <panels, tensor<?x?x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 128, group = 16> {{.*}} -> tensor<?xi8>, tensor<?x?xi32>
  // CHECK: quant.contract
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<?x96x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.5> : tensor<?x?x64xi8>)
    outs(%o : tensor<?x96x?xf32>)
    maps [#q, #k, #y] -> tensor<?x96x?xf32>
  return %y : tensor<?x96x?xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Scales of columns that are known, beside a reduction that is not.
// CHECK-LABEL: func @scales_of_columns
// CHECK: quant.pack_columns
// CHECK: quant.contract
func.func @scales_of_columns(%v: tensor<?x2xi8>, %p: tensor<96x?xi8>, %o: tensor<96x2xf32>) -> tensor<96x2xf32> {
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x?xi8>)
    rhs(%v as <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<?x2xi8>)
    outs(%o : tensor<96x2xf32>)
    maps [#p, #v, #y] -> tensor<96x2xf32>
  return %y : tensor<96x2xf32>
}

// -----

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// CHECK-LABEL: func @scales_of_batches
// CHECK-NOT: quant.contract
func.func @scales_of_batches(%k: tensor<2x?x64xi8>, %q: tensor<2x96x64xi8>, %o: tensor<2x96x?xf32>) -> tensor<2x96x?xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side has scales along a dimension, and the size of a batch or column is not known}}
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<2x96x64xi8>)
    rhs(%k as <int8, per_channel<[0]>, scale = dense<[[[0.5]], [[0.25]]]> : tensor<2x1x1xf32>> : tensor<2x?x64xi8>)
    outs(%o : tensor<2x96x?xf32>)
    maps [#q, #k, #y] -> tensor<2x96x?xf32>
  return %y : tensor<2x96x?xf32>
}

// -----

#p = affine_map<(m, n, k, l) -> (m, k, l)>
#v = affine_map<(m, n, k, l) -> (k, l, n)>
#y = affine_map<(m, n, k, l) -> (m, n)>

// CHECK-LABEL: func @one_of_several
// CHECK-NOT: quant.contract
func.func @one_of_several(%v: tensor<?x8x64xi8>, %p: tensor<96x?x8xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: the size of one of several columns or reductions is not known}}
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x?x8xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.5> : tensor<?x8x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#x = affine_map<(h, f, i) -> (h + i)>
#w = affine_map<(h, f, i) -> (i, f)>
#y = affine_map<(h, f, i) -> (h, f)>

// Panels do not say how large a filter was.
// CHECK-LABEL: func @unknown_filter
// CHECK-NOT: quant.contract
func.func @unknown_filter(%w: tensor<?x64xi8>, %x: tensor<?xi8>, %o: tensor<40x64xf32>) -> tensor<40x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: the size of a reduction is not known, and is none of the left-hand side's}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<?xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<?x64xi8>)
    outs(%o : tensor<40x64xf32>)
    maps [#x, #w, #y] -> tensor<40x64xf32>
  return %y : tensor<40x64xf32>
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @nibbles_of_unknown_number
// CHECK-NOT: quant.contract
func.func @nibbles_of_unknown_number(%v: tensor<?x64xi4>, %p: tensor<96x?xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: the size of a reduction is not known, and a sum of products of nibbles may have more than 27 bits}}
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x?xi8>)
    rhs(%v as <int4, per_tensor, scale = 0.5> : tensor<?x64xi4>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}

// -----

#p = affine_map<(m, n, k, l) -> (m, k, l)>
#v = affine_map<(m, n, k, l) -> (k, l, n)>
#y = affine_map<(m, n, k, l) -> (m, n)>

// CHECK-LABEL: func @blocks_beside_unknown
// CHECK-NOT: quant.contract
func.func @blocks_beside_unknown(%v: tensor<?x64x64xi8>, %p: tensor<96x?x64xi8>, %o: tensor<96x64xf32>) -> tensor<96x64xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: the size of a reduction beside its blocks is not known}}
  %y = quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.5> : tensor<96x?x64xi8>)
    rhs(%v as <int8, per_block<[-1, 32, -1]>, scale = dense<0.5> : tensor<1x2x1xf32>> : tensor<?x64x64xi8>)
    outs(%o : tensor<96x64xf32>)
    maps [#p, #v, #y] -> tensor<96x64xf32>
  return %y : tensor<96x64xf32>
}
