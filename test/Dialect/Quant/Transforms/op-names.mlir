// Names of operations: the NameLoc where it is unique in its function, else with
// a number; without one, function and operation with a number. They are fixed
// as an attribute when first needed.

// RUN: quant-opt %s --quant-quantize-weights | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights | quant-opt --quant-quantize-weights | FileCheck %s
// RUN: quant-opt %s --quant-quantize-weights --emit-bytecode | quant-opt --quant-quantize-weights | FileCheck %s

// CHECK-LABEL: func @unique
func.func @unique(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: quant.name = "fc1"
  // CHECK: quant.name = "fc2"
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc1")
  %1 = linalg.matmul ins(%0, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc2")
  return %1 : tensor<2x2xf32>
}

// The same name in another function is as good.
// CHECK-LABEL: func @unique_in_function
func.func @unique_in_function(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: quant.name = "fc1"
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc1")
  return %0 : tensor<2x2xf32>
}

// CHECK-LABEL: func @not_unique
func.func @not_unique(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: quant.name = "fc#0"
  // CHECK: quant.name = "fc#1"
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc")
  %1 = linalg.matmul ins(%0, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc")
  return %1 : tensor<2x2xf32>
}

// Numbers are counted among equals: of one function and one operation.
// CHECK-LABEL: func @no_name
func.func @no_name(%x: tensor<2x2xf32>, %v: tensor<2xf32>) -> (tensor<2x2xf32>, tensor<2xf32>) {
  // CHECK: quant.name = "no_name/linalg.matmul#0"
  // CHECK: quant.name = "no_name/linalg.matvec#0"
  // CHECK: quant.name = "no_name/linalg.matmul#1"
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = linalg.matvec ins(%x, %v : tensor<2x2xf32>, tensor<2xf32>) outs(%v : tensor<2xf32>) -> tensor<2xf32>
  %2 = linalg.matmul ins(%0, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2, %1 : tensor<2x2xf32>, tensor<2xf32>
}

// A number that is a name already is not given twice.
// CHECK-LABEL: func @number_taken
func.func @number_taken(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: quant.name = "fc#1"
  // CHECK: quant.name = "fc#0"
  // CHECK: quant.name = "fc#2"
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc")
  %1 = linalg.matmul ins(%0, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc#0")
  %2 = linalg.matmul ins(%1, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc")
  return %2 : tensor<2x2xf32>
}

// The name of an importer is the first in what later passes fuse, and that of
// the callee where a function was inlined.
// CHECK-LABEL: func @nested_locations
func.func @nested_locations(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: quant.name = "conv1"
  // CHECK: quant.name = "callee"
  // CHECK: quant.name = "child"
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc(fused["file":1:2, "conv1", "relu1"])
  %1 = linalg.matmul ins(%0, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc(callsite("callee" at "caller"))
  %2 = linalg.matmul ins(%1, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("child"("file":3:4))
  return %2 : tensor<2x2xf32>
}

// CHECK-LABEL: func @kept
func.func @kept(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: quant.name = "mine"
  // CHECK: quant.name = "mine#0"
  %0 = linalg.matmul {quant.name = "mine"} ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("fc")
  %1 = linalg.matmul ins(%0, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("mine")
  return %1 : tensor<2x2xf32>
}

// Operations that nobody quantizes have none.
// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK-NOT: quant.name
  %0 = linalg.add ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32> loc("add")
  return %0 : tensor<2x2xf32>
}
