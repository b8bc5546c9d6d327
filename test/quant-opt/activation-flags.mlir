// Short flags for activations: what each runs, and which go together.

// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --insert-observers | FileCheck %s --check-prefix=OBSERVE
// OBSERVE: quant.observe %{{.*}} "main.in0" <int8, symmetric, moving_average>
// OBSERVE: arith.constant {{.*}} tensor<8x6xf32>
// RUN: quant-opt %t/model.mlir --insert-observers --quantize-activations=uint8 --activation-qscheme=asymmetric | FileCheck %s --check-prefix=UINT8
// UINT8: quant.observe %{{.*}} "main.in0" <uint8, asymmetric, moving_average>
// RUN: quant-opt %t/model.mlir --quantize-activations=int8 --ranges=%t/ranges.json --quantize-weights=int8 | FileCheck %s --check-prefix=STATIC
// The weight has 48 elements: none is too small where activations are quantized.
// STATIC-DAG: quant.dequantize %{{.*}} <int8, per_channel<[1]>
// STATIC-DAG: quant.quantize %{{.*}} <int8, per_tensor, scale = {{.*}}> {quant.name = "main.in0"}
// STATIC-DAG: quant.quantize %{{.*}} <int8, per_tensor, scale = {{.*}}> {quant.name = "fc.out0"}
// RUN: quant-opt %t/model.mlir --quantize-activations=int8 --ranges=%t/ranges.json --quantize-io | FileCheck %s --check-prefix=IO
// IO: func.func @main(%{{.*}}: tensor<4x8xi8> {{.*}}) -> (tensor<4x6xi8>
// RUN: quant-opt %t/model.mlir --insert-observers | quant-opt - --quantize-activations=int8 --ranges=%t/ranges.json 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: remark: the module has observers: none are inserted
// TWICE: quant.quantize %{{.*}} {quant.name = "main.in0"}
// RUN: quant-opt %t/model.mlir --quantize-activations=int8 --ranges=%t/ranges.json --quantize-weights=int8 --explain 2>&1 | FileCheck %s --check-prefix=EXPLAIN
// EXPLAIN: remark: {{.*}}'fc' (matmul); input 'main.in0' int8 by the flags; output 'fc.out0' int8 by the flags
// EXPLAIN: remark: {{.*}}'fc' (matmul): its weight becomes int8 per_channel symmetric zp, by the flags
// RUN: quant-opt %t/model.mlir --quant-config=%t/config.yaml --ranges=%t/ranges-in.json --explain 2>&1 | FileCheck %s --check-prefix=CONFIG
// CONFIG: remark: {{.*}}'fc' (matmul); input 'main.in0' uint8 by op_type "matmul"; output stays in floating point, by op_name "fc"
// CONFIG: quant.quantize %{{.*}} <uint8, {{.*}} {quant.name = "main.in0"}
// CONFIG-NOT: fc.out0

// RUN: not quant-opt %t/model.mlir --ranges=%t/ranges.json 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: error: --ranges has no effect without --quantize-activations: add it, or drop the flag
// RUN: not quant-opt %t/model.mlir --dynamic 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// DYNAMIC: error: --dynamic has no effect without --quantize-activations: add it, or drop the flag
// RUN: not quant-opt %t/model.mlir --quantize-activations=int8 2>&1 | FileCheck %s --check-prefix=NORANGES
// NORANGES: error: --quantize-activations needs ranges: add --ranges=file, which quant-calibrate writes, or --dynamic
// RUN: not quant-opt %t/model.mlir --quantize-activations=int8 --dynamic --ranges=%t/ranges.json 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: expected one of --ranges and --dynamic, found both: ranges are fixed beforehand, or found at run time
// RUN: not quant-opt %t/model.mlir --insert-observers --quantize-activations=int8 --ranges=%t/ranges.json 2>&1 | FileCheck %s --check-prefix=INSERT
// INSERT: error: expected one of --insert-observers and --ranges, found both: --ranges inserts observers and folds them
// RUN: not quant-opt %t/model.mlir --insert-observers --quantize-activations=int8 --dynamic 2>&1 | FileCheck %s --check-prefix=INSERT-DYNAMIC
// INSERT-DYNAMIC: error: expected one of --insert-observers and --dynamic, found both: nothing is observed where ranges are found at run time
// RUN: not quant-opt %t/model.mlir --quantize-weights=int8 --activation-qscheme=asymmetric 2>&1 | FileCheck %s --check-prefix=SCHEME
// SCHEME: error: --activation-qscheme has no effect without --quantize-activations: add it, or drop the flag
// RUN: not quant-opt %t/model.mlir --insert-observers --quantize-io 2>&1 | FileCheck %s --check-prefix=NOIO
// NOIO: error: --quantize-io has no effect without --ranges: add it, or drop the flag
// RUN: not quant-opt %t/model.mlir --explain 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: --explain has no effect without --quantize-weights: add it, or drop the flag
// RUN: not quant-opt %t/model.mlir --insert-observers --quantize-activations=int4 2>&1 | FileCheck %s --check-prefix=INT4
// INT4: error: quant-insert-observers: expected a storage type for activations, found 'int4': use one of int8, uint8, float8_e4m3fn, float8_e5m2
// RUN: not quant-opt %t/model.mlir --insert-observers --quantize-activations=fp8 2>&1 | FileCheck %s --check-prefix=FP8
// FP8: error: quant-insert-observers: expected a storage type for activations, found 'fp8': use one of int8, uint8, float8_e4m3fn, float8_e5m2{{$}}
// RUN: not quant-opt %t/model.mlir --quantize-activations=fp8 --dynamic 2>&1 | FileCheck %s --check-prefix=FP8-DYNAMIC
// FP8-DYNAMIC: error: quant-quantize-dynamic: expected a storage type for activations, found 'fp8': use one of int8, uint8, float8_e4m3fn, float8_e5m2{{$}}
// RUN: quant-opt %t/model.mlir --insert-observers -o %t/observed.mlir
// RUN: not quant-opt %t/observed.mlir --quantize-activations=uint8 --ranges=%t/ranges.json 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: 'quant.observe' op 'main.in0' asks for int8: expected uint8, or a module without observers

//--- ranges.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "main.in0", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 2.0},
  {"id": "fc.out0", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -3.0, "max": 51.0}]}
//--- ranges-in.json
{"version": 1, "calibrator": "global_minmax", "dtype": "int8", "qscheme": "symmetric", "observers": [
  {"id": "main.in0", "count": 8, "batches": 1, "nan": 0, "inf": 0, "min": -1.0, "max": 2.0}]}
//--- config.yaml
op_type: {"matmul": {input: {dtype: uint8}, output: {dtype: uint8}}}
op_name: {"fc": {output: null}}
//--- model.mlir
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<8x6xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x6xf32>) outs(%f : tensor<4x6xf32>) -> tensor<4x6xf32> loc("fc")
  return %0 : tensor<4x6xf32>
}
