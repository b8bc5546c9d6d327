//===- Passes.td - Passes on the quantized form ------------*- tablegen -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_TD
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"
include "quant-mlir/Dialect/Quant/Transforms/ActivationPasses.td"
include "quant-mlir/Dialect/Quant/Transforms/IntegerFormPasses.td"
include "quant-mlir/Dialect/Quant/Transforms/WeightPasses.td"

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

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PASSES_TD
