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

// -----

#q = affine_map<(m, n, k) -> (m, k)>
#k = affine_map<(m, n, k) -> (n, k)>
#v = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// As many columns as the run time says: whole panels, then one that has as many
// registers as are needed, the last of them under a mask.
// CHECK-LABEL: func @unknown_columns
// CHECK-SAME: memref<?x32xi8>, %[[K:[^:]*]]: memref<?x32xi8>
func.func @unknown_columns(%q: tensor<?x32xi8>, %k: tensor<?x32xi8>, %o: tensor<?x?xi8>) -> tensor<?x?xi8> {
  // CHECK: %[[N:.*]] = memref.dim %[[K]]
  // CHECK: %[[WHOLE:.*]] = arith.divui %[[N]], %[[C64:.*]]
  // CHECK: scf.for %{{.*}} = %{{.*}} to %[[WHOLE]]
  // CHECK: %[[REST:.*]] = arith.remui %[[N]], %[[C64]]
  // CHECK: scf.index_switch
  // CHECK-NEXT: case 1 {
  // CHECK: %[[MASK:.*]] = vector.create_mask %[[REST]] : vector<16xi1>
  // CHECK: vector.maskedstore %{{.*}}, %[[MASK]]
  // CHECK: case 4 {
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<?x32xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.5> : tensor<?x32xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<?x?xi8>)
    maps [#q, #k, #y] -> tensor<?x?xi8>
  return %y : tensor<?x?xi8>
}

// As long sums as the run time says, if an int32 holds them; the panel is on the heap.
// CHECK-LABEL: func @unknown_reduction
// CHECK-SAME: %[[P:[^:]*]]: memref<16x?xi8>
func.func @unknown_reduction(%p: tensor<16x?xi8>, %v: tensor<?x64xi8>, %o: tensor<16x64xi8>) -> tensor<16x64xi8> {
  // CHECK-DAG: %[[MOST:.*]] = arith.constant 65793 : index
  // CHECK-DAG: %[[K:.*]] = memref.dim %[[P]]
  // CHECK: %[[FITS:.*]] = arith.cmpi ule, %[[K]], %[[MOST]]
  // CHECK: cf.assert %[[FITS]], "a sum of products of codes is too long: expected at most 65793 of them
  // CHECK: %[[PANEL:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?xi8>
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK: memref.dealloc %[[PANEL]]
  %y = quant.contract
    lhs(%p as <uint8, per_tensor, scale = 0.5> : tensor<16x?xi8>)
    rhs(%v as <int8, per_tensor, scale = 0.5> : tensor<?x64xi8>)
    outs(%o as <int8, per_tensor, scale = 1.0> : tensor<16x64xi8>)
    maps [#q, #v, #y] -> tensor<16x64xi8>
  return %y : tensor<16x64xi8>
}

// -----

#q = affine_map<(m, n, k) -> (m, k)>
#k = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values: a group is one element, and 16 columns of 16 elements are transposed.
// CHECK-LABEL: func @floats
func.func @floats(%q: tensor<6x64xf32>, %k: tensor<32x64xf32>, %o: tensor<6x32xf32>) -> tensor<6x32xf32> {
  // CHECK: %[[PANEL:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8192xi8>
  // CHECK-COUNT-16: vector.load %{{.*}} : memref<{{.*}}xf32{{.*}}>, vector<16xf32>
  // CHECK-COUNT-64: vector.shuffle {{.*}} : vector<16xi32>, vector<16xi32>
  // CHECK: vector.store %{{.*}}, %[[PANEL]]
  // CHECK: vector.load %[[PANEL]][{{.*}}] : memref<8192xi8>, vector<64xi8>
  // CHECK: math.fma
  %y = quant.contract lhs(%q : tensor<6x64xf32>) rhs(%k : tensor<32x64xf32>)
    outs(%o : tensor<6x32xf32>) maps [#q, #k, #y] -> tensor<6x32xf32>
  return %y : tensor<6x32xf32>
}

// -----

#q = affine_map<(m, n, k) -> (m, k)>
#k = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// Scales and zero points of both sides are operands: those of columns are vectors beside
// the panel, and the multiplier is made of three scales, in f64 where codes come out.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: %[[SQ:[^:]*]]: memref<6x1xf32>, %{{[^:]*}}: memref<32x64xi8>, %[[SK:[^:]*]]: memref<32x1xf32>, %[[ZK:[^:]*]]: memref<i32>
func.func @dynamic(%q: tensor<6x64xi8>, %sq: tensor<6x1xf32>, %k: tensor<32x64xi8>, %sk: tensor<32x1xf32>, %zk: tensor<i32>, %o: tensor<6x32xi8>) -> tensor<6x32xi8> {
  // CHECK: memref.load {{.*}}xi32
  // CHECK: vector.load %{{.*}} : memref<32xf32, strided<[1]>>, vector<16xf32>
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // CHECK: arith.extf %{{.*}} : vector<16xf32> to vector<16xf64>
  // CHECK: arith.mulf %{{.*}} : vector<16xf64>
  // CHECK: arith.divf %{{.*}} : vector<16xf64>
  // CHECK: arith.truncf %{{.*}} : vector<16xf64> to vector<16xf32>
  %y = quant.contract
    lhs(%q as <int8, per_channel<[0]>> scale %sq : tensor<6x1xf32>, : tensor<6x64xi8>)
    rhs(%k as <uint8, per_channel<[0]>> scale %sk : tensor<32x1xf32>, zero_point %zk : tensor<i32>, : tensor<32x64xi8>)
    outs(%o as <int8, per_tensor, scale = 0.3> : tensor<6x32xi8>)
    maps [#q, #k, #y] -> tensor<6x32xi8>
  return %y : tensor<6x32xi8>
}
