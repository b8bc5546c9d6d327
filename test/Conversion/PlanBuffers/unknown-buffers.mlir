// RUN: quant-opt %s --allow-unregistered-dialect --quant-plan-buffers="allocate=quant_vulkan_alloc free=quant_vulkan_free" --canonicalize | FileCheck %s
// RUN: quant-opt %s --allow-unregistered-dialect --quant-plan-buffers | FileCheck %s --check-prefix=LIBRARY

// Of a run time's memory, a buffer whose size only the run time knows is an arena of its
// own: of the power of two that has room for it and for what kernels read beyond it. It
// waits in the slot for that power.

// CHECK: llvm.func internal @quant.free_arenas()
// CHECK-COUNT-64: llvm.call @quant_vulkan_free
// CHECK: llvm.mlir.global internal @quant.arenas.one() {{.*}} : !llvm.array<64 x ptr>
// CHECK: llvm.func internal @quant.take_arena
// CHECK: llvm.call @quant_vulkan_alloc

// CHECK-LABEL: func @one
// CHECK-SAME: %[[N:[^:]*]]: index
// CHECK-DAG: %[[TABLE:.*]] = llvm.mlir.addressof @quant.arenas.one
// CHECK-DAG: %[[C12:.*]] = arith.constant 12 : i64
// CHECK-DAG: %[[C63:.*]] = arith.constant 63 : i64
// CHECK-DAG: %[[C64:.*]] = arith.constant 64 : i64
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i64
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: %[[BYTES:.*]] = arith.muli %[[COUNT]], %[[C12]] : i64
// CHECK: %[[ALL:.*]] = arith.addi %[[BYTES]], %[[C63]] : i64
// CHECK: %[[ZEROS:.*]] = "llvm.intr.ctlz"(%[[ALL]])
// CHECK: %[[POWER:.*]] = arith.subi %[[C64]], %[[ZEROS]] : i64
// CHECK: %[[SIZE:.*]] = arith.shli %[[C1]], %[[POWER]] : i64
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[TABLE]][%[[POWER]]]
// CHECK: %[[ARENA:.*]] = llvm.call @quant.take_arena(%[[SLOT]], %[[SIZE]])
// CHECK: %[[BUFFER:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<?xi8>
// CHECK: memref.view %[[BUFFER]][%c0][%[[N]]] : memref<?xi8> to memref<3x?xi32>
// CHECK: "test.use"
// CHECK: llvm.call @quant.give_back_arena(%[[SLOT]], %[[ARENA]])
// LIBRARY-LABEL: func @one
// LIBRARY: memref.alloc(
func.func @one(%n: index) {
  %a = memref.alloc(%n) {alignment = 64 : i64} : memref<3x?xi32>
  "test.use"(%a) : (memref<3x?xi32>) -> ()
  memref.dealloc %a : memref<3x?xi32>
  return
}

// What is handed out stays.
// CHECK-LABEL: func @result
// CHECK: memref.alloc(
// CHECK-NOT: quant.take_arena
func.func @result(%n: index) -> memref<?xi8> {
  %a = memref.alloc(%n) : memref<?xi8>
  return %a : memref<?xi8>
}
