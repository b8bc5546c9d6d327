// RUN: quant-opt %s --quant-prepare-spirv | FileCheck %s

module attributes {gpu.container_module} {
  func.func @host(%x: memref<?xi8>, %y: memref<?xf32>, %n: index, %s: f32) {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @scale::@scale blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
      args(%x : memref<?xi8>, %n : index, %s : f32, %y : memref<?xf32>)
    return
  }

  // The launch finds the kernel as it was.
  // CHECK: gpu.module @scale {
  // CHECK: gpu.func @scale(%{{.*}}: memref<?xi8>, %{{.*}}: index, %{{.*}}: f32, %{{.*}}: memref<?xf32>)

  // CHECK: module @spirv.scale
  // CHECK: gpu.module @scale attributes {spirv.target_env = #spirv.target_env<#spirv.vce<v1.6
  // CHECK: gpu.func @scale(
  // CHECK-SAME: %[[X:.*]]: memref<?xi8, #spirv.storage_class<StorageBuffer>>,
  // CHECK-SAME: %[[Y:.*]]: memref<?xf32, #spirv.storage_class<StorageBuffer>>,
  // CHECK-SAME: %[[WORDS:.*]]: memref<2xi32, #spirv.storage_class<PushConstant>>)
  // CHECK-SAME: spirv.entry_point_abi = #spirv.entry_point_abi<workgroup_size = [64, 1, 1]>
  // CHECK: %[[FIRST:.*]] = memref.load %[[WORDS]][%c0]
  // CHECK: %[[N:.*]] = arith.index_cast %[[FIRST]] : i32 to index
  // CHECK: %[[SECOND:.*]] = memref.load %[[WORDS]][%c1]
  // CHECK: %[[S:.*]] = arith.bitcast %[[SECOND]] : i32 to f32
  gpu.module @scale {
    gpu.func @scale(%x: memref<?xi8>, %n: index, %s: f32, %y: memref<?xf32>) kernel
        attributes {known_block_size = array<i32: 64, 1, 1>} {
      // CHECK: memref.load %[[X]][%[[N]]]
      %code = memref.load %x[%n] : memref<?xi8>
      %value = arith.sitofp %code : i8 to f32
      // The device's own quotient is taken for 0, infinities and NaN only.
      // CHECK: %[[V:.*]] = arith.sitofp
      // CHECK: %[[BITS:.*]]:2 = scf.for %{{.*}} = %{{.*}} to %c24
      // CHECK: %[[EXACT:.*]] = arith.bitcast %{{.*}} : i32 to f32
      // CHECK: %[[OWN:.*]] = arith.divf %[[V]], %[[S]]
      // CHECK: %[[Q:.*]] = arith.select %{{.*}}, %[[EXACT]], %[[OWN]]
      %quotient = arith.divf %value, %s : f32
      // CHECK: memref.store %[[Q]], %[[Y]]
      memref.store %quotient, %y[%n] : memref<?xf32>
      gpu.return
    }
  }
}
