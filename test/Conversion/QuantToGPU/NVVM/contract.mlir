// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Of few rows eight stages of 128 bytes: 32 rows of lhs, 32 columns of rhs, for which the
// launch asks. Seven of them are on their way before the loop; a lane copies 16 bytes at
// once, twice of each side.
// CHECK-LABEL: func.func @pipeline(
// CHECK: gpu.launch_func @[[NAME:.*]]::@[[NAME]] blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %c65536_i32
// CHECK: gpu.func @[[NAME]](
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>
// CHECK: %[[ALL:.*]] = gpu.dynamic_shared_memory
// CHECK: %[[SHARED:.*]] = memref.view %[[ALL]]{{.*}} to memref<65536xi8, #gpu.address_space<workgroup>>
// CHECK-COUNT-28: nvgpu.device_async_copy %{{.*}}, 16 {bypassL1}
// CHECK: nvvm.cp.async.commit.group
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c8
// CHECK-NEXT: nvvm.cp.async.wait.group 6
// CHECK-NEXT: gpu.barrier
// CHECK: scf.if
// CHECK-COUNT-4: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group

// Each warp has 16 rows and 16 columns of the result.
// CHECK: nvgpu.ldmatrix %[[SHARED]][%{{.*}}] {numTiles = 4 : i32, transpose = false}
// CHECK: nvgpu.ldmatrix %[[SHARED]][%{{.*}}] {numTiles = 4 : i32, transpose = false}
// CHECK-COUNT-2: nvvm.mma.sync {{.*}} {intOverflowBehavior = #nvvm.mma_int_overflow<wrapped>, {{.*}} multiplicandAPtxType = #nvvm.mma_type<s8>, multiplicandBPtxType = #nvvm.mma_type<s8>, shape = #nvvm.shape<m = 16, n = 8, k = 32>}
// CHECK: nvgpu.ldmatrix
// CHECK: scf.yield

// Sums become codes in registers; a lane has four columns that follow each other.
// CHECK-NOT: memref.alloc
// CHECK: arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: vector.store %{{.*}} {alignment = 4 : i64} : memref<?xi8>, vector<4xi8>
func.func @pipeline(%x: memref<32x1024xi8>, %w: memref<32768xi8>, %s: memref<32xi32>, %b: memref<32xi32>, %y: memref<32x32xi8>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : memref<32x1024xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<1024x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<32xi32>, : memref<32768xi8>)
    bias(%b : memref<32xi32>)
    outs(%y as <int8, per_tensor, scale = 0.1, zero_point = 5> : memref<32x32xi8>)
    maps [#x, #w, #b, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// 70 codes of a row are 64 and 6, and rows are not at multiples of four bytes:
// single codes are read, zeros beyond the row. Of 5 rows the others are not
// stored. Unsigned codes are multiplied as they are.
// CHECK-LABEL: func.func @ragged(
// CHECK: arith.cmpi ult, %{{.*}}, %c5
// CHECK: memref.load %{{.*}} : memref<?xi8>
// CHECK: arith.select %{{.*}}, %{{.*}}, %c0_i8
// CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<{{.*}}xi8, #gpu.address_space<workgroup>>, vector<16xi8>
// CHECK: nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<u8>, multiplicandBPtxType = #nvvm.mma_type<s8>
// CHECK: %[[EXISTS:.*]] = arith.cmpi ult, %{{.*}}, %c5
// CHECK: scf.if %[[EXISTS]]
// CHECK: vector.store
func.func @ragged(%x: memref<5x70xi8>, %w: memref<2560xi8>, %s: memref<24xi32>, %y: memref<5x24xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : memref<5x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<24xi32>, : memref<2560xi8>)
    outs(%y : memref<5x24xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Four bytes of nibbles are two words of 16 times the code, by three operations
// that the machine has; what is 16 times too large is so until the sum.
// CHECK-LABEL: func.func @nibbles(
// CHECK-DAG: %[[HIGH:.*]] = arith.constant -252645136 : i32
// CHECK-DAG: %[[SIGN:.*]] = arith.constant -2139062144 : i32
// CHECK: %[[UP:.*]] = arith.shli %[[WORD:.*]], %c4_i32
// CHECK-NEXT: %[[LOW:.*]] = arith.andi %[[UP]], %[[HIGH]]
// CHECK-NEXT: arith.xori %[[LOW]], %[[SIGN]]
// CHECK-NEXT: %[[REST:.*]] = arith.andi %[[WORD]], %[[HIGH]]
// CHECK-NEXT: arith.xori %[[REST]], %[[SIGN]]
// CHECK: nvvm.mma.sync
// CHECK: arith.shrsi %{{.*}}, %{{.*}} : vector<4xi32>
// CHECK-NEXT: arith.sitofp
func.func @nibbles(%x: memref<32x64xi8>, %w: memref<1024xi8>, %s: memref<32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<32x64xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.01> in <panels, tensor<64x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<32xi32>, : memref<1024xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Workgroups that run at the same time have a square of the result: strips of 2048 rows, 32
// tiles of 64 here, whose two panels follow each other; the last strip may have fewer.
// CHECK-LABEL: func.func @strips(
// CHECK: gpu.launch_func {{.*}} blocks in (%c64, %c2, %c1)
// CHECK: %[[X:.*]] = gpu.block_id x
// CHECK: %[[Y:.*]] = gpu.block_id y
// CHECK: %[[BEFORE:.*]] = arith.muli %[[Y]], %c64
// CHECK: %[[NUMBER:.*]] = arith.addi %[[X]], %[[BEFORE]]
// CHECK: %[[STRIP:.*]] = arith.divui %[[NUMBER]], %c64
// CHECK: %[[FIRST:.*]] = arith.muli %[[STRIP]], %c32
// CHECK: %[[IN:.*]] = arith.remui %[[NUMBER]], %c64
// CHECK: %[[REST:.*]] = arith.subi %c64, %[[FIRST]]
// CHECK: %[[HEIGHT:.*]] = arith.minui %[[REST]], %c32
// CHECK: arith.divui %[[IN]], %[[HEIGHT]]
// CHECK: %[[TILE:.*]] = arith.remui %[[IN]], %[[HEIGHT]]
// CHECK: arith.addi %[[FIRST]], %[[TILE]]
func.func @strips(%x: memref<4096x64xi8>, %w: memref<16384xi8>, %s: memref<256xi32>, %y: memref<4096x256xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<4096x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<64x256xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<256xi32>, : memref<16384xi8>)
    outs(%y : memref<4096x256xf32>)
    maps [#x, #w, #y]
  return
}
