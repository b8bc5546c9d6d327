//===- QParamsAttrs.td - Quantization attributes -----------*- tablegen -*-===//
//
// The companion dialect `qparams`: a dialect extension cannot add attributes to
// upstream's `quant`, so granularity, requests, parameters and layouts live
// here. Inside the ops' own assembly they print without a prefix.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QPARAMSATTRS_TD
#define QUANT_MLIR_DIALECT_QUANT_IR_QPARAMSATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"

def QParams_Dialect : Dialect {
  let name = "qparams";
  let cppNamespace = "::quant_mlir";
  let summary = "Parameters of quantization as attributes";
  let description = [{
    Attributes that say how floating-point values and their stored codes
    correspond. They are used by the operations that this project adds to the
    `quant` dialect; see the [rationale](../rationale/dialect.md) for why they
    live in a dialect of their own.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// Adds the attributes; they are defined in a file of their own.
    void registerAttributes();
  }];
}

class QParams_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<QParams_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// Granularity
//===----------------------------------------------------------------------===//

def QParams_GranularityInterface : AttrInterface<"GranularityAttrInterface"> {
  let cppNamespace = "::quant_mlir";
  let description = [{
    Which elements of a tensor share one scale. Implemented by `per_tensor`,
    `per_channel` and `per_block`.
  }];
  let methods = [
    InterfaceMethod<[{
        Block sizes for a tensor of shape `shape`, one per dimension; -1 means
        the whole dimension. Reports to `emitError` and fails where the
        granularity does not fit the rank.
      }],
      "::llvm::FailureOr<::llvm::SmallVector<int64_t>>", "getBlockSizes",
      (ins "::llvm::ArrayRef<int64_t>":$shape,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>,
  ];
}

def QParams_PerTensorAttr : QParams_Attr<"PerTensor", "per_tensor",
    [DeclareAttrInterfaceMethods<QParams_GranularityInterface>]> {
  let summary = "One set of parameters for the whole tensor";
  let description = [{
    Scale, zero point and minval are scalars (rank-0 tensors), whatever the rank
    of the tensor, so that reshaping it keeps the parameters.

    ```mlir
    #qparams.per_tensor
    ```
  }];
}

def QParams_PerChannelAttr : QParams_Attr<"PerChannel", "per_channel",
    [DeclareAttrInterfaceMethods<QParams_GranularityInterface>]> {
  let summary = "One set of parameters per index of the given dimensions";
  let description = [{
    Block size 1 in the dimensions `axes`, the whole dimension elsewhere.

    ```mlir
    #qparams.per_channel<[0]>
    #qparams.per_channel<[2, 3]>   // depthwise weights HxWxCxM

    #qparams.per_channel<[]>       // incorrect: that is per_tensor
    #qparams.per_channel<[1, 0]>   // incorrect: axes ascend
    #qparams.per_channel<[-1]>     // incorrect: axes count from the front
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$axes);
  let assemblyFormat = "`<` custom<IntegerList>($axes) `>`";
  let genVerifyDecl = 1;
}

def QParams_PerBlockAttr : QParams_Attr<"PerBlock", "per_block",
    [DeclareAttrInterfaceMethods<QParams_GranularityInterface>]> {
  let summary = "One set of parameters per block";
  let description = [{
    One block size per dimension; -1 means the whole dimension, and so does a
    size larger than the dimension. A last block may be shorter. In a `spec`, a
    single size is the size along the reduction dimension of the weight.

    ```mlir
    #qparams.per_block<[32, 1]>
    #qparams.per_block<[1, -1, -1, 16]>

    #qparams.per_block<[0, 1]>    // incorrect: a size is positive or -1
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$sizes);
  let assemblyFormat = "`<` custom<IntegerList>($sizes) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Requests and resolved parameters
//===----------------------------------------------------------------------===//

def QParams_SpecAttr : QParams_Attr<"Spec", "spec"> {
  let summary = "A request for quantization, not yet resolved";
  let description = [{
    What is asked of a value before its parameters are known: storage type,
    scheme, and where they differ from the defaults formulation (`zp`),
    granularity (`per_tensor`), scale type (`f32`), float range (from the data)
    and calibrator (`static`: the tensor's own minimum and maximum).

    ```mlir
    #qparams.spec<int8, asymmetric, moving_average>
    #qparams.spec<uint4, asymmetric, minval, per_block<[32]>, scale_type = f16>
    #qparams.spec<int8, symmetric, float_range = [none, 6.0], percentile>

    #qparams.spec<float8_e4m3fn, asymmetric>      // incorrect: float storage is symmetric
    #qparams.spec<int8, symmetric, scale_type = f8E8M0FNU>  // incorrect: E8M0 is for float storage
    ```
  }];
  let parameters = (ins
    "::quant_mlir::numerics::StorageType":$storage,
    "::quant_mlir::numerics::Scheme":$scheme,
    "::quant_mlir::numerics::Formulation":$formulation,
    "::quant_mlir::GranularityAttrInterface":$granularity,
    "::quant_mlir::numerics::ScaleType":$scaleType,
    OptionalParameter<"::mlir::FloatAttr">:$floatLo,
    OptionalParameter<"::mlir::FloatAttr">:$floatHi,
    StringRefParameter<"name of the calibrator">:$calibrator);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The same request in the numerics library's terms.
    ::quant_mlir::numerics::QuantSpec getQuantSpec() const;
  }];
}

def QParams_AffineAttr : QParams_Attr<"Affine", "affine"> {
  let summary = "Resolved parameters: how codes and values correspond";
  let description = [{
    Storage type, range in use (full unless `narrow` or `range` says
    otherwise), granularity, scale, and a zero point *or* a minval. With `q` a
    code and `x` a value:

    ```
    zero point:  q  = clamp(R(x / scale) + zero_point, quant_min, quant_max)
                 x' = (q - zero_point) * scale
    minval:      q  = clamp(R((x - minval) / scale) + quant_min, quant_min, quant_max)
                 x' = (q - quant_min) * scale + minval
    float:       q  = cast(clamp(x / scale, quant_min, quant_max))
                 x' = q * scale
    ```

    per_tensor parameters are scalars; otherwise their shape is
    `ceil(dim / block)` in every dimension. Scale is f32, f16, bf16 or f8E8M0FNU,
    minval f32, f16 or bf16. Zero points are `i8` for signed storage and `ui8`
    for unsigned storage; an absent one means 0. An absent scale means that it
    is an operand of the operation (dynamic quantization).

    ```mlir
    #qparams.affine<int8, per_tensor, scale = 0.05, zero_point = -3>
    #qparams.affine<int8 narrow, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>>
    #qparams.affine<uint4, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x24xf16>,
                    minval = dense<-1.0> : tensor<3x24xf16>>

    // incorrect: scale is not positive
    #qparams.affine<int8, per_tensor, scale = 0.0>
    // incorrect: zero point and minval together
    #qparams.affine<int8, per_tensor, scale = 0.1, zero_point = 1, minval = 0.0>
    // incorrect: the zero point is outside the range in use
    #qparams.affine<int4, per_tensor, scale = 0.1, zero_point = 9>
    // incorrect: float storage has no zero point
    #qparams.affine<float8_e4m3fn, per_tensor, scale = 0.1, zero_point = 1>
    ```

    Two attributes whose parameters are `dense_resource` compare by the name of
    the resource; `haveEqualContents` compares what they hold.
  }];
  let parameters = (ins
    "::quant_mlir::numerics::StorageType":$storage,
    "int64_t":$quantMin,
    "int64_t":$quantMax,
    "::quant_mlir::GranularityAttrInterface":$granularity,
    OptionalParameter<"::mlir::ElementsAttr">:$scale,
    OptionalParameter<"::mlir::ElementsAttr">:$zeroPoint,
    OptionalParameter<"::mlir::ElementsAttr">:$minval);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::quant_mlir::numerics::CodeRange getRange() const {
      return {double(getQuantMin()), double(getQuantMax())};
    }
    ::quant_mlir::numerics::CodeFormat getCodeFormat() const;
    /// Whether parameters are given by operands of the operation.
    bool isDynamic() const { return !getScale(); }

    /// The builtin type of a stored element, e.g. i4 or f8E4M3FN.
    ::mlir::Type getStorageElementType() const;

    /// Checks scale, zero point and minval against a tensor of shape `shape`,
    /// and their values; says expected, found and way out. Dynamic dimensions
    /// must not be split into blocks by attribute parameters.
    ::llvm::LogicalResult verifyForShape(
        ::llvm::ArrayRef<int64_t> shape,
        ::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError) const;

    /// The parameters of every unit, row-major, widened to binary32; the tensor
    /// has static shape `shape` wherever the granularity splits it.
    ::quant_mlir::numerics::TensorParams getTensorParams() const;
  }];
}

def QParams_LayoutAttr : QParams_Attr<"Layout", "layout"> {
  let summary = "How a packed constant is laid out";
  let description = [{
    Enough to unpack a packed constant exactly.

    `canonical` is row-major over the whole tensor: element `i` of width `w` bits
    lies in bits `(i*w) mod 8` upwards of byte `floor(i*w/8)`; tail bits are 0.

    `panels` is the device layout of the right-hand side of a contraction, whose
    dimensions are batches, columns and reductions. The innermost `run` reduction
    dimensions are one run of elements. Row-major, from the outside in:

    ```
    batches, panels of columns, outer reductions, tuples of groups of a run,
    columns of a panel, elements of a group
    ```

    - the lists order dimensions from the outermost to the innermost, whatever
      their order in the tensor is;
    - a panel has `panel` columns, a group `group` elements of a run;
    - a tuple is `8 / w` groups that follow each other, for codes of `w` bits: they
      share their bytes, the first in the low bits; of values (f32, f16, bf16) it is
      one group, and each element has its bytes;
    - with `block`, a tuple begins after every `block` elements of a run, so that
      no tuple holds codes of two scales; the last block may be shorter;
    - `offset` is added to every code, so that it is stored unsigned or signed as
      the device's instruction wants it;
    - positions without a code hold 0, so that what the instruction multiplies them
      by does not matter.

    ```mlir
    #qparams.layout<canonical>
    #qparams.layout<panels, tensor<3x3x64x24xi4>, columns = [3], reduction = [0, 1, 2],
                    run = 2, panel = 64, group = 4, offset = 8>
    #qparams.layout<panels, tensor<60x24xi4>, columns = [1], reduction = [0],
                    run = 1, panel = 24, group = 4, block = 20, offset = 8>
    // incorrect: dimension 2 has no role
    #qparams.layout<panels, tensor<3x3x64x24xi4>, columns = [3], reduction = [0, 1],
                    run = 2, panel = 64, group = 4>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"kind of layout">:$kind,
    OptionalParameter<"::mlir::RankedTensorType">:$codesType,
    OptionalArrayRefParameter<"int64_t">:$batch,
    OptionalArrayRefParameter<"int64_t">:$columns,
    OptionalArrayRefParameter<"int64_t">:$reduction,
    DefaultValuedParameter<"int64_t", "0">:$run,
    DefaultValuedParameter<"int64_t", "0">:$panel,
    DefaultValuedParameter<"int64_t", "0">:$group,
    DefaultValuedParameter<"int64_t", "0">:$block,
    DefaultValuedParameter<"int64_t", "0">:$offset);
  let builders = [
    AttrBuilder<(ins "::llvm::StringRef":$kind), [{
      return $_get($_ctxt, kind, ::mlir::RankedTensorType(),
                   ::llvm::ArrayRef<int64_t>(), ::llvm::ArrayRef<int64_t>(),
                   ::llvm::ArrayRef<int64_t>(), 0, 0, 0, 0, 0);
    }]>,
    AttrBuilder<(ins "::mlir::RankedTensorType":$codesType,
                     "const ::quant_mlir::numerics::PanelLayout &":$panels), [{
      return $_get($_ctxt, "panels", codesType, panels.batch, panels.columns,
                   panels.reduction, panels.run, panels.panel, panels.group,
                   panels.block, panels.offset);
    }]>
  ];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isCanonical() const { return getKind() == "canonical"; }
    bool isPanels() const { return getKind() == "panels"; }
    /// The layout of panels in the numerics library's terms.
    ::quant_mlir::numerics::PanelLayout getPanelLayout() const;
    /// How many bytes `codes` take in this layout.
    int64_t getPackedSize(::mlir::RankedTensorType codes) const;
  }];
}

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QPARAMSATTRS_TD
