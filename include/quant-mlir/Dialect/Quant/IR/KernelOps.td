//===- KernelOps.td - Operations that kernels need ---------*- tablegen -*-===//
//
// What quant-prepare-kernels makes beside the integer form, for kernels that
// run before those of its operations.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_KERNELOPS_TD
#define QUANT_MLIR_DIALECT_QUANT_IR_KERNELOPS_TD

include "quant-mlir/Dialect/Quant/IR/QParamsAttrs.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class QuantExt_TensorOrBufferOf<list<Type> elements>
    : AnyTypeOf<[RankedTensorOf<elements>, MemRefOf<elements>]>;

def QuantExt_PackColumnsOp : Op<Quant_Dialect, "pack_columns",
    [DestinationStyleOpInterface,
     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let cppNamespace = "::quant_mlir";
  let summary = "Codes to panels, and sums of their columns";
  let description = [{
    Makes of codes that are computed what `quant-pack-weights` makes of constants:
    the operands `rhs` and `sums` of a packed `quant.contract`, in one pass over the
    codes.

    ```
    panels = pack(input)                 as quant.pack with the same layout
    sums[batch, column] = sum(input)     over all reductions, int32
    sums[block, batch, column]           where params split a reduction into blocks
    ```

    Dimensions of `sums` are those of `quant.contract`: batches and columns as
    `layout` lists them. Of `params`, only the storage type and the blocks matter.

    Constraints: integer codes; one reduction at most is split. Sizes that only
    the run time knows are `?` in the layout, in panels (`tensor<?xi8>`) and in
    sums; kernels of GPUs have them, the reference lowering has not.

    ```mlir
    %panels, %sums = quant.pack_columns
      ins(%k as <int8, per_tensor, scale = 0.5> : tensor<3x70x64xi8>)
      in <panels, tensor<3x70x64xi8>, batch = [0], columns = [1], reduction = [2],
          run = 1, panel = 64, group = 16>
      outs(%p, %s : tensor<24576xi8>, tensor<3x70xi32>)
      -> tensor<24576xi8>, tensor<3x70xi32>
    ```
  }];
  let arguments = (ins
    QuantExt_TensorOrBufferOf<[I8, I<4>, I<2>]>:$input,
    QuantExt_TensorOrBufferOf<[I8]>:$panels,
    QuantExt_TensorOrBufferOf<[I32]>:$sums,
    QParams_AffineAttr:$params,
    QParams_LayoutAttr:$layout);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `as` $params `:` type($input) `)` `in` $layout
    `outs` `(` $panels `,` $sums `:` type($panels) `,` type($sums) `)`
    attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), /*start=*/1, /*length=*/2);
    }
    /// As of `quant.contract`.
    ::std::optional<::std::pair<unsigned, int64_t>> getReductionBlock();
  }];
}

#endif // QUANT_MLIR_DIALECT_QUANT_IR_KERNELOPS_TD
