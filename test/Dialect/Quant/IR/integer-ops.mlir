// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

// Operations of the integer form, printed and read.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @contract
// CHECK: quant.contract lhs(%{{.*}} as <int8, per_tensor, scale = 5.000000e-02, zero_point = -3> : tensor<4x70xi8>)
// CHECK-SAME: rhs(%{{.*}} as <int8, per_channel<[1]>, scale = dense<5.000000e-01> : tensor<1x24xf32>> : tensor<70x24xi8>)
// CHECK-SAME: bias(%{{.*}} : tensor<24xi32>)
// CHECK-SAME: outs(%{{.*}} as <int8, per_tensor, scale = 1.000000e-01> : tensor<4x24xi8>)
// CHECK-SAME: low 0.000000e+00 -> tensor<4x24xi8>
func.func @contract(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %b: tensor<24xi32>, %o: tensor<4x24xi8>) -> tensor<4x24xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<4x70xi8>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>> : tensor<70x24xi8>)
    bias(%b : tensor<24xi32>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<4x24xi8>)
    maps [#x, #w, #b, #y] low 0.0 -> tensor<4x24xi8>
  return %y : tensor<4x24xi8>
}

// CHECK-LABEL: @contract_residual
// CHECK: residual(%{{.*}} as <int8, per_tensor, scale = 2.500000e-01> : tensor<4x24xi8>)
func.func @contract_residual(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %r: tensor<4x24xi8>, %o: tensor<4x24xi8>) -> tensor<4x24xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>)
    residual(%r as <int8, per_tensor, scale = 0.25> : tensor<4x24xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<4x24xi8>)
    maps [#x, #w, #y, #y] -> tensor<4x24xi8>
  return %y : tensor<4x24xi8>
}

// CHECK-LABEL: @contract_dynamic_rhs
// CHECK: lhs(%{{.*}} as <int8, per_tensor> scale %{{.*}} : tensor<f32>, : tensor<2x?x64xi8>)
// CHECK-SAME: rhs(%{{.*}} as <uint8, per_channel<[0, 1]>> scale %{{.*}} : tensor<2x?x1xf32>, zero_point %{{.*}} : tensor<2x?x1xi32>, : tensor<2x?x64xi8>)
func.func @contract_dynamic_rhs(%q: tensor<2x?x64xi8>, %sq: tensor<f32>, %k: tensor<2x?x64xi8>, %sk: tensor<2x?x1xf32>, %zk: tensor<2x?x1xi32>, %o: tensor<2x?x?xf32>) -> tensor<2x?x?xf32> {
  %y = quant.contract
    lhs(%q as <int8, per_tensor> scale %sq : tensor<f32>, : tensor<2x?x64xi8>)
    rhs(%k as <uint8, per_channel<[0, 1]>> scale %sk : tensor<2x?x1xf32>, zero_point %zk : tensor<2x?x1xi32>, : tensor<2x?x64xi8>)
    outs(%o : tensor<2x?x?xf32>)
    maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>] -> tensor<2x?x?xf32>
  return %y : tensor<2x?x?xf32>
}

// CHECK-LABEL: @contract_dynamic
// CHECK: lhs(%{{.*}} as <int8, per_channel<[0]>> scale %{{.*}} : tensor<?x1xf32>, zero_point %{{.*}} : tensor<?x1xi32>, : tensor<?x70xi8>)
// CHECK-SAME: rhs(%{{.*}} as <uint4, per_block<[32, 1]>
func.func @contract_dynamic(%x: tensor<?x70xi8>, %s: tensor<?x1xf32>, %z: tensor<?x1xi32>, %w: tensor<70x24xi4>, %b: tensor<24xf32>, %o: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_channel<[0]>> scale %s : tensor<?x1xf32>, zero_point %z : tensor<?x1xi32>, : tensor<?x70xi8>)
    rhs(%w as <uint4, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x24xf16>, minval = dense<-1.0> : tensor<3x24xf16>> : tensor<70x24xi4>)
    bias(%b : tensor<24xf32>)
    outs(%o : tensor<?x24xf32>)
    maps [#x, #w, #b, #y] -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// CHECK-LABEL: @contract_float_lhs
// CHECK: lhs(%{{.*}} : tensor<4x64xf32>) rhs(%{{.*}} as <float4_e2m1fn
func.func @contract_float_lhs(%x: tensor<4x64xf32>, %w: tensor<64x24xf4E2M1FN>, %o: tensor<4x24xf32>) -> tensor<4x24xf32> {
  %y = quant.contract
    lhs(%x : tensor<4x64xf32>)
    rhs(%w as <float4_e2m1fn, per_block<[32, 1]>, scale = dense<0.5> : tensor<2x24xf8E8M0FNU>> : tensor<64x24xf4E2M1FN>)
    outs(%o : tensor<4x24xf32>)
    maps [#x, #w, #y] -> tensor<4x24xf32>
  return %y : tensor<4x24xf32>
}

#cx = affine_map<(n, h, w, f, i, j, c) -> (n, h * 2 + i, w * 2 + j, c)>
#cw = affine_map<(n, h, w, f, i, j, c) -> (i, j, c, f)>
#cy = affine_map<(n, h, w, f, i, j, c) -> (n, h, w, f)>

// CHECK-LABEL: @contract_conv
// CHECK: padding [0, 0, 1, 1, 1, 1, 0, 0]
func.func @contract_conv(%x: tensor<1x32x32x16xi8>, %w: tensor<3x3x16x32xi8>, %o: tensor<1x16x16x32xi8>) -> tensor<1x16x16x32xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<1x32x32x16xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x3x16x32xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<1x16x16x32xi8>)
    maps [#cx, #cw, #cy] padding [0, 0, 1, 1, 1, 1, 0, 0] -> tensor<1x16x16x32xi8>
  return %y : tensor<1x16x16x32xi8>
}

// CHECK-LABEL: @contract_packed
// CHECK: rhs(%{{.*}} as <int8, per_tensor, scale = 5.000000e-01> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %{{.*}} : tensor<24xi32>, : tensor<2304xi8>)
func.func @contract_packed(%x: tensor<4x70xi8>, %w: tensor<2304xi8>, %s: tensor<24xi32>, %o: tensor<4x24xi8>) -> tensor<4x24xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %s : tensor<24xi32>, : tensor<2304xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<4x24xi8>)
    maps [#x, #w, #y] -> tensor<4x24xi8>
  return %y : tensor<4x24xi8>
}

// CHECK-LABEL: @contract_packed_blocks
// CHECK: in <panels, tensor<70x24xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 4, block = 20, offset = 8> sums %{{.*}} : tensor<4x24xi32>, : tensor<1408xi8>)
func.func @contract_packed_blocks(%x: tensor<4x70xi8>, %w: tensor<1408xi8>, %s: tensor<4x24xi32>, %o: tensor<4x24xf32>) -> tensor<4x24xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4x70xi8>)
    rhs(%w as <int4, per_block<[20, 1]>, scale = dense<0.5> : tensor<4x24xf32>> in <panels, tensor<70x24xi4>, columns = [1], reduction = [0], run = 1, panel = 32, group = 4, block = 20, offset = 8> sums %s : tensor<4x24xi32>, : tensor<1408xi8>)
    outs(%o : tensor<4x24xf32>)
    maps [#x, #w, #y] -> tensor<4x24xf32>
  return %y : tensor<4x24xf32>
}

// CHECK-LABEL: @contract_buffers
func.func @contract_buffers(%x: memref<4x70xi8>, %w: memref<70x24xi8>, %o: memref<4x24xi8>) {
  // CHECK: quant.contract
  // CHECK-SAME: memref<4x24xi8>) maps [#{{.*}}, #{{.*}}, #{{.*}}]{{$}}
  quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : memref<4x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : memref<70x24xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : memref<4x24xi8>)
    maps [#x, #w, #y]
  return
}

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// CHECK-LABEL: @add_and_mul
func.func @add_and_mul(%a: tensor<4x70xi8>, %b: tensor<4x70xi8>, %c: tensor<4xi8>, %o: tensor<4x70xi8>) -> tensor<4x70xi8> {
  // CHECK: quant.add lhs(%{{.*}} as <int8, per_tensor, scale = 5.000000e-01> : tensor<4x70xi8>)
  // CHECK-SAME: low 0.000000e+00 high 6.000000e+00
  %s = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>)
    rhs(%b as <int8, per_tensor, scale = 0.25> : tensor<4x70xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5, zero_point = -128> : tensor<4x70xi8>)
    maps [#id, #id, #id] low 0.0 high 6.0 -> tensor<4x70xi8>
  // CHECK: quant.mul
  %m = quant.mul lhs(%s as <int8, per_tensor, scale = 0.5, zero_point = -128> : tensor<4x70xi8>)
    rhs(%c as <int8, per_tensor, scale = 0.25> : tensor<4xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>)
    maps [#id, #row, #id] -> tensor<4x70xi8>
  return %m : tensor<4x70xi8>
}

#px = affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#gx = affine_map<(n, c, i, j) -> (n, i, j, c)>
#gy = affine_map<(n, c, i, j) -> (n, c)>

// CHECK-LABEL: @pools
func.func @pools(%x: tensor<1x24x24x64xi8>, %o: tensor<1x12x12x64xi8>, %p: tensor<1x64xi8>) -> tensor<1x64xi8> {
  // CHECK: quant.pool max ins(%{{.*}} as <int8, per_tensor, scale = 5.000000e-01> : tensor<1x24x24x64xi8>)
  // CHECK-SAME: window [2, 2] -> tensor<1x12x12x64xi8>
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<1x24x24x64xi8>)
    outs(%o : tensor<1x12x12x64xi8>) maps [#px, #py] window [2, 2] -> tensor<1x12x12x64xi8>
  // CHECK: quant.pool average
  // CHECK-SAME: window [13, -1] padding [0, 0, 0, 1, 0, 0, 0, 0] count_padding
  %z = quant.pool average ins(%y as <int8, per_tensor, scale = 0.5> : tensor<1x12x12x64xi8>)
    outs(%p : tensor<1x64xi8>) maps [#gx, #gy] window [13, -1] padding [0, 0, 0, 1, 0, 0, 0, 0] count_padding -> tensor<1x64xi8>
  return %z : tensor<1x64xi8>
}

// CHECK-LABEL: func @wide
func.func @wide(%x: tensor<1x70000xi8>, %w: tensor<70000x2xi8>, %r: tensor<2xf16>, %o: tensor<1x2xi8>, %a: tensor<1xi8>) -> (tensor<1x2xi8>, tensor<1xi8>) {
  // CHECK: quant.contract {{.*}} residual(%{{.*}} : tensor<2xf16>) {{.*}} low 0.000000e+00 wide {a = 1 : i32} -> tensor<1x2xi8>
  %y = quant.contract lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<1x70000xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70000x2xi8>) residual(%r : tensor<2xf16>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<1x2xi8>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>]
    low 0.0 wide {a = 1 : i32} -> tensor<1x2xi8>
  // CHECK: quant.pool average {{.*}} window [70000] wide -> tensor<1xi8>
  %p = quant.pool average ins(%x as <uint8, per_tensor, scale = 0.5> : tensor<1x70000xi8>) outs(%a : tensor<1xi8>)
    maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] window [70000] wide -> tensor<1xi8>
  return %y, %p : tensor<1x2xi8>, tensor<1xi8>
}
