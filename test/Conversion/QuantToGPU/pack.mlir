// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,NVVM
// RUN: quant-opt %s --quant-to-gpu=target=rocdl --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,ROCDL
// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,SPIRV

// One launch reads, packs and adds up. A run follows each other in memory: 16 bytes of
// it are one load and one store, and nothing has to be asked, as all is whole.
// CHECK-LABEL: func.func @run(
// CHECK: gpu.launch_func
// CHECK-NOT: gpu.launch_func
// CHECK: gpu.func @pack
// CHECK-NOT: scf.if
// NVVM-COUNT-2: vector.load %{{.*}} : memref<?xi32>, vector<4xi32>
// NVVM-NOT: vector.load
// NVVM-COUNT-2: vector.store %{{.*}} : memref<?xi32>, vector<4xi32>
// NVVM: gpu.barrier
// ROCDL-COUNT-8: llvm.call_intrinsic "llvm.amdgcn.sdot4"
// SPIRV-COUNT-8: spirv.SDot
// CHECK: memref.store %{{.*}} : memref<?xi32>
func.func @run(%k: memref<32x4096x128xi8>, %p: memref<16777216xi8>, %s: memref<32x4096xi32>) {
  quant.pack_columns ins(%k as <int8, per_tensor> : memref<32x4096x128xi8>) in <panels, tensor<32x4096x128xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 128, group = 16> outs(%p, %s : memref<16777216xi8>, memref<32x4096xi32>)
  return
}

// -----

// Columns follow each other: words of four, from 16 positions of the run, are
// transposed in registers. Codes without signs are flipped, and sums are of them as they
// were: 128 less for each of 4096.
// CHECK-LABEL: func.func @columns(
// CHECK: gpu.func @pack
// CHECK: scf.for
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi32>
// CHECK-NOT: memref.load %{{.*}} : memref<?xi32>
// NVVM-DAG: vector.shuffle
// ROCDL-DAG: llvm.call_intrinsic "llvm.amdgcn.perm"
// NVVM-COUNT-4: vector.store
// CHECK: gpu.barrier
// CHECK: arith.{{subi %.*, %c-524288_i32|addi %.*, %c524288_i32}}
func.func @columns(%v: memref<32x4096x128xi8>, %p: memref<16777216xi8>, %s: memref<32x128xi32>) {
  quant.pack_columns ins(%v as <uint8, per_tensor> : memref<32x4096x128xi8>) in <panels, tensor<32x4096x128xi8>, batch = [0], columns = [2], reduction = [1], run = 1, panel = 128, group = 16, offset = -128> outs(%p, %s : memref<16777216xi8>, memref<32x128xi32>)
  return
}

// -----

// Neither words of columns nor of a run: single bytes. Those past the run become 0, and
// columns past the last one have panels, but no sums.
// CHECK-LABEL: func.func @bytes(
// CHECK: gpu.func @pack
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi8>
// CHECK-NOT: memref.load %{{.*}} : memref<?xi8>
// CHECK: memref.store %{{.*}} : memref<?xi32>
func.func @bytes(%k: memref<70x33xi8>, %p: memref<6144xi8>, %s: memref<70xi32>) {
  quant.pack_columns ins(%k as <int8, per_tensor> : memref<70x33xi8>) in <panels, tensor<70x33xi8>, columns = [0], reduction = [1], run = 1, panel = 128, group = 16> outs(%p, %s : memref<6144xi8>, memref<70xi32>)
  return
}

// -----

// Nibbles: two groups of a column share their bytes.
// CHECK-LABEL: func.func @nibbles(
// CHECK: gpu.func @pack
// CHECK-DAG: arith.constant 252645135 : i32
// CHECK-DAG: arith.constant 134744072 : i32
// CHECK: arith.shli %{{.*}}, %c4_i32
// CHECK: arith.ori
func.func @nibbles(%k: memref<64x64xi8>, %p: memref<2048xi8>, %s: memref<64xi32>) {
  quant.pack_columns ins(%k as <int4, per_tensor> : memref<64x64xi8>) in <panels, tensor<64x64xi4>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16, offset = 8> outs(%p, %s : memref<2048xi8>, memref<64xi32>)
  return
}

// -----

// Workgroups have a block each, and no sum of another.
// CHECK-LABEL: func.func @blocks(
// CHECK: gpu.launch_func @pack::@pack blocks in (%{{.*}}, %c3, %{{.*}})
// CHECK: gpu.func @pack
// CHECK: gpu.block_id y
func.func @blocks(%k: memref<64x144xi8>, %p: memref<9216xi8>, %s: memref<3x64xi32>) {
  quant.pack_columns ins(%k as <int8, per_block<[1, 64]>> : memref<64x144xi8>) in <panels, tensor<64x144xi8>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16> outs(%p, %s : memref<9216xi8>, memref<3x64xi32>)
  return
}

// -----

// As many keys as the run time says, of 64 codes each: words as before, since all rows
// begin at multiples of them. Workgroups are as many as panels need, and loops as long.
// CHECK-LABEL: func.func @unknown_columns(
// CHECK-SAME: %[[K:[^:]*]]: memref<3x?x64xi8>
// CHECK: %[[N:.*]] = memref.dim %[[K]], %c1
// CHECK: %[[PANELS:.*]] = arith.ceildivui %[[N]], %c128
// CHECK: %[[COLUMNS:.*]] = arith.muli %[[PANELS]], %c128
// CHECK: %[[X:.*]] = arith.ceildivui %[[COLUMNS]], %c{{.*}}
// CHECK: gpu.launch_func @pack::@pack blocks in (%[[X]], %c1, %c3)
// CHECK-NOT: gpu.launch_func
// CHECK: gpu.func @pack
// CHECK-NOT: memref<?xi8>
// NVVM: vector.load %{{.*}} : memref<?xi32>, vector<4xi32>
func.func @unknown_columns(%k: memref<3x?x64xi8>, %p: memref<?xi8>, %s: memref<3x?xi32>) {
  quant.pack_columns ins(%k as <int8, per_tensor> : memref<3x?x64xi8>) in <panels, tensor<3x?x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 128, group = 16> outs(%p, %s : memref<?xi8>, memref<3x?xi32>)
  return
}

// -----

// A reduction of unknown size, columns beside each other: what a sum has too much is
// counted when the kernel runs.
// CHECK-LABEL: func.func @unknown_reduction(
// CHECK: arith.ceildivui %{{.*}}, %c16
// CHECK: gpu.launch_func
// CHECK-NOT: gpu.launch_func
// CHECK: gpu.func @pack
// CHECK: scf.for %{{.*}} = %c0 to %{{arg.*}} step
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi32>
// CHECK: %[[COUNT:.*]] = arith.index_cast %arg{{.*}} : index to i32
// CHECK: arith.muli %[[COUNT]], %c-128_i32
func.func @unknown_reduction(%v: memref<3x?x48xi8>, %p: memref<?xi8>, %s: memref<3x48xi32>) {
  quant.pack_columns ins(%v as <uint8, per_tensor> : memref<3x?x48xi8>) in <panels, tensor<3x?x48xi8>, batch = [0], columns = [2], reduction = [1], run = 1, panel = 64, group = 16, offset = -128> outs(%p, %s : memref<?xi8>, memref<3x48xi32>)
  return
}

// -----

// Rows of unknown size: words where it is a multiple of 16, and single bytes where not.
// CHECK-LABEL: func.func @unknown_rows(
// CHECK: %[[REST:.*]] = arith.remui %{{.*}}, %c16
// CHECK: %[[WHOLE:.*]] = arith.cmpi eq, %[[REST]], %c0
// CHECK: scf.if %[[WHOLE]] {
// CHECK: gpu.launch_func @pack::@pack
// CHECK: } else {
// CHECK: gpu.launch_func @pack_0::@pack_0
// CHECK: gpu.func @pack(
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi32>
// CHECK: gpu.func @pack_0(
// CHECK-COUNT-16: memref.load %{{.*}} : memref<?xi8>
func.func @unknown_rows(%k: memref<64x?xi8>, %p: memref<?xi8>, %s: memref<?xi32>) {
  quant.pack_columns ins(%k as <int8, per_tensor> : memref<64x?xi8>) in <panels, tensor<64x?xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> outs(%p, %s : memref<?xi8>, memref<?xi32>)
  return
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// One head of values. Codes without a zero point are multiplied, so nobody reads sums:
// none are made, and workgroups share the reduction. Nobody waits for anybody.
// CHECK-LABEL: func.func @unread_sums(
// CHECK: gpu.launch_func @pack::@pack blocks in (%{{c[0-9]+}}, %c{{[2-9]|[1-9][0-9]+}}, %c1)
// A tile of Vulkan's is a quarter of such a panel.
// SPIRV: gpu.launch_func @contract::@contract blocks in (%c3, %c4, %c1)
// CHECK: gpu.func @pack(%{{[^,]*}}: memref<?xi32>, %{{[^,]*}}: memref<?xi32>) kernel
// CHECK-NOT: gpu.barrier
// NVVM-NOT: dp4a
// ROCDL-NOT: sdot4
// SPIRV-NOT: SDot
// CHECK: gpu.func @contract
func.func @unread_sums(%p: memref<96x4096xi8>, %v: memref<4096x128xi8>, %y: memref<96x128xf32>) {
  %panels = memref.alloc() : memref<524288xi8>
  %s = memref.alloc() : memref<128xi32>
  quant.pack_columns ins(%v as <int8, per_tensor> : memref<4096x128xi8>) in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> outs(%panels, %s : memref<524288xi8>, memref<128xi32>)
  quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.05> : memref<96x4096xi8>)
    rhs(%panels as <int8, per_tensor, scale = 0.04, zero_point = 3> in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<524288xi8>)
    outs(%y : memref<96x128xf32>)
    maps [#p, #v, #y]
  memref.dealloc %panels : memref<524288xi8>
  memref.dealloc %s : memref<128xi32>
  return
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A zero point is subtracted as often as a column has codes' worth, MFMA's of codes
// without signs too.
// CHECK-LABEL: func.func @read_sums(
// CHECK: gpu.launch_func @pack::@pack blocks in (%{{.*}}, %c1, %c1)
// CHECK: gpu.func @pack
// CHECK: gpu.barrier
// CHECK: gpu.func @contract
func.func @read_sums(%p: memref<96x4096xi8>, %v: memref<4096x128xi8>, %y: memref<96x128xf32>) {
  %panels = memref.alloc() : memref<524288xi8>
  %s = memref.alloc() : memref<128xi32>
  quant.pack_columns ins(%v as <int8, per_tensor> : memref<4096x128xi8>) in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> outs(%panels, %s : memref<524288xi8>, memref<128xi32>)
  quant.contract
    lhs(%p as <int8, per_tensor, scale = 0.05, zero_point = 7> : memref<96x4096xi8>)
    rhs(%panels as <int8, per_tensor, scale = 0.04> in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<524288xi8>)
    outs(%y : memref<96x128xf32>)
    maps [#p, #v, #y]
  memref.dealloc %panels : memref<524288xi8>
  memref.dealloc %s : memref<128xi32>
  return
}

// -----

#p = affine_map<(m, n, k) -> (m, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes without signs or zero point: MFMA multiplies others.
// CHECK-LABEL: func.func @without_signs(
// CHECK: gpu.func @pack
// ROCDL: gpu.barrier
// NVVM-NOT: gpu.barrier
// SPIRV-NOT: gpu.barrier
// CHECK: gpu.func @contract
func.func @without_signs(%p: memref<96x4096xi8>, %v: memref<4096x128xi8>, %y: memref<96x128xf32>) {
  %panels = memref.alloc() : memref<524288xi8>
  %s = memref.alloc() : memref<128xi32>
  quant.pack_columns ins(%v as <int8, per_tensor> : memref<4096x128xi8>) in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> outs(%panels, %s : memref<524288xi8>, memref<128xi32>)
  quant.contract
    lhs(%p as <uint8, per_tensor, scale = 0.05> : memref<96x4096xi8>)
    rhs(%panels as <int8, per_tensor, scale = 0.04> in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : memref<128xi32>, : memref<524288xi8>)
    outs(%y : memref<96x128xf32>)
    maps [#p, #v, #y]
  memref.dealloc %panels : memref<524288xi8>
  memref.dealloc %s : memref<128xi32>
  return
}

// -----

// Sums that a caller has given a buffer for are read by the caller: it comes as a pointer,
// as an arena does.
// CHECK-LABEL: func.func @given_sums(
// CHECK: gpu.launch_func @pack::@pack {{.*}}quant.access = array<i32: 1, 2, 2>
func.func @given_sums(%v: memref<4096x128xi8>, %panels: memref<524288xi8>, %given: !llvm.ptr) {
  %none = llvm.mlir.poison : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
  %sums = llvm.insertvalue %given, %none[1] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
  %s = builtin.unrealized_conversion_cast %sums : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<128xi32>
  quant.pack_columns ins(%v as <int8, per_tensor> : memref<4096x128xi8>) in <panels, tensor<4096x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> outs(%panels, %s : memref<524288xi8>, memref<128xi32>)
  return
}
