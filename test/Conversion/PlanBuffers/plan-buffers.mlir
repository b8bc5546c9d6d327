// RUN: quant-opt %s --allow-unregistered-dialect --quant-plan-buffers | FileCheck %s
// RUN: quant-opt %s --allow-unregistered-dialect --quant-plan-buffers | FileCheck %s --check-prefix=MODULE

// MODULE: llvm.func internal @quant.free_arenas()
// MODULE: llvm.mlir.global internal @quant.arena.beside() {{.*}} : !llvm.ptr
// MODULE: llvm.mlir.global internal @quant.arena.chain() {{.*}} : !llvm.ptr
// MODULE: llvm.func internal @quant.give_back_arena
// MODULE: llvm.atomicrmw xchg %{{.*}}, %{{.*}} acq_rel
// MODULE: llvm.call @free
// MODULE: llvm.func internal @quant.take_arena
// MODULE: llvm.atomicrmw xchg %{{.*}}, %{{.*}} acq_rel
// MODULE: llvm.icmp "eq"
// MODULE: llvm.call @aligned_alloc
// MODULE: llvm.mlir.global_dtors dtors = [@quant.free_arenas]

// The first and the third of a chain are never used together: 1088 bytes and
// 1088 with their slack, 128 for the one between them.
// CHECK-LABEL: func @chain
func.func @chain(%x: memref<1024xi8>, %y: memref<1024xi8>) {
  // CHECK: %[[SLOT:.*]] = llvm.mlir.addressof @quant.arena.chain
  // CHECK: %[[BYTES:.*]] = llvm.mlir.constant(1216 : i64)
  // CHECK: %[[ARENA:.*]] = llvm.call @quant.take_arena(%[[SLOT]], %[[BYTES]])
  // CHECK: %[[BUFFER:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<1216xi8>
  // CHECK-NOT: memref.alloc
  // CHECK: %[[C0:.*]] = arith.constant 0 : index
  // CHECK: %[[A:.*]] = memref.view %[[BUFFER]][%[[C0]]][] : memref<1216xi8> to memref<1024xi8>
  // CHECK: %[[C1088:.*]] = arith.constant 1088 : index
  // CHECK: %[[B:.*]] = memref.view %[[BUFFER]][%[[C1088]]][] : memref<1216xi8> to memref<16xi32>
  // CHECK: %[[C0_0:.*]] = arith.constant 0 : index
  // CHECK: %[[C:.*]] = memref.view %[[BUFFER]][%[[C0_0]]][] : memref<1216xi8> to memref<1024xi8>
  %a = memref.alloc() {alignment = 64 : i64} : memref<1024xi8>
  %b = memref.alloc() {alignment = 64 : i64} : memref<16xi32>
  %c = memref.alloc() {alignment = 64 : i64} : memref<1024xi8>
  "test.use"(%x, %a) : (memref<1024xi8>, memref<1024xi8>) -> ()
  "test.use"(%a, %b) : (memref<1024xi8>, memref<16xi32>) -> ()
  "test.use"(%b, %c) : (memref<16xi32>, memref<1024xi8>) -> ()
  "test.use"(%c, %y) : (memref<1024xi8>, memref<1024xi8>) -> ()
  // CHECK-NOT: memref.dealloc
  // CHECK: llvm.call @quant.give_back_arena(%[[SLOT]], %[[ARENA]])
  // CHECK-NEXT: return
  memref.dealloc %a : memref<1024xi8>
  memref.dealloc %b : memref<16xi32>
  memref.dealloc %c : memref<1024xi8>
  return
}

// A view keeps what it is of, and a loop all that it uses.
// CHECK-LABEL: func @beside
func.func @beside(%n: index, %y: memref<64xi8>) {
  // CHECK: llvm.mlir.constant(256 : i64)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<64xi8>
  %b = memref.alloc() : memref<64xi8>
  %part = memref.subview %a[0] [16] [1] : memref<64xi8> to memref<16xi8, strided<[1]>>
  scf.for %i = %c0 to %n step %c1 {
    "test.use"(%b) : (memref<64xi8>) -> ()
    "test.use"(%part) : (memref<16xi8, strided<[1]>>) -> ()
  }
  memref.dealloc %a : memref<64xi8>
  memref.dealloc %b : memref<64xi8>
  return
}

// Handed out, of dynamic size, one for each thread: as they were.
// CHECK-LABEL: func @left
func.func @left(%n: index) -> memref<64xi8> {
  // CHECK-NOT: arena
  // CHECK: memref.alloc() : memref<64xi8>
  // CHECK: memref.alloc(%{{.*}}) : memref<?xi8>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<64xi8>
  %b = memref.alloc(%n) : memref<?xi8>
  "test.use"(%a, %b) : (memref<64xi8>, memref<?xi8>) -> ()
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    // CHECK: scf.parallel
    // CHECK: memref.alloc() : memref<32xi8>
    %c = memref.alloc() : memref<32xi8>
    "test.use"(%c) : (memref<32xi8>) -> ()
    memref.dealloc %c : memref<32xi8>
  }
  memref.dealloc %b : memref<?xi8>
  return %a : memref<64xi8>
}

