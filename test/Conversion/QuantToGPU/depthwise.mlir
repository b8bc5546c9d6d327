// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,NVVM
// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx942" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,ROCDL
// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,SPIRV

#x = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#w = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#y = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>

// An invocation has four channels of four pixels: it loads six columns of three
// words, of which positions in padding are the zero point instead. A column is
// transposed once, for all pixels; four channels of each are three products of four
// taps.
// CHECK-LABEL: func.func @padded(
// CHECK: memref.view %{{.*}} : memref<{{.*}}xi8> to memref<{{.*}}xi32>
// CHECK: gpu.func @contract
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 50529027 : i32
// CHECK: arith.cmpi ult
// CHECK: %[[WORD:.*]] = memref.load %{{.*}} : memref<?xi32>
// CHECK: arith.select %{{.*}}, %[[WORD]], %[[ZERO]] : i32
// NVVM: vector.shuffle {{.*}} [0, 4, 1, 5] : vector<4xi8>, vector<4xi8>
// NVVM-COUNT-48: nvvm.dot.accumulate.4way
// NVVM-NOT: nvvm.dot.accumulate.4way
// ROCDL: llvm.call_intrinsic "llvm.amdgcn.perm"
// ROCDL-COUNT-48: llvm.call_intrinsic "llvm.amdgcn.sdot4"
// ROCDL-NOT: llvm.amdgcn.sdot4
// SPIRV: vector.shuffle {{.*}} [0, 4, 1, 5] : vector<4xi8>, vector<4xi8>
// SPIRV-COUNT-48: spirv.SDot
// SPIRV-NOT: spirv.SDot
// CHECK: arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: gpu.return
func.func @padded(%x: memref<8x64x64x64xi8>, %w: memref<768xi8>, %s: memref<64xi32>, %y: memref<8x64x64x64xi8>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : memref<8x64x64x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<3x3x64xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 64, group = 4> sums %s : memref<64xi32>, : memref<768xi8>)
    outs(%y as <int8, per_tensor, scale = 0.1, zero_point = 5> : memref<8x64x64x64xi8>)
    maps [#x, #w, #y] padding [0, 0, 1, 1, 1, 1, 0, 0]
  return
}

// -----

#x = affine_map<(h, w, c, i, j) -> (h + i, w + j, c)>
#w = affine_map<(h, w, c, i, j) -> (i, j, c)>
#y = affine_map<(h, w, c, i, j) -> (h, w, c)>

// Channels that are no whole words are read one by one, and the last ones stored so.
// CHECK-LABEL: func.func @ragged(
// CHECK: gpu.func @contract
// CHECK: arith.minui
// CHECK: memref.load %{{.*}} : memref<?xi8>
// CHECK: vector.from_elements %{{.*}} : vector<4xi8>
// CHECK: scf.if
// CHECK: gpu.return
func.func @ragged(%x: memref<9x9x37xi8>, %w: memref<768xi8>, %s: memref<37xi32>, %y: memref<7x7x37xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<9x9x37xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<3x3x37xi8>, columns = [2], reduction = [1, 0], run = 1, panel = 64, group = 4> sums %s : memref<37xi32>, : memref<768xi8>)
    outs(%y : memref<7x7x37xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(h, w, c, i, j) -> (h + i, w + j, c)>
#w = affine_map<(h, w, c, i, j) -> (i, j, c)>
#y = affine_map<(h, w, c, i, j) -> (h, w, c)>

// Beside zero points of weights the codes of each channel are added up too: the second
// word of taps has two of them.
// CHECK-LABEL: func.func @zero_points(
// CHECK: gpu.func @contract
// CHECK-DAG: %[[SOME:.*]] = arith.constant 257 : i32
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 16843009 : i32
// NVVM: %[[ONES:.*]] = llvm.bitcast %[[FOUR]]
// NVVM: nvvm.dot.accumulate.4way %{{.*}}, %[[ONES]] <signed>
// NVVM: llvm.bitcast %[[SOME]]
// ROCDL: llvm.amdgcn.sdot4"(%{{.*}}, %[[FOUR]], %
// ROCDL: llvm.amdgcn.sdot4"(%{{.*}}, %[[SOME]], %
// SPIRV: spirv.SDot %{{.*}}, %[[FOUR]]
// SPIRV: spirv.SDot %{{.*}}, %[[SOME]]
// CHECK: arith.muli %{{.*}} : vector<4xi32>
// CHECK: arith.subi %{{.*}} : vector<4xi32>
// CHECK: gpu.return
func.func @zero_points(%x: memref<8x9x64xi8>, %w: memref<512xi8>, %s: memref<64xi32>, %y: memref<6x8x64xf32>) {
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<8x9x64xi8>)
    rhs(%w as <int8, per_channel<[2]>, scale = dense<0.1> : tensor<1x1x64xf32>, zero_point = dense<3> : tensor<1x1x64xi8>> in <panels, tensor<3x2x64xi8>, columns = [2], reduction = [0, 1], run = 2, panel = 64, group = 4> sums %s : memref<64xi32>, : memref<512xi8>)
    outs(%y : memref<6x8x64xf32>)
    maps [#x, #w, #y]
  return
}
