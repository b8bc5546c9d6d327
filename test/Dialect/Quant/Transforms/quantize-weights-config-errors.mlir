// Every error of a configuration names the file and, where there is one, the
// line.

// DEFINE: %{config} =
// DEFINE: %{run} = not quant-opt %t/model.mlir --quant-quantize-weights="weight-threshold=0 config=%t/%{config}.yaml" 2>&1 | FileCheck %s --check-prefix

// RUN: split-file %s %t
// REDEFINE: %{config} = syntax
// RUN: %{run}=SYNTAX
// REDEFINE: %{config} = top
// RUN: %{run}=TOP
// REDEFINE: %{config} = list
// RUN: %{run}=LIST
// REDEFINE: %{config} = documents
// RUN: %{run}=DOCUMENTS
// REDEFINE: %{config} = rule
// RUN: %{run}=RULE
// REDEFINE: %{config} = rule_scalar
// RUN: %{run}=SCALAR
// REDEFINE: %{config} = weight
// RUN: %{run}=WEIGHT
// REDEFINE: %{config} = calibrator
// RUN: %{run}=CALIBRATOR
// REDEFINE: %{config} = granularity
// RUN: %{run}=GRANULARITY
// REDEFINE: %{config} = granularity_kind
// RUN: %{run}=KIND
// REDEFINE: %{config} = axis
// RUN: %{run}=AXIS
// REDEFINE: %{config} = block_size
// RUN: %{run}=BLOCK
// REDEFINE: %{config} = block_size_empty
// RUN: %{run}=EMPTY
// REDEFINE: %{config} = block_size_negative
// RUN: %{run}=NEGATIVE
// REDEFINE: %{config} = dtype
// RUN: %{run}=DTYPE
// REDEFINE: %{config} = dtype_list
// RUN: %{run}=VALUE
// REDEFINE: %{config} = twice
// RUN: %{run}=TWICE
// REDEFINE: %{config} = range_scalar
// RUN: %{run}=RANGE-SCALAR
// REDEFINE: %{config} = range_text
// RUN: %{run}=RANGE-TEXT
// REDEFINE: %{config} = range_ends
// RUN: %{run}=RANGE-ENDS
// REDEFINE: %{config} = range_infinite
// RUN: %{run}=RANGE-INFINITE
// REDEFINE: %{config} = range_positive
// RUN: %{run}=RANGE-POSITIVE
// REDEFINE: %{config} = combination
// RUN: %{run}=COMBINATION
// REDEFINE: %{config} = regex
// RUN: %{run}=REGEX
// REDEFINE: %{config} = regex_half
// RUN: %{run}=HALF
// REDEFINE: %{config} = unused_name
// RUN: %{run}=UNUSED-NAME
// REDEFINE: %{config} = unused_type
// RUN: %{run}=UNUSED-TYPE
// REDEFINE: %{config} = disagree
// RUN: %{run}=DISAGREE

//--- model.mlir
func.func @main(%x: tensor<4x6xf32>, %i: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32> loc("first")
  %1 = linalg.matmul ins(%0, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32> loc("second")
  return %1 : tensor<4x6xf32>
}

// SYNTAX: error: quant-quantize-weights: {{.*}}syntax.yaml:2:
//--- syntax.yaml
global: {weight: {dtype: int8}
op_name: }

# TOP: error: quant-quantize-weights: {{.*}}top.yaml:2: expected global, op_type or op_name, found 'globl'
//--- top.yaml
op_type: null
globl: {weight: {dtype: int8}}

# LIST: list.yaml:1: expected the configuration to be a mapping
//--- list.yaml
- global

# DOCUMENTS: documents.yaml:3: expected one document, found a second one
//--- documents.yaml
global: {weight: {dtype: int8}}
---
global: {weight: {dtype: int4}}

# RULE: rule.yaml:2: expected weight, input or output, found 'weights'
//--- rule.yaml
global:
  weights: {dtype: int8}

# SCALAR: rule_scalar.yaml:1: expected a rule to be a mapping
//--- rule_scalar.yaml
global: int8

# WEIGHT: weight.yaml:3: expected dtype, qscheme, qformulation, granularity, scale_dtype or float_range, found 'type'
//--- weight.yaml
global:
  weight:
    type: int8

# CALIBRATOR: calibrator.yaml:1: expected dtype, qscheme, qformulation, granularity, scale_dtype or float_range, found 'calibrator'
//--- calibrator.yaml
global: {weight: {calibrator: moving_average}}

# GRANULARITY: granularity.yaml:1: expected type, axis or block_size, found 'size'
//--- granularity.yaml
global: {weight: {granularity: {size: 32}}}

# KIND: granularity_kind.yaml:1: expected a granularity, found 'per_row': use one of per_tensor, per_channel, per_block
//--- granularity_kind.yaml
global: {weight: {granularity: {type: per_row}}}

# AXIS: axis.yaml:1: expected axis to be an integer, found 'last'
//--- axis.yaml
global: {weight: {granularity: {axis: last}}}

# BLOCK: block_size.yaml:1: expected block_size to be an integer, found '3.5'
//--- block_size.yaml
global: {weight: {granularity: {block_size: [1, 3.5]}}}

# EMPTY: block_size_empty.yaml:1: expected block_size to be a number, or one per dimension, found an empty list
//--- block_size_empty.yaml
global: {weight: {granularity: {block_size: []}}}

# NEGATIVE: block_size_negative.yaml:{{[0-9]}}: expected block sizes that are positive, or -1 for the whole dimension, found -3
//--- block_size_negative.yaml
global: {weight: {granularity: {type: per_block, block_size: -3}}}

# DTYPE: dtype.yaml:2: expected a storage type, found 'int7': use one of int8,
//--- dtype.yaml
global:
  weight: {dtype: int7}

# VALUE: dtype_list.yaml:1: expected dtype to be a single value
//--- dtype_list.yaml
global: {weight: {dtype: [int8]}}

# TWICE: twice.yaml:1: 'dtype' is given twice in a tensor's rule
//--- twice.yaml
global: {weight: {dtype: int8, dtype: int4}}

# RANGE-SCALAR: range_scalar.yaml:1: expected float_range to be [low, high], each a number or null
//--- range_scalar.yaml
global: {weight: {float_range: 1.0}}

# RANGE-TEXT: range_text.yaml:1: expected an end of float_range to be a number or null, found 'low'
//--- range_text.yaml
global: {weight: {float_range: [low, 1.0]}}

# RANGE-ENDS: range_ends.yaml:1: expected float_range to have two ends, found 3
//--- range_ends.yaml
global: {weight: {float_range: [0.0, 1.0, 2.0]}}

# RANGE-INFINITE: error: {{.*}}'first', by global: expected finite float_range ends, found [none, inf]
//--- range_infinite.yaml
global: {weight: {float_range: [null, 1.0e999]}}

# RANGE-POSITIVE: error: {{.*}}'first', by global: expected float_range with lo <= 0, found [1, 2]
//--- range_positive.yaml
global: {weight: {float_range: [1.0, 2.0]}}

# COMBINATION: error: {{.*}}'first', by op_type "matmul": expected scheme symmetric for float8_e5m2, found asymmetric
//--- combination.yaml
op_type: {matmul: {weight: {dtype: float8_e5m2, qscheme: asymmetric}}}

# REGEX: regex.yaml:1: expected a regular expression, found '(first': parentheses not balanced
//--- regex.yaml
op_name: {"(first": null}

# HALF: regex_half.yaml:1: expected a regular expression, found 'first)(second': parentheses not balanced
//--- regex_half.yaml
op_name: {"first)(second": null}

# Whole names are matched: "fir" is none.
# UNUSED-NAME: error: quant-quantize-weights: {{.*}}unused_name.yaml: the rule "fir" of op_name matches no operation: compare it with the names in the report, or remove it
//--- unused_name.yaml
op_name: {"fir": null}

# UNUSED-TYPE: error: quant-quantize-weights: {{.*}}unused_type.yaml: the rule "conv" of op_type matches no operation
//--- unused_type.yaml
op_type: {"conv": null}

# DISAGREE: error: {{.*}}the consumers 'first' and 'second' of one weight disagree on its settings: give them one rule
# DISAGREE: note: {{.*}}the other consumer is here
//--- disagree.yaml
op_name: {second: {weight: {dtype: int4}}}
