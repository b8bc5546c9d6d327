// RUN: quant-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file | FileCheck %s

// Operations of the integer form write to their destination.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @contract
// CHECK-SAME: %[[X:.*]]: memref<4x70xi8>, %[[W:.*]]: memref<70x24xi8>, %[[B:.*]]: memref<24xi32>, %[[R:.*]]: memref<4x24xi8>, %[[O:.*]]: memref<4x24xi8>)
// CHECK-NOT: memref.alloc
// CHECK: quant.contract lhs(%[[X]] as <int8, {{.*}}> : memref<4x70xi8>)
// CHECK-SAME: rhs(%[[W]] as {{.*}} : memref<70x24xi8>)
// CHECK-SAME: bias(%[[B]] : memref<24xi32>) residual(%[[R]] as <int8, per_tensor, scale = 2.500000e-01> : memref<4x24xi8>)
// CHECK-SAME: outs(%[[O]] as {{.*}} : memref<4x24xi8>) maps {{.*}} low 0.000000e+00
// CHECK-NEXT: return %[[O]]
func.func @contract(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %b: tensor<24xi32>, %r: tensor<4x24xi8>, %o: tensor<4x24xi8>) -> tensor<4x24xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<4x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>)
    bias(%b : tensor<24xi32>)
    residual(%r as <int8, per_tensor, scale = 0.25> : tensor<4x24xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<4x24xi8>)
    maps [#x, #w, #b, #y, #y] low 0.0 -> tensor<4x24xi8>
  return %y : tensor<4x24xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @dynamic_scales
// CHECK: quant.contract lhs({{.*}} scale %{{.*}} : memref<?x1xf32>, zero_point %{{.*}} : memref<?x1xi32>, : memref<?x70xi8>)
func.func @dynamic_scales(%x: tensor<?x70xi8>, %s: tensor<?x1xf32>, %z: tensor<?x1xi32>, %w: tensor<70x24xi8>, %o: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_channel<[0]>> scale %s : tensor<?x1xf32>, zero_point %z : tensor<?x1xi32>, : tensor<?x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>)
    outs(%o : tensor<?x24xf32>)
    maps [#x, #w, #y] -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>

// What a destination held is not read: a destination that is used again is
// replaced by a buffer of its own, without a copy.

// CHECK-LABEL: @destination_is_not_read
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK-NOT: memref.copy
// CHECK: quant.add {{.*}} outs(%[[NEW]]
func.func @destination_is_not_read(%a: tensor<4x8xi8>, %o: tensor<4x8xi8>) -> (tensor<4x8xi8>, tensor<4x8xi8>) {
  %y = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>)
    rhs(%a as <int8, per_tensor, scale = 0.25> : tensor<4x8xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>)
    maps [#id, #id, #id] -> tensor<4x8xi8>
  return %y, %o : tensor<4x8xi8>, tensor<4x8xi8>
}

// -----

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: @input_is_not_overwritten
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK: quant.mul {{.*}} outs(%[[NEW]]
func.func @input_is_not_overwritten(%a: tensor<4x8xi8>) -> tensor<4x8xi8> {
  %y = quant.mul lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>)
    rhs(%a as <int8, per_tensor, scale = 0.25> : tensor<4x8xi8>)
    outs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>)
    maps [#id, #id, #id] -> tensor<4x8xi8>
  return %y : tensor<4x8xi8>
}

// -----

#x = affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>
#y = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>

// CHECK-LABEL: @pool
// CHECK: quant.pool average ins(%{{.*}} : memref<1x24x24x64xi8>) outs(%[[O:.*]] : memref<1x12x12x64xi8>)
// CHECK-NEXT: return %[[O]]
func.func @pool(%x: tensor<1x24x24x64xi8>) -> tensor<1x12x12x64xi8> {
  %o = tensor.empty() : tensor<1x12x12x64xi8>
  %y = quant.pool average
    ins(%x as <int8, per_tensor, scale = 0.5, zero_point = -128> : tensor<1x24x24x64xi8>)
    outs(%o : tensor<1x12x12x64xi8>)
    maps [#x, #y] window [2, 2] -> tensor<1x12x12x64xi8>
  return %y : tensor<1x12x12x64xi8>
}
