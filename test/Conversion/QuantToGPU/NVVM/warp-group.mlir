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

// A tile of two panels, where there are enough for all cores: three groups have 64 rows and
// 256 columns each, one product for each of the four steps. The second panel begins 65536
// bytes behind the first. A lane has 32 columns of each panel.
// CHECK-LABEL: func.func @two_panels(
// CHECK: %[[BYTES:.*]] = arith.constant 229376 : i32
// CHECK: gpu.launch_func {{.*}} blocks in (%c43, %c32, %c1) threads in (%c384, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
// CHECK: gpu.func
// CHECK: %[[THREAD:.*]] = gpu.thread_id x
// CHECK: %[[COLUMN:.*]] = arith.remui %[[THREAD]], %c256
// CHECK: %[[PANEL:.*]] = arith.divui %[[COLUMN]], %c128
// CHECK: arith.muli %[[PANEL]], %c65536
// CHECK: scf.for
// CHECK-COUNT-4: nvvm.wgmma.mma_async {{.*}} <m = 64, n = 256, k = 32>
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: scf.yield
// CHECK-COUNT-4: arith.sitofp %{{.*}} : vector<32xi32> to vector<32xf32>
// CHECK-NOT: arith.sitofp
func.func @two_panels(%x: memref<8192x512xi8>, %w: memref<4194304xi8>, %s: memref<8192xi32>, %y: memref<8192x8192xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<8192x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<512x8192xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<8192xi32>, : memref<4194304xi8>)
    outs(%y : memref<8192x8192xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Zero points of bytes are subtracted from sums, for which rows are summed: products with
// eight columns of ones, which stand behind four stages of 24576 bytes.
// CHECK-LABEL: func.func @sums_of_rows(
// CHECK: %[[BYTES:.*]] = arith.constant 98560 : i32
// CHECK: gpu.launch_func {{.*}} dynamic_shared_memory_size %[[BYTES]]
// CHECK: gpu.func
// CHECK: %[[ONES:.*]] = arith.constant dense<1> : vector<16xi8>
// CHECK: vector.store %[[ONES]]
// CHECK: scf.for
// CHECK: nvvm.fence.proxy
// CHECK: gpu.barrier
// CHECK: nvvm.wgmma.mma_async {{.*}} <m = 64, n = 128, k = 32>, D[<s32>, <one>], A[<u8>, <one>, <row>], B[<s8>, <one>, <col>]
// CHECK: nvvm.wgmma.mma_async {{.*}} <m = 64, n = 8, k = 32>, D[<s32>, <one>], A[<u8>, <one>, <row>], B[<s8>, <one>, <col>]
// CHECK: scf.yield
// CHECK-NOT: gpu.shuffle
func.func @sums_of_rows(%x: memref<128x512xi8>, %w: memref<65536xi8>, %s: memref<128xi32>, %y: memref<128x128xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05, zero_point = 3> : memref<128x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01, zero_point = 7> in <panels, tensor<512x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<65536xi8>)
    outs(%y : memref<128x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// The last of an odd number of panels has no neighbour.
// CHECK-LABEL: func.func @odd_panels(
// CHECK: gpu.launch_func {{.*}} blocks in (%c32, %c63, %c1) threads in (%c256, %c1, %c1)
// CHECK-COUNT-8: nvvm.wgmma.mma_async {{.*}} <m = 64, n = 128, k = 32>
func.func @odd_panels(%x: memref<8192x512xi8>, %w: memref<4128768xi8>, %s: memref<8064xi32>, %y: memref<8192x8064xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<8192x512xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<512x8064xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<8064xi32>, : memref<4128768xi8>)
    outs(%y : memref<8192x8064xf32>)
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

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes of fp8 are values of f16 in shared memory: they are read before products are issued,
// and stored behind them.
// CHECK-LABEL: func.func @small_floats(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: vector.load {{.*}} vector<8xi8>
// CHECK: gpu.barrier
// CHECK: wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: nvvm.convert.f8x2.to.f16x2
// CHECK: vector.store {{.*}} vector<8xf16>
// CHECK: nvgpu.device_async_copy
// CHECK: scf.yield
func.func @small_floats(%x: memref<128x512xi8>, %w: memref<65536xi8>, %y: memref<128x128xf32>) {
  quant.contract
    lhs(%x as <float8_e4m3fn, per_tensor, scale = 0.05> : memref<128x512xi8>)
    rhs(%w as <float8_e4m3fn, per_tensor, scale = 0.01> in <panels, tensor<512x128xf8E4M3FN>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> : memref<65536xi8>)
    outs(%y : memref<128x128xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// f32 is three bf16 there, which are multiplied with the same registers.
// CHECK-LABEL: func.func @three_parts(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK: vector.load {{.*}} vector<8xf32>
// CHECK: gpu.barrier
// CHECK-COUNT-12: wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16
// CHECK-COUNT-3: vector.store {{.*}} vector<8xbf16>
// CHECK: scf.yield
func.func @three_parts(%x: memref<128x512xf32>, %w: memref<65536xi8>, %y: memref<128x128xf32>) {
  quant.contract
    lhs(%x : memref<128x512xf32>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<512x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> : memref<65536xi8>)
    outs(%y : memref<128x128xf32>)
    maps [#x, #w, #y]
  return
}
