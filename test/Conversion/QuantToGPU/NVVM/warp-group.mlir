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
// two products, and 128 rows of lhs. Registers of a step are written again when its products of
// the stage before have been waited for: three steps may be under way then.
// CHECK-LABEL: func.func @nibbles(
// CHECK: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: nvvm.wgmma.wait.group.sync.aligned 3
// CHECK: nvgpu.ldmatrix {{.*}} -> vector<4x4xi8>
// CHECK: nvvm.wgmma.fence.aligned
// CHECK-COUNT-2: llvm.inline_asm has_side_effects "{{.*}}wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.u8 {
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK-COUNT-3: nvvm.wgmma.wait.group.sync.aligned 3
// CHECK-COUNT-2: llvm.inline_asm
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.wgmma.wait.group.sync.aligned 4
func.func @nibbles(%x: memref<32768x512xi8>, %w: memref<32768xi8>, %s: memref<128xi32>, %y: memref<32768x128xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : memref<32768x512xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.01> in <panels, tensor<512x128xi4>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16, offset = 8> sums %s : memref<128xi32>, : memref<32768xi8>)
    outs(%y : memref<32768x128xf32>)
    maps [#x, #w, #y]
  return
}
