// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s

// Right-hand sides of sizes that only the run time knows: two kernels, of which the first
// one is for multiples of 16.

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// Panels are as many as columns need. A row of results begins at a multiple of 16 bytes,
// and a lane stores what it has at once; or nobody knows where it begins.
// CHECK-LABEL: func.func @columns(
// CHECK-SAME: %[[Y:[^:]*]]: memref<3x192x?xi8>)
// CHECK: %[[N:.*]] = memref.dim %[[Y]], %c2
// CHECK: %[[REST:.*]] = arith.remui %[[N]], %c16
// CHECK: %[[WHOLE:.*]] = arith.cmpi eq, %[[REST]], %c0
// CHECK: scf.if %[[WHOLE]] {
// CHECK: %[[PANELS:.*]] = arith.ceildivui %[[N]], %c128
// CHECK: gpu.launch_func @contract::@contract blocks in (%{{.*}}, %[[PANELS]], %c3)
// CHECK: } else {
// CHECK: gpu.launch_func @contract_0::@contract_0 blocks in (%{{.*}}, %{{.*}}, %c3)
// CHECK: gpu.func @contract(
// CHECK-COUNT-2: nvgpu.device_async_copy %{{.*}}, 16 {bypassL1}
// CHECK: nvvm.mma.sync
// CHECK: vector.store %{{.*}} : memref<?xi8>, vector<8xi8>
// CHECK: gpu.func @contract_0(
// CHECK: nvgpu.device_async_copy %{{.*}}, 16 {bypassL1}
// CHECK: nvvm.mma.sync
// CHECK-NOT: memref<?xi8>, vector<8xi8>
// CHECK: vector.store %{{.*}} : memref<?xi8>, vector<1xi8>
func.func @columns(%q: memref<3x192x64xi8>, %p: memref<?xi8>, %s: memref<3x?xi32>, %y: memref<3x192x?xi8>) {
  quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.05, zero_point = 7> : memref<3x192x64xi8>)
    rhs(%p as <int8, per_tensor, scale = 0.04> in <panels, tensor<3x?x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 128, group = 16> sums %s : memref<3x?xi32>, : memref<?xi8>)
    outs(%y as <int8, per_tensor, scale = 9.0> : memref<3x192x?xi8>)
    maps [#q, #k, #y]
  return
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// So many stages, none of which may be there, and sums less the zero point of as many
// codes. Copies of 16 bytes, or single codes; of an empty buffer nothing is read.
// CHECK-LABEL: func.func @reduction(
// CHECK-SAME: %[[P:[^:]*]]: memref<96x?xi8>
// CHECK: %[[K:.*]] = memref.dim %[[P]], %c1
// CHECK: scf.if
// CHECK: %[[NONE:.*]] = arith.cmpi eq, %[[K]], %c0
// CHECK: arith.select %[[NONE]], %{{.*}}, %{{.*}} : memref<?xi8>
// CHECK: %[[CHUNKS:.*]] = arith.ceildivui %[[K]], %c16
// CHECK: arith.ceildivui %[[CHUNKS]], %c4
// CHECK: gpu.launch_func @contract::
// CHECK: gpu.launch_func @contract_0::
// CHECK: gpu.func @contract(
// CHECK: scf.if
// CHECK: nvgpu.device_async_copy %{{.*}}, 16, %{{.*}} {bypassL1}
// CHECK: scf.for %{{.*}} = %c0 to %arg{{.*}} step
// CHECK: arith.index_cast %arg{{.*}} : index to i32
// CHECK: gpu.func @contract_0(
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi8>
func.func @reduction(%p: memref<96x?xi8>, %v: memref<?xi8>, %s: memref<64xi32>, %y: memref<96x64xf32>) {
  quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.05, zero_point = 7> : memref<96x?xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.04, zero_point = 3> in <panels, tensor<?x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16> sums %s : memref<64xi32>, : memref<?xi8>)
    outs(%y : memref<96x64xf32>)
    maps [#p, #v, #y]
  return
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// One row streams where its words are aligned.
// CHECK-LABEL: func.func @row(
// CHECK: gpu.func @contract(
// CHECK-NOT: mma.sync
// CHECK: gpu.func @contract_0(
// CHECK: mma.sync
func.func @row(%p: memref<1x?xi8>, %v: memref<?xi8>, %s: memref<64xi32>, %y: memref<1x64xf32>) {
  quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.05> : memref<1x?xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.04> in <panels, tensor<?x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16> sums %s : memref<64xi32>, : memref<?xi8>)
    outs(%y : memref<1x64xf32>)
    maps [#p, #v, #y]
  return
}

// -----

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// The reduction is of 70, as panels say, and no multiple of 16 in either kernel.
// CHECK-LABEL: func.func @known_elsewhere(
// CHECK: gpu.func @contract(
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi8>
// CHECK: gpu.func @contract_0(
func.func @known_elsewhere(%q: memref<3x192x?xi8>, %p: memref<?xi8>, %s: memref<3x?xi32>, %y: memref<3x192x?xi8>) {
  quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.05> : memref<3x192x?xi8>)
    rhs(%p as <int8, per_tensor, scale = 0.04> in <panels, tensor<3x?x70xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 128, group = 16> sums %s : memref<3x?xi32>, : memref<?xi8>)
    outs(%y as <int8, per_tensor, scale = 9.0> : memref<3x192x?xi8>)
    maps [#q, #k, #y]
  return
}
