// RUN: quant-opt %s --quant-to-cpu=cpu=znver4 --canonicalize --cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// 12 rows are two tiles of 6, 128 columns two panels of four registers: 24
// accumulators stay in registers for the whole reduction. Both panels read rows
// that were flipped once.
// CHECK: memref.global "private" constant @multiplier : memref<128xf32> = dense<{{.*}}> {alignment = 64 : i64}
// CHECK-LABEL: func @tiles
func.func @tiles(%x: memref<12x64xi8>, %w: memref<8192xi8>, %s: memref<128xi32>, %b: memref<128xi32>, %y: memref<12x128xi8>) {
  // CHECK: %[[FLIP:.*]] = arith.constant dense<-128> : vector<64xi8>
  // CHECK: %[[FLIPPED:.*]] = memref.alloca() {alignment = 64 : i64} : memref<768xi8>
  // CHECK: %[[CODES:.*]] = arith.xori %{{.*}}, %[[FLIP]] : vector<64xi8>
  // CHECK: vector.store %[[CODES]], %[[FLIPPED]]
  // CHECK: scf.for %[[PANEL:.*]] = %c0 to %c2 step %c1
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c12 step %c6
  // CHECK: %[[SUMS:.*]]:24 = scf.for %[[K:.*]] = %c0 to %c16 step %c1 iter_args(%[[SUM:[a-z0-9]*]] =
  // CHECK-COUNT-4: vector.load %{{.*}} : memref<8192xi8>, vector<64xi8>
  // CHECK: vector.load %[[FLIPPED]]{{.*}}, vector<4xi8>
  // CHECK: vector.bitcast %{{.*}} : vector<4xi8> to vector<1xi32>
  // CHECK: vector.broadcast %{{.*}} : i32 to vector<16xi32>
  // CHECK-NEXT: %[[X:.*]] = vector.bitcast %{{.*}} : vector<16xi32> to vector<64xi8>
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[SUM]], %[[X]], %{{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
  // CHECK-COUNT-23: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK-NOT: llvm.call_intrinsic
  // CHECK: scf.yield
  // CHECK: arith.sitofp %[[SUMS]]#0
  // Four registers of a row are packed to one.
  // CHECK-COUNT-6: vector.store %{{.*}}, vector<64xi8>
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : memref<12x64xi8>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense_resource<scales> : tensor<1x128xf32>> in <panels, tensor<64x128xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<128xi32>, : memref<8192xi8>)
    bias(%b : memref<128xi32>) outs(%y as <int8, per_tensor, scale = 2.0> : memref<12x128xi8>)
    maps [#x, #w, #b, #y]
  return
}

// The last codes of a row and the last columns: a load that ends where the row
// ends, shifted, and a masked store. Few rows have several sets of accumulators.
// CHECK-LABEL: func @ragged
func.func @ragged(%x: memref<2x11xi8>, %w: memref<192xi8>, %s: memref<13xi32>, %y: memref<2x13xf32>) {
  // CHECK-DAG: %[[BITS:.*]] = arith.constant dense<8> : vector<16xi32>
  // CHECK: %[[MASK:.*]] = vector.constant_mask [13] : vector<16xi1>
  // CHECK: vector.maskedload %{{.*}}, %[[MASK]]
  // CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK: vector.load %{{.*}}[%c7] : {{.*}}, vector<4xi8>
  // CHECK: arith.shrui %{{.*}}, %[[BITS]]
  // CHECK-COUNT-2: vector.maskedstore %{{.*}}, %[[MASK]], %{{.*}}, vector<16xf32>
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5, zero_point = 3> : memref<2x11xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<11x13xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %s : memref<13xi32>, : memref<192xi8>)
    outs(%y : memref<2x13xf32>) maps [#x, #w, #y]
  return
}

// Rows of a number that is not known: tiles, then a case for what is left.
// CHECK-LABEL: func @rows
func.func @rows(%x: memref<?x16xi8>, %w: memref<1024xi8>, %s: memref<64xi32>, %y: memref<?x64xf32>) {
  // CHECK: %[[REST:.*]] = arith.remui %{{.*}}, %c6
  // CHECK: %[[WHOLE:.*]] = arith.subi %{{.*}}, %[[REST]]
  // CHECK: scf.for %{{.*}} = %c0 to %[[WHOLE]] step %c6
  // CHECK: scf.index_switch %[[REST]]
  // CHECK: case 1
  // CHECK: case 5
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<?x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<16x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<64xi32>, : memref<1024xi8>)
    outs(%y : memref<?x64xf32>) maps [#x, #w, #y]
  return
}

#cx = affine_map<(h, w, f, i, j, c) -> (h + i, w + j, c)>
#cw = affine_map<(h, w, f, i, j, c) -> (i, j, c, f)>
#cy = affine_map<(h, w, f, i, j, c) -> (h, w, f)>

// Rows of a convolution are positions of the result, numbered through; kernel
// column and channel are one run.
// CHECK-LABEL: func @convolution
func.func @convolution(%x: memref<7x7x16xi8>, %w: memref<2304xi8>, %s: memref<16xi32>, %y: memref<5x5x16xi8>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c18 step %c9
  // CHECK: arith.remui %{{.*}}, %c5
  // CHECK: arith.divui %{{.*}}, %c5
  // CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
  // CHECK: scf.for %{{.*}} = %c0 to %c12 step %c1
  // CHECK-COUNT-9: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<7x7x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<3x3x16x16xi8>, columns = [3], reduction = [0, 1, 2], run = 2, panel = 16, group = 4> sums %s : memref<16xi32>, : memref<2304xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0> : memref<5x5x16xi8>) maps [#cx, #cw, #cy]
  return
}

// Two groups of nibbles share their bytes, which x86 shifts in pairs; a block of 32 is an exact sum of its
// own, which a multiply-add takes into f32 registers. Nibbles are the unsigned
// operand, so that codes of lhs are not moved; 8 times their sums is subtracted.
// CHECK-LABEL: func @blocks
func.func @blocks(%x: memref<1x64xi8>, %sx: memref<1x1xf32>, %w: memref<512xi8>, %s: memref<2x16xi32>, %y: memref<1x16xf32>) {
  // CHECK-DAG: %[[LOW:.*]] = arith.constant dense<15> : vector<64xi8>
  // CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<4> : vector<32xi16>
  // CHECK-DAG: %[[FACTOR:.*]] = arith.constant -8 : i32
  // CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<2xi32>
  // CHECK: vector.reduction <add>
  // CHECK: arith.muli %{{.*}}, %[[FACTOR]] : i32
  // CHECK: memref.store %{{.*}}, %[[SCRATCH]]
  // CHECK: scf.for %[[BLOCK:.*]] = %c0 to %c2 step %c1 iter_args(%[[TOTAL:.*]] = %{{.*}}) -> (vector<16xf32>)
  // CHECK: %[[SUM:.*]] = memref.load %[[SCRATCH]][%[[BLOCK]]]
  // CHECK: %[[START:.*]] = vector.broadcast %[[SUM]] : i32 to vector<16xi32>
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[START]])
  // CHECK: %[[BYTES:.*]] = vector.load %{{.*}} : memref<512xi8>, vector<64xi8>
  // CHECK: %[[FIRST:.*]] = arith.andi %[[BYTES]], %[[LOW]]
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[FIRST]], %{{.*}})
  // CHECK: %[[WORDS:.*]] = vector.bitcast %[[BYTES]] : vector<64xi8> to vector<32xi16>
  // CHECK: %[[SHIFTED:.*]] = arith.shrui %[[WORDS]], %[[FOUR]]
  // CHECK: %[[HIGH:.*]] = vector.bitcast %[[SHIFTED]]
  // CHECK: %[[SECOND:.*]] = arith.andi %[[HIGH]], %[[LOW]]
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[SECOND]], %{{.*}})
  // CHECK: math.fma %{{.*}}, %{{.*}}, %[[TOTAL]]
  quant.contract lhs(%x as <int8, per_channel<[0]>> scale %sx : memref<1x1xf32>, : memref<1x64xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.25> : tensor<2x16xf16>> in <panels, tensor<64x16xi4>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4, offset = 8> sums %s : memref<2x16xi32>, : memref<512xi8>)
    outs(%y : memref<1x16xf32>) maps [#x, #w, #y]
  return
}

// A layout whose run is the whole reduction, where lhs has three pieces of 9: rows
// are gathered for all panels, and flipped on the way: the micro-kernel is left with
// loads.
// CHECK-LABEL: func @gathered
func.func @gathered(%x: memref<7x7x3xi8>, %w: memref<448xi8>, %s: memref<16xi32>, %y: memref<5x5x16xi8>) {
  // CHECK: %[[FLIP:.*]] = arith.constant dense<-128> : vector<16xi8>
  // CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1600xi8>
  // CHECK: scf.for %{{.*}} = %c0 to %c25 step %c1
  // CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1
  // CHECK: vector.constant_mask [9] : vector<16xi1>
  // CHECK: %[[CODES:.*]] = vector.maskedload
  // CHECK: %[[FLIPPED:.*]] = arith.xori %[[CODES]], %[[FLIP]]
  // CHECK: vector.maskedstore %[[SCRATCH]]{{.*}}, %[[FLIPPED]]
  // CHECK: llvm.fence syncscope("singlethread") acq_rel
  // CHECK-NOT: arith.xori
  // CHECK: vector.load %[[SCRATCH]]{{.*}}, vector<4xi8>
  // CHECK-NOT: arith.xori
  // CHECK: return
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<7x7x3xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<3x3x3x16xi8>, columns = [3], reduction = [0, 1, 2], run = 3, panel = 16, group = 4> sums %s : memref<16xi32>, : memref<448xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0> : memref<5x5x16xi8>) maps [#cx, #cw, #cy]
  return
}

// Large ones are parallel: over panels where there are many, over blocks of rows
// where there are not. Sums of all rows are there before, by all threads.
// CHECK-LABEL: func @parallel_panels
func.func @parallel_panels(%x: memref<1x4096xi8>, %w: memref<4194304xi8>, %s: memref<1024xi32>, %y: memref<1x1024xf32>) {
  // CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c16) step (%c1)
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<1x4096xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<4096x1024xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<1024xi32>, : memref<4194304xi8>)
    outs(%y : memref<1x1024xf32>) maps [#x, #w, #y]
  return
}

// CHECK-LABEL: func @parallel_rows
func.func @parallel_rows(%x: memref<480x512xi8>, %w: memref<65536xi8>, %s: memref<128xi32>, %y: memref<480x128xf32>) {
  // CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<480xi32>
  // CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c480) step (%c16)
  // CHECK: memref.store %{{.*}}, %[[SCRATCH]]
  // CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c480) step (%c48)
  // CHECK-NOT: memref.store
  // CHECK: memref.load %[[SCRATCH]]
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<480x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25, zero_point = 3> in <panels, tensor<512x128xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<128xi32>, : memref<65536xi8>)
    outs(%y : memref<480x128xf32>) maps [#x, #w, #y]
  return
}

// Few rows are flipped where they are multiplied: their weights take as long.
// CHECK-LABEL: func @few_rows
func.func @few_rows(%x: memref<5x128xi8>, %w: memref<16384xi8>, %s: memref<128xi32>, %y: memref<5x128xi8>) {
  // CHECK-NOT: memref.alloca
  // CHECK: arith.xori %{{.*}} : vector<16xi32>
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK: return
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<5x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<128x128xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<128xi32>, : memref<16384xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0> : memref<5x128xi8>) maps [#x, #w, #y]
  return
}

{-#
  dialect_resources: {
    builtin: {
      scales: "0x040000000000803e0080803e0000813e0080813e0000823e0080823e0000833e0080833e0000843e0080843e0000853e0080853e0000863e0080863e0000873e0080873e0000883e0080883e0000893e0080893e00008a3e00808a3e00008b3e00808b3e00008c3e00808c3e00008d3e00808d3e00008e3e00808e3e00008f3e00808f3e0000903e0080903e0000913e0080913e0000923e0080923e0000933e0080933e0000943e0080943e0000953e0080953e0000963e0080963e0000973e0080973e0000983e0080983e0000993e0080993e00009a3e00809a3e00009b3e00809b3e00009c3e00809c3e00009d3e00809d3e00009e3e00809e3e00009f3e00809f3e0000a03e0080a03e0000a13e0080a13e0000a23e0080a23e0000a33e0080a33e0000a43e0080a43e0000a53e0080a53e0000a63e0080a63e0000a73e0080a73e0000a83e0080a83e0000a93e0080a93e0000aa3e0080aa3e0000ab3e0080ab3e0000ac3e0080ac3e0000ad3e0080ad3e0000ae3e0080ae3e0000af3e0080af3e0000b03e0080b03e0000b13e0080b13e0000b23e0080b23e0000b33e0080b33e0000b43e0080b43e0000b53e0080b53e0000b63e0080b63e0000b73e0080b73e0000b83e0080b83e0000b93e0080b93e0000ba3e0080ba3e0000bb3e0080bb3e0000bc3e0080bc3e0000bd3e0080bd3e0000be3e0080be3e0000bf3e0080bf3e"
    }
  }
#-}

// A sum that an int32 may not hold: pieces that one holds, added up in i64, and
// what zero points add to that.
// CHECK-LABEL: func @wide
func.func @wide(%x: memref<4x70000xi8>, %w: memref<4480000xi8>, %s: memref<64xi32>, %y: memref<4x64xf32>) {
  // CHECK: %[[TOTALS:.*]]:16 = scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args(%[[TOTAL:[a-z0-9]*]] = %{{[^,]*}},
  // CHECK: %[[PIECE:.*]]:16 = scf.for %{{.*}} = %c0 to %c8192
  // CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK: %[[TERM:.*]] = arith.extsi %[[PIECE]]#0 : vector<16xi32> to vector<16xi64>
  // CHECK: arith.addi %[[TOTAL]], %[[TERM]] : vector<16xi64>
  // CHECK: scf.yield
  // CHECK: %[[REST:.*]]:16 = scf.for %{{.*}} = %c0 to %c1116
  // CHECK: arith.addi %[[TOTALS]]#0, %{{.*}} : vector<16xi64>
  // CHECK: arith.sitofp %{{.*}} : vector<16xi64> to vector<16xf32>
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5, zero_point = 3> : memref<4x70000xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70000x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<64xi32>, : memref<4480000xi8>)
    outs(%y : memref<4x64xf32>) maps [#x, #w, #y] wide
  return
}

// A residual that is the same for all columns is a number of the row.
// CHECK-LABEL: func @residual_of_rows
func.func @residual_of_rows(%x: memref<1x64xi8>, %w: memref<4096xi8>, %s: memref<64xi32>, %r: memref<1xf32>, %y: memref<1x64xf32>) {
  // CHECK: %[[R:.*]] = memref.load %arg3
  // CHECK: vector.broadcast %[[R]] : f32 to vector<16xf32>
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<1x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<64x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<64xi32>, : memref<4096xi8>)
    residual(%r : memref<1xf32>)
    outs(%y : memref<1x64xf32>) maps [#x, #w, affine_map<(m, n, k) -> (m)>, #y]
  return
}

// The last column alone is a store of one element: under a mask of one bit LLVM
// stores four bytes, over the next row or behind the result.
// CHECK-LABEL: func @one_more_column
func.func @one_more_column(%x: memref<2x64xi8>, %w: memref<2048xi8>, %s: memref<17xi32>, %y: memref<2x17xi8>) {
  // CHECK-NOT: vector.maskedstore
  // CHECK: vector.store %{{.*}}, vector<1xi8>
  // CHECK-NOT: vector.maskedstore
  // CHECK: return
  quant.contract lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : memref<2x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<64x17xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %s : memref<17xi32>, : memref<2048xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0> : memref<2x17xi8>)
    maps [#x, #w, #y]
  return
}

#xi = affine_map<(h, n, i, c) -> (h + i, c)>
#wi = affine_map<(h, n, i, c) -> (i, c, n)>
#yi = affine_map<(h, n, i, c) -> (h, n)>

// Blocks of channels of a convolution: each is summed over the window from its own zero,
// then multiplied with its scale.
// CHECK-LABEL: func @blocks_of_channels
func.func @blocks_of_channels(%x: memref<6x32xi8>, %w: memref<1536xi8>, %s: memref<2x16xi32>, %y: memref<4x16xf32>) {
  // CHECK: scf.for %[[BLOCK:.*]] = %c0 to %c2 step %c1 iter_args
  // CHECK: scf.for %[[I:.*]] = %c0 to %c3 step %c1 iter_args
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1 iter_args
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK: math.fma
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : memref<6x32xi8>)
    rhs(%w as <int8, per_block<[-1, 16, -1]>, scale = dense<[[[0.5], [0.25]]]> : tensor<1x2x1xf32>> in <panels, tensor<3x32x16xi8>, columns = [2], reduction = [0, 1], run = 1, panel = 16, group = 4> sums %s : memref<2x16xi32>, : memref<1536xi8>)
    outs(%y : memref<4x16xf32>) maps [#xi, #wi, #yi]
  return
}
