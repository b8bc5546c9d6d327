// RUN: quant-opt %s -split-input-file --quant-to-gpu="target=nvvm arch=sm_90a" --canonicalize --cse | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Four warps multiply 64 rows and 128 columns at once, from shared memory, of which a
// launch asks for four stages: two such products for each of the four steps of a stage, by
// each of two groups of four warps. They wait for those of the stage before while these go
// on, and what was copied is seen by them behind the barrier.
// CHECK-LABEL: func.func @group(
// CHECK: %[[BYTES:.*]] = arith.constant 196608 : i32
// CHECK: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
// CHECK: gpu.func
// CHECK: gpu.dynamic_shared_memory
// CHECK: scf.for
// CHECK: nvvm.cp.async.wait.group 1
// CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
// CHECK: gpu.barrier
// CHECK: nvvm.wgmma.fence.aligned
// CHECK-COUNT-8: nvvm.wgmma.mma_async {{.*}} <m = 64, n = 128, k = 32>, D[<s32>, <one>], A[<u8>, <one>, <row>], B[<s8>, <one>, <col>]
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK: scf.yield
// CHECK: nvvm.wgmma.wait.group.sync.aligned 0
// CHECK-NOT: ldmatrix
// CHECK: arith.sitofp %{{.*}} : vector<32xi32> to vector<32xf32>
func.func @group(%x: memref<32768x512xi8>, %w: memref<65536xi8>, %s: memref<128xi32>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : memref<32768x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<512x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<65536xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Nibbles become bytes in registers, which are the first factor then: 64 columns for each of
// two products, and 128 rows of lhs. Registers of two steps are written again when their
// products of the stage before have been waited for: those of two others may be under way.
// CHECK-LABEL: func.func @nibbles(
// CHECK: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK-COUNT-2: nvgpu.ldmatrix {{.*}} -> vector<4x4xi8>
// CHECK: nvvm.wgmma.fence.aligned
// CHECK-COUNT-4: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.u8 {
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK-COUNT-4: llvm.inline_asm
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.wgmma.wait.group.sync.aligned 2
func.func @nibbles(%x: memref<32768x512xi8>, %w: memref<32768xi8>, %s: memref<128xi32>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : memref<32768x512xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.01> in <panels, tensor<512x128xi4>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16, offset = 8> sums %s : memref<128xi32>, : memref<32768xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Zero points of nibbles are subtracted from codes, in bytes that do not borrow from each
// other: no row is summed, and sums are not shifted.
// CHECK-LABEL: func.func @zero_points(
// CHECK: gpu.func
// CHECK-DAG: %[[OFFSET:.*]] = arith.constant 84215045 : i32
// CHECK: scf.for
// CHECK: %[[CODES:.*]] = arith.andi %{{.*}}, %c252645135
// CHECK: %[[ABOVE:.*]] = arith.ori %[[CODES]], %c-2139062144
// CHECK: %[[LESS:.*]] = arith.subi %[[ABOVE]], %[[OFFSET]]
// CHECK: arith.xori %[[LESS]], %c-2139062144
// CHECK: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {
// CHECK-NOT: arith.shrsi
// CHECK: return
func.func @zero_points(%x: memref<32768x512xi8>, %w: memref<32768xi8>, %s: memref<128xi32>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<32768x512xi8>)
    rhs(%w as <uint4, per_tensor, scale = 0.01, zero_point = 5> in <panels, tensor<512x128xi4>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<32768xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A stage has two blocks. 64 rows of one are multiplied while the sums of those before, of
// the stage before at first, are added; factors of a block are loaded while products of
// the other are under way. First products add to nothing.
// CHECK-LABEL: func.func @blocks(
// CHECK: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: nvvm.cp.async.wait.group 1
// CHECK: gpu.barrier
// CHECK-COUNT-2: nvgpu.ldmatrix {{.*}} -> vector<4x4xi8>
// CHECK: nvvm.wgmma.wait.group.sync.aligned 0
// CHECK: nvvm.wgmma.fence.aligned
// CHECK: llvm.inline_asm has_side_effects "{{.*}}setp.ne.b32 p, 0, 0;{{.*}}wgmma.mma_async.sync.aligned.m64n64k32.s32.s8.s8 {
// CHECK-COUNT-3: llvm.inline_asm has_side_effects "{{.*}}setp.ne.b32 p, 1, 0;{{.*}}wgmma.mma_async.sync.aligned.m64n64k32.s32.s8.s8 {
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: nvgpu.device_async_copy
// CHECK: arith.sitofp %{{.*}} : vector<2xi32> to vector<2xf32>
// CHECK: vector.fma
// CHECK: nvvm.wgmma.fence.aligned
// CHECK-COUNT-4: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK-NOT: arith.shrsi
// CHECK: vector.fma
// CHECK-COUNT-2: nvgpu.ldmatrix {{.*}} -> vector<4x4xi8>
// CHECK-COUNT-8: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK: scf.yield
// CHECK: nvvm.wgmma.wait.group.sync.aligned 0
// CHECK: vector.fma
func.func @blocks(%x: memref<32768x1024xi8>, %w: memref<65536xi8>, %s: memref<8x128xi32>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<32768x1024xi8>)
    rhs(%w as <int4, per_block<[128, 1]>, scale = dense<1.0> : tensor<8x128xf32>> in <panels, tensor<1024x128xi4>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16, offset = 8> sums %s : memref<8x128xi32>, : memref<65536xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Beside values a lane reads two bytes of each half of a chunk of a column, whose nibbles
// are those of two steps; they become values less their zero point, which are the first
// factor. A part of 64 values is added like a block.
// CHECK-LABEL: func.func @values(
// CHECK: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK-NOT: ldmatrix
// CHECK-COUNT-8: memref.load %{{.*}} : memref<{{[0-9]+}}xf16, #gpu.address_space<workgroup>>
// CHECK-NOT: memref.load
// CHECK: llvm.inline_asm has_side_effects "{{.*}}setp.ne.b32 p, 0, 0;{{.*}}wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {{{.*}}, p, 1, 1, 0;
// CHECK-COUNT-3: llvm.inline_asm has_side_effects "{{.*}}setp.ne.b32 p, 1, 0;{{.*}}wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {
// CHECK: vector.fma %{{.*}} : vector<2xf32>
// CHECK-COUNT-4: llvm.inline_asm has_side_effects
// CHECK-COUNT-8: memref.load %{{.*}} : memref<{{[0-9]+}}xf16, #gpu.address_space<workgroup>>
// CHECK: scf.yield
func.func @values(%x: memref<32768x512xf16>, %w: memref<32768xi8>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x : memref<32768x512xf16>)
    rhs(%w as <int4, per_block<[128, 1]>, scale = dense<1.0> : tensor<4x128xf32>> in <panels, tensor<512x128xi4>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16, offset = 8> : memref<32768xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Bytes beside bf16, with one scale for each column: 128 rows at once, and two such
// products of each of two groups of four warps, which have 64 columns each.
// CHECK-LABEL: func.func @bytes_of_values(
// CHECK: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1)
// CHECK: scf.for
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK-COUNT-4: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK-COUNT-4: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {
// CHECK: nvvm.wgmma.wait.group.sync.aligned 2
// CHECK: scf.yield
// CHECK: nvvm.wgmma.wait.group.sync.aligned 0
// CHECK: arith.mulf %{{.*}} : vector<2xf32>
func.func @bytes_of_values(%x: memref<32768x512xbf16>, %w: memref<65536xi8>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x : memref<32768x512xbf16>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<512x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> : memref<65536xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}
