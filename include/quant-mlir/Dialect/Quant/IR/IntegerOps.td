//===- IntegerOps.td - Operations of the integer form ------*- tablegen -*-===//
//
// Level 2: destination-style operations on codes, with accumulation,
// requantization and activation inside. What each computes is section 6 of
// docs/numerics.md, as a function of the parameters that stand at its operands.
//
// They are structured as linalg's are: every operand has an indexing map over one
// iteration space, and all that is generic (verification, tiling,
// bufferization) asks the maps.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_INTEGEROPS_TD
#define QUANT_MLIR_DIALECT_QUANT_IR_INTEGEROPS_TD

include "quant-mlir/Dialect/Quant/IR/QParamsAttrs.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class QuantExt_Op<string mnemonic, list<Trait> traits = []>
    : Op<Quant_Dialect, mnemonic, traits> {
  let cppNamespace = "::quant_mlir";
}

//===----------------------------------------------------------------------===//
// What the operations have in common
//===----------------------------------------------------------------------===//

def IntegerFormOpInterface : OpInterface<"IntegerFormOpInterface"> {
  let cppNamespace = "::quant_mlir";
  let description = [{
    An operation of the integer form, in destination style. Its loops are the dimensions of its maps: a
    loop is parallel where the map of the result has it, and a reduction
    otherwise.

    Maps give positions in the operand as it would be with its padding; the
    position in the operand itself is less by the low padding of the dimension.
  }];
  let methods = [
    InterfaceMethod<[{
        One map for each operand that is read or written element by element: the
        inputs that `getMappedOperands` gives, in that order, then the result.
      }],
      "::llvm::SmallVector<::mlir::AffineMap>", "getOperandMaps">,
    InterfaceMethod<[{
        The operands that `getOperandMaps` speaks of; the destination is the last.
      }],
      "::llvm::SmallVector<::mlir::OpOperand *>", "getMappedOperands">,
    InterfaceMethod<[{
        The types that `getOperandMaps` speaks of: those of the operands, and of packed
        codes the type that they have unpacked.
      }],
      "::llvm::SmallVector<::mlir::ShapedType>", "getMappedTypes", (ins), "", [{
        ::llvm::SmallVector<::mlir::ShapedType> types;
        for (::mlir::OpOperand *operand : $_op.getMappedOperands())
          types.push_back(
              ::mlir::cast<::mlir::ShapedType>(operand->get().getType()));
        return types;
      }]>,
    InterfaceMethod<[{
        Low and high padding of every dimension of the first operand, pairwise;
        empty where there is none.
      }],
      "::llvm::ArrayRef<int64_t>", "getInputPadding">,
    InterfaceMethod<[{
        Sizes of loops that no operand's dimension gives, by loop; kDynamic for
        all others.
      }],
      "::llvm::SmallVector<int64_t>", "getKnownLoopSizes", (ins), "", [{
        return ::llvm::SmallVector<int64_t>($_op.getOperandMaps().back().getNumDims(),
                                            ::mlir::ShapedType::kDynamic);
      }]>,
  ];
  let extraSharedClassDeclaration = [{
    unsigned getNumLoops() { return $_op.getOperandMaps().back().getNumDims(); }
    bool isParallelLoop(unsigned loop) {
      return $_op.getOperandMaps().back().isFunctionOfDim(loop);
    }
    /// Sizes of all loops, kDynamic where types do not say.
    ::llvm::SmallVector<int64_t> getStaticLoopSizes() {
      return ::quant_mlir::detail::getStaticLoopSizes($_op);
    }
    /// Sizes of all loops, as constants where types give them.
    ::llvm::SmallVector<::mlir::OpFoldResult>
    getLoopSizes(::mlir::OpBuilder &builder, ::mlir::Location loc) {
      return ::quant_mlir::detail::getLoopSizes($_op, builder, loc);
    }
  }];
  let verify = "return ::quant_mlir::detail::verifyIntegerForm($_op);";
}

class QuantExt_ShapedOf<list<Type> elements>
    : AnyTypeOf<[RankedTensorOf<elements>, MemRefOf<elements>]>;

def QuantExt_Codes : QuantExt_ShapedOf<
    [I8, I<4>, I<2>, F8E4M3FN, F8E5M2, F4E2M1FN]>;
def QuantExt_CodesOrValues : QuantExt_ShapedOf<
    [I8, I<4>, I<2>, F8E4M3FN, F8E5M2, F4E2M1FN, F32, F16, BF16]>;
def QuantExt_Bias : QuantExt_ShapedOf<[I32, F32]>;
def QuantExt_Sums : QuantExt_ShapedOf<[I32]>;
def QuantExt_Scales : QuantExt_ShapedOf<[F32, F16, BF16]>;
def QuantExt_ZeroPoints : QuantExt_ShapedOf<[I32]>;

class QuantExt_IntegerFormOp<string mnemonic, list<Trait> traits = [],
                             list<string> formMethods = []>
    : QuantExt_Op<mnemonic, traits # [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<IntegerFormOpInterface, formMethods>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>]> {
  let hasVerifier = 1;
  let results = (outs Variadic<AnyRankedTensor>:$results);
  code sharedDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::ShapedType getInitType() {
      return ::mlir::cast<::mlir::ShapedType>(getInit().getType());
    }
  }];
  let extraClassDeclaration = sharedDeclaration;
}

//===----------------------------------------------------------------------===//
// Contraction
//===----------------------------------------------------------------------===//

def QuantExt_ContractOp : QuantExt_IntegerFormOp<"contract",
    [AttrSizedOperandSegments], ["getMappedTypes"]> {
  let summary = "Sum of products of codes, and what follows it in one kernel";
  let description = [{
    Matrix products, batched or not, and convolutions of any rank, stride,
    dilation, layout and grouping: what the loops mean follows from the maps. A
    loop of lhs, rhs and result is a batch (groups and depthwise channels too);
    of lhs and result a row; of rhs and result a column; of lhs and rhs only, a
    reduction.

    For every element of the result, `x` the codes of lhs, `w` those of rhs, `s`
    and `z` their scales and zero points, `c` the unit of rhs:

    ```
    acc = sum((x - zx) * (w - zw))                   exact: int32, or wide
    acc = acc + bias                                 an i32 bias
    result with parameters (sy, z):
      m = float32(double(sx) * double(sw[c]) / double(sy))
      v = float(acc) * m
      v = v + float32(double(bias) / double(sy))     an f32 bias
      v = v + float(r - zr) * float32(double(sr) / double(sy))     residual of codes
      v = v + float32(double(r) / double(sy))                      of values
      y = clamp(R(v) + z, lower, upper)
    result of values:
      y = float(acc) * float32(double(sx) * double(sw[c]))
      y = y + bias                                   an f32 bias
      y = y + r, or y + float(r - zr) * sr           residual, of values or codes
      y = min(max(y, low), high)
    ```

    each operation rounded on its own in binary32. `lower` and `upper` are the
    range in use, made narrower by `low` and `high` (in expressed values:
    `z + R(float32(low / double(sy)))`).

    - rhs split into blocks along a reduction: every block is an exact int32 sum,
      and the blocks, each times its scale, are added in binary32 in any order.
      The bias is f32.
    - rhs with minval: `acc` is of `w - quant_min`, and
      `float(sum(x - zx)) * float32(double(sx) * double(minval[c]))`, over sy for
      a result with parameters, is added.
    - lhs without parameters and not dynamic is of values: `sum(x * dequantize(w))`
      in binary32 in any order, with sx = 1 and an f32 bias. Floating-point codes
      are summed likewise. Beside such an lhs, rhs may be of values too.
    - scale and zero point operands are of dynamic quantization: of one element or one
      per row of lhs, or per column or batch of rhs. `m` is the same function of scales
      that are operands; the bias is f32.

    `wide` says that an int32 may not hold the sum: it is as exact, added up in
    64 bits. A kernel does so from pieces that an int32 holds.

    Positions of lhs that are padding count as its zero point. All integers are as
    they are in the integer model of the network, on every target and for every
    number of threads.

    `layout` says that rhs is packed bytes: its codes are `unpack(rhs)` with that
    layout, which knows their type. Where products are summed in integers, `sums`
    then holds `sum(w)` of every column; its dimensions are

    - the blocks, where rhs is split into blocks along a reduction (a block spans
      all other reductions);
    - those of rhs that `layout` lists as batch, in that order;
    - those that it lists as columns, in that order.

    Constraints:

    - maps, in this order: lhs, rhs, bias and residual where present, the result;
      lhs has sums of loops times constants, the others one loop in each
      dimension;
    - rhs has static parameters, scale operands beside integer codes, or none beside an
      lhs of values; every unit of rhs that is not a block along a reduction has one
      scale;
    - an i32 bias has scale sx * sw[c] and zero point 0;
    - the accumulator is proven not to overflow (`quant-verify-integer-form`), or
      wide, which only sums of integers are.

    ```mlir
    #x = affine_map<(m, n, k) -> (m, k)>
    #w = affine_map<(m, n, k) -> (k, n)>
    #b = affine_map<(m, n, k) -> (n)>
    #y = affine_map<(m, n, k) -> (m, n)>
    %y = quant.contract
      lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<4x70xi8>)
      rhs(%w as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>> : tensor<70x24xi8>)
      bias(%b : tensor<24xi32>)
      outs(%o as <int8, per_tensor, scale = 0.1> : tensor<4x24xi8>)
      maps [#x, #w, #b, #y] low 0.0 -> tensor<4x24xi8>
    ```
  }];
  let arguments = (ins
    QuantExt_CodesOrValues:$lhs,
    Optional<QuantExt_Scales>:$scale,
    Optional<QuantExt_ZeroPoints>:$zero_point,
    QuantExt_CodesOrValues:$rhs,
    Optional<QuantExt_Scales>:$rhs_scale,
    Optional<QuantExt_ZeroPoints>:$rhs_zero_point,
    Optional<QuantExt_Sums>:$sums,
    Optional<QuantExt_Bias>:$bias,
    Optional<QuantExt_CodesOrValues>:$residual,
    QuantExt_CodesOrValues:$init,
    OptionalAttr<QParams_AffineAttr>:$lhs_params,
    OptionalAttr<QParams_AffineAttr>:$rhs_params,
    OptionalAttr<QParams_LayoutAttr>:$layout,
    OptionalAttr<QParams_AffineAttr>:$residual_params,
    OptionalAttr<QParams_AffineAttr>:$init_params,
    AffineMapArrayAttr:$maps,
    OptionalAttr<DenseI64ArrayAttr>:$padding,
    OptionalAttr<F32Attr>:$low,
    OptionalAttr<F32Attr>:$high,
    UnitAttr:$wide);
  let assemblyFormat = [{
    `lhs` `(` $lhs (`as` $lhs_params^)?
      (`scale` $scale^ `:` type($scale) `,`)?
      (`zero_point` $zero_point^ `:` type($zero_point) `,`)? `:` type($lhs) `)`
    `rhs` `(` $rhs (`as` $rhs_params^)?
      (`scale` $rhs_scale^ `:` type($rhs_scale) `,`)?
      (`zero_point` $rhs_zero_point^ `:` type($rhs_zero_point) `,`)? (`in` $layout^)?
      (`sums` $sums^ `:` type($sums) `,`)? `:` type($rhs) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`residual` `(` $residual^ (`as` $residual_params^)? `:` type($residual) `)`)?
    `outs` `(` $init (`as` $init_params^)? `:` type($init) `)`
    `maps` $maps (`padding` $padding^)? (`low` $low^)? (`high` $high^)?
    (`wide` $wide^)? attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = sharedDeclaration # [{
    /// Maps of the operands, by name; null where there is no such operand.
    ::mlir::AffineMap getLhsMap();
    ::mlir::AffineMap getRhsMap();
    ::mlir::AffineMap getBiasMap();
    ::mlir::AffineMap getResidualMap();
    ::mlir::AffineMap getInitMap();
    /// The type of rhs as codes, also where it is packed.
    ::mlir::RankedTensorType getRhsCodesType();
    /// Whether an operand is of values, not codes.
    bool hasFloatLhs() { return !getLhsParams(); }
    bool hasFloatRhs() { return !getRhsParams(); }
    /// Whether scale and zero point of lhs are operands; whether those of rhs are.
    bool isDynamic() { return bool(getScale()); }
    bool isRhsDynamic() { return bool(getRhsScale()); }
    /// Whether products are summed in integers.
    bool hasIntegerSum();
    /// The dimension of rhs that its parameters split into blocks and that is a
    /// reduction, and the size of a block.
    ::std::optional<::std::pair<unsigned, int64_t>> getReductionBlock();
    /// The shape that `sums` has beside packed rhs.
    ::llvm::SmallVector<int64_t> getSumsShape();
  }];
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

class QuantExt_ElementwiseOp<string mnemonic> : QuantExt_IntegerFormOp<mnemonic> {
  let arguments = (ins
    QuantExt_Codes:$lhs, QuantExt_Codes:$rhs, QuantExt_Codes:$init,
    QParams_AffineAttr:$lhs_params, QParams_AffineAttr:$rhs_params,
    QParams_AffineAttr:$init_params,
    AffineMapArrayAttr:$maps,
    OptionalAttr<F32Attr>:$low, OptionalAttr<F32Attr>:$high);
  let assemblyFormat = [{
    `lhs` `(` $lhs `as` $lhs_params `:` type($lhs) `)`
    `rhs` `(` $rhs `as` $rhs_params `:` type($rhs) `)`
    `outs` `(` $init `as` $init_params `:` type($init) `)`
    `maps` $maps (`low` $low^)? (`high` $high^)?
    attr-dict (`->` type($results)^)?
  }];
}

def QuantExt_AddOp : QuantExt_ElementwiseOp<"add"> {
  let summary = "Sum of codes, requantized";
  let description = [{
    ```
    ma = float32(double(sa) / double(sy))   mb = float32(double(sb) / double(sy))
    y = clamp(R(float(a - za) * ma + float(b - zb) * mb) + z, lower, upper)
    ```

    `low` and `high` are those of `quant.contract`. Operands are per_tensor and
    integers of 8 bits; a map may leave loops out (broadcasting).

    ```mlir
    #id = affine_map<(i, j) -> (i, j)>
    %y = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>)
      rhs(%b as <int8, per_tensor, scale = 0.25> : tensor<4x70xi8>)
      outs(%o as <int8, per_tensor, scale = 0.5, zero_point = -128> : tensor<4x70xi8>)
      maps [#id, #id, #id] low 0.0 -> tensor<4x70xi8>
    ```
  }];
}

def QuantExt_MulOp : QuantExt_ElementwiseOp<"mul"> {
  let summary = "Product of codes, requantized";
  let description = [{
    ```
    m = float32(double(sa) * double(sb) / double(sy))
    y = clamp(R(float((a - za) * (b - zb)) * m) + z, lower, upper)
    ```

    Constraints and form are those of `quant.add`.

    ```mlir
    #id = affine_map<(i, j) -> (i, j)>
    #row = affine_map<(i, j) -> (i)>
    %y = quant.mul lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>)
      rhs(%b as <int8, per_tensor, scale = 0.25> : tensor<4xi8>)
      outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>)
      maps [#id, #row, #id] -> tensor<4x70xi8>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

def QuantExt_PoolKind : I32EnumAttr<"PoolKind", "how a pool combines", [
    I32EnumAttrCase<"Average", 0, "average">,
    I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::quant_mlir";
}

def QuantExt_PoolOp : QuantExt_IntegerFormOp<"pool", [],
    ["getKnownLoopSizes"]> {
  let summary = "Average or maximum of codes over a window";
  let description = [{
    Windows, and reductions over whole dimensions: the reduction loops of the
    maps, whose sizes `window` gives in order (-1: that of the dimension of the
    input that this loop alone walks).

    ```
    average:  y = clamp(R(float(sum(x - z)) / float(n)) + z, lower, upper)
    max:      y = clamp(max(x), lower, upper)
    ```

    Input and result share the parameters. Positions of the input that are padding
    are not part of a window: `n` counts the others, or all with `count_padding`,
    where padding is the value 0. `low`, `high` and `wide` are those of
    `quant.contract`.

    Constraints: per_tensor parameters, codes of 8 bits; average of integers only,
    and only an average is wide.

    ```mlir
    #x = affine_map<(n, h, w, c, i, j) -> (n, h * 2 + i, w * 2 + j, c)>
    #y = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
    %y = quant.pool average
      ins(%x as <int8, per_tensor, scale = 0.5, zero_point = -128> : tensor<1x24x24x64xi8>)
      outs(%o : tensor<1x12x12x64xi8>)
      maps [#x, #y] window [2, 2] -> tensor<1x12x12x64xi8>
    ```
  }];
  let arguments = (ins
    QuantExt_PoolKind:$kind,
    QuantExt_Codes:$input, QuantExt_Codes:$init,
    QParams_AffineAttr:$params,
    AffineMapArrayAttr:$maps,
    DenseI64ArrayAttr:$window,
    OptionalAttr<DenseI64ArrayAttr>:$padding,
    UnitAttr:$count_padding,
    OptionalAttr<F32Attr>:$low, OptionalAttr<F32Attr>:$high,
    UnitAttr:$wide);
  let assemblyFormat = [{
    $kind `ins` `(` $input `as` $params `:` type($input) `)`
    `outs` `(` $init `:` type($init) `)`
    `maps` $maps `window` $window (`padding` $padding^)?
    (`count_padding` $count_padding^)? (`low` $low^)? (`high` $high^)?
    (`wide` $wide^)? attr-dict (`->` type($results)^)?
  }];
}

#endif // QUANT_MLIR_DIALECT_QUANT_IR_INTEGEROPS_TD
