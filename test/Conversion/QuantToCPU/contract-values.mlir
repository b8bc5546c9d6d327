// RUN: quant-opt %s --quant-to-cpu=cpu=znver4 --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-to-cpu=cpu=x86-64 --canonicalize --cse | FileCheck %s --check-prefix=PLAIN

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Of values a group is one element, and a multiply-add takes the place of the dot
// instruction: 24 accumulators for 6 rows and 64 columns.
// CHECK-LABEL: func @values
// PLAIN-LABEL: func @values
func.func @values(%x: memref<12x64xf32>, %w: memref<16384xi8>, %y: memref<12x64xf32>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c12 step %c6
  // CHECK: %[[SUMS:.*]]:24 = scf.for %{{.*}} = %c0 to %c64 step %c1
  // CHECK: %[[BYTES:.*]] = vector.load %{{.*}} : memref<16384xi8>, vector<64xi8>
  // CHECK: vector.bitcast %{{.*}} : vector<64xi8> to vector<16xf32>
  // CHECK: memref.load
  // CHECK: vector.broadcast %{{.*}} : f32 to vector<16xf32>
  // CHECK-COUNT-24: math.fma
  // CHECK-NOT: math.fma
  // CHECK: scf.yield
  // CHECK-COUNT-24: vector.store %[[SUMS]]#{{.*}}, vector<16xf32>
  // PLAIN-NOT: math.fma
  // PLAIN: arith.mulf {{.*}} : vector<4xf32>
  // PLAIN: arith.addf {{.*}} : vector<4xf32>
  quant.contract lhs(%x : memref<12x64xf32>)
    rhs(%w in <panels, tensor<64x64xf32>, columns = [1], reduction = [0], run = 1, panel = 64, group = 1> : memref<16384xi8>)
    outs(%y : memref<12x64xf32>) maps [#x, #w, #y]
  return
}

// Codes are decoded once for all rows: (w - zw) * sw. Two nibbles share a byte; the
// parameters are those of the block.
// CHECK-LABEL: func @nibbles
func.func @nibbles(%x: memref<2x64xf32>, %w: memref<512xi8>, %y: memref<2x16xf32>) {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<11> : vector<16xi32>
  // CHECK-DAG: %[[MASK:.*]] = arith.constant dense<15> : vector<16xi8>
  // CHECK: scf.for %[[BLOCK:.*]] = %c0 to %c2 step %c1
  // CHECK: %[[SCALE:.*]] = vector.load %{{.*}} : memref<32xf32>, vector<16xf32>
  // CHECK: scf.for %{{.*}} = %c0 to %c16 step %c1
  // CHECK: %[[BYTES:.*]] = vector.load %{{.*}} : memref<512xi8>, vector<16xi8>
  // CHECK: %[[LOW:.*]] = arith.andi %[[BYTES]], %[[MASK]]
  // CHECK: %[[WIDE:.*]] = arith.extui %[[LOW]] : vector<16xi8> to vector<16xi32>
  // CHECK: %[[CENTRED:.*]] = arith.subi %[[WIDE]], %[[ZERO]]
  // CHECK: %[[VALUE:.*]] = arith.sitofp %[[CENTRED]]
  // CHECK: %[[W:.*]] = arith.mulf %[[VALUE]], %[[SCALE]]
  // CHECK: math.fma %{{.*}}, %[[W]], %{{.*}}
  quant.contract lhs(%x : memref<2x64xf32>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<[[0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 2.0], [0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 4.0]]> : tensor<2x16xf32>, zero_point = dense<3> : tensor<2x16xi8>>
      in <panels, tensor<64x16xi4>, columns = [1], reduction = [0], run = 1, panel = 16, group = 1, offset = 8> : memref<512xi8>)
    outs(%y : memref<2x16xf32>) maps [#x, #w, #y]
  return
}

#dx = affine_map<(h, w, c, i, j) -> (h + i, w + j, c)>
#dw = affine_map<(h, w, c, i, j) -> (i, j, c)>
#dy = affine_map<(h, w, c, i, j) -> (h, w, c)>

// Channels lie along a register, neighbours of the innermost loop are a tile, and
// weights are loaded for each of them, since memory is walked as it lies.
// CHECK-LABEL: func @depthwise(
func.func @depthwise(%x: memref<6x10x16xf32>, %w: memref<576xi8>, %y: memref<4x8x16xf32>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
  // CHECK-COUNT-9: vector.load %{{.*}} : memref<576xi8>, vector<64xi8>
  // CHECK-NOT: memref<576xi8>
  // CHECK-COUNT-72: math.fma
  // CHECK-COUNT-8: vector.store %{{.*}}, vector<16xf32>
  quant.contract lhs(%x : memref<6x10x16xf32>)
    rhs(%w in <panels, tensor<3x3x16xf32>, columns = [2], reduction = [0, 1], run = 2, panel = 16, group = 1> : memref<576xi8>)
    outs(%y : memref<4x8x16xf32>) maps [#dx, #dw, #dy]
  return
}

// Channels are inside of tiles of pixels.
// CHECK-LABEL: func @depthwise_channels
func.func @depthwise_channels(%x: memref<6x18x64xf32>, %w: memref<2304xi8>, %y: memref<4x16x64xf32>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
  // CHECK: scf.for %{{.*}} = %c0 to %c16 step %c8
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
  // CHECK-COUNT-9: vector.load %{{.*}} : memref<2304xi8>, vector<64xi8>
  // CHECK-COUNT-72: math.fma
  quant.contract lhs(%x : memref<6x18x64xf32>)
    rhs(%w in <panels, tensor<3x3x64xf32>, columns = [2], reduction = [0, 1], run = 2, panel = 64, group = 1> : memref<2304xi8>)
    outs(%y : memref<4x16x64xf32>) maps [#dx, #dw, #dy]
  return
}

// Of codes, weights are decoded for a row of pixels.
// CHECK-LABEL: func @depthwise_codes
func.func @depthwise_codes(%x: memref<6x18x64xf32>, %w: memref<576xi8>, %y: memref<4x16x64xf32>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
  // CHECK-COUNT-9: arith.sitofp
  // CHECK: scf.for %{{.*}} = %c0 to %c16 step %c8
  // CHECK-NOT: arith.sitofp
  // CHECK-COUNT-72: math.fma
  quant.contract lhs(%x : memref<6x18x64xf32>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<3x3x64xi8>, columns = [2], reduction = [0, 1], run = 2, panel = 64, group = 1> : memref<576xi8>)
    outs(%y : memref<4x16x64xf32>) maps [#dx, #dw, #dy]
  return
}

// Padding is not written: taps of the first and the last pixel that lie in it are
// not there, and rows that do are read from a pixel of zeros. Both loops stay
// apart, though rows follow each other in lhs and in the result.
// CHECK-LABEL: func @depthwise_padded
func.func @depthwise_padded(%x: memref<4x32x16xf32>, %w: memref<576xi8>, %y: memref<4x32x16xf32>) {
  // CHECK: %[[ZEROS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<16xf32>
  // CHECK: %[[PIXEL:.*]] = memref.cast %[[ZEROS]]
  // CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1
  // CHECK: arith.cmpi ult
  // CHECK: arith.select %{{.*}}, %{{.*}}, %[[PIXEL]] : memref<
  // CHECK: scf.if
  // CHECK-COUNT-69: math.fma
  // CHECK-NOT: math.fma
  // CHECK: scf.for %{{.*}} = %c8 to %c24 step %c8
  // CHECK-COUNT-72: math.fma
  // CHECK-NOT: math.fma
  // CHECK: }
  // CHECK-COUNT-69: math.fma
  // CHECK-NOT: math.fma
  // CHECK: else
  // CHECK-COUNT-210: math.fma
  // CHECK-NOT: math.fma
  // CHECK: return
  quant.contract lhs(%x : memref<4x32x16xf32>)
    rhs(%w in <panels, tensor<3x3x16xf32>, columns = [2], reduction = [0, 1], run = 2, panel = 16, group = 1> : memref<576xi8>)
    outs(%y : memref<4x32x16xf32>) maps [#dx, #dw, #dy] padding [1, 1, 1, 1, 0, 0]
  return
}
