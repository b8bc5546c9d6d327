// One error, exit code 1, and no output: neither a new file nor a change of an
// existing one.

// DEFINE: %{flags} =
// DEFINE: %{run} = not quant-opt %s -o %t.out %{flags} 2>&1 | FileCheck %s --check-prefix

// RUN: rm -rf %t.dir && mkdir %t.dir
// RUN: echo before > %t.out
// REDEFINE: %{flags} = --granularity=per_tensor
// RUN: %{run}=NO-EFFECT
// REDEFINE: %{flags} = --pack --quant-report=%t.json
// RUN: %{run}=NO-EFFECT-REPORT
// REDEFINE: %{flags} = --quantize-weights=
// RUN: %{run}=EMPTY
// REDEFINE: %{flags} = --quantize-weights=int8 --quant-report=
// RUN: %{run}=EMPTY-REPORT
// REDEFINE: %{flags} = --quant-config=
// RUN: %{run}=EMPTY-CONFIG
// REDEFINE: %{flags} = --quantize-weights=int8 --canonicalize
// RUN: %{run}=MIXED
// REDEFINE: %{flags} = --quantize-weights=int8 --pass-pipeline='builtin.module(canonicalize)'
// RUN: %{run}=MIXED
// REDEFINE: %{flags} = --pack --quant-quantize-weights
// RUN: %{run}=MIXED
// REDEFINE: %{flags} = --quantize-weights=int8 --granularities=per_tensor
// RUN: %{run}=UNKNOWN
// REDEFINE: %{flags} = --quantize-weights=int8 --weight-threshold=many
// RUN: %{run}=NUMBER
// REDEFINE: %{flags} = --quantize-weights=int8 --block-size=2,x
// RUN: %{run}=SIZES
// REDEFINE: %{flags} = --quantize-weights=int8 --weight-threshold=-1
// RUN: %{run}=THRESHOLD
// REDEFINE: %{flags} = --quantize-weights=int7
// RUN: %{run}=DTYPE
// REDEFINE: %{flags} = --quantize-weights=int8 --quant-config=%t.missing.yaml
// RUN: %{run}=CONFIG
// REDEFINE: %{flags} = --quantize-weights=int8 --weight-threshold=0 --axis=2 --quant-report=%t.dir/report.json
// RUN: %{run}=WEIGHT
// REDEFINE: %{flags} = --quantize-weights=int8 --quant-report=%t.missing/report.json
// RUN: %{run}=REPORT
// REDEFINE: %{flags} = --quantize-weights=int8 --quant-report=%t.dir
// RUN: %{run}=DIRECTORY
// RUN: echo before | cmp - %t.out

// RUN: not quant-opt %s -o %t.missing/out.mlir --quantize-weights=int8 --quant-report=%t.dir/report.json 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: not quant-opt %t.missing.mlir -o %t.dir/out.mlir 2>&1 | FileCheck %s --check-prefix=INPUT
// RUN: echo "func.func @main(" > %t.dir/broken.mlir
// RUN: not quant-opt %t.dir/broken.mlir -o %t.dir/out.mlir --quantize-weights=int8 --quant-report=%t.dir/report.json 2>&1 | FileCheck %s --check-prefix=BROKEN
// Nothing is left behind, temporary files included.
// RUN: ls %t.dir | FileCheck %s --check-prefix=LEFT

// The report appears with the output only.
// RUN: quant-opt %s -o %t.out --quantize-weights=int8 --quant-report=%t.dir/report.json
// RUN: FileCheck %s --check-prefix=WRITTEN --input-file=%t.dir/report.json
// RUN: quant-opt %s -o %t.out --quantize-weights=int8 --quant-report=- | FileCheck %s --check-prefix=WRITTEN

// NO-EFFECT: quant-opt: error: --granularity has no effect without --quantize-weights: add it, or drop the flag
// NO-EFFECT-REPORT: quant-opt: error: --quant-report has no effect without --quantize-weights: add it, or drop the flag
// EMPTY: quant-opt: error: expected a value after --quantize-weights=, found none: add one, or drop the flag
// EMPTY-REPORT: quant-opt: error: expected a value after --quant-report=, found none: add one, or drop the flag
// EMPTY-CONFIG: quant-opt: error: expected a value after --quant-config=, found none: add one, or drop the flag
// MIXED: quant-opt: error: short flags run their passes in an order of their own: expected them alone, found them with passes or a pipeline; run quant-opt twice, or write the whole pipeline
// UNKNOWN: Unknown command line argument '--granularities=per_tensor'
// NUMBER: for the --weight-threshold option: 'many' value invalid for
// SIZES: for the --block-size option: 'x' value invalid for
// THRESHOLD: error: quant-quantize-weights: expected weight-threshold to be at least 0, found -1
// DTYPE: error: quant-quantize-weights: expected a storage type, found 'int7'
// CONFIG: error: quant-quantize-weights: cannot read the configuration '{{.*}}missing.yaml': No such file or directory
// WEIGHT: error: 'main/linalg.matmul#0': expected an axis in [-2, 1] of the weight, found 2
// REPORT: quant-opt: error: '{{.*}}missing/report.json': cannot be written: No such file or directory
// DIRECTORY: quant-opt: error: '{{.*}}.dir': cannot be written: it is a directory; give the name of a file
// OUTPUT: quant-opt: error: '{{.*}}missing/out.mlir': cannot be written: No such file or directory
// INPUT: quant-opt: error: cannot open input file '{{.*}}missing.mlir': No such file or directory
// BROKEN: broken.mlir:1:{{[0-9]+}}: error: 
// LEFT-NOT: {{^}}{{.*(json|out|tmp).*}}
// WRITTEN: "version": 1
func.func @main(%x: tensor<4x6xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
