//===- Passes.td - Passes on the quantized form ------------*- tablegen -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_TD
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"
include "quant-mlir/Dialect/Quant/Transforms/IntegerFormPasses.td"

def FoldBatchNormPass : Pass<"quant-fold-batch-norm", "::mlir::ModuleOp"> {
  let summary = "Fold batch norm into the weights and biases before it";
  let description = [{
    At inference a batch norm is one multiplication and one addition per channel.
    Left as operations of their own behind a convolution or matrix product they
    hide its bias, and the ranges of two values would be quantized where one is
    needed. This pass folds them into the weight and the bias.

    ```mlir
    // quant-fold-batch-norm
    %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %gamma = arith.constant dense<[[2.0, 0.5]]> : tensor<1x2xf32>
    %beta = arith.constant dense<[[1.0, -1.0]]> : tensor<1x2xf32>
    %zero = arith.constant dense<0.0> : tensor<1x2xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
    %1 = arith.mulf %0, %gamma : tensor<1x2xf32>
    %2 = arith.addf %1, %beta : tensor<1x2xf32>
    ```

    becomes

    ```mlir
    %w = arith.constant dense<[[2.0, 1.0], [6.0, 2.0]]> : tensor<2x2xf32>
    %zero = arith.constant dense<0.0> : tensor<1x2xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<1x2xf32>) -> tensor<1x2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    %beta = arith.constant dense<[1.0, -1.0]> : tensor<2xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%0, %beta : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
    ^bb0(%in: f32, %b: f32, %out: f32):
      %2 = arith.addf %in, %b : f32
      linalg.yield %2 : f32
    } -> tensor<1x2xf32>
    ```

    The operation is any that `QuantizableOpInterface` classifies as a
    multiply-accumulate, whatever its layout and however it is written. What
    follows it is folded as far as it is affine with constants that vary along
    channels of the weight only: additions, subtractions, multiplications and
    divisions, in any order, in one `linalg.generic` or several, with reshapes,
    transposes and casts between them. The constants may themselves be computed
    from constants (`rsqrt(variance + epsilon)`); each of those operations is
    rounded to its own type, as at run time.

    A bias that is accumulated onto stays the value that is accumulated onto;
    otherwise there is one addition behind the operation. A chain of additions
    alone is a bias already and stays as it is. A weight that others use too is
    copied. Each element of a weight or bias is rounded once.

    Limits: the weight is a constant of f32, f16 or bf16, behind reshapes,
    transposes and casts at most. A per-channel multiplication that cannot be
    folded, because a value before it has other uses, because its constant varies
    along other dimensions, or because of the weight or of what is accumulated
    onto, is named in a remark.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numFolded", "folded", "Operations that a batch norm went into">,
    Statistic<"numSkipped", "skipped",
              "Per-channel multiplications that stay as they are">,
  ];
}

def QuantizeWeightsPass : Pass<"quant-quantize-weights", "::mlir::ModuleOp"> {
  let summary = "Quantize constant weights to storage-type constants";
  let description = [{
    Weights are most of a model's bytes. This pass finds them through
    `QuantizableOpInterface`: constant operands of matrix multiplications,
    convolutions and embedding lookups, reached directly or through transposes,
    reshapes, casts, broadcasts and slices along channels. Each becomes a
    constant of the storage type and a `quant.dequantize` that says how to read
    it; the computation stays in floating point.

    ```mlir
    // quant-quantize-weights{dtype=int8 weight-threshold=0}
    %w = arith.constant dense<[[0.5, -1.0], [0.25, 2.0]]> : tensor<2x2xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    becomes

    ```mlir
    %c = arith.constant dense<[[127, -64], [64, 127]]> : tensor<2x2xi8>
    %w = quant.dequantize %c <int8, per_channel<[1]>, scale = dense<[[0.00392156886, 0.0156862754]]> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    Which dimensions are channels and which are summed over follows from the
    operation that consumes the weight: per_channel has block size 1 in every
    output-channel and batch dimension, per_block adds blocks along the
    reduction dimension, kernel dimensions stay whole. A weight with several
    uses is quantized once; uses that disagree on its blocks are an error unless
    `axis` is given, and so are uses with different rules. A depthwise weight has no reduction over channels: per_block means
    per_channel there, with a remark.

    Every weight that stays in floating point is named in a remark, and in the
    report, with the reason. NaN or Inf in a weight is an error.

    Constants of at least 64 KiB become `dense_resource`; sub-byte ones of that
    size are stored packed, with a `quant.unpack`.

    Elements that are only moved on their way (padded, reversed, reshaped across
    roles, joined), as upstream's lowering of a transposed convolution does with
    its kernel, are folded into a constant first.

    Limits: weights must be `arith.constant`s of f32, f16 or bf16; a weight that
    is otherwise computed from constants is left alone, with the reason.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::quant::QuantDialect",
    "::mlir::tensor::TensorDialect", "::quant_mlir::QParamsDialect"
  ];
  let options = [
    Option<"dtype", "dtype", "std::string", /*default=*/"\"int8\"",
           "Storage type of the weights; empty: only what the configuration "
           "asks for">,
    Option<"granularity", "granularity", "std::string",
           /*default=*/"\"per_channel\"",
           "per_tensor, per_channel or per_block">,
    ListOption<"blockSize", "block-size", "int64_t",
               "Elements per block along the reduction dimension, or one size "
               "per dimension (-1: whole); default 32">,
    Option<"axis", "axis", "std::string", /*default=*/"\"\"",
           "Dimension of the weight that holds the channels (per_channel) or "
           "the blocks (per_block); negative counts from the end; default: by "
           "the role of the dimensions">,
    Option<"qscheme", "qscheme", "std::string", /*default=*/"\"symmetric\"",
           "symmetric, symmetric_with_clipping or asymmetric">,
    Option<"qformulation", "qformulation", "std::string", /*default=*/"\"zp\"",
           "zp or minval">,
    Option<"scaleDtype", "scale-dtype", "std::string", /*default=*/"\"\"",
           "f32, f16, bf16 or f8E8M0FNU; default f32, f8E8M0FNU for "
           "float4_e2m1fn">,
    Option<"weightThreshold", "weight-threshold", "int64_t", /*default=*/"1024",
           "Weights with fewer elements stay in floating point">,
    Option<"config", "config", "std::string", /*default=*/"\"\"",
           "YAML file with rules per operation; the other options are its "
           "defaults">,
    Option<"report", "report", "std::string", /*default=*/"\"\"",
           "JSON file to write: what was done, what was left, and why">,
    Option<"explain", "explain", "bool", /*default=*/"false",
           "Print which rule applied to each weight">,
  ];
  let statistics = [
    Statistic<"numQuantized", "quantized", "Weights that were quantized">,
    Statistic<"numSkipped", "skipped", "Weights that stay in floating point">,
  ];
}

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

def SimplifyQuantizedFormPass
    : Pass<"quant-simplify-quantized-form", "::mlir::ModuleOp"> {
  let summary = "Let values move as codes, and pairs that change nothing vanish";
  let description = [{
    Where both sides of an operation have the same parameters, what is between
    them need not be floating point. This pass brings level 1 into the form that
    later ones read: a `quant.dequantize` stands right before what computes with
    its values, and a `quant.quantize` right behind what computed them.

    - An operation that only moves or selects values (`ValueEffect::Moves` of
      `QuantizableOpInterface`: reshape, transpose, broadcast, slice, concat, pad,
      maximum over a window) works on codes, and what dequantized its operands
      follows it. Padding becomes the code of the value that it adds; what a
      maximum begins with, and the padding of nothing but a maximum, becomes
      quant_min. Integers are compared by their signedness.
    - `quantize(dequantize(q))` with equal parameters vanishes where it is the
      identity (docs/numerics.md, section 2); `dequantize(quantize(x))` never
      does.
    - `quant.quantize` of a constant becomes a constant of codes.
    - Of several equal quantizes or dequantizes of one value one is left.

    ```mlir
    // quant-simplify-quantized-form
    %d = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<2x4xi8> -> tensor<2x4xf32>
    %r = tensor.collapse_shape %d [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
    %o = quant.quantize %r <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<8xf32> -> tensor<8xi8>
    ```

    becomes

    ```mlir
    %o = tensor.collapse_shape %q [[0, 1]] : tensor<2x4xi8> into tensor<8xi8>
    ```

    No value of the model changes, bit for bit: a value that is added must have a
    code of its own (0.0 has one, with a minval it may have none).

    Limits: all values that meet in one operation have equal parameters. Those per
    channel or per block follow a move that leaves the dimensions that they split
    whole and in order; those that are operands are per_tensor. What is between
    dequantize and move in a body, such as a conversion, keeps the move in floating
    point. An average is computed, not moved. Dequantized constants are weights
    and stay before their consumers as they are. Every move of dequantized values
    that stays in floating point is named in a remark, with the reason.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect",
    "::quant_mlir::QParamsDialect"
  ];
  let statistics = [
    Statistic<"numMoved", "moved", "Operations that move codes now">,
    Statistic<"numPairs", "pairs", "Pairs that vanished">,
    Statistic<"numDuplicates", "duplicates", "Duplicates that vanished">,
    Statistic<"numSkipped", "skipped",
              "Moves of dequantized values in floating point">,
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

    Limits: weights are quantized before (`quant-quantize-weights`); operations
    without a weight, such as the product of two activations, stay as they are.
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

def QuantizeBiasesPass : Pass<"quant-quantize-biases", "::mlir::ModuleOp"> {
  let summary = "Quantize biases to the units of the accumulator";
  let description = [{
    A kernel that sums products of codes in int32 adds its bias there, so that the
    bias has to be a number of the accumulator's units. For every multiply-accumulate
    with a quantized input (one constant scale `sx`) and a quantized weight (constant
    scales `sw`, one or one per channel), the bias becomes an int32 constant behind a
    `quant.dequantize` of scale `float32(double(sx) * double(sw[c]))`:

    ```
    b[c] = R(double(bias[c]) / (double(sx) * double(sw[c])))
    ```

    ```mlir
    // quant-quantize-biases
    %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
    %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
    %w = quant.dequantize %cw <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
    %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
    %e = tensor.empty() : tensor<4x2xf32>
    %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
    %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    becomes

    ```mlir
    %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
    %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
    %w = quant.dequantize %cw <int8, per_channel<[1]>, scale = dense<[[0.5, 0.25]]> : tensor<1x2xf32>> : tensor<2x2xi8> -> tensor<2x2xf32>
    %cb = arith.constant dense<[4, -16]> : tensor<2xi32>
    %bias = quant.dequantize %cb <int32, per_channel<[0]>, scale = dense<[0.25, 0.125]> : tensor<2xf32>> : tensor<2xi32> -> tensor<2xf32>
    %e = tensor.empty() : tensor<4x2xf32>
    %b = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%e : tensor<4x2xf32>) dimensions = [0]
    %0 = linalg.matmul {quant.name = "fc"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%b : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    The bias is the value that the operation accumulates onto, or what an addition
    behind it adds, reshapes between them included (a depthwise result passes a
    collapse_shape). Biases that are the same in the same units are one constant.

    A bias stays in floating point where there is no such accumulator: input or
    weight is in floating point, of a float storage type, has a minval, scales that
    are known at run time only or that vary along what is summed; or where an int32
    may not hold the sum of a channel, that is unless
    `K * max|qx - zx| * max|qw - zw| + |b| < 2^31` with the codes of the weight as
    they are. Each of them is named in a remark, and in the report, with the reason
    and the channel.

    Limits: structured operations with one constant weight; the bias is made of
    constants and varies along channels of the weight only.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect",
    "::quant_mlir::QParamsDialect"
  ];
  let options = [
    Option<"report", "report", "std::string", /*default=*/"\"\"",
           "JSON file with a report, to which what stays in floating point is "
           "added">,
  ];
  let statistics = [
    Statistic<"numQuantized", "quantized", "Biases that were quantized">,
    Statistic<"numSkipped", "skipped", "Biases that stay in floating point">,
  ];
}

def VerifyQuantizedFormPass
    : Pass<"quant-verify-quantized-form", "::mlir::ModuleOp"> {
  let summary = "Check that a module is in the quantized form, level 1";
  let description = [{
    The contract between what brings a model into the quantized form and what reads
    it (fusion, the reference lowering, an embedder's own lowering). A module is in
    the quantized form where all of this holds; every operation for which it does
    not is an error with its location, the reason and the way out, and nothing is
    changed.

    What there is:

    - Computation in floating point (and in integers of whole bytes, such as
      indices and masks), by `linalg`, `arith`, `math`, `tensor`, `scf`, `func` or
      any other dialect that works on tensors. No `tosa`, and no buffers.
    - `quant.quantize` behind what computes a value, `quant.dequantize` before what
      reads it, with constant parameters, or with a scale and zero point that are
      operands (`quant.dynamic_range` computes such). No observers, none of
      upstream's `qcast`, `dcast` and `scast`, no `!quant.uniform` types.
    - Constants of codes behind `quant.dequantize`, packed ones behind
      `quant.unpack` too. A constant is not quantized at run time. `int32` is for
      constant biases.

    What happens to codes:

    - They come from `quant.quantize`, `quant.unpack`, constants and arguments, and
      go to `quant.dequantize`, `quant.pack` and results.
    - On the way they only move: by operations that say so through
      `QuantizableOpInterface` (reshape, transpose, slice, concat, padding with a
      code, maximum in the order of the values), by calls, branches and loops.
      Nothing computes with them: `q1 + q2` means nothing without the parameters.
    - Tensors of elements of less than a byte, or of floats of 8 bits, hold codes
      (or scales) wherever they are.
    - No code is dequantized and quantized again with equal parameters where that
      gives it back.

    What need not hold: a move may work on floating-point values, a bias may be in
    floating point, and weights may pass transposes and reshapes behind their
    dequantize.

    ```mlir
    // quant-verify-quantized-form
    %d = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4xi8> -> tensor<4xf32>
    %t = math.tanh %d : tensor<4xf32>
    %r = quant.quantize %t <int8, per_tensor, scale = 0.0078125> : tensor<4xf32> -> tensor<4xi8>
    ```

    Limits: codes of 8-bit integers are not followed through calls, branches and
    arguments of regions. Whether parameters fit the shapes, and split no dynamic
    dimension, is for the operations' own verifiers.
  }];
  let dependentDialects = [
    "::mlir::quant::QuantDialect", "::quant_mlir::QParamsDialect"
  ];
  let statistics = [
    Statistic<"numRejected", "rejected", "Operations that do not belong">,
  ];
}

def PackConstantsPass : Pass<"quant-pack-constants", "::mlir::ModuleOp"> {
  let summary = "Store sub-byte constants packed";
  let description = [{
    An `i4` constant takes a byte per element in memory and on disk. This pass
    stores every constant of 4- and 2-bit codes in the canonical packed layout,
    which takes 4 and 2 bits, and unpacks it where it is used.

    ```mlir
    %c = arith.constant dense<[1, -2, 3]> : tensor<3xi4>
    ```

    becomes

    ```mlir
    %p = arith.constant dense<[-31, 3]> : tensor<2xi8>
    %c = quant.unpack %p <canonical> : tensor<2xi8> -> tensor<3xi4>
    ```

    Limits: constants of `arith.constant` only; codes of 8 bits need no packing.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::quant::QuantDialect",
    "::quant_mlir::QParamsDialect"
  ];
  let statistics = [
    Statistic<"numPacked", "packed", "Constants that were packed">,
  ];
}

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_TD
