//===- ActivationPasses.td - Passes on activations ---------*- tablegen -*-===//
//
// Part of Passes.td: ranges are found, and values become
// codes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONPASSES_TD
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONPASSES_TD

include "mlir/Pass/PassBase.td"

def InsertObserversPass : Pass<"quant-insert-observers", "::mlir::ModuleOp"> {
  let summary = "Mark the values whose ranges calibration has to find";
  let description = [{
    Static quantization of activations needs the range of every value that a
    kernel will read or write as codes, and of no other. This pass places a
    `quant.observe` at each: at inputs and outputs of quantizable operations, and
    of the model.

    ```mlir
    // quant-insert-observers{dtype=int8}
    func.func @main(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
      %w = arith.constant dense<[[0.5, -1.0], [0.25, 2.0]]> : tensor<2x2xf32>
      %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
      return %0 : tensor<4x2xf32>
    }
    ```

    becomes

    ```mlir
    func.func @main(%x: tensor<4x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
      %i = quant.observe %init "main.in1" <int8, symmetric, moving_average> : tensor<4x2xf32>
      %d = quant.observe %x "main.in0" <int8, symmetric, moving_average> : tensor<4x2xf32>
      %w = arith.constant dense<[[0.5, -1.0], [0.25, 2.0]]> : tensor<2x2xf32>
      %0 = linalg.matmul {quant.name = "main/linalg.matmul#0"} ins(%d, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
      %o = quant.observe %0 "main/linalg.matmul#0.out0" <int8, symmetric, moving_average> : tensor<4x2xf32>
      return %o : tensor<4x2xf32>
    }
    ```

    Rules, which follow from `QuantizableOpInterface` and from what will be fused:

    - Operations that will be one kernel are one group: a matrix multiplication or
      convolution with its bias, residual addition and clamp; an addition with its
      clamp. Nothing inside is observed.
    - Operations that only move or select values (reshape, transpose, slice,
      padding with zeros, maximum over a window, concatenation) have one set of
      parameters at both ends, so observers stand where the values come from, all
      with one id. The result of an average pool `follows` its input.
    - relu and relu6 outputs are asymmetric. The outputs of sigmoid, hard-sigmoid,
      tanh and softmax have known 8-bit parameters and need no data: their range
      is fixed in the spec.
    - A sum, product or average whose result is read in floating point only (the
      mean and the variance of a layer norm) stays in floating point, unless a rule
      asks for it: codes would cost accuracy and save nothing.
    - Inputs and outputs of the model that no quantized operation touches get a
      `boundary` observer, which matters to `quantize-io` only.

    Ids are `<operation>.out<n>`, `<function>.in<n>` for the model's inputs, and
    `<operation>.in<n>` for what no operation with a name writes; the operation is
    the group's first one. They depend on names and on the order of operations of
    the same name only.

    A configuration speaks of `input` and `output` of operations: `input` of what
    they read, `output` of what they write, and of the boundary by the function's
    name. Of rules for one value the most specific wins; of equally specific ones
    that of the operation that writes it. Where only readers ask, other users of
    the value keep it in floating point. `explain` prints a remark for each
    operation with the rule that applied.

    A module that has observers keeps them and gets none.

    Limits: functions are looked at one by one; a value that passes a call or a
    region's edge is observed anew on the other side. Elementwise `arith` on
    tensors is not seen: run `convert-elementwise-to-linalg` first.
  }];
  let dependentDialects = [
    "::mlir::quant::QuantDialect", "::quant_mlir::QParamsDialect"
  ];
  let options = [
    Option<"dtype", "dtype", "std::string", /*default=*/"\"int8\"",
           "Storage type of activations: int8, uint8, float8_e4m3fn or "
           "float8_e5m2; empty: only what the configuration asks for">,
    Option<"qscheme", "qscheme", "std::string", /*default=*/"\"symmetric\"",
           "symmetric or asymmetric">,
    Option<"calibrator", "calibrator", "std::string",
           /*default=*/"\"moving_average\"",
           "How a range is found: moving_average, global_minmax, percentile, mse, "
           "entropy, or one that was registered">,
    Option<"config", "config", "std::string", /*default=*/"\"\"",
           "YAML file with rules per operation; the other options are its "
           "defaults">,
    Option<"explain", "explain", "bool", /*default=*/"false",
           "Print which rule applied to each operation, and why">,
  ];
  let statistics = [
    Statistic<"numInserted", "inserted", "Observers that were inserted">,
  ];
}

def FoldRangesPass : Pass<"quant-fold-ranges", "::mlir::ModuleOp"> {
  let summary = "Replace observers by quantize and dequantize with parameters";
  let description = [{
    After calibration the range of every observed value is known. This pass reads
    `ranges.json` and puts `quant.quantize` and `quant.dequantize`, with scale and
    zero point resolved from the range, where each observer was. Computation stays
    in floating point: what is between the pairs is rounded to codes.

    ```mlir
    %o = quant.observe %x "main.in0" <int8, asymmetric, float_range = [-1.0, 1.0]> : tensor<4xf32>
    ```

    becomes

    ```mlir
    %q = quant.quantize %x <int8, per_tensor, scale = 0.00784313772, zero_point = -1> {quant.name = "main.in0"} : tensor<4xf32> -> tensor<4xi8>
    %o = quant.dequantize %q <int8, per_tensor, scale = 0.00784313772, zero_point = -1> : tensor<4xi8> -> tensor<4xf32>
    ```

    - An observer without an entry, an entry without an observer, and a range that
      is empty or not finite are errors that name it. The `float_range` of a spec
      overrides what the file says, end by end.
    - `dtype` and `qscheme` override those of the observers; ranges that are never
      negative stay asymmetric where they are. Ranges of the calibrators mse and
      entropy are for one dtype and scheme, and an error with another one.
    - A `boundary` observer vanishes, unless `quantize-io` makes codes of the
      model's own inputs and outputs: the types of the public functions change,
      and each argument and result has its parameters as the attribute
      `quant.params`.

    Limits: per_channel parameters need a static number of channels.
  }];
  let dependentDialects = [
    "::mlir::quant::QuantDialect", "::quant_mlir::QParamsDialect"
  ];
  let options = [
    Option<"ranges", "ranges", "std::string", /*default=*/"\"\"",
           "ranges.json as quant-calibrate writes it; not needed where every "
           "range is fixed">,
    Option<"dtype", "dtype", "std::string", /*default=*/"\"\"",
           "Storage type in place of the observers' own">,
    Option<"qscheme", "qscheme", "std::string", /*default=*/"\"\"",
           "symmetric or asymmetric in place of the observers' own">,
    Option<"quantizeIo", "quantize-io", "bool", /*default=*/"false",
           "The model's own inputs and outputs become codes">,
  ];
  let statistics = [
    Statistic<"numFolded", "folded", "Observers replaced by parameters">,
  ];
}

def QuantizeDynamicPass : Pass<"quant-quantize-dynamic", "::mlir::ModuleOp"> {
  let summary = "Quantize activations by ranges found at run time";
  let description = [{
    Where no data are at hand for calibration, or where ranges differ from one
    input to the next as those of language models do, scales of activations are
    computed when the model runs. This pass quantizes what operations with a
    quantized weight read: of `QuantizableOpInterface`'s operands those that are
    not the weight.

    ```mlir
    // quant-quantize-dynamic{granularity=per_row qscheme=asymmetric}
    %c = arith.constant dense<[[127, -64], [64, 127]]> : tensor<2x2xi8>
    %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
    %x = math.tanh %y : tensor<4x2xf32>
    %0 = linalg.matmul {quant.name = "fc1"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    becomes

    ```mlir
    %c = arith.constant dense<[[127, -64], [64, 127]]> : tensor<2x2xi8>
    %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
    %x = math.tanh %y : tensor<4x2xf32>
    %s, %z = quant.dynamic_range %x <int8, asymmetric, per_channel<[0]>> : tensor<4x2xf32> -> tensor<4x1xf32>, tensor<4x1xi32>
    %q = quant.quantize %x scale(%s : tensor<4x1xf32>) zero_point(%z : tensor<4x1xi32>) <int8, per_channel<[0]>> : tensor<4x2xf32> -> tensor<4x2xi8>
    %d = quant.dequantize %q scale(%s : tensor<4x1xf32>) zero_point(%z : tensor<4x1xi32>) <int8, per_channel<[0]>> : tensor<4x2xi8> -> tensor<4x2xf32>
    %0 = linalg.matmul {quant.name = "fc1"} ins(%d, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    - `per_row` is one unit per token: block size 1 in every dimension of the data
      that indexes rows of the output (rows, batch); dimensions that are summed
      over, windows, groups and channels stay whole.
    - A value that several operations read (query, key and value of attention) is
      quantized once for all that ask the same of it.
    - What is never negative, behind a relu or a sigmoid, is asymmetric.
    - A configuration's `input` rules choose type, scheme, scale type, float range
      or an axis, and `input: null` leaves an operation alone; calibrators are for
      static quantization and have no meaning here.

    Every matrix multiplication or convolution whose input stays in floating point
    is named in a remark with the reason.

    Limits: weights are quantized before (`quant-quantize-weights`). The product of two
    activations (attention) stays as it is, unless a rule of `op_type` or `op_name` says
    what its `input` is: then both are quantized, with a unit per row of the first and
    per column of the second one where rows are asked for.
  }];
  let dependentDialects = [
    "::mlir::quant::QuantDialect", "::quant_mlir::QParamsDialect"
  ];
  let options = [
    Option<"dtype", "dtype", "std::string", /*default=*/"\"int8\"",
           "Storage type of activations: int8, uint8, float8_e4m3fn or "
           "float8_e5m2; empty: only what the configuration asks for">,
    Option<"granularity", "granularity", "std::string",
           /*default=*/"\"per_tensor\"", "per_tensor or per_row">,
    Option<"qscheme", "qscheme", "std::string", /*default=*/"\"symmetric\"",
           "symmetric, symmetric_with_clipping or asymmetric">,
    Option<"config", "config", "std::string", /*default=*/"\"\"",
           "YAML file with rules per operation; the other options are its "
           "defaults">,
    Option<"explain", "explain", "bool", /*default=*/"false",
           "Print a remark for each operation with the rule that applied">,
  ];
  let statistics = [
    Statistic<"numQuantized", "quantized", "Values that were quantized">,
    Statistic<"numSkipped", "skipped",
              "Operations whose input stays in floating point">,
  ];
}

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONPASSES_TD
