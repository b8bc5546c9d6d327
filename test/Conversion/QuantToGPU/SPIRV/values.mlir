// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values of many rows go through shared memory, as words: two stages of 32 rows and of 32
// columns, 32 values long. A lane decodes four codes at a time, and multiplies each with
// its four rows; a block ends with its stage.
// CHECK-LABEL: func.func @nibbles(
// CHECK: gpu.launch_func {{.*}} blocks in (%c2, %c1, %c1) threads in (%c64, %c1, %c1)
// CHECK: gpu.func
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<2304xi32, #gpu.address_space<workgroup>>
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %[[SHARED]]
// CHECK: gpu.barrier
// CHECK: %[[WORD:.*]] = memref.load %[[SHARED]]
// CHECK: %[[VALUE:.*]] = arith.bitcast %[[WORD]] : i32 to f32
// CHECK: %[[CODE:.*]] = arith.andi %{{.*}}, %c15_i32
// CHECK: arith.ori %[[CODE]], %c1258291200_i32
// CHECK: arith.subf
// CHECK: math.fma %[[VALUE]]
// CHECK: vector.fma {{.*}} : vector<4xf32>
// CHECK: scf.yield
func.func @nibbles(%x: memref<64x256xf32>, %w: memref<4096xi8>, %y: memref<64x32xf32>) {
  quant.contract
    lhs(%x : memref<64x256xf32>)
    rhs(%w as <int4, per_block<[32, 1]>, scale = dense<0.5> : tensor<8x32xf32>> in <panels, tensor<256x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> : memref<4096xi8>)
    outs(%y : memref<64x32xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Nothing is decoded.
// CHECK-LABEL: func.func @floats(
// CHECK: gpu.func
// CHECK: scf.for
// CHECK-NOT: arith.andi
// CHECK: %[[A:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK: math.fma
// CHECK: scf.yield
func.func @floats(%x: memref<64x256xf32>, %w: memref<32768xi8>, %y: memref<64x32xf32>) {
  quant.contract
    lhs(%x : memref<64x256xf32>)
    rhs(%w in <panels, tensor<256x32xf32>, columns = [1], reduction = [0], run = 1, panel = 32, group = 4> : memref<32768xi8>)
    outs(%y : memref<64x32xf32>)
    maps [#x, #w, #y]
  return
}
