// RUN: quant-opt %s --quant-c-interface | FileCheck %s

// CHECK-LABEL: func @plain
// CHECK-SAME: (%[[X:.*]]: !llvm.ptr, %{{.*}}: f32, %{{.*}}: !llvm.ptr)
func.func @plain(%x: memref<2x3xi8>, %s: f32, %y: memref<2xf32>) {
  // CHECK: %[[DESCRIPTOR:.*]] = llvm.insertvalue %{{.*}}[4, 0]
  // CHECK: %[[BUFFER:.*]] = builtin.unrealized_conversion_cast %[[DESCRIPTOR]] {{.*}} to memref<2x3xi8>
  // CHECK: memref.load %[[BUFFER]]
  %c0 = arith.constant 0 : index
  %0 = memref.load %x[%c0, %c0] : memref<2x3xi8>
  %1 = arith.sitofp %0 : i8 to f32
  memref.store %1, %y[%c0] : memref<2xf32>
  return
}

// CHECK-LABEL: func @descriptors
// CHECK-SAME: (%{{.*}}: memref<?xi8>) attributes {llvm.emit_c_interface}
func.func @descriptors(%x: memref<?xi8>) {
  return
}

// CHECK-LABEL: func private @hidden
// CHECK-SAME: memref<4xi8>
func.func private @hidden(%x: memref<4xi8>) {
  return
}
