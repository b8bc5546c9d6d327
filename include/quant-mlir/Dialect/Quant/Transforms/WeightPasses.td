//===- WeightPasses.td - Passes on weights -----------------*- tablegen -*-===//
//
// Part of Passes.td: constants become codes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTPASSES_TD
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTPASSES_TD

include "mlir/Pass/PassBase.td"

def FoldBroadcastsPass : Pass<"quant-fold-broadcasts"> {
  let summary = "Let contractions read what a broadcast repeats";
  let description = [{
    Exporters repeat a weight for every batch before they multiply batches with it.
    The same numbers would be quantized, packed and read once for each batch, and
    the bias behind would differ from batch to batch. This pass indexes the weight,
    or an activation, by the loops that it has.

    ```mlir
    // quant-fold-broadcasts
    %e = tensor.empty() : tensor<2x2x2xf32>
    %b = linalg.broadcast ins(%x : tensor<2x2xf32>) outs(%e : tensor<2x2x2xf32>) dimensions = [0]
    %0 = linalg.batch_matmul ins(%a, %b : tensor<2x4x2xf32>, tensor<2x2x2xf32>) outs(%i : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
    ```

    becomes

    ```mlir
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a, %x : tensor<2x4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<2x4x2xf32>) {
    ^bb0(%l: f32, %r: f32, %out: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %out, %m : f32
      linalg.yield %s : f32
    } -> tensor<2x4x2xf32>
    ```

    The operation is any that `QuantizableOpInterface` classifies as a
    multiply-accumulate, the broadcast any that its indexing maps say is one.
    Where a loop would be left without an operand that has it, nothing changes; a
    reshape between broadcast and operation is not looked through.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

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

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTPASSES_TD
