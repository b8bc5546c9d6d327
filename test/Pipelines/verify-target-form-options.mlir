// RUN: quant-opt %s --quant-verify-target-form=allocations=any | FileCheck %s
// RUN: not quant-opt %s --quant-verify-target-form=allocations=error 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not quant-opt %s --quant-verify-target-form=allocations=none 2>&1 | FileCheck %s --check-prefix=ALLOCATIONS
// RUN: not quant-opt %s --quant-verify-target-form=target=gpu 2>&1 | FileCheck %s --check-prefix=TARGET

// What the bundled models compile to allocates in one place only: an error otherwise.

// CHECK: llvm.call @malloc
// ERROR: error: 'llvm.call' op does not belong in the form of the target: expected memory of the arena only, found some that is allocated at every call: its size is known at run time only
// ALLOCATIONS: error: quant-verify-target-form: expected allocations to be any or remark or error, found 'none'
// TARGET: error: quant-verify-target-form: expected target to be reference or cpu, found 'gpu'
llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @allocates(%bytes: i64) {
  %0 = llvm.call @malloc(%bytes) : (i64) -> !llvm.ptr
  llvm.return
}
