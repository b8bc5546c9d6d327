// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>
#y = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>

// Four pixels of four channels are nine columns of three words; a column's maximum is
// made once. Padding is the least code, and where there is no pixel nothing is stored.
// CHECK-LABEL: func.func @maximum(
// CHECK: gpu.func @pool
// CHECK-DAG: arith.constant -2139062144 : i32
// CHECK-COUNT-27: memref.load %{{.*}} : memref<?xi32>
// CHECK-NOT: memref.load
// CHECK: arith.trunci %{{.*}} : vector<4xi32> to vector<4xi8>
// CHECK-COUNT-4: memref.store %{{.*}} : memref<?xi32>
// CHECK-NOT: memref.store
// CHECK: gpu.return
func.func @maximum(%x: memref<8x112x112x64xi8>, %y: memref<8x56x56x64xi8>) {
  quant.pool max ins(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : memref<8x112x112x64xi8>) outs(%y : memref<8x56x56x64xi8>) maps [#x, #y] window [3, 3] padding [0, 0, 1, 0, 1, 0, 0, 0]
  return
}

// -----

#x = affine_map<(n, c, i, j) -> (n, i, j, c)>
#y = affine_map<(n, c, i, j) -> (n, c)>

// A window of many taps is walked by loops; channels that are no whole words are read
// and stored one by one.
// CHECK-LABEL: func.func @global(
// CHECK: gpu.func @pool
// CHECK: scf.for {{.*}} -> (vector<4xi32>)
// CHECK: scf.for {{.*}} -> (vector<4xi32>)
// CHECK-COUNT-4: memref.load %{{.*}} : memref<?xi8>
// CHECK-NOT: memref.load
// CHECK: arith.divf %{{.*}} : f32
// CHECK-COUNT-4: memref.store %{{.*}} : memref<?xi8>
func.func @global(%x: memref<4x12x12x30xi8>, %y: memref<4x30xi8>) {
  quant.pool average ins(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : memref<4x12x12x30xi8>) outs(%y : memref<4x30xi8>) maps [#x, #y] window [-1, -1]
  return
}
