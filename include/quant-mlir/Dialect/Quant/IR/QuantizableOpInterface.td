//===- QuantizableOpInterface.td - How passes see a model --*- tablegen -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_TD
#define QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let cppNamespace = "::quant_mlir";
  let description = [{
    How the passes see a model: which operands of an operation can be quantized,
    what the dimensions of a weight mean to it, and what it does to the range of
    its values. Every pass asks only this interface, so an operation that
    implements it (an embedder's own included) is treated like the operations
    of `linalg`, which get it as external models classified from their indexing
    maps.

    Every method has a default, so that a model of the interface defines only
    those that apply: no kind, no operands, no range preserved, none known.
  }];
  let methods = [
    InterfaceMethod<[{
        What the operation computes, in the field's words: `matmul`, `conv`,
        `conv_transpose`, `depthwise_conv`, `embedding`, …; the names that
        `op_type` rules of a configuration match. Empty where this operation is
        none of the kinds that can be quantized.
      }],
      "::llvm::StringRef", "getQuantizableKind", (ins), "", [{ return ""; }]>,
    InterfaceMethod<[{
        Operands that can be quantized, in operand order. An operand may belong
        to an operation nested in this one (the table of a `tensor.extract` in
        the body of a `linalg.generic`).
      }],
      "::llvm::SmallVector<::quant_mlir::QuantizableOperand>",
      "getQuantizableOperands", (ins), "", [{ return {}; }]>,
    InterfaceMethod<[{
        Whether the operation only moves or selects values, so that its inputs
        and outputs can share one set of parameters.
      }],
      "bool", "preservesValueRange", (ins), "", [{ return false; }]>,
    InterfaceMethod<[{
        The range of the result where it follows from the operation alone, e.g.
        [0, 1] of a sigmoid.
      }],
      "::std::optional<::quant_mlir::FloatRange>", "getKnownOutputRange", (ins),
      "", [{ return std::nullopt; }]>,
  ];
}

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_TD
