// What cannot be compared: one error each, and nothing is written.
// REQUIRES: numpy
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %python %S/Inputs/npy.py make x.npy "array([[1, 2]], 'f4')"
// DEFINE: %{run} = quant-run model.mlir --input=x.npy
// DEFINE: %{fail} = not quant-run model.mlir --input=x.npy --report=r.html

// RUN: %{fail} 2>&1 | FileCheck %s --check-prefix=NO-REFERENCE
// NO-REFERENCE: {{^}}quant-run: error: --report needs the float model to compare with: give --reference{{$}}
// RUN: not %{run} --reference=float.mlir --report=r.txt 2>&1 | FileCheck %s --check-prefix=SUFFIX
// SUFFIX: {{^}}quant-run: error: --report expects a name that ends in .html or .json, found 'r.txt'{{$}}
// RUN: %{fail} --reference=float.mlir --report=r.html 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: {{^}}quant-run: error: --report=r.html is given twice; expected one page and one .json{{$}}
// RUN: %{fail} --reference=float.mlir --output=r.html 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: {{^}}quant-run: error: --report=r.html is the file of an --output, too; give one of them another name{{$}}
// RUN: %{fail} --reference=float.mlir --json 2>&1 | FileCheck %s --check-prefix=JSON
// JSON: {{^}}quant-run: error: --json has no effect without --compare, --labels, --bench or --reference alone{{$}}
// RUN: %{fail} --reference=missing.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: {{^}}quant-run: error: 'missing.mlir': cannot be read: No such file or directory{{$}}
// RUN: %{fail} --reference=broken.mlir 2>&1 | FileCheck %s --check-prefix=BROKEN
// BROKEN: {{^}}quant-run: error: broken.mlir:1:1: {{.*}}
// RUN: %{fail} --reference=other-entry.mlir 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: {{^}}quant-run: error: 'other-entry.mlir': has no function 'main'; it has 'forward': choose with --entry{{$}}
// RUN: %{fail} --reference=more-arguments.mlir 2>&1 | FileCheck %s --check-prefix=ARGUMENTS
// ARGUMENTS: {{^}}quant-run: error: 'more-arguments.mlir': the number of arguments of 'main' is 2, in 'model.mlir' it is 1; expected the float model that it was made from{{$}}
// RUN: %{fail} --reference=other-shape.mlir 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: {{^}}quant-run: error: 'other-shape.mlir': argument 0 of 'main' is tensor<1x3xf32>, in 'model.mlir' it is tensor<1x2xf32>; expected the float model that it was made from{{$}}
// RUN: %{fail} --reference=other-result.mlir 2>&1 | FileCheck %s --check-prefix=RESULT
// RESULT: {{^}}quant-run: error: 'other-result.mlir': result 0 of 'main' is tensor<1x2xf16>, in 'model.mlir' it is tensor<1x2xf32>; expected the float model that it was made from{{$}}
// RUN: %{fail} --reference=other-model.mlir 2>&1 | FileCheck %s --check-prefix=OPERATION
// OPERATION: {{^}}quant-run: error: 'other-model.mlir': has no operation 'fc' (matmul, model.mlir:5:8); expected the float model that 'model.mlir' was made from, found 0 of 1 operations{{$}}
// RUN: %{fail} --reference=branches.mlir 2>&1 | FileCheck %s --check-prefix=BRANCHES
// BRANCHES: {{^}}quant-run: error: branches.mlir:1:1: function 'main' has branches between 3 blocks; expected one block to compare{{$}}
// RUN: not quant-run model.mlir --reference=float.mlir 2>&1 | FileCheck %s --check-prefix=INPUTS
// INPUTS: {{^}}quant-run: error: 'model.mlir': 'main' takes 1 argument, found 0; give one array per argument, in order{{$}}
// RUN: ls | FileCheck %s --check-prefix=NOTHING
// NOTHING-NOT: r.

// Found by structure: the reference's operation has another name.
// RUN: %{run} --reference=unnamed.mlir | FileCheck %s --check-prefix=UNNAMED
// UNNAMED: {{^}}fc f32 5.51 5.51 1 - -{{$}}

//--- model.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %c = arith.constant dense<[[2, 0], [0, 2]]> : tensor<2x2xi8>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %e = arith.constant dense<0.0> : tensor<1x2xf32>
  %y = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
//--- float.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 1.125]]> : tensor<2x2xf32>
  %e = arith.constant dense<0.0> : tensor<1x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32> loc("fc")
  return %y : tensor<1x2xf32>
}
//--- unnamed.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[0.0, 1.0], [1.0, 0.125]]> : tensor<2x2xf32>
  %e = arith.constant dense<0.0> : tensor<1x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
//--- broken.mlir
func.fun
//--- other-entry.mlir
func.func @forward(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}
//--- more-arguments.mlir
func.func @main(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}
//--- other-shape.mlir
func.func @main(%x: tensor<1x3xf32>) -> tensor<1x2xf32> {
  %y = tensor.extract_slice %x[0, 0] [1, 2] [1, 1] : tensor<1x3xf32> to tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
//--- other-result.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf16> {
  %y = arith.truncf %x : tensor<1x2xf32> to tensor<1x2xf16>
  return %y : tensor<1x2xf16>
}
//--- other-model.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}
//--- branches.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %true = arith.constant true
  cf.cond_br %true, ^bb1, ^bb2
^bb1:
  return %x : tensor<1x2xf32>
^bb2:
  return %x : tensor<1x2xf32>
}
