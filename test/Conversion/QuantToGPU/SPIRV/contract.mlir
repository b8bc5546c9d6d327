// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Two stages of 64 bytes of 32 rows and 32 columns, in words: 64 lanes carry the
// words of the next stage through the loop, and share what one barrier orders.
// CHECK-LABEL: func.func @words(
// CHECK: memref.view %{{.*}} : memref<4096xi8> to memref<1024xi32>
// CHECK: gpu.launch_func @[[NAME:.*]]::@[[NAME]] blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
// CHECK: gpu.func @[[NAME]](
// CHECK-SAME: workgroup(%[[SHARED:.*]] : memref<2048xi32, #gpu.address_space<workgroup>>
// CHECK: memref.load %{{.*}} : memref<?xi32>
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args({{.*}}) -> ({{.*}}vector<4xi32>
// CHECK: memref.store %{{.*}}, %[[SHARED]]
// CHECK: gpu.barrier
// CHECK: memref.load %{{.*}} : memref<?xi32>
// CHECK: memref.load %[[SHARED]]
// CHECK: %[[DOT:.*]] = spirv.SDot %{{.*}}, %{{.*}}, <PackedVectorFormat4x8Bit> : i32 -> i32
// CHECK: arith.addi %{{.*}}, %[[DOT]]
// CHECK-NOT: gpu.barrier

// Four columns of a row at once, element by element in memory.
// CHECK: arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK-COUNT-4: memref.store %{{.*}} : memref<?xi8>
func.func @words(%x: memref<32x128xi8>, %w: memref<4096xi8>, %s: memref<32xi32>, %y: memref<32x32xi8>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : memref<32x128xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<128x32xi8>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16> sums %s : memref<32xi32>, : memref<4096xi8>)
    outs(%y as <int8, per_tensor, scale = 0.1, zero_point = 5> : memref<32x32xi8>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Codes without signs are the second factor. 70 codes are no whole words: each is
// read, and four are shifted together.
// CHECK-LABEL: func.func @unsigned(
// CHECK: memref.load %{{.*}} : memref<?xi8>
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.shli %{{.*}}, %c8_i32
// CHECK: arith.ori
// CHECK: spirv.SUDot %{{.*}}, %{{.*}}, <PackedVectorFormat4x8Bit> : i32 -> i32
func.func @unsigned(%x: memref<5x70xi8>, %w: memref<2560xi8>, %s: memref<24xi32>, %y: memref<5x24xf32>) {
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

// Nibbles with zero points: codes of rows are summed, as products with ones.
// CHECK-LABEL: func.func @nibbles(
// CHECK-DAG: %[[HIGH:.*]] = arith.constant -252645136 : i32
// CHECK-DAG: %[[ONES:.*]] = arith.constant 16843009 : i32
// CHECK: arith.andi %{{.*}}, %[[HIGH]]
// CHECK: spirv.SDot %{{.*}}, %[[ONES]], <PackedVectorFormat4x8Bit>
// CHECK: arith.shrsi %{{.*}} : vector<4xi32>
func.func @nibbles(%x: memref<32x64xi8>, %w: memref<1024xi8>, %s: memref<32xi32>, %y: memref<32x32xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<32x64xi8>)
    rhs(%w as <int4, per_tensor, scale = 0.01, zero_point = 2> in <panels, tensor<64x32xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8> sums %s : memref<32xi32>, : memref<1024xi8>)
    outs(%y : memref<32x32xf32>)
    maps [#x, #w, #y]
  return
}
