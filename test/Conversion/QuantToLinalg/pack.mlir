// RUN: quant-opt %s --quant-to-linalg --split-input-file | FileCheck %s

// CHECK: #[[BYTE:.*]] = affine_map<(d0, d1) -> ((d0 * 3 + d1) floordiv 2)>
// CHECK-LABEL: func.func @unpack(
// CHECK:         linalg.generic {indexing_maps = [#[[BYTE]], #{{.*}}]
// CHECK:         ^bb0(%[[BYTE:.*]]: i8, %{{.*}}: i4):
// CHECK-DAG:       %[[ROW:.*]] = linalg.index 0 : index
// CHECK-DAG:       %[[COLUMN:.*]] = linalg.index 1 : index
// CHECK:           %[[OFFSET:.*]] = arith.muli %[[ROW]], %c3
// CHECK:           %[[INDEX:.*]] = arith.addi %[[OFFSET]], %[[COLUMN]] : index
// CHECK:           %[[LOW:.*]] = arith.index_cast %[[INDEX]] : index to i8
// CHECK:           %[[PLACE:.*]] = arith.andi %[[LOW]], %c1_i8
// CHECK:           %[[SHIFT:.*]] = arith.shli %[[PLACE]], %c2_i8
// CHECK:           %[[SHIFTED:.*]] = arith.shrui %[[BYTE]], %[[SHIFT]] : i8
// CHECK:           arith.trunci %[[SHIFTED]] : i8 to i4
func.func @unpack(%p: tensor<5xi8>) -> tensor<3x3xi4> {
  %q = quant.unpack %p <canonical> : tensor<5xi8> -> tensor<3x3xi4>
  return %q : tensor<3x3xi4>
}

// -----

// CHECK-LABEL: func.func @unpack_float(
// CHECK:         ^bb0(%[[BYTE:.*]]: i8, %{{.*}}: f8E5M2):
// CHECK-NEXT:      %[[VALUE:.*]] = arith.bitcast %[[BYTE]] : i8 to f8E5M2
// CHECK-NEXT:      linalg.yield %[[VALUE]] : f8E5M2
func.func @unpack_float(%p: tensor<4xi8>) -> tensor<2x2xf8E5M2> {
  %q = quant.unpack %p <canonical> : tensor<4xi8> -> tensor<2x2xf8E5M2>
  return %q : tensor<2x2xf8E5M2>
}

// -----

// CHECK-LABEL: func.func @pack_full_bytes(
// CHECK:         %[[FLAT:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<2x2xi4> into tensor<4xi4>
// CHECK:           %[[LOW:.*]] = tensor.extract %[[FLAT]]
// CHECK:           %[[LOW8:.*]] = arith.extui %[[LOW]] : i4 to i8
// CHECK-NOT:       arith.select
// CHECK:           %[[HIGH:.*]] = tensor.extract %[[FLAT]]
// CHECK:           %[[HIGH8:.*]] = arith.extui %[[HIGH]] : i4 to i8
// CHECK:           %[[SHIFTED:.*]] = arith.shli %[[HIGH8]], %c4_i8
// CHECK:           arith.ori %[[LOW8]], %[[SHIFTED]] : i8
func.func @pack_full_bytes(%q: tensor<2x2xi4>) -> tensor<2xi8> {
  %p = quant.pack %q <canonical> : tensor<2x2xi4> -> tensor<2xi8>
  return %p : tensor<2xi8>
}

// -----

// Nothing is read past the end, and the tail bits are 0.
// CHECK-LABEL: func.func @pack_ragged(
// CHECK:         %[[INSIDE:.*]] = arith.cmpi ule, %[[POSITION:.*]], %[[LAST:.*]] : index
// CHECK:         %[[SAFE:.*]] = arith.minui %[[POSITION]], %[[LAST]] : index
// CHECK:         tensor.extract %{{.*}}[%[[SAFE]]] : tensor<3xi4>
// CHECK:         arith.select %[[INSIDE]], %{{.*}}, %c0_i8
func.func @pack_ragged(%q: tensor<3xi4>) -> tensor<2xi8> {
  %p = quant.pack %q <canonical> : tensor<3xi4> -> tensor<2xi8>
  return %p : tensor<2xi8>
}
