// RUN: quant-opt %s --quant-to-gpu --canonicalize --cse --split-input-file -verify-diagnostics | FileCheck %s

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @elementwise(
// CHECK-SAME: %[[X:.*]]: memref<64xi8>, %[[Y:.*]]: memref<64xi32>)
// CHECK-DAG: %[[FX:.*]] = memref.cast %[[X]] : memref<64xi8> to memref<?xi8>
// CHECK-DAG: %[[FY:.*]] = memref.cast %[[Y]] : memref<64xi32> to memref<?xi32>
// CHECK: gpu.launch_func  @elementwise_0::@elementwise_0
// CHECK-SAME: blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
// CHECK-SAME: args(%[[FX]] : memref<?xi8>, %[[FY]] : memref<?xi32>)
// CHECK-SAME: {quant.access = array<i32: 1, 2>}
// CHECK: gpu.module @elementwise_0
// CHECK: gpu.func @elementwise_0(%[[A:.*]]: memref<?xi8>, %[[B:.*]]: memref<?xi32>) kernel
// CHECK-SAME: known_block_size = array<i32: 64, 1, 1>
// CHECK: %[[AT:.*]] = arith.addi
// CHECK-NEXT: %[[CODE:.*]] = memref.load %[[A]][%[[AT]]]
// CHECK-NEXT: %[[WIDE:.*]] = arith.extsi %[[CODE]]
// CHECK-NEXT: memref.store %[[WIDE]], %[[B]][%[[AT]]]
func.func @elementwise(%x: memref<64xi8>, %y: memref<64xi32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi32>) {
  ^bb0(%in: i8, %out: i32):
    %0 = arith.extsi %in : i8 to i32
    linalg.yield %0 : i32
  }
  return
}

// -----

#x = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>

// A row each, and none for the last invocations; the sum stays in a register.
// CHECK-LABEL: gpu.func @reduce(
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[ROW:.*]], %c7
// CHECK: scf.if %[[INSIDE]]
// CHECK: %[[FIRST:.*]] = memref.load %{{.*}}[%[[ROW]]]
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %c0 to %c30 step %c1 iter_args(%{{.*}} = %[[FIRST]])
// CHECK-NOT: memref.store
// CHECK: memref.store %[[SUM]], %{{.*}}[%[[ROW]]]
func.func @sum(%x: memref<7x30xi32>, %y: memref<7xi32>) {
  linalg.generic {indexing_maps = [#x, #y], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<7x30xi32>) outs(%y : memref<7xi32>) {
  ^bb0(%in: i32, %out: i32):
    %0 = arith.addi %in, %out : i32
    linalg.yield %0 : i32
  }
  return
}

// -----

// Sizes and strides that are not known are numbers of the kernel.
// CHECK-LABEL: func.func @dynamic(
// CHECK: gpu.launch_func  @copy::@copy
// CHECK-SAME: quant.access = array<i32: {{.*}}>
// CHECK: gpu.func @copy(
// CHECK-SAME: memref<?xf32>
// CHECK-SAME: index
// CHECK: scf.for
func.func @dynamic(%x: memref<?x8xf32, strided<[?, 1], offset: ?>>, %y: memref<?x8xf32>) {
  memref.copy %x, %y : memref<?x8xf32, strided<[?, 1], offset: ?>> to memref<?x8xf32>
  return
}

// -----

#id = affine_map<(i) -> (i)>

// Nibbles are taken out of bytes by shifts.
// CHECK-LABEL: gpu.func @elementwise(
// CHECK: %[[BYTE:.*]] = memref.load
// CHECK-NEXT: %[[UP:.*]] = arith.shli %[[BYTE]], %c4_i8
// CHECK-NEXT: %[[CODE:.*]] = arith.shrsi %[[UP]], %c4_i8
// CHECK-NEXT: arith.extsi %[[CODE]]
func.func @nibbles(%x: memref<64xi8>, %y: memref<64xi32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi32>) {
  ^bb0(%in: i8, %out: i32):
    %0 = arith.trunci %in : i8 to i4
    %1 = arith.extsi %0 : i4 to i32
    linalg.yield %1 : i32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @host(
// CHECK-NOT: gpu.launch_func
// CHECK: math.exp
func.func @host(%x: memref<64xf32>, %y: memref<64xf32>) {
  // expected-remark @+1 {{is computed by the host: the result of 'math.exp' is not the same on every device}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.exp %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#in = affine_map<(i, k) -> (i, k)>
#out = affine_map<(i, k) -> (i)>

// An invocation takes 65535 steps: what is left is another launch, which goes on from
// the result.
// CHECK-LABEL: func.func @long_reduction(
// CHECK: scf.for %[[FIRST:.*]] = %c0 to %c65536 step %c65535
// CHECK: %[[NEXT:.*]] = arith.addi %[[FIRST]], %c65535
// CHECK: %[[END:.*]] = arith.minui %[[NEXT]], %c65536
// CHECK: gpu.launch_func {{.*}} args({{.*}}%[[FIRST]] : index, %[[END]] : index{{.*}})
// CHECK: gpu.func
// CHECK: %[[SUM:.*]] = memref.load
// CHECK: scf.for %{{.*}} = %arg{{[0-9]+}} to %arg{{[0-9]+}} step %c1 iter_args(%{{.*}} = %[[SUM]])
func.func @long_reduction(%x: memref<4x65536xi32>, %y: memref<4xi32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x65536xi32>) outs(%y : memref<4xi32>) {
  ^bb0(%in: i32, %out: i32):
    %0 = arith.addi %in, %out : i32
    linalg.yield %0 : i32
  }
  return
}

// -----

#in = affine_map<(i, k, l) -> (i, k, l)>
#out = affine_map<(i, k, l) -> (i)>

// CHECK-LABEL: func.func @long_inner_reduction(
// CHECK-NOT: gpu.launch_func
func.func @long_inner_reduction(%x: memref<4x2x65536xi32>, %y: memref<4xi32>) {
  // expected-remark @+1 {{is computed by the host: its reductions but for the first one have more than 65535 steps, or an unknown number, of which not every device takes more}}
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%x : memref<4x2x65536xi32>) outs(%y : memref<4xi32>) {
  ^bb0(%in: i32, %out: i32):
    %0 = arith.addi %in, %out : i32
    linalg.yield %0 : i32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @doubles(
// CHECK-NOT: gpu.launch_func
func.func @doubles(%x: memref<64xf64>, %y: memref<64xf64>) {
  // expected-remark @+1 {{'linalg.generic' is computed by the host: it has a buffer of f64}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xf64>) outs(%y : memref<64xf64>) {
  ^bb0(%in: f64, %out: f64):
    linalg.yield %in : f64
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// Integers of less than a byte are no type of a kernel: their bits are shifted out
// and, where they are signed, back.
// CHECK-LABEL: func.func @nibbles(
// CHECK: gpu.func
// CHECK: %[[BYTE:.*]] = memref.load
// CHECK: %[[HIGH:.*]] = arith.shli %[[BYTE]], %c4{{.*}} : i8
// CHECK: %[[SIGNED:.*]] = arith.shrsi %[[HIGH]], %c4{{.*}} : i8
// CHECK: arith.extsi %[[SIGNED]] : i8 to i32
// CHECK: %[[UNSIGNED:.*]] = arith.andi %[[BYTE]], %c15{{.*}} : i8
// CHECK: arith.extui %[[UNSIGNED]] : i8 to i32
// CHECK-NOT: i4
func.func @nibbles(%x: memref<64xi8>, %y: memref<64xi32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi32>) {
  ^bb0(%in: i8, %out: i32):
    %0 = arith.trunci %in : i8 to i4
    %1 = arith.extsi %0 : i4 to i32
    %2 = arith.extui %0 : i4 to i32
    %3 = arith.addi %1, %2 : i32
    linalg.yield %3 : i32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

memref.global "private" constant @table : memref<256xi8> = dense<1>

// A constant that the body reads from is an argument.
// CHECK-LABEL: func.func @lookup(
// CHECK: %[[TABLE:.*]] = memref.get_global @table
// CHECK: %[[FLAT:.*]] = memref.cast %[[TABLE]] : memref<256xi8> to memref<?xi8>
// CHECK: gpu.launch_func  @elementwise::@elementwise
// CHECK-SAME: %[[FLAT]] : memref<?xi8>
// CHECK-SAME: {quant.access = array<i32: 1, 2, 1>}
// CHECK: gpu.func @elementwise(%[[A:.*]]: memref<?xi8>, %[[B:.*]]: memref<?xi8>, %[[T:.*]]: memref<?xi8>) kernel
// CHECK: %[[CODE:.*]] = memref.load %[[A]][%[[AT:.*]]]
// CHECK-NEXT: %[[I:.*]] = arith.index_castui %[[CODE]] : i8 to index
// CHECK-NEXT: %[[Y:.*]] = memref.load %[[T]][%[[I]]]
// CHECK-NEXT: memref.store %[[Y]], %[[B]][%[[AT]]]
func.func @lookup(%x: memref<64xi8>, %y: memref<64xi8>) {
  %table = memref.get_global @table : memref<256xi8>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%code: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    linalg.yield %0 : i8
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// What is computed is none.
func.func @no_table(%x: memref<64xi8>, %y: memref<64xi8>, %table: memref<256xi8>) {
  // expected-remark@+1 {{is computed by the host: it uses a number of type memref<256xi8>}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%code: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    linalg.yield %0 : i8
  }
  return
}
