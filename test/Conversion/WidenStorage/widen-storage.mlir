// RUN: quant-opt %s --quant-widen-storage --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @scalars_keep_their_type(
// CHECK-SAME:    %[[X:.*]]: tensor<4xi8>) -> tensor<4xi32>
// CHECK:         linalg.generic {{.*}} ins(%[[X]] : tensor<4xi8>)
// CHECK:         ^bb0(%[[IN:.*]]: i8, %{{.*}}: i32):
// CHECK:           %[[CODE:.*]] = arith.trunci %[[IN]] : i8 to i4
// CHECK:           arith.extsi %[[CODE]] : i4 to i32
#id = affine_map<(d0) -> (d0)>
func.func @scalars_keep_their_type(%x: tensor<4xi4>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xi4>) outs(%e : tensor<4xi32>) {
  ^bb0(%in: i4, %out: i32):
    %1 = arith.extsi %in : i4 to i32
    linalg.yield %1 : i32
  } -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// CHECK-LABEL: func.func @floats(
// CHECK-SAME:    tensor<4xi8>, %{{.*}}: tensor<4xi8>, %{{.*}}: tensor<4xi8>)
// CHECK:         ^bb0(%[[F8:.*]]: i8, %[[F4:.*]]: i8, %[[E8:.*]]: i8, %{{.*}}: f32):
// CHECK-DAG:       arith.bitcast %[[F8]] : i8 to f8E5M2
// CHECK-DAG:       %[[NIBBLE:.*]] = arith.trunci %[[F4]] : i8 to i4
// CHECK-DAG:       arith.bitcast %[[NIBBLE]] : i4 to f4E2M1FN
// CHECK-DAG:       arith.bitcast %[[E8]] : i8 to f8E8M0FNU
#id = affine_map<(d0) -> (d0)>
func.func @floats(%x: tensor<4xf8E5M2>, %y: tensor<4xf4E2M1FN>, %z: tensor<4xf8E8M0FNU>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel"]} ins(%x, %y, %z : tensor<4xf8E5M2>, tensor<4xf4E2M1FN>, tensor<4xf8E8M0FNU>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f8E5M2, %b: f4E2M1FN, %c: f8E8M0FNU, %out: f32):
    %1 = arith.extf %a : f8E5M2 to f32
    %2 = arith.extf %b : f4E2M1FN to f32
    %3 = arith.extf %c : f8E8M0FNU to f32
    %4 = arith.addf %1, %2 : f32
    %5 = arith.addf %4, %3 : f32
    linalg.yield %5 : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Zero-extended, whatever the sign.
// CHECK-LABEL: func.func @constants(
// CHECK-DAG:     arith.constant dense<[15, 7]> : tensor<2xi8>
// CHECK-DAG:     arith.constant dense<2> : tensor<2xi8>
// CHECK-DAG:     arith.constant dense<[56, -72]> : tensor<2xi8>
// CHECK-DAG:     arith.constant dense<[10, 2]> : tensor<2xi8>
// CHECK-DAG:     arith.constant dense_resource<clean> : tensor<2xi8>
// CHECK-DAG:     arith.constant dense_resource<[[EXTENDED:extended.*]]> : tensor<2xi8>
// CHECK-DAG:     clean: "0x010000000F07"
// CHECK-DAG:     [[EXTENDED]]: "0x010000000F07"
func.func @constants() -> (tensor<2xi4>, tensor<2xi2>, tensor<2xf8E4M3FN>, tensor<2xf4E2M1FN>, tensor<2xi4>, tensor<2xi4>) {
  %0 = arith.constant dense<[-1, 7]> : tensor<2xi4>
  %1 = arith.constant dense<-2> : tensor<2xi2>
  %2 = arith.constant dense<[1.0, -1.0]> : tensor<2xf8E4M3FN>
  %3 = arith.constant dense<[-1.0, 1.0]> : tensor<2xf4E2M1FN>
  %4 = arith.constant dense_resource<clean> : tensor<2xi4>
  %5 = arith.constant dense_resource<extended> : tensor<2xi4>
  return %0, %1, %2, %3, %4, %5 : tensor<2xi4>, tensor<2xi2>, tensor<2xf8E4M3FN>, tensor<2xf4E2M1FN>, tensor<2xi4>, tensor<2xi4>
}
{-# dialect_resources: {
  builtin: {
    clean: "0x010000000F07",
    extended: "0x01000000FF07"
  }
} #-}

// -----

// CHECK-LABEL: func.func private @declared(tensor<?xi8>, i4) -> tensor<?xi8>
// CHECK-LABEL: func.func @calls_and_control_flow(
// CHECK-SAME:    %[[X:.*]]: tensor<?xi8>, %[[C:.*]]: i1, %[[S:.*]]: i4) -> tensor<?xi8>
// CHECK:         %[[Y:.*]] = call @declared(%[[X]], %[[S]]) : (tensor<?xi8>, i4) -> tensor<?xi8>
// CHECK:         cf.cond_br %[[C]], ^bb1(%[[X]] : tensor<?xi8>), ^bb1(%[[Y]] : tensor<?xi8>)
// CHECK:       ^bb1(%[[Z:.*]]: tensor<?xi8>):
// CHECK:         scf.for {{.*}} iter_args(%{{.*}} = %[[Z]]) -> (tensor<?xi8>)
func.func private @declared(tensor<?xi4>, i4) -> tensor<?xi4>
func.func @calls_and_control_flow(%x: tensor<?xi4>, %c: i1, %s: i4) -> tensor<?xi4> {
  %y = call @declared(%x, %s) : (tensor<?xi4>, i4) -> tensor<?xi4>
  cf.cond_br %c, ^bb1(%x : tensor<?xi4>), ^bb1(%y : tensor<?xi4>)
^bb1(%z: tensor<?xi4>):
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%acc = %z) -> tensor<?xi4> {
    scf.yield %acc : tensor<?xi4>
  }
  return %r : tensor<?xi4>
}

// -----

// An element that is only moved stays a byte.
// CHECK-LABEL: func.func @moved_elements(
// CHECK-SAME:    %[[X:.*]]: tensor<4xi8>, %[[I:.*]]: index)
// CHECK:         %[[BYTE:.*]] = tensor.extract %[[X]][%[[I]]] : tensor<4xi8>
// CHECK-NOT:     arith.trunci
// CHECK:         tensor.splat %[[BYTE]] : tensor<3xi8>
func.func @moved_elements(%x: tensor<4xi4>, %i: index) -> tensor<3xi4> {
  %e = tensor.extract %x[%i] : tensor<4xi4>
  %s = tensor.splat %e : tensor<3xi4>
  return %s : tensor<3xi4>
}

// -----

// CHECK-LABEL: func.func @element_operands(
// CHECK-SAME:    %[[X:.*]]: tensor<4xi8>, %[[S:.*]]: i4, %[[I:.*]]: index)
// CHECK:         %[[BYTE:.*]] = arith.extui %[[S]] : i4 to i8
// CHECK:         tensor.insert %[[BYTE]] into %[[X]][%[[I]]] : tensor<4xi8>
// CHECK:         tensor.pad
// CHECK:           %[[PAD:.*]] = arith.extui %[[S]] : i4 to i8
// CHECK:           tensor.yield %[[PAD]] : i8
func.func @element_operands(%x: tensor<4xi4>, %s: i4, %i: index) -> tensor<6xi4> {
  %0 = tensor.insert %s into %x[%i] : tensor<4xi4>
  %1 = tensor.pad %0 low[1] high[1] {
  ^bb0(%j: index):
    tensor.yield %s : i4
  } : tensor<4xi4> to tensor<6xi4>
  return %1 : tensor<6xi4>
}

// -----

// The body of linalg.matmul sign-extends by type, so it has to be written out.
// CHECK-LABEL: func.func @named_operation(
// CHECK:         linalg.generic
// CHECK:         ^bb0(%[[A:.*]]: i8, %[[B:.*]]: i8, %[[ACC:.*]]: i32):
// CHECK-DAG:       %[[A4:.*]] = arith.trunci %[[A]] : i8 to i4
// CHECK-DAG:       %[[B4:.*]] = arith.trunci %[[B]] : i8 to i4
// CHECK-DAG:       arith.extsi %[[A4]] : i4 to i32
// CHECK-DAG:       arith.extsi %[[B4]] : i4 to i32
func.func @named_operation(%a: tensor<2x3xi4>, %b: tensor<3x2xi4>, %c: tensor<2x2xi32>) -> tensor<2x2xi32> {
  %0 = linalg.matmul ins(%a, %b : tensor<2x3xi4>, tensor<3x2xi4>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return %0 : tensor<2x2xi32>
}

// -----

// CHECK-LABEL: func.func @elementwise_operation(
// CHECK:         linalg.generic
// CHECK:         ^bb0(%[[IN:.*]]: i8, %{{.*}}: i32):
// CHECK:           %[[CODE:.*]] = arith.trunci %[[IN]] : i8 to i2
// CHECK:           arith.extsi %[[CODE]] : i2 to i32
func.func @elementwise_operation(%x: tensor<4xi2>) -> tensor<4xi32> {
  %0 = arith.extsi %x : tensor<4xi2> to tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// CHECK-LABEL: func.func @vectors(
// CHECK-SAME:    %[[X:.*]]: tensor<8xi8>, %[[I:.*]]: index, %[[P:.*]]: i4) -> vector<8xi4>
// CHECK:         %[[PAD:.*]] = arith.extui %[[P]] : i4 to i8
// CHECK:         %[[BYTES:.*]] = vector.transfer_read %[[X]][%[[I]]], %[[PAD]] : tensor<8xi8>, vector<8xi8>
// CHECK:         arith.trunci %[[BYTES]] : vector<8xi8> to vector<8xi4>
func.func @vectors(%x: tensor<8xi4>, %i: index, %p: i4) -> vector<8xi4> {
  %v = vector.transfer_read %x[%i], %p : tensor<8xi4>, vector<8xi4>
  return %v : vector<8xi4>
}

// -----

// CHECK-LABEL: func.func @bitcast(
// CHECK-SAME:    %[[X:.*]]: tensor<4xi8>) -> tensor<4xi8>
// CHECK-NEXT:    return %[[X]]
func.func @bitcast(%x: tensor<4xi4>) -> tensor<4xf4E2M1FN> {
  %0 = tensor.bitcast %x : tensor<4xi4> to tensor<4xf4E2M1FN>
  return %0 : tensor<4xf4E2M1FN>
}

// -----

// CHECK-LABEL: func.func @bool_and_byte_are_not_narrow(
// CHECK-SAME:    tensor<4xi1>, %{{.*}}: tensor<4xi8>)
func.func @bool_and_byte_are_not_narrow(%x: tensor<4xi1>, %y: tensor<4xi8>) {
  return
}
