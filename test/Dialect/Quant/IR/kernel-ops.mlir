// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s
// RUN: quant-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s --check-prefix=BUFFER

// Operations that kernels need, printed, read, and on buffers.

// CHECK-LABEL: @pack_columns
// CHECK: %[[R:.*]]:2 = quant.pack_columns ins(%{{.*}} as <int8, per_tensor, scale = 5.000000e-01> : tensor<3x70x64xi8>)
// CHECK-SAME: in <panels, tensor<3x70x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 64, group = 16>
// CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<24576xi8>, tensor<3x70xi32>) -> tensor<24576xi8>, tensor<3x70xi32>
// CHECK: return %[[R]]#0, %[[R]]#1
// BUFFER-LABEL: @pack_columns
// BUFFER-SAME: %[[P:[^:]*]]: memref<24576xi8>, %[[S:[^:]*]]: memref<3x70xi32>
// BUFFER-NOT: memref.copy
// BUFFER: quant.pack_columns ins(%{{.*}} : memref<3x70x64xi8>) in <panels,
// BUFFER-SAME: outs(%[[P]], %[[S]] : memref<24576xi8>, memref<3x70xi32>)
// BUFFER-NOT: memref.copy
// BUFFER: return %[[P]], %[[S]]
func.func @pack_columns(%k: tensor<3x70x64xi8>, %p: tensor<24576xi8> {bufferization.writable = true}, %s: tensor<3x70xi32> {bufferization.writable = true}) -> (tensor<24576xi8>, tensor<3x70xi32>) {
  %panels, %sums = quant.pack_columns
    ins(%k as <int8, per_tensor, scale = 0.5> : tensor<3x70x64xi8>)
    in <panels, tensor<3x70x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 64, group = 16>
    outs(%p, %s : tensor<24576xi8>, tensor<3x70xi32>) -> tensor<24576xi8>, tensor<3x70xi32>
  return %panels, %sums : tensor<24576xi8>, tensor<3x70xi32>
}

// A sum for each block; behind quant-widen-storage codes of less than a byte are bytes.
// CHECK-LABEL: @blocks
// CHECK: quant.pack_columns ins(%{{.*}} as <int4, per_block<[64, 1]>> : tensor<150x24xi8>) in <panels, tensor<150x24xi4>
func.func @blocks(%k: tensor<150x24xi8>, %p: tensor<2560xi8>, %s: tensor<3x24xi32>) -> tensor<3x24xi32> {
  %panels, %sums = quant.pack_columns
    ins(%k as <int4, per_block<[64, 1]>> : tensor<150x24xi8>)
    in <panels, tensor<150x24xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 16, offset = 8>
    outs(%p, %s : tensor<2560xi8>, tensor<3x24xi32>) -> tensor<2560xi8>, tensor<3x24xi32>
  return %sums : tensor<3x24xi32>
}

// Sizes that only the run time knows: of panels, sums, and what multiplies them.
// CHECK-LABEL: @unknown
// CHECK: quant.pack_columns {{.*}} in <panels, tensor<3x?x64xi8>, batch = [0], columns = [1], {{.*}} outs(%{{.*}}, %{{.*}} : tensor<?xi8>, tensor<3x?xi32>) -> tensor<?xi8>, tensor<3x?xi32>
// CHECK: quant.contract {{.*}} in <panels, tensor<3x?x64xi8>, {{.*}} sums %{{.*}} : tensor<3x?xi32>, : tensor<?xi8>)
// BUFFER-LABEL: @unknown
// BUFFER: quant.contract {{.*}} sums %{{.*}} : memref<3x?xi32>, : memref<?xi8>)
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @unknown(%q: tensor<3x9x64xi8>, %k: tensor<3x?x64xi8>, %p: tensor<?xi8>, %s: tensor<3x?xi32>, %o: tensor<3x9x?xf32>) -> tensor<3x9x?xf32> {
  %panels, %sums = quant.pack_columns
    ins(%k as <int8, per_tensor, scale = 0.5> : tensor<3x?x64xi8>)
    in <panels, tensor<3x?x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 64, group = 16>
    outs(%p, %s : tensor<?xi8>, tensor<3x?xi32>) -> tensor<?xi8>, tensor<3x?xi32>
  %y = quant.contract
    lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<3x9x64xi8>)
    rhs(%panels as <int8, per_tensor, scale = 0.5> in <panels, tensor<3x?x64xi8>, batch = [0], columns = [1], reduction = [2], run = 1, panel = 64, group = 16> sums %sums : tensor<3x?xi32>, : tensor<?xi8>)
    outs(%o : tensor<3x9x?xf32>) maps [#q, #k, #y] -> tensor<3x9x?xf32>
  return %y : tensor<3x9x?xf32>
}
