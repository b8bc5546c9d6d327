// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-verify-target-form{calls=quant_vulkan_})' --split-input-file --verify-diagnostics

// The host's code: llvm and omp, functions of C and of the run time, memory from
// the arena.

llvm.func @expf(f32) -> f32
llvm.func @aligned_alloc(i64, i64) -> !llvm.ptr
llvm.func @quant_vulkan_free(!llvm.ptr)
llvm.func internal @quant.take_arena(%slot: !llvm.ptr, %bytes: i64) -> !llvm.ptr {
  %0 = llvm.call @aligned_alloc(%bytes, %bytes) : (i64, i64) -> !llvm.ptr
  llvm.return %0 : !llvm.ptr
}
llvm.func @good(%x: f32, %p: !llvm.ptr) -> f32 {
  %0 = llvm.call @expf(%x) : (f32) -> f32
  omp.parallel {
    llvm.call @quant_vulkan_free(%p) : (!llvm.ptr) -> ()
    omp.terminator
  }
  llvm.return %0 : f32
}

// -----

llvm.func @foreign(%x: i32) -> i32 {
  // expected-error@below {{'arith.addi' op does not belong in the form of the target: no lowering to LLVM is known for it}}
  %0 = arith.addi %x, %x : i32
  // The cast is there because of it, and not another error.
  %1 = builtin.unrealized_conversion_cast %0 : i32 to index
  %2 = builtin.unrealized_conversion_cast %1 : index to i32
  llvm.return %2 : i32
}

// -----

llvm.func @cast(%x: i64) {
  // expected-error@below {{expected values of one dialect's types, found a cast that no conversion took away}}
  %0 = builtin.unrealized_conversion_cast %x : i64 to index
  llvm.return
}

// -----

// expected-error@below {{expected a body, or a function of the C library or of a name that begins with quant_vulkan_, found 'memrefCopy': define it}}
llvm.func @memrefCopy(i64, !llvm.ptr, !llvm.ptr)

// -----

llvm.func @aligned_alloc(i64, i64) -> !llvm.ptr
llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @allocates(%bytes: i64) {
  %alignment = llvm.mlir.constant(64 : i64) : i64
  %size = llvm.mlir.constant(1024 : i64) : i64
  %sum = llvm.add %size, %alignment : i64
  // expected-remark@below {{memory is allocated at every call: quant-plan-buffers has no place for it in the arena}}
  %0 = llvm.call @aligned_alloc(%alignment, %sum) : (i64, i64) -> !llvm.ptr
  // expected-remark@below {{memory is allocated at every call: its size is known at run time only}}
  %1 = llvm.call @malloc(%bytes) : (i64) -> !llvm.ptr
  llvm.return
}
