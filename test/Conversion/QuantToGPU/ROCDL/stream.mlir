// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx942" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,GFX9
// RUN: quant-opt %s "--quant-to-gpu=target=rocdl arch=gfx1100" --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,GFX11

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A wave of 64 has the 64 columns of a panel, one of 32 has half of them. CDNA has no
// product of mixed signs: codes are flipped.
// CHECK-LABEL: func.func @rows(
// GFX9: gpu.launch_func {{.*}} blocks in (%c1, %c1, %c1) threads in (%c256, %c1, %c1)
// GFX11: gpu.launch_func {{.*}} blocks in (%c1, %c2, %c1) threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<?xi32>, vector<4xi32>
// CHECK: scf.for
// CHECK-NOT: gpu.barrier
// GFX9: arith.xori %{{.*}}, %c-2139062144_i32
// GFX9: llvm.call_intrinsic "llvm.amdgcn.sdot4"
// GFX11: llvm.call_intrinsic "llvm.amdgcn.sudot4"
// CHECK: gpu.barrier
// CHECK: scf.if
func.func @rows(%x: memref<2x2048xi8>, %w: memref<131072xi8>, %s: memref<64xi32>, %y: memref<2x64xf32>) {
  quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.05> : memref<2x2048xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<2048x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 16> sums %s : memref<64xi32>, : memref<131072xi8>)
    outs(%y : memref<2x64xf32>)
    maps [#x, #w, #y]
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values beside codes: a lane has two columns, where a wave has a panel and there are
// workgroups enough. Which part of the reduction it has, all of its lanes know.
// CHECK-LABEL: func.func @values(
// GFX9: gpu.launch_func {{.*}} blocks in (%c1, %c100, %c1) threads in (%c256, %c1, %c1)
// GFX11: gpu.launch_func {{.*}} blocks in (%c1, %c200, %c1) threads in (%c256, %c1, %c1)
// CHECK: gpu.func
// GFX9: rocdl.readfirstlane
// GFX11-NOT: rocdl.readfirstlane
// CHECK: scf.for
// CHECK-NOT: gpu.barrier
// CHECK: %[[X:.*]] = vector.load {{.*}} : memref<?xf16>, vector<4xf16>
// CHECK: arith.extf %[[X]] : vector<4xf16> to vector<4xf32>
// CHECK: vector.fma {{.*}} : vector<2xf32>
// CHECK: gpu.barrier
func.func @values(%x: memref<2x1024xf16>, %w: memref<13107200xi8>, %y: memref<2x12800xf32>) {
  quant.contract
    lhs(%x : memref<2x1024xf16>)
    rhs(%w as <int8, per_tensor, scale = 0.01> in <panels, tensor<1024x12800xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> : memref<13107200xi8>)
    outs(%y : memref<2x12800xf32>)
    maps [#x, #w, #y]
  return
}
