// RUN: quant-opt %s --quant-to-linalg --canonicalize --split-input-file | FileCheck %s

// The reference of the integer form: centred codes, exact sums, one formula after
// them, each operation written on its own.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @contract
// CHECK-SAME: %[[X:.*]]: tensor<4x70xi8>, %[[W:.*]]: tensor<70x2xi8>, %[[B:.*]]: tensor<2xi32>, %[[O:.*]]: tensor<4x2xi8>)
// CHECK-DAG: %[[LO:.*]] = arith.constant 5.000000e+00 : f32
// CHECK-DAG: %[[HI:.*]] = arith.constant 1.370000e+02 : f32
// The zero point less the bits of 1.5 * 2^23.
// CHECK-DAG: %[[Z:.*]] = arith.constant -1262485514 : i32
// CHECK-DAG: %[[M:.*]] = arith.constant dense<{{\[\[}}2.500000e-01, 5.000000e-01]]> : tensor<1x2xf32>
// CHECK: %[[CENTRED:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4x70xi8>)
// CHECK: arith.subi %{{.*}}, %c-3_i32 : i32
// CHECK: %[[ACC:.*]] = linalg.generic {{.*}}"parallel", "parallel", "reduction"]} ins(%[[CENTRED]], %[[W]]
// CHECK: %[[CODE:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %[[CODE]] : i32
// CHECK: arith.addi %{{.*}}, %[[PRODUCT]] : i32
// CHECK: linalg.generic {{.*}} ins(%[[ACC]], %[[B]], %[[M]] : {{.*}}) outs(%[[O]] :
// CHECK: %[[SUM:.*]] = arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: %[[FLOAT:.*]] = arith.sitofp %[[SUM]] : i32 to f32
// CHECK: %[[VALUE:.*]] = arith.mulf %[[FLOAT]], %{{.*}} : f32
// CHECK: arith.cmpf ogt, %{{.*}}, %[[LO]]
// CHECK: arith.cmpf olt, %{{.*}}, %[[HI]]
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : f32 to i32
// CHECK: arith.addi %[[BITS]], %[[Z]]
func.func @contract(%x: tensor<4x70xi8>, %w: tensor<70x2xi8>, %b: tensor<2xi32>, %o: tensor<4x2xi8>) -> tensor<4x2xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<4x70xi8>)
    rhs(%w as <int8, per_channel<[1]>, scale = dense<[[0.5, 1.0]]> : tensor<1x2xf32>> : tensor<70x2xi8>)
    bias(%b : tensor<2xi32>)
    outs(%o as <int8, per_tensor, scale = 0.1, zero_point = -10> : tensor<4x2xi8>)
    maps [#x, #w, #b, #y] low 0.5 -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}

// -----

#x = affine_map<(h, k, c, i) -> (h + i * 2, c)>
#w = affine_map<(h, k, c, i) -> (i, c, k)>
#y = affine_map<(h, k, c, i) -> (h, k)>

// Padding is the zero point: 0 once that is subtracted.

// CHECK-LABEL: @padding
// CHECK: %[[CENTRED:.*]] = linalg.generic
// CHECK: %[[PADDED:.*]] = tensor.pad %[[CENTRED]] low[2, 0] high[1, 0]
// CHECK: tensor.yield %c0_i32
// CHECK: linalg.generic {{.*}} ins(%[[PADDED]],
func.func @padding(%x: tensor<?x4xi8>, %w: tensor<3x4x2xi8>, %o: tensor<?x2xf16>) -> tensor<?x2xf16> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<?x4xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x4x2xi8>)
    outs(%o : tensor<?x2xf16>)
    maps [#x, #w, #y] padding [2, 1, 0, 0] -> tensor<?x2xf16>
  return %y : tensor<?x2xf16>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Whole blocks in a loop, then the shorter one; a sum in integers for each.

// CHECK-LABEL: @blocks
// CHECK: %[[WHOLE:.*]] = scf.for %[[BLOCK:.*]] = %c0 to %c2 step %c1 iter_args(%[[TOTAL:.*]] = %{{.*}}) -> (tensor<4x2xf32>)
// CHECK: tensor.extract_slice %{{.*}}[0, %{{.*}}] [4, 32] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0] [32, 2] [1, 1]
// CHECK: linalg.generic {{.*}}"reduction"]} {{.*}} outs(%{{.*}} : tensor<4x2xi32>)
// CHECK: tensor.extract_slice %{{.*}}[%[[BLOCK]], 0] [1, 2] [1, 1]
// CHECK: linalg.generic {{.*}} outs(%[[TOTAL]] : tensor<4x2xf32>)
// CHECK: scf.yield
// CHECK: tensor.extract_slice %{{.*}}[64, 0] [6, 2] [1, 1]
// CHECK: linalg.generic {{.*}} outs(%[[WHOLE]] : tensor<4x2xf32>)
func.func @blocks(%x: tensor<4x70xi8>, %w: tensor<70x2xi8>, %o: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05> : tensor<4x70xi8>)
    rhs(%w as <int8, per_block<[32, 1]>, scale = dense<[[0.5, 1.0], [2.0, 3.0], [4.0, 5.0]]> : tensor<3x2xf32>> : tensor<70x2xi8>)
    outs(%o : tensor<4x2xf32>)
    maps [#x, #w, #y] -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// A scale that is an operand is multiplied in binary64, as one known here is.

// CHECK-LABEL: @dynamic
// CHECK-SAME: %{{.*}}: tensor<?x70xi8>, %[[SCALE:.*]]: tensor<?x1xf16>,
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[SCALE]] :
// CHECK: %[[SX:.*]] = arith.extf %{{.*}} : f32 to f64
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[SX]], %{{.*}} : f64
// CHECK: %[[QUOTIENT:.*]] = arith.divf %[[PRODUCT]], %{{.*}} : f64
// CHECK: %[[M:.*]] = arith.truncf %[[QUOTIENT]] : f64 to f32
// CHECK: arith.mulf %{{.*}}, %[[M]] : f32
func.func @dynamic(%x: tensor<?x70xi8>, %s: tensor<?x1xf16>, %w: tensor<70x2xi8>, %o: tensor<?x2xi8>) -> tensor<?x2xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_channel<[0]>> scale %s : tensor<?x1xf16>, : tensor<?x70xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x2xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1> : tensor<?x2xi8>)
    maps [#x, #w, #y] -> tensor<?x2xi8>
  return %y : tensor<?x2xi8>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#swap = affine_map<(i, j) -> (j, i)>

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[SWAP:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: @mul_transposed
// CHECK: linalg.generic {indexing_maps = [#[[SWAP]], #[[COLUMN]], #[[ID]]], iterator_types = ["parallel", "parallel"]}
// CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %{{.*}} : i32
// CHECK: arith.sitofp %[[PRODUCT]] : i32 to f32
func.func @mul_transposed(%a: tensor<4x7xi8>, %b: tensor<4xi8>, %o: tensor<7x4xi8>) -> tensor<7x4xi8> {
  %y = quant.mul lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x7xi8>)
    rhs(%b as <int8, per_tensor, scale = 0.25> : tensor<4xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<7x4xi8>)
    maps [#id, #row, #swap] -> tensor<7x4xi8>
  return %y : tensor<7x4xi8>
}

// -----

#x = affine_map<(h, i) -> (h * 2 + i)>
#y = affine_map<(h, i) -> (h)>

// CHECK-LABEL: @average
// CHECK: %[[PADDED:.*]] = tensor.pad
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[PADDED]], %{{.*}} : tensor<9xi32>, tensor<3xi32>)
// CHECK: %[[ONES:.*]] = tensor.pad
// CHECK: %[[COUNT:.*]] = linalg.generic {{.*}} ins(%[[ONES]],
// CHECK: linalg.generic {{.*}} ins(%[[SUM]], %[[COUNT]] :
// CHECK: arith.divf
func.func @average(%x: tensor<8xi8>, %o: tensor<4xi8>) -> tensor<4xi8> {
  %y = quant.pool average ins(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<8xi8>)
    outs(%o : tensor<4xi8>) maps [#x, #y] window [3] padding [1, 0] -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

#x = affine_map<(h, i) -> (h, i)>
#y = affine_map<(h, i) -> (h)>

// CHECK-LABEL: @average_of_dynamic_size
// CHECK: %[[DIM:.*]] = tensor.dim
// CHECK: linalg.generic {{.*}}"parallel", "reduction"]}
// CHECK: %[[COUNT:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK: arith.sitofp %[[COUNT]]
func.func @average_of_dynamic_size(%x: tensor<8x?xi8>, %o: tensor<8xi8>) -> tensor<8xi8> {
  %y = quant.pool average ins(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<8x?xi8>)
    outs(%o : tensor<8xi8>) maps [#x, #y] window [-1] -> tensor<8xi8>
  return %y : tensor<8xi8>
}

// -----

#x = affine_map<(h, i) -> (h * 2 + i)>
#y = affine_map<(h, i) -> (h)>

// CHECK-LABEL: @maximum
// CHECK: tensor.yield %c-2147483648_i32
// CHECK: arith.maxsi
// CHECK: arith.maxsi %{{.*}}, %c3_i32
// CHECK: arith.minsi %{{.*}}, %c127_i32
func.func @maximum(%x: tensor<8xi8>, %o: tensor<4xi8>) -> tensor<4xi8> {
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<8xi8>)
    outs(%o : tensor<4xi8>) maps [#x, #y] window [3] padding [1, 0] low 0.0 -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Products fit into 32 bits, their sum into 64.
// CHECK-LABEL: @wide
// CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %{{.*}} : i32
// CHECK: %[[TERM:.*]] = arith.extsi %[[PRODUCT]] : i32 to i64
// CHECK: arith.addi %{{.*}}, %[[TERM]] : i64
// CHECK: %[[B:.*]] = arith.extsi %{{.*}} : i32 to i64
// CHECK: %[[SUM:.*]] = arith.addi %{{.*}}, %[[B]] : i64
// CHECK: arith.sitofp %[[SUM]] : i64 to f32
func.func @wide(%x: tensor<4x?xi8>, %w: tensor<?x2xi8>, %b: tensor<2xi32>, %o: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %y = quant.contract
    lhs(%x as <uint8, per_tensor, scale = 0.5> : tensor<4x?xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<?x2xi8>)
    bias(%b : tensor<2xi32>)
    outs(%o : tensor<4x2xf32>)
    maps [#x, #w, #b, #y] wide -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: @wide_average
// CHECK: arith.addi %{{.*}}, %{{.*}} : i64
// CHECK: arith.sitofp %{{.*}} : i64 to f32
func.func @wide_average(%x: tensor<4x8xi8>, %o: tensor<4xi8>) -> tensor<4xi8> {
  %y = quant.pool average ins(%x as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>) outs(%o : tensor<4xi8>)
    maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] window [8] wide -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Values are added to codes as a float bias is: divided in binary64, rounded once.
// CHECK-LABEL: @residual_of_values
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 2.500000e-01 : f64
// CHECK: %[[PRODUCT:.*]] = arith.sitofp %{{.*}} : i32 to f32
// CHECK: %[[R:.*]] = arith.extf %{{.*}} : f32 to f64
// CHECK: %[[Q:.*]] = arith.divf %[[R]], %[[SCALE]] : f64
// CHECK: %[[IN_UNITS:.*]] = arith.truncf %[[Q]] : f64 to f32
// CHECK: arith.addf %[[PRODUCT]], %[[IN_UNITS]] : f32
func.func @residual_of_values(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %r: tensor<4x2xf32>, %o: tensor<4x2xi8>) -> tensor<4x2xi8> {
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<8x2xi8>)
    residual(%r : tensor<4x2xf32>)
    outs(%o as <int8, per_tensor, scale = 0.25> : tensor<4x2xi8>)
    maps [#x, #w, #y, #y] -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}
