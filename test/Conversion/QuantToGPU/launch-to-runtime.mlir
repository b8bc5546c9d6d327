// RUN: quant-opt %s --quant-launch-to-runtime=runtime=vulkan --canonicalize --cse | FileCheck %s

// The first launch may return before its results are there: another one follows, and
// nothing between them looks at memory. Behind the second one the host does.
module attributes {gpu.container_module} {
  gpu.binary @k [#gpu.object<#nvvm.target, bin = "binary">]
  // CHECK-LABEL: func.func @two(
  // CHECK-DAG: %[[YES:.*]] = llvm.mlir.constant(1 : i64)
  // CHECK-DAG: %[[NO:.*]] = llvm.mlir.constant(0 : i64)
  // CHECK: %[[AT:.*]] = llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[YES]], %[[AT]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: %[[AT:.*]] = llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[NO]], %[[AT]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: memref.load
  // CHECK: %[[AT:.*]] = llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[NO]], %[[AT]]
  // CHECK: llvm.call @quant_vulkan_launch
  func.func @two(%x: memref<?xi8>) -> i8 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    %n = memref.dim %x, %c0 : memref<?xi8>
    gpu.launch_func @k::@k blocks in (%n, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    %v = memref.load %x[%c1] : memref<?xi8>
    gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    return %v : i8
  }

  // Nobody has looked at a buffer that is taken between them.
  llvm.func @quant.take_arena(!llvm.ptr, i64) -> !llvm.ptr
  // CHECK-LABEL: func.func @taken(
  // CHECK-DAG: %[[YES:.*]] = llvm.mlir.constant(1 : i64)
  // CHECK: llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[YES]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: llvm.call @quant.take_arena
  // CHECK: llvm.call @quant_vulkan_launch
  func.func @taken(%x: memref<?xi8>, %slot: !llvm.ptr, %bytes: i64) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    %a = llvm.call @quant.take_arena(%slot, %bytes) : (!llvm.ptr, i64) -> !llvm.ptr
    gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    return
  }

  // Whichever way the host goes, launches follow each other, but for the last one and
  // for a way on which it looks at memory first.
  // CHECK-LABEL: func.func @ways(
  // CHECK-DAG: %[[YES:.*]] = llvm.mlir.constant(1 : i64)
  // CHECK-DAG: %[[NO:.*]] = llvm.mlir.constant(0 : i64)
  // CHECK: llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[YES]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: scf.if
  // CHECK: llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[YES]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: else
  // CHECK: llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[YES]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[NO]]
  // CHECK: llvm.call @quant_vulkan_launch
  // CHECK: scf.if
  // CHECK: memref.store
  // CHECK: else
  // CHECK: llvm.getelementptr %{{.*}}[0, 7]
  // CHECK-NEXT: llvm.store %[[NO]]
  // CHECK: llvm.call @quant_vulkan_launch
  func.func @ways(%x: memref<?xi8>, %way: i1, %v: i8) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    scf.if %way {
      gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    } else {
      gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    }
    gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    scf.if %way {
      memref.store %v, %x[%c1] : memref<?xi8>
    } else {
      gpu.launch_func @k::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xi8>) {quant.access = array<i32: 2>}
    }
    return
  }
}
