// RUN: quant-opt %s --quant-fuse-chains --canonicalize --split-input-file | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#one = affine_map<(i, j) -> (0, 0)>

// All that is computed from the codes is one body, in the order of its results.
// CHECK-LABEL: func @hard_swish
// CHECK-SAME: %[[X:.*]]: tensor<4x8xi8>
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[ID:.*]], #[[ID]]]
// CHECK-SAME: ins(%[[X]] : tensor<4x8xi8>) outs(%{{.*}} : tensor<4x8xi8>)
// CHECK-NEXT: ^bb0(%[[CODE:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: %[[V:.*]] = arith.sitofp %[[CODE]] : i8 to f32
// CHECK-NEXT: %[[A:.*]] = arith.addf %[[V]], %cst{{.*}} : f32
// CHECK-NEXT: %[[M:.*]] = arith.mulf %[[V]], %[[A]] : f32
// CHECK-NEXT: %[[C:.*]] = arith.fptosi %[[M]] : f32 to i8
// CHECK-NEXT: linalg.yield %[[C]]
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
func.func @hard_swish(%x: tensor<4x8xi8>) -> tensor<4x8xi8> {
  %three = arith.constant dense<3.0> : tensor<1x1xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi8>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: i8, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [#id, #one, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v, %three : tensor<4x8xf32>, tensor<1x1xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %0 = arith.addf %l, %r : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %i = tensor.empty() : tensor<4x8xi8>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v, %a : tensor<4x8xf32>, tensor<4x8xf32>) outs(%i : tensor<4x8xi8>) {
  ^bb0(%l: f32, %r: f32, %out: i8):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.fptosi %0 : f32 to i8
    linalg.yield %1 : i8
  } -> tensor<4x8xi8>
  return %y : tensor<4x8xi8>
}

// -----

#id = affine_map<(i) -> (i)>

// Swish has codes inside: a sigmoid's, and the product of both.
// CHECK-LABEL: func @swish
// CHECK-SAME: %[[X:.*]]: tensor<8xi8>
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[X]] : tensor<8xi8>)
// CHECK: %[[E:.*]] = math.exp
// CHECK: %[[S:.*]] = arith.fptosi %[[E]] : f32 to i8
// CHECK: arith.extsi %[[S]] : i8 to i32
// CHECK: arith.muli
// CHECK-NOT: quant.mul
func.func @swish(%x: tensor<8xi8>) -> tensor<8xi8> {
  %i = tensor.empty() : tensor<8xi8>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi8>) outs(%i : tensor<8xi8>) {
  ^bb0(%in: i8, %out: i8):
    %0 = arith.sitofp %in : i8 to f32
    %1 = math.exp %0 : f32
    %2 = arith.fptosi %1 : f32 to i8
    linalg.yield %2 : i8
  } -> tensor<8xi8>
  %y = quant.mul lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<8xi8>)
    rhs(%s as <int8, per_tensor, scale = 0.25> : tensor<8xi8>)
    outs(%i as <int8, per_tensor, scale = 0.5> : tensor<8xi8>)
    maps [#id, #id, #id] -> tensor<8xi8>
  return %y : tensor<8xi8>
}

// -----

#id = affine_map<(i) -> (i)>

// A product of two tensors stays what it is, and is where the next chain begins.
// CHECK-LABEL: func @two_tensors
// CHECK: %[[P:.*]] = quant.mul
// CHECK: %[[Y:.*]] = linalg.generic
// CHECK-SAME: ins(%[[P]] : tensor<8xi8>) outs(%{{.*}} : tensor<8xi8>)
// CHECK: arith.sitofp
// CHECK: arith.fptosi
// CHECK: return %[[Y]]
func.func @two_tensors(%x: tensor<8xi8>, %z: tensor<8xi8>) -> tensor<8xi8> {
  %i = tensor.empty() : tensor<8xi8>
  %e = tensor.empty() : tensor<8xf32>
  %p = quant.mul lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<8xi8>)
    rhs(%z as <int8, per_tensor, scale = 0.25> : tensor<8xi8>)
    outs(%i as <int8, per_tensor, scale = 0.5> : tensor<8xi8>)
    maps [#id, #id, #id] -> tensor<8xi8>
  %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%p : tensor<8xi8>) outs(%e : tensor<8xf32>) {
  ^bb0(%in: i8, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%v : tensor<8xf32>) outs(%i : tensor<8xi8>) {
  ^bb0(%in: f32, %out: i8):
    %0 = arith.fptosi %in : f32 to i8
    linalg.yield %0 : i8
  } -> tensor<8xi8>
  return %y : tensor<8xi8>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#channel = affine_map<(i, j) -> (j)>

// What depends on the channel is no function of the code alone.
// CHECK-LABEL: func @by_channel
// CHECK-COUNT-2: linalg.generic
func.func @by_channel(%x: tensor<4x2xi8>) -> tensor<4x2xi8> {
  %scale = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %v = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %scale : tensor<4x2xi8>, tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%in: i8, %s: f32, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    %1 = arith.mulf %0, %s : f32
    linalg.yield %1 : f32
  } -> tensor<4x2xf32>
  %i = tensor.empty() : tensor<4x2xi8>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v : tensor<4x2xf32>) outs(%i : tensor<4x2xi8>) {
  ^bb0(%in: f32, %out: i8):
    %0 = arith.fptosi %in : f32 to i8
    linalg.yield %0 : i8
  } -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#swapped = affine_map<(i, j) -> (j, i)>

// A transposition on the way is one of the codes; codes of two positions are not one.
// CHECK: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK: #[[SWAPPED:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: func @positions
// CHECK-SAME: %[[X:.*]]: tensor<4x4xi8>
// CHECK: linalg.generic {indexing_maps = [#[[SWAPPED]], #[[ID]]]
// CHECK-SAME: ins(%[[X]] : tensor<4x4xi8>) outs(%{{.*}} : tensor<4x4xi8>)
// CHECK-NEXT: ^bb0(%[[CODE:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: arith.sitofp %[[CODE]]
// CHECK-NEXT: arith.fptosi
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[SWAPPED]], #[[ID]]]
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<4x4xf32>, tensor<4x4xf32>)
func.func @positions(%x: tensor<4x4xi8>) -> (tensor<4x4xi8>, tensor<4x4xi8>) {
  %e = tensor.empty() : tensor<4x4xf32>
  %i = tensor.empty() : tensor<4x4xi8>
  %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xi8>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%in: i8, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %y = linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v : tensor<4x4xf32>) outs(%i : tensor<4x4xi8>) {
  ^bb0(%in: f32, %out: i8):
    %0 = arith.fptosi %in : f32 to i8
    linalg.yield %0 : i8
  } -> tensor<4x4xi8>
  %z = linalg.generic {indexing_maps = [#id, #swapped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v, %v : tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<4x4xi8>) {
  ^bb0(%l: f32, %r: f32, %out: i8):
    %0 = arith.addf %l, %r : f32
    %1 = arith.fptosi %0 : f32 to i8
    linalg.yield %1 : i8
  } -> tensor<4x4xi8>
  return %y, %z : tensor<4x4xi8>, tensor<4x4xi8>
}

// -----

#id = affine_map<(i) -> (i)>

// Values are the end of a chain where a function is called on the way; otherwise
// they are computed as fast as they are looked up.
// CHECK-LABEL: func @values
// CHECK-SAME: %[[X:.*]]: tensor<8xi8>
// CHECK: %[[V:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<8xi8>) outs(%{{.*}} : tensor<8xf32>)
// CHECK: arith.sitofp
// CHECK-NEXT: linalg.yield
// CHECK: linalg.generic {{.*}} ins(%[[V]] : tensor<8xf32>)
// CHECK: arith.negf
// CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<8xi8>) outs(%{{.*}} : tensor<8xf32>)
// CHECK: arith.sitofp
// CHECK-NEXT: math.erf
func.func @values(%x: tensor<8xi8>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi8>) outs(%e : tensor<8xf32>) {
  ^bb0(%in: i8, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %n = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%v : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %g = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%v : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.erf %in : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  return %n, %g : tensor<8xf32>, tensor<8xf32>
}
