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
        `conv_transpose`, `depthwise_conv`, `embedding`, `add`, `mul`,
        `average_pool`, `sigmoid`, `tanh`, `softmax`, …; the names that
        `op_type` rules of a configuration match. Empty where this operation is
        none of the kinds that can be quantized, a bias or a clamp, which belong to
        another operation's kernel, included. One operation of several that
        compute one thing together has the kind: of an average pool the division,
        of a softmax the last one.
      }],
      "::llvm::StringRef", "getQuantizableKind", (ins), "", [{ return ""; }]>,
    InterfaceMethod<[{
        Operands that can be quantized, in operand order. An operand may belong
        to another operation that is computed together with this one: the table of
        a `tensor.extract` in the body of a `linalg.generic`, the data of the sum
        whose result an average pool divides.
      }],
      "::llvm::SmallVector<::quant_mlir::QuantizableOperand>",
      "getQuantizableOperands", (ins), "", [{ return {}; }]>,
    InterfaceMethod<[{
        How the values of the result follow from those of the operands, and so
        whether both can share one set of parameters.
      }],
      "::quant_mlir::ValueEffect", "getValueEffect", (ins), "",
      [{ return ::quant_mlir::ValueEffect::Computes; }]>,
    InterfaceMethod<[{
        The operands whose values the result is made of, where `getValueEffect`
        is not `Computes`: all inputs of a concatenation, the source of a slice.
      }],
      "::llvm::SmallVector<::mlir::OpOperand *>", "getValueSources", (ins), "",
      [{ return {}; }]>,
    InterfaceMethod<[{
        What this operation would be as the last step of the kernel that gives one
        of its operands; nullopt where no kernel takes it in.
      }],
      "::std::optional<::quant_mlir::Epilogue>", "getEpilogue", (ins), "",
      [{ return std::nullopt; }]>,
    InterfaceMethod<[{
        The range of the result where it follows from the operation alone, e.g.
        [0, 1] of a sigmoid; the upper end need not be reached.
      }],
      "::std::optional<::quant_mlir::FloatRange>", "getKnownOutputRange", (ins),
      "", [{ return std::nullopt; }]>,
  ];
}

#endif // QUANT_MLIR_DIALECT_QUANT_IR_QUANTIZABLEOPINTERFACE_TD
