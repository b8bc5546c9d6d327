// RUN: quant-opt %s --quant-pack-weights=target-cpu=znver4 --quant-prepare-kernels=cpu=znver4 --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --quant-to-cpu=cpu=znver4 --canonicalize --cse --split-input-file | FileCheck %s

// Products of two activations: the panel of a batch is packed before its rows are
// multiplied with it, and summed where a zero point of lhs asks for sums.

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// The codes of a column follow each other: 16 columns of 16 groups are transposed.
// CHECK-LABEL: func @scores
// CHECK-SAME: %[[Q:[^:]*]]: memref<?x6x64xi8>, %[[K:[^:]*]]: memref<?x32x64xi8>
func.func @scores(%q: tensor<?x6x64xi8>, %k: tensor<?x32x64xi8>, %o: tensor<?x6x32xi8>) -> tensor<?x6x32xi8> {
  // CHECK: %[[STACK:.*]] = llvm.intr.stacksave
  // CHECK: %[[PANEL:.*]] = memref.alloca() {alignment = 64 : i64} : memref<2048xi8>
  // CHECK: scf.for
  // CHECK-COUNT-16: vector.load %{{.*}} : memref<?xi8, strided<[1]>>, vector<64xi8>
  // CHECK-COUNT-64: vector.shuffle {{.*}} : vector<16xi32>, vector<16xi32>
  // CHECK: vector.store %[[CODES:.*]], %[[PANEL]]
  // CHECK-NEXT: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %{{.*}}, %[[CODES]])
  // CHECK: scf.for
  // CHECK: %[[W:.*]] = vector.load %[[PANEL]]
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %{{.*}}, %[[W]])
  // CHECK: llvm.intr.stackrestore %[[STACK]]
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<?x6x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.5> : tensor<?x32x64xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<?x6x32xi8>)
    maps [#q, #k, #y] -> tensor<?x6x32xi8>
  return %y : tensor<?x6x32xi8>
}

// -----

#p = affine_map<(b, m, n, k) -> (b, m, k)>
#v = affine_map<(b, m, n, k) -> (b, k, n)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// Columns follow each other: four lines are interleaved. Codes of lhs are unsigned
// and have no zero point, so that nothing is summed; those of rhs are moved.
// CHECK-LABEL: func @values
func.func @values(%p: tensor<2x6x32xi8>, %v: tensor<2x32x16xi8>, %o: tensor<2x6x16xi8>) -> tensor<2x6x16xi8> {
  // CHECK: %[[FLIP:.*]] = arith.constant dense<-128> : vector<64xi8>
  // CHECK: %[[PANEL:.*]] = memref.alloca() {alignment = 64 : i64} : memref<512xi8>
  // CHECK: scf.for
  // CHECK-COUNT-4: vector.load %{{.*}} : memref<{{.*}}>, vector<16xi8>
  // CHECK-COUNT-2: vector.interleave {{.*}} : vector<16xi8>
  // CHECK: vector.interleave {{.*}} : vector<16xi16>
  // CHECK: arith.xori %{{.*}}, %[[FLIP]]
  // CHECK-NEXT: vector.store {{.*}}, %[[PANEL]]
  // CHECK-NOT: vpdpbusd
  // CHECK: scf.for
  %y = quant.contract
    lhs(%p as <uint8, per_tensor, scale = 0.5> : tensor<2x6x32xi8>)
    rhs(%v as <uint8, per_tensor, scale = 0.5, zero_point = 128> : tensor<2x32x16xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<2x6x16xi8>)
    maps [#p, #v, #y] -> tensor<2x6x16xi8>
  return %y : tensor<2x6x16xi8>
}
