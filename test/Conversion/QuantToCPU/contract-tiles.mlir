// RUN: quant-opt %s --quant-pack-weights=target-cpu=sapphirerapids --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu=cpu=sapphirerapids --canonicalize --cse --split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-pack-weights="target-cpu=sapphirerapids target-features=-amx-int8" --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu="cpu=sapphirerapids features=-amx-int8" --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=WITHOUT
// RUN: quant-opt %s --quant-pack-weights=target-cpu=sapphirerapids --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu="cpu=sapphirerapids threads=1" --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=ONE

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Two by two tiles of sums. Registers are configured once, outside of the loops, and
// codes are multiplied as they are stored.
// 16 rows of 64 bytes each, but for the palette.
// CHECK: memref.global "private" constant @tiles : memref<64xi8> = dense<[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 16, 16, 16, 16, 16, 16, 16,
// CHECK-LABEL: func @two_by_two
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK: scf.for
// CHECK: scf.for
// Rows of the pair of tiles before become codes between the products: 11 of 16 in two
// steps, 5 between the stores, and those of the last pair at the end.
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK-COUNT-3: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK: llvm.call_intrinsic "llvm.x86.tdpbusd"
// CHECK-COUNT-2: vector.store %{{.*}}, vector<32xi8>
// CHECK-NOT: vector.store
// CHECK: llvm.call_intrinsic "llvm.x86.tdpbusd"
// CHECK-COUNT-4: vector.store %{{.*}}, vector<32xi8>
// CHECK-NOT: vector.store
// CHECK: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbusd"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: }
// CHECK: scf.for
// CHECK-NOT: tile
// CHECK: vector.store
// CHECK-NOT: ldtilecfg
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"
// CHECK-NOT: vpdpbusd
// CHECK: return
// WITHOUT-LABEL: func @two_by_two
// WITHOUT-NOT: tile
// WITHOUT: vpdpbusd
// WITHOUT: return
func.func @two_by_two(%x: tensor<64x128xi8>, %o: tensor<64x64xi8>) -> tensor<64x64xi8> {
  %w = arith.constant dense<1> : tensor<128x64xi8>
  %y = quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<64x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<128x64xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<64x64xi8>)
    maps [#x, #w, #y] -> tensor<64x64xi8>
  return %y : tensor<64x64xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Panels that stay in L1 with the rows of a pair are all multiplied with it, before the
// next pair is: three of 8 KiB and 8 KiB of rows.
// CHECK-LABEL: func @kept_panels
// CHECK-DAG: %[[PANELS:.*]] = arith.constant 3 : index
// CHECK-DAG: %[[PAIRS:.*]] = arith.constant 5 : index
// CHECK: scf.for {{.*}} to %[[PAIRS]]
// CHECK: scf.for {{.*}} to %[[PANELS]]
// CHECK-NOT: tileloaddt164
// CHECK: return
func.func @kept_panels(%x: tensor<160x256xi8>, %o: tensor<160x96xi8>) -> tensor<160x96xi8> {
  %w = arith.constant dense<1> : tensor<256x96xi8>
  %y = quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<160x256xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<256x96xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<160x96xi8>)
    maps [#x, #w, #y] -> tensor<160x96xi8>
  return %y : tensor<160x96xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Of longer ones, rows stay, and panels are read past L1.
// CHECK-LABEL: func @long_panels
// CHECK-DAG: %[[PANELS:.*]] = arith.constant 3 : index
// CHECK-DAG: %[[PAIRS:.*]] = arith.constant 5 : index
// CHECK: scf.for {{.*}} to %[[PAIRS]]
// CHECK: scf.for {{.*}} to %[[PANELS]]
// CHECK: llvm.call_intrinsic "llvm.x86.tileloaddt164"(%c6_i8
// CHECK: llvm.call_intrinsic "llvm.x86.tileloadd64"(%c4_i8
// CHECK: return
func.func @long_panels(%x: tensor<160x512xi8>, %o: tensor<160x96xi8>) -> tensor<160x96xi8> {
  %w = arith.constant dense<1> : tensor<512x96xi8>
  %y = quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<160x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<512x96xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<160x96xi8>)
    maps [#x, #w, #y] -> tensor<160x96xi8>
  return %y : tensor<160x96xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes that fill no step are read from a copy, where zeros are around them: 68 are a
// step of 64, and 60 zeros and four codes. Both have a form for every signedness.
// CHECK-LABEL: func @tail
// CHECK: %[[TAILS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1280xi8>
// CHECK: vector.maskedload
// CHECK: vector.shuffle
// CHECK: vector.store %{{.*}}, %[[TAILS]]
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbssd"
// CHECK-NOT: scf.for
// CHECK: memref.extract_aligned_pointer_as_index %[[TAILS]]
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbssd"
func.func @tail(%x: tensor<20x68xi8>, %o: tensor<20x16xi8>) -> tensor<20x16xi8> {
  %w = arith.constant dense<1> : tensor<68x16xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<20x68xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<68x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<20x16xi8>)
    maps [#x, #w, #y] -> tensor<20x16xi8>
  return %y : tensor<20x16xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Three rows are no tile.
// CHECK-LABEL: func @few_rows
// CHECK-NOT: ldtilecfg
// CHECK: vpdpbusd
func.func @few_rows(%x: tensor<3x64xi8>, %o: tensor<3x16xi8>) -> tensor<3x16xi8> {
  %w = arith.constant dense<1> : tensor<64x16xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<3x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<64x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<3x16xi8>)
    maps [#x, #w, #y] -> tensor<3x16xi8>
  return %y : tensor<3x16xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes of four bits become bytes without their zero points, which are 3, moved by 8. Each
// block is a tile of its own, whose sums are stored behind the products of the next one, and
// scaled in f32.
// CHECK-LABEL: func @blocks
// CHECK-DAG: %[[OFFSET:.*]] = arith.constant dense<11> : vector<64xi8>
// CHECK: scf.for
// CHECK: %[[CODES:.*]] = arith.subi %{{.*}}, %[[OFFSET]] : vector<64xi8>
// CHECK-NEXT: vector.store %[[CODES]]
// CHECK: "llvm.x86.tdpbssd"(%[[FIRST:[^,]*]],
// CHECK: "llvm.x86.tdpbssd"(%[[SECOND:[^,]*]],
// CHECK: "llvm.x86.tilestored64"(%[[FIRST]],
// CHECK-COUNT-16: math.fma
// CHECK: "llvm.x86.tdpbssd"(%[[FIRST]],
// CHECK: "llvm.x86.tilestored64"(%[[SECOND]],
// CHECK-COUNT-16: math.fma
// CHECK-NOT: "llvm.x86.ldtilecfg"
// CHECK: return
func.func @blocks(%x: tensor<16x128xi8>, %o: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %w = arith.constant dense<1> : tensor<128x16xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x128xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.5> : tensor<4x16xf32>, zero_point = dense<3> : tensor<4x16xi8>> : tensor<128x16xi4>)
    outs(%o : tensor<16x16xf32>)
    maps [#x, #w, #y] -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Beside many rows 33 panels of 32 KiB are three times eleven, unpacked together, and a tile
// of rows meets eleven. Threads take four at a time.
// CHECK-LABEL: func @many_rows
// CHECK: scf.parallel {{.*}} step (%c4)
// ONE-LABEL: func @many_rows
// ONE: memref.alloca() {{.*}} : memref<361472xi8>
// ONE: scf.for %{{.*}} = %c0 to %c3 step
// ONE: scf.for %[[PANEL:.*]] = %c0 to %c11 step
// ONE: arith.muli %[[PANEL]], %c32768
// ONE: arith.subi %{{.*}} : vector<64xi8>
// ONE: scf.for %{{.*}} = %c0 to %c16 step
// ONE-NEXT: scf.for %[[PANEL:.*]] = %c0 to %c11 step
// ONE: "llvm.x86.tdpbssd"
// ONE-NOT: arith.subi %{{.*}} : vector<64xi8>
// ONE: return
func.func @many_rows(%x: tensor<256x1024xi8>, %o: tensor<256x1056xf32>) -> tensor<256x1056xf32> {
  %w = arith.constant dense<1> : tensor<1024x1056xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<256x1024xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.5> : tensor<32x1056xf32>, zero_point = dense<3> : tensor<32x1056xi8>> : tensor<1024x1056xi4>)
    outs(%o : tensor<256x1056xf32>)
    maps [#x, #w, #y] -> tensor<256x1056xf32>
  return %y : tensor<256x1056xf32>
}

// -----

#x = affine_map<(b, m, n, k) -> (b, m, k)>
#w = affine_map<(b, m, n, k) -> (b, k, n)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// What is packed at run time lies beside each other, two panels with their sums, and a pair
// of tiles meets both.
// ONE-LABEL: func @packed_together
// ONE: %[[PANELS:.*]] = memref.alloca() {{.*}} : memref<8192xi8>
// ONE: %[[SUMS:.*]] = memref.alloca() {{.*}} : memref<64xi32>
// ONE: "llvm.x86.ldtilecfg"
// ONE: scf.for %[[PANEL:.*]] = %c0 to %c2 step
// ONE: %[[PLACE:.*]] = arith.muli %[[PANEL]], %c4096
// ONE: vector.store %{{.*}}, %[[PANELS]]
// ONE: vector.store %{{.*}}, %[[SUMS]]
// ONE: scf.for %{{.*}} = %c0 to %c5 step
// ONE: scf.for %{{.*}} = %c0 to %c2 step
// ONE-NOT: vector.store %{{.*}}, %[[PANELS]]
// ONE: "llvm.x86.tdpbssd"
// ONE: return
func.func @packed_together(%x: tensor<2x160x128xi8>, %w: tensor<2x128x64xi8>, %o: tensor<2x160x64xi8>) -> tensor<2x160x64xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<2x160x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<2x128x64xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<2x160x64xi8>)
    maps [#x, #w, #y] -> tensor<2x160x64xi8>
  return %y : tensor<2x160x64xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Without blocks of scales, panels are unpacked together for few rows too.
// ONE-LABEL: func @unpacked_together
// ONE: memref.alloca() {{.*}} : memref<26624xi8>
// ONE: scf.for %[[PANEL:.*]] = %c0 to %c3 step
// ONE: arith.muli %[[PANEL]], %c8192
// ONE: scf.for %{{.*}} = %c0 to %c5 step
// ONE: scf.for %{{.*}} = %c0 to %c3 step
// ONE: "llvm.x86.tdpbssd"
// ONE: return
func.func @unpacked_together(%x: tensor<160x256xi8>, %o: tensor<160x96xf32>) -> tensor<160x96xf32> {
  %w = arith.constant dense<1> : tensor<256x96xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<160x256xi8>)
    rhs(%w as <int4, per_channel<[1]>, scale = dense<0.5> : tensor<1x96xf32>> : tensor<256x96xi4>)
    outs(%o : tensor<160x96xf32>)
    maps [#x, #w, #y] -> tensor<160x96xf32>
  return %y : tensor<160x96xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Of a number that is not known, both kernels.
// CHECK-LABEL: func @unknown_rows
// CHECK: %[[MANY:.*]] = arith.cmpi uge, %{{.*}}, %{{.*}} : index
// CHECK: scf.if %[[MANY]]
// CHECK: ldtilecfg
// CHECK: } else {
// CHECK: vpdpbusd
func.func @unknown_rows(%x: tensor<?x64xi8>, %o: tensor<?x16xi8>) -> tensor<?x16xi8> {
  %w = arith.constant dense<1> : tensor<64x16xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<?x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<64x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<?x16xi8>)
    maps [#x, #w, #y] -> tensor<?x16xi8>
  return %y : tensor<?x16xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Panels are unpacked once for all rows, into a place of each thread: few of them are
// shared out where they are more than one, and rows never.
// CHECK-LABEL: func @threads
// CHECK: scf.parallel
// CHECK: %[[PANEL:.*]] = memref.alloca() {alignment = 64 : i64} : memref<{{.*}}xi8>
// CHECK: vector.store %{{.*}}, %[[PANEL]]
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @threads(%x: tensor<2048x256xi8>, %o: tensor<2048x64xf32>) -> tensor<2048x64xf32> {
  %w = arith.constant dense<1> : tensor<256x64xi4>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<2048x256xi8>)
    rhs(%w as <int4, per_channel<[1]>, scale = dense<0.5> : tensor<1x64xf32>> : tensor<256x64xi4>)
    outs(%o : tensor<2048x64xf32>)
    maps [#x, #w, #y] -> tensor<2048x64xf32>
  return %y : tensor<2048x64xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Panels of 64 columns, packed for another processor, have no room among tiles.
// CHECK-LABEL: func @panels_of_others
// CHECK-NOT: ldtilecfg
// CHECK: vpdpbusd
func.func @panels_of_others(%x: memref<8x4xi8>, %w: memref<256xi8>, %s: memref<64xi32>, %o: memref<8x64xi8>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : memref<8x4xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<4x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : memref<64xi32>, : memref<256xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : memref<8x64xi8>)
    maps [#x, #w, #y]
  return
}
