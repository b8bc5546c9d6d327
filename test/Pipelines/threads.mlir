// RUN: quant-opt %s --lower-to=cpu --target-threads=2 | FileCheck %s

// Threads are woken for what is large only.

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: llvm.func @small
// CHECK-NOT: omp.parallel
func.func @small(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %o = tensor.empty() : tensor<1000xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<1000xf32>) outs(%o : tensor<1000xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1000xf32>
  return %y : tensor<1000xf32>
}

// CHECK-LABEL: llvm.func @large
// CHECK: omp.parallel
func.func @large(%x: tensor<100000xf32>) -> tensor<100000xf32> {
  %o = tensor.empty() : tensor<100000xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<100000xf32>) outs(%o : tensor<100000xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<100000xf32>
  return %y : tensor<100000xf32>
}
