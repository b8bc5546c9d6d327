// RUN: quant-opt %s --quant-to-cpu=cpu=znver4 --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-to-cpu=cpu=neoverse-n1 --canonicalize --cse | FileCheck %s --check-prefix=NEON

// CHECK: memref.global "private" constant @[[ZEROS:padding.*]] : memref<{{[0-9]+}}xi8> = dense<3>

#x = affine_map<(h, w, c, i, j) -> (h + i, w + j, c)>
#w = affine_map<(h, w, c, i, j) -> (i, j, c)>
#b = affine_map<(h, w, c, i, j) -> (c)>
#y = affine_map<(h, w, c, i, j) -> (h, w, c)>

// A step of three pixels loads three columns of three rows, and carries two. Codes
// of a column are interleaved once, for the three windows it is part of.
// CHECK-LABEL: func @slide
// NEON-LABEL: func @slide
func.func @slide(%x: memref<10x10x16xi8>, %w: memref<192xi8>, %s: memref<16xi32>, %y: memref<8x8x16xi8>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c8 step %c1
  // CHECK-COUNT-6: vector.load %{{.*}} : memref<1600xi8, strided<[1]>>, vector<16xi8>
  // CHECK: %[[LEFT:.*]]:8 = scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args(%[[C0:[a-z0-9]*]] =
  // CHECK: %[[SUM:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"(%{{.*}}, %[[C0]], %{{.*}})
  // CHECK-COUNT-7: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"
  // CHECK: %[[ROW0:.*]] = vector.load
  // CHECK: %[[ROW1:.*]] = vector.load
  // CHECK: %[[ROW2:.*]] = vector.load
  // CHECK: %[[LOW:.*]] = vector.shuffle %[[ROW0]], %[[ROW1]] [0, 16, 1, 17, 2, 18, 3, 19,
  // CHECK: %[[HIGH:.*]] = vector.shuffle %[[ROW2]], %[[ROW2]] [0, 16, 1, 17, 2, 18, 3, 19,
  // CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 8, 1, 9, 2, 10, 3, 11] : vector<8xi16>
  // CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"
  // Only what is too large is clamped before it is rounded: packing saturates.
  // CHECK: arith.mulf
  // CHECK: arith.cmpf olt, %[[MOST:.*]], %{{.*}} : vector<4xf32>
  // CHECK: arith.select
  // CHECK: llvm.call_intrinsic "llvm.x86.sse2.cvtps2dq"
  // CHECK: llvm.call_intrinsic "llvm.x86.sse2.packssdw.128"
  // CHECK: llvm.intr.sadd.sat
  // CHECK: llvm.call_intrinsic "llvm.x86.sse2.packsswb.128"
  // CHECK: vector.store %{{.*}} : memref<1024xi8, strided<[1]>>, vector<16xi8>
  // CHECK-COUNT-3: vector.load %{{.*}} : memref<1600xi8, strided<[1]>>
  // CHECK: vector.store
  // CHECK-COUNT-3: vector.load %{{.*}} : memref<1600xi8, strided<[1]>>
  // CHECK: vector.store
  // CHECK-NOT: vector.load
  // CHECK: scf.yield
  // Two pixels are left.
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"(%{{.*}}, %[[LEFT]]#0, %{{.*}})
  // CHECK-COUNT-2: vector.store
  // CHECK-NOT: vector.store
  // CHECK: return
  // NEON: scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args
  // NEON-COUNT-36: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
  // NEON: scf.yield
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5, zero_point = 3> : memref<10x10x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<3x3x16xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 16, group = 4> sums %s : memref<16xi32>, : memref<192xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0, zero_point = -5> : memref<8x8x16xi8>)
    maps [#x, #w, #y]
  return
}

// Rows that are padding are read from a few zero points, at the same place for all
// pixels. Columns that are padding are known, and not read.
// CHECK-LABEL: func @zeros
func.func @zeros(%x: memref<8x8x16xi8>, %w: memref<192xi8>, %s: memref<16xi32>, %y: memref<8x8x16xi8>) {
  // CHECK-DAG: %[[PAIRS:.*]] = arith.constant dense<771> : vector<8xi16>
  // CHECK: memref.get_global @[[ZEROS]]
  // CHECK: %[[COLUMN:.*]] = vector.bitcast %[[PAIRS]] : vector<8xi16> to vector<16xi8>
  // CHECK: scf.for %[[H:.*]] = %c0 to %c8 step %c1
  // CHECK: %[[ABOVE:.*]] = arith.addi %[[H]], %c-1
  // CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[ABOVE]], %c8
  // CHECK: %[[ROW:.*]] = arith.select %[[INSIDE]], %{{.*}}, %{{.*}} : memref<?xi8
  // CHECK: %[[AT:.*]] = arith.select %[[INSIDE]], %{{.*}}, %c0 : index
  // CHECK: arith.select %[[INSIDE]], %c16, %c0 : index
  // CHECK: vpdpbusd.128"(%{{.*}}, %[[COLUMN]], %{{.*}})
  // CHECK: scf.for
  // CHECK: vpdpbusd.128"(%{{.*}}, %[[COLUMN]], %{{.*}})
  // CHECK: return
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5, zero_point = 3> : memref<8x8x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<3x3x16xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 16, group = 4> sums %s : memref<16xi32>, : memref<192xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0, zero_point = -5> : memref<8x8x16xi8>)
    maps [#x, #w, #y] padding [1, 1, 1, 1, 0, 0]
  return
}

// A scale and a zero point that only the run time knows: padding is made on the stack, and
// multipliers before the rows. What is added is values, and so is the result, which is
// stored four channels at a time.
// CHECK-LABEL: func @dynamic
func.func @dynamic(%x: memref<8x8x16xi8>, %sx: memref<f32>, %zx: memref<i32>, %w: memref<192xi8>, %s: memref<16xi32>, %b: memref<16xf32>, %r: memref<8x8x16xf32>, %y: memref<8x8x16xf32>) {
  // CHECK: llvm.intr.stacksave
  // CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{[0-9]+}}xi8>
  // CHECK: %[[CODE:.*]] = arith.trunci %{{.*}} : i32 to i8
  // CHECK: vector.broadcast %[[CODE]]
  // CHECK: %[[SX:.*]] = memref.load %{{.*}} : memref<{{.*}}f32{{.*}}>
  // CHECK: arith.mulf %{{.*}} : vector<4xf32>
  // CHECK: scf.for
  // CHECK: vpdpbusd.128
  // CHECK: arith.sitofp
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // CHECK: arith.addf
  // CHECK: vector.store %{{.*}} : memref<1024xf32, {{.*}}>, vector<4xf32>
  // CHECK: llvm.intr.stackrestore
  quant.contract lhs(%x as <uint8, per_tensor> scale %sx : memref<f32>, zero_point %zx : memref<i32>, : memref<8x8x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> in <panels, tensor<3x3x16xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 16, group = 4> sums %s : memref<16xi32>, : memref<192xi8>)
    bias(%b : memref<16xf32>) residual(%r : memref<8x8x16xf32>)
    outs(%y : memref<8x8x16xf32>)
    maps [#x, #w, #b, #y, #y] padding [1, 1, 1, 1, 0, 0]
  return
}

// Zero points of weights need sums of codes: a second product for each, with ones. Codes
// that are added are taken apart as the registers are.
// CHECK-LABEL: func @zero_points
func.func @zero_points(%x: memref<10x10x16xi8>, %w: memref<192xi8>, %s: memref<16xi32>, %r: memref<8x8x16xi8>, %y: memref<8x8x16xi8>) {
  // CHECK: %[[ONES:.*]] = arith.constant dense<[1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0]> : vector<16xi8>
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"(%{{.*}}, %[[C:.*]], %{{.*}})
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"(%{{.*}}, %[[C]], %[[ONES]])
  // CHECK: %[[R:.*]] = vector.load %{{.*}} : memref<1024xi8, {{.*}}>, vector<16xi8>
  // CHECK: vector.shuffle %[[R]], %[[R]] [0, 1, 2, 3]
  // CHECK: vector.shuffle %[[R]], %[[R]] [4, 5, 6, 7]
  // CHECK: llvm.call_intrinsic "llvm.x86.sse2.packsswb.128"
  quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5, zero_point = 3> : memref<10x10x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25, zero_point = 7> in <panels, tensor<3x3x16xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 16, group = 4> sums %s : memref<16xi32>, : memref<192xi8>)
    residual(%r as <int8, per_tensor, scale = 0.5> : memref<8x8x16xi8>)
    outs(%y as <int8, per_tensor, scale = 2.0, zero_point = -5> : memref<8x8x16xi8>)
    maps [#x, #w, #y, #y]
  return
}
