// Rules of a configuration: the most specific one that speaks of weights wins,
// options are its defaults, null leaves a weight alone.

// DEFINE: %{config} =
// DEFINE: %{run} = quant-opt %t/model.mlir --quant-quantize-weights="weight-threshold=0 config=%t/%{config}.yaml" 2>&1 | FileCheck %s

// RUN: split-file %s %t
// REDEFINE: %{config} = global
// RUN: %{run} --check-prefix=GLOBAL
// REDEFINE: %{config} = keys
// RUN: %{run} --check-prefix=KEYS
// REDEFINE: %{config} = blocks
// RUN: %{run} --check-prefix=BLOCKS
// REDEFINE: %{config} = specific
// RUN: %{run} --check-prefix=SPECIFIC
// REDEFINE: %{config} = silent
// RUN: %{run} --check-prefix=SILENT
// REDEFINE: %{config} = first
// RUN: %{run} --check-prefix=FIRST
// REDEFINE: %{config} = kinds
// RUN: %{run} --check-prefix=KINDS
// REDEFINE: %{config} = empty
// RUN: %{run} --check-prefix=EMPTY
// REDEFINE: %{config} = nulls
// RUN: %{run} --check-prefix=EMPTY
// REDEFINE: %{config} = inputs
// RUN: %{run} --check-prefix=EMPTY
// RUN: quant-opt %t/model.mlir --quant-quantize-weights="weight-threshold=0 dtype= config=%t/specific.yaml" 2>&1 | FileCheck %s --check-prefix=NO-DTYPE
// RUN: quant-opt %t/model.mlir --quant-quantize-weights="weight-threshold=0 dtype=float4_e2m1fn granularity=per_block config=%t/defaults.yaml" 2>&1 | FileCheck %s --check-prefix=DEFAULTS

//--- model.mlir
func.func @main(%x: tensor<4x6xf32>, %i: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %a = arith.constant dense<0.5> : tensor<6x6xf32>
  %b = arith.constant dense<1.0> : tensor<6x6xf32>
  %0 = linalg.matmul ins(%x, %a : tensor<4x6xf32>, tensor<6x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32> loc("first")
  %1 = linalg.matmul ins(%0, %b : tensor<4x6xf32>, tensor<6x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32> loc("second")
  return %1 : tensor<4x6xf32>
}

// GLOBAL-COUNT-2: <int4 narrow, per_tensor, scale = {{.*}} : f16>
//--- global.yaml
global:
  weight: {dtype: int4, qscheme: symmetric_with_clipping, granularity: {type: per_tensor}, scale_dtype: f16}

# Every key, in block style; the float range says what the data do not.
# KEYS-COUNT-2: <uint8, per_channel<[0]>, scale = dense<{{.*}}> : tensor<6x1xf32>, minval = dense<-2.000000e+00> : tensor<6x1xf32>>
//--- keys.yaml
global:
  weight:
    dtype: uint8
    qscheme: asymmetric
    qformulation: minval
    granularity:
      type: per_channel
      axis: -2
      block_size: null
    scale_dtype: f32
    float_range: [-2.0, null]
  input: {dtype: int8, qscheme: asymmetric, calibrator: moving_average}
  output: null

# BLOCKS: <int8, per_block<[2, 1]>
# BLOCKS: <int8, per_block<[3, -1]>
//--- blocks.yaml
op_name:
  first: {weight: {granularity: {type: per_block, block_size: 2}}}
  second: {weight: {granularity: {type: per_block, block_size: [3, -1]}}}

# SPECIFIC: remark: {{.*}}the weight of 'second' stays in floating point: disabled by the rule op_name "second"
# SPECIFIC: <int4, per_channel<[1]>
# SPECIFIC-NOT: quant.dequantize
# NO-DTYPE: remark: {{.*}}the weight of 'second' stays in floating point: disabled by the rule op_name "second"
# NO-DTYPE: <int4, per_channel<[1]>
//--- specific.yaml
global: {weight: {dtype: uint8}}
op_type: {linalg.matmul: {weight: {dtype: int4}}}
op_name: {second: null}

# A rule that does not mention weights leaves them to the next level.
# SILENT-COUNT-2: <int4, per_channel<[1]>
//--- silent.yaml
op_type: {matmul: {weight: {dtype: int4}}}
op_name: {"first|second": {output: null}}

# Of several rules at one level the first in the file; patterns match whole
# names.
# FIRST: <int4, per_channel<[1]>
# FIRST: <uint4, per_channel<[1]>
//--- first.yaml
op_name:
  "fir.*": {weight: {dtype: int4}}
  ".*": {weight: {dtype: uint4}}

# KINDS-COUNT-2: <int4, per_channel<[1]>
//--- kinds.yaml
op_type:
  "matmul": {weight: {dtype: int4}}

# EMPTY-COUNT-2: <int8, per_channel<[1]>
//--- empty.yaml
# Nothing.
//--- nulls.yaml
op_type: null
op_name: ~
//--- inputs.yaml
global: {input: {dtype: int8}, output: {dtype: int8, granularity: {type: per_tensor}}}

# Another dtype does not inherit the scale type, another granularity not the
# block size.
# DEFAULTS: <int8, per_channel<[1]>, scale = dense<{{.*}}> : tensor<1x6xf32>>
# DEFAULTS: <float4_e2m1fn, per_block<[32, 1]>, scale = dense<{{.*}}> : tensor<1x6xf8E8M0FNU>>
//--- defaults.yaml
op_name: {first: {weight: {dtype: int8, granularity: {type: per_channel}}}}
