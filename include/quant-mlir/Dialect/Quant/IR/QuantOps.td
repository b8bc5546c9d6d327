//===- QuantOps.td - Operations added to the quant dialect -*- tablegen -*-===//
//
// Operations that extend upstream's `quant` dialect (see QuantExtension.h). They
// work on tensors of storage-type elements and carry their parameters in
// `qparams` attributes; nothing here uses `!quant.uniform`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_TD
#define QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_TD

include "quant-mlir/Dialect/Quant/IR/IntegerOps.td"
include "quant-mlir/Dialect/Quant/IR/QParamsAttrs.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"


def QuantExt_ExpressedTensor : RankedTensorOf<[F32, F16, BF16]>;
def QuantExt_StorageTensor : RankedTensorOf<
    [I8, I<4>, I<2>, I32, F8E4M3FN, F8E5M2, F4E2M1FN]>;
/// What a layout holds: codes, or in panels the values of a weight.
def QuantExt_PackableTensor : RankedTensorOf<
    [I8, I<4>, I<2>, I32, F8E4M3FN, F8E5M2, F4E2M1FN, F32, F16, BF16]>;
def QuantExt_ScaleTensor : RankedTensorOf<[F32, F16, BF16, F8E8M0FNU]>;
def QuantExt_ZeroPointTensor : RankedTensorOf<[I32]>;

def QuantExt_QuantizeOp : QuantExt_Op<"quantize",
    [Pure, AttrSizedOperandSegments]> {
  let summary = "Floating-point values to codes";
  let description = [{
    For every element `x` of the input, with the parameters of its unit:

    ```
    zero point:  q = clamp(R(x / scale) + zero_point, quant_min, quant_max)
    minval:      q = clamp(R((x - minval) / scale) + quant_min, quant_min, quant_max)
    float:       q = cast(clamp(x / scale, quant_min, quant_max))
    ```

    in binary32, `R` rounding half to even. +-Inf saturates, NaN gives the code
    of 0.0.

    Constraints:

    - the element type of the result is the storage type of the parameters;
    - scale is either in the parameters or an operand; with an operand, zero
      points are an operand of i32 elements too, or absent (0);
    - operands have the shape that the granularity gives: rank 0 for per_tensor,
      `ceil(dim / block)` otherwise.

    `quantize(dequantize(q))` with equal parameters folds to `q` where that is
    exact; `dequantize(quantize(x))` never folds.

    ```mlir
    %q = quant.quantize %x <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<4x70xf32> -> tensor<4x70xi8>
    %d = quant.quantize %y scale(%s : tensor<?x1xf32>) zero_point(%z : tensor<?x1xi32>) <int8, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x70xi8>
    ```
  }];
  let arguments = (ins
    QuantExt_ExpressedTensor:$input,
    Optional<QuantExt_ScaleTensor>:$scale,
    Optional<QuantExt_ZeroPointTensor>:$zero_point,
    QParams_AffineAttr:$params);
  let results = (outs QuantExt_StorageTensor:$output);
  let assemblyFormat = [{
    $input (`scale` `(` $scale^ `:` type($scale) `)`)?
    (`zero_point` `(` $zero_point^ `:` type($zero_point) `)`)?
    $params attr-dict `:` type($input) `->` type($output)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def QuantExt_DequantizeOp : QuantExt_Op<"dequantize",
    [Pure, AttrSizedOperandSegments]> {
  let summary = "Codes to floating-point values";
  let description = [{
    For every code `q` of the input, with the parameters of its unit:

    ```
    zero point:  x' = (q - zero_point) * scale
    minval:      x' = (q - quant_min) * scale + minval
    float:       x' = q * scale
    ```

    in binary32, each operation rounded on its own, the result rounded once to
    the element type of the output. Constraints are those of `quant.quantize`.

    ```mlir
    %w = quant.dequantize %c <int8 narrow, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>> : tensor<70x24xi8> -> tensor<70x24xf32>
    %v = quant.dequantize %d <uint4, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x24xf16>, minval = dense<-1.0> : tensor<3x24xf16>> : tensor<70x24xi4> -> tensor<70x24xf32>
    ```
  }];
  let arguments = (ins
    QuantExt_StorageTensor:$input,
    Optional<QuantExt_ScaleTensor>:$scale,
    Optional<QuantExt_ZeroPointTensor>:$zero_point,
    QParams_AffineAttr:$params);
  let results = (outs QuantExt_ExpressedTensor:$output);
  let assemblyFormat = [{
    $input (`scale` `(` $scale^ `:` type($scale) `)`)?
    (`zero_point` `(` $zero_point^ `:` type($zero_point) `)`)?
    $params attr-dict `:` type($input) `->` type($output)
  }];
  let hasVerifier = 1;
}

def QuantExt_DynamicRangeOp : QuantExt_Op<"dynamic_range", [Pure]> {
  let summary = "Scale and zero point from a tensor's own range";
  let description = [{
    For every unit of the input (the tensor, a channel, a block), over its finite
    elements:

    ```
    lo = min(0, min x)   hi = max(0, max x)   amax = max(-lo, hi)
    scale = range of the scheme / range of the codes, at least 2^-23,
            rounded to the type of the scale
    zero_point = clamp(quant_min - R(lo / scale), quant_min, quant_max)
    ```

    in binary32 and in this order, as section 3 of the [numerics](../numerics.md)
    says for each storage type and scheme; an end of `float_range` replaces `lo`
    or `hi`. The scale is that of a stored parameter, so the same range gives the
    same parameters here and at compile time. NaN and infinite elements are left
    out. A scale beyond the largest value of its type, which at compile time is an
    error, is that value.

    `quant.quantize` and `quant.dequantize` take the results as operands. There is
    a zero point where it may be other than 0: asymmetric, or unsigned storage.

    Constraints:

    - the formulation is `zp`, and there is no calibrator;
    - the type of the scale is that of the spec, a zero point is i32;
    - both have the shape that the granularity gives: rank 0 for per_tensor,
      `ceil(dim / block)` otherwise, where a whole dimension counts as one block.

    ```mlir
    %s, %z = quant.dynamic_range %x <int8, asymmetric, per_channel<[0]>> : tensor<?x70xf32> -> tensor<?x1xf32>, tensor<?x1xi32>
    %t = quant.dynamic_range %y <int8, symmetric> : tensor<4x70xf32> -> tensor<f32>
    %e = quant.dynamic_range %y <float8_e4m3fn, symmetric, per_block<[1, 32]>, scale_type = f8E8M0FNU> : tensor<4x70xf32> -> tensor<4x3xf8E8M0FNU>
    ```
  }];
  let arguments = (ins QuantExt_ExpressedTensor:$input, QParams_SpecAttr:$spec);
  let results = (outs QuantExt_ScaleTensor:$scale,
                      Optional<QuantExt_ZeroPointTensor>:$zero_point);
  let assemblyFormat = [{
    $input $spec attr-dict `:` type($input) `->` type($scale)
    (`,` type($zero_point)^)?
  }];
  let hasVerifier = 1;
  let builders = [
    /// The types of the results follow from `input` and `spec`, whose granularity
    /// must fit the rank.
    OpBuilder<(ins "::mlir::Value":$input, "::quant_mlir::SpecAttr":$spec)>
  ];
}

def QuantExt_ObserveOp : QuantExt_Op<"observe",
    [AllTypesMatch<["input", "output"]>]> {
  let summary = "Marks a value whose range calibration has to find";
  let description = [{
    The identity. `id` names the value (`conv1.out0`), `spec` says how it will be
    quantized. `quant-insert-observers` places these operations,
    `quant-calibrate` collects the statistics of what passes, and
    `quant-fold-ranges` replaces each by `quant.quantize` and
    `quant.dequantize`.

    - Operations with the same id share one set of statistics, and so one set of
      parameters: the operands of a concatenation.
    - With `follows`, the operation contributes no statistics and takes the
      parameters of its id: the result of an average pool.
    - With `boundary`, the value is an input or output of the model that no
      quantized operation touches; it becomes codes only with `quantize-io`.
    - A spec whose `float_range` fixes both ends needs no data.

    It is kept where its value is dead or used twice: what is counted must not
    depend on clean-up.

    ```mlir
    %o = quant.observe %x "conv1.out0" <int8, asymmetric, moving_average> : tensor<4x70xf32>
    %p = quant.observe %y "conv1.out0" follows <int8, asymmetric, moving_average> : tensor<4x1xf32>
    %s = quant.observe %z "main.out0" boundary <int8, asymmetric, float_range = [0.0, 0.99609375]> : tensor<4x10xf32>
    ```
  }];
  let arguments = (ins
    QuantExt_ExpressedTensor:$input,
    StrAttr:$id,
    UnitAttr:$follows,
    UnitAttr:$boundary,
    QParams_SpecAttr:$spec);
  let results = (outs QuantExt_ExpressedTensor:$output);
  let assemblyFormat = [{
    $input $id (`follows` $follows^)? (`boundary` $boundary^)? $spec attr-dict
    `:` type($input)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether statistics of the values that pass are needed.
    bool needsData() {
      return !getFollows() &&
             !(getSpec().getFloatLo() && getSpec().getFloatHi());
    }
  }];
}

def QuantExt_PackOp : QuantExt_Op<"pack", [Pure]> {
  let summary = "Codes to the bytes of a layout";
  let description = [{
    Lays the codes out as `layout` says. Shapes are static, the result holds
    exactly the bytes that the layout needs. Values (f32, f16, bf16) have panels only.

    ```mlir
    %p = quant.pack %q <canonical> : tensor<70x24xi4> -> tensor<840xi8>
    ```
  }];
  let arguments = (ins QuantExt_PackableTensor:$input,
                       QParams_LayoutAttr:$layout);
  let results = (outs 1DTensorOf<[I8]>:$output);
  let assemblyFormat =
    "$input $layout attr-dict `:` type($input) `->` type($output)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def QuantExt_UnpackOp : QuantExt_Op<"unpack", [Pure]> {
  let summary = "Packed bytes back to codes";
  let description = [{
    The exact inverse of `quant.pack` with the same layout.

    ```mlir
    %q = quant.unpack %p <canonical> : tensor<840xi8> -> tensor<70x24xi4>
    ```
  }];
  let arguments = (ins 1DTensorOf<[I8]>:$input, QParams_LayoutAttr:$layout);
  let results = (outs QuantExt_PackableTensor:$output);
  let assemblyFormat =
    "$input $layout attr-dict `:` type($input) `->` type($output)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTOPS_TD
