// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Two groups of 32 lanes, one column each, read weights past shared memory and add up
// what they have.
// CHECK-LABEL: func.func @rows(
// CHECK: gpu.launch_func {{.*}} blocks in (%c1, %c2, %c1) threads in (%c64, %c1, %c1)
// CHECK: gpu.func
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<128xi32, #gpu.address_space<workgroup>>
// CHECK: scf.for
// CHECK-NOT: gpu.barrier
// CHECK: spirv.SUDot
// CHECK-COUNT-2: memref.store %{{.*}}, %[[SHARED]]
// CHECK: gpu.barrier
// CHECK: scf.if
func.func @rows(%x: memref<2x1024xi8>, %w: memref<65536xi8>, %s: memref<64xi32>, %y: memref<2x64xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05> : memref<2x1024xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<1024x64xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<64xi32>, : memref<65536xi8>)
    outs(%y : memref<2x64xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A block ends within a round, as values that groups add.
// CHECK-LABEL: func.func @row(
// CHECK: workgroup(%{{.*}} : memref<64xf32, #gpu.address_space<workgroup>>
// CHECK: spirv.SDot
// CHECK: vector.fma
func.func @row(%x: memref<1x256xi8>, %w: memref<4096xi8>, %s: memref<8x32xi32>, %y: memref<1x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 1.0> : memref<1x256xi8>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<1.0> : tensor<8x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<8x32xi32>, : memref<4096xi8>)
    outs(%y : memref<1x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values beside codes: eight lanes have a panel, four columns each, and eight groups of
// them share the reduction. A nibble is the low bits of 2^23, or those that follow of
// 2^19: what is subtracted is that and its zero point. High halves of words are moved.
// CHECK-LABEL: func.func @values(
// CHECK: gpu.launch_func {{.*}} blocks in (%c1, %c2, %c1) threads in (%c64, %c1, %c1)
// CHECK: gpu.func
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<512xf32, #gpu.address_space<workgroup>>
// CHECK-DAG: %[[LOW:.*]] = arith.constant dense<0x4B000006> : vector<4xf32>
// CHECK-DAG: %[[HIGH:.*]] = arith.constant dense<5.242940e+05> : vector<4xf32>
// CHECK-DAG: %[[BASE:.*]] = arith.constant dense<1258291200> : vector<4xi32>
// CHECK-DAG: %[[NIBBLE:.*]] = arith.constant dense<15> : vector<4xi32>
// CHECK: scf.for
// CHECK-NOT: gpu.barrier
// CHECK: arith.shrui
// CHECK: %[[CODE:.*]] = arith.andi %{{.*}}, %[[NIBBLE]]
// CHECK: %[[MANTISSA:.*]] = arith.ori %[[CODE]], %[[BASE]]
// CHECK: %[[NUMBER:.*]] = arith.bitcast %[[MANTISSA]] : vector<4xi32> to vector<4xf32>
// CHECK: arith.subf %[[NUMBER]], %[[LOW]] : vector<4xf32>
// CHECK: vector.fma {{.*}} : vector<4xf32>
// CHECK: arith.subf %{{.*}}, %[[HIGH]] : vector<4xf32>
// CHECK: gpu.barrier
// CHECK: scf.if
func.func @values(%x: memref<2x1024xf32>, %w: memref<32768xi8>, %y: memref<2x64xf32>) {
  quant.contract
    lhs(%x : memref<2x1024xf32>)
    rhs(%w as <int4, per_tensor, scale = 0.01, zero_point = -2> in <panels, tensor<1024x64xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> : memref<32768xi8>)
    outs(%y : memref<2x64xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A block of 16 is the low nibbles of a chunk, or the high ones; what a minval leaves is
// multiplied with a sum of the row.
// CHECK-LABEL: func.func @minval(
// CHECK: gpu.func
// CHECK: %[[SUM:.*]] = arith.addf %{{.*}}, %{{.*}} : f32
// CHECK: vector.fma {{.*}} : vector<4xf32>
// CHECK: gpu.barrier
func.func @minval(%x: memref<1x256xf32>, %w: memref<4096xi8>, %y: memref<1x32xf32>) {
  quant.contract
    lhs(%x : memref<1x256xf32>)
    rhs(%w as <uint4, per_block<[16, 1]>, scale = dense<0.4> : tensor<16x32xf32>, minval = dense<-3.25> : tensor<16x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> : memref<4096xi8>)
    outs(%y : memref<1x32xf32>)
    maps [#x, #w, #y]
  return
}
