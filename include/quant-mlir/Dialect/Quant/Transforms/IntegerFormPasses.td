//===- IntegerFormPasses.td - Passes on the integer form ---*- tablegen -*-===//
//
// Part of Passes.td: level 2 is made, proven and packed.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_INTEGERFORMPASSES_TD
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_INTEGERFORMPASSES_TD

include "mlir/Pass/PassBase.td"

def FusePass : Pass<"quant-fuse", "::mlir::ModuleOp"> {
  let summary = "Make one integer operation of each kernel: level 1 to level 2";
  let description = [{
    At level 1 a kernel is several operations in floating point between
    `quant.dequantize` and `quant.quantize`. This pass makes one operation on codes
    of each: `quant.contract`, `quant.add`, `quant.mul` or `quant.pool`. A statically
    quantized network then stays integer from its first to its last operation that
    has an integer kernel.

    ```mlir
    // quant-fuse
    %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
    %x = quant.dequantize %q <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8> -> tensor<4x2xf32>
    %w = quant.dequantize %cw <int8, per_tensor, scale = 0.25> : tensor<2x2xi8> -> tensor<2x2xf32>
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<4x2xf32>
    %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
    %y = quant.quantize %0 <int8, per_tensor, scale = 0.1> : tensor<4x2xf32> -> tensor<4x2xi8>
    ```

    becomes

    ```mlir
    #x = affine_map<(m, n, k) -> (m, k)>
    #w = affine_map<(m, n, k) -> (k, n)>
    #y = affine_map<(m, n, k) -> (m, n)>
    %cw = arith.constant dense<[[10, -20], [30, 40]]> : tensor<2x2xi8>
    %e = tensor.empty() : tensor<4x2xi8>
    %y = quant.contract
      lhs(%q as <int8, per_tensor, scale = 0.5, zero_point = 3> : tensor<4x2xi8>)
      rhs(%cw as <int8, per_tensor, scale = 0.25> : tensor<2x2xi8>)
      outs(%e as <int8, per_tensor, scale = 0.1> : tensor<4x2xi8>)
      maps [#x, #w, #y] -> tensor<4x2xi8>
    ```

    What belongs to a kernel is what observers and biases go by: a matrix product or
    convolution with its bias, residual addition and clamp; an addition or product of
    two activations with its clamp; an average. Structure is read from indexing maps,
    so that named operations, `linalg.contract` and `linalg.generic` are one case.

    - Activations are static codes, codes with a scale found at run time (per tensor
      or per row), or values: then only the weight is quantized. Weights are of any
      type, granularity and formulation.
    - Where all users of the result quantize it alike, the result is codes; else it
      is values, and what quantizes them stays.
    - `tensor.pad` with the zero point (of values: with 0.0) becomes `padding`.
    - An int32 bias of scale `sx * sw[c]` is added to the accumulator; any other
      constant becomes an f32 bias, one number per channel.
    - Another activation that is added is codes with one constant scale, or values:
      codes of any other parameters are dequantized in front. It may be the same for
      all rows, columns or elements.
    - Reshapes inside a kernel work on codes, behind it, and in front of what is
      added; those of weights are folded into the constant.
    - A sum that an int32 may not hold, by its numbers or because an int32 bias is
      added to one whose length is known at run time only, is `wide`, with a remark.
    - An average is `quant.pool average` where input and result have equal parameters
      and it divides by the number of elements of its window, the padding counted or
      not; a maximum over windows of codes is `quant.pool max`.

    What stays at level 1 is named in a remark with the reason, and carries it as the
    attribute `quant.not_fused`, so that `quant-verify-integer-form` knows it from
    what was forgotten: an activation with a minval; a second operand with a scale
    found at run time; a transposed convolution. An addition that a kernel cannot
    take in, because reshapes between the two cannot be undone on what it adds, stays
    behind it.

    Fusing moves a code by one where a float sum, which level 1 computes, and the
    exact one lie on different sides of a tie (docs/numerics.md, section 6).

    Limits: structured operations; elementwise operations and pools have codes of 8
    bits with one scale.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect",
    "::quant_mlir::QParamsDialect"
  ];
  let options = [
    Option<"report", "report", "std::string", /*default=*/"\"\"",
           "JSON file with a report, to which what stays at level 1 is added">,
  ];
  let statistics = [
    Statistic<"numFused", "fused", "Operations of the integer form">,
    Statistic<"numDeclined", "declined",
              "Kernels that stay at level 1, wholly or in part">,
  ];
}

def FuseValuesPass : Pass<"quant-fuse-values", "::mlir::ModuleOp"> {
  let summary = "Make one operation of each contraction of values";
  let description = [{
    Kernels of `quant.contract` are for values as well as for codes. This pass, which
    `--lower-to=cpu` runs, makes that operation of each matrix product or convolution
    that is left in floating point, with the bias, residual addition and clamp that
    follow it: those of a float model, and those whose weights alone are quantized.

    ```mlir
    // quant-fuse-values
    %w = arith.constant dense<[[1.0, -2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<4x2xf32>
    %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
    %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
    ```

    becomes

    ```mlir
    #x = affine_map<(m, n, k) -> (m, k)>
    #w = affine_map<(m, n, k) -> (k, n)>
    #y = affine_map<(m, n, k) -> (m, n)>
    %w = arith.constant dense<[[1.0, -2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<4x2xf32>
    %y = quant.contract lhs(%x : tensor<4x2xf32>) rhs(%w : tensor<2x2xf32>)
      outs(%e : tensor<4x2xf32>) maps [#x, #w, #y] -> tensor<4x2xf32>
    ```

    Structure and groups are those of `quant-fuse`. What is read is not looked at
    through `quant.dequantize`, and what is made is not quantized: level 1 stays what
    it is, up to the order of sums in binary32. A weight behind `quant.dequantize` is
    read as codes, which a kernel decodes in registers.

    What is declined (a transposed convolution, f64) is named in a remark and stays as
    it is.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect",
    "::quant_mlir::QParamsDialect"
  ];
  let statistics = [
    Statistic<"numFused", "fused", "Contractions that became one operation">,
    Statistic<"numDeclined", "declined", "Contractions, or what follows them, that did not">,
  ];
}

def VerifyIntegerFormPass
    : Pass<"quant-verify-integer-form", "::mlir::ModuleOp"> {
  let summary = "Check that a module is in the integer form, level 2";
  let description = [{
    The contract between fusion and what compiles the integer form. A module is in
    the integer form where all of this holds; every operation for which it does not
    is an error with its location, the reason and the way out, and nothing is
    changed.

    - It would be in the quantized form (`quant-verify-quantized-form`) but for
      `quant.contract`, `quant.add`, `quant.mul` and `quant.pool`, which read codes
      and make them. Between those, codes only move.
    - No kernel that reads dequantized values is left, unless it carries the attribute
      `quant.not_fused`, with which `quant-fuse` says why it left it: matrix products
      and convolutions, sums and products of two activations, averages, and maxima
      over windows of codes. Whatever has no operation on codes (a softmax, a
      sigmoid, a clamp alone) may be computed in floating point.
    - No int32 accumulator overflows: `K * max|qx - zx| * max|qw - zw| + |b| < 2^31`
      for every channel of a contraction, K the products of one sum, or of one block
      where the weight has scales per block; `n * max|q - z| < 2^31` for an average
      over n elements. `qx` is any code of the range in use, and a zero point that is
      found at run time any number of that range; `qw` and `b` are the constants
      where they are in memory, else the range of their type. Sums that are `wide`
      and those in floating point (values, or codes that are floats) have no such
      bound.
      Where only the run time knows K, and no int32 bias is added, whoever lowers the
      operation checks K there, with qw any code.

    ```mlir
    // quant-verify-integer-form
    #x = affine_map<(m, n, k) -> (m, k)>
    #w = affine_map<(m, n, k) -> (k, n)>
    #y = affine_map<(m, n, k) -> (m, n)>
    %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4x70xf32> -> tensor<4x70xi8>
    %y = quant.contract
      lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>)
      rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<70x24xi8>)
      outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
    ```

    Limits: those of `quant-verify-quantized-form`. Packed weights
    (`quant-pack-weights`) are bounded by the range of their type, so check before
    packing.
  }];
  let dependentDialects = [
    "::mlir::quant::QuantDialect", "::quant_mlir::QParamsDialect"
  ];
  let statistics = [
    Statistic<"numRejected", "rejected", "Operations that do not belong">,
    Statistic<"numProven", "proven", "Accumulators that are proven">,
  ];
}

def PackWeightsPass : Pass<"quant-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Lay constant weights out for the kernels of a target";
  let description = [{
    A kernel reads weights in the order in which its dot instruction multiplies
    them. This pass lays out every constant `rhs` of a `quant.contract` so, at
    compile time: panels as wide as a micro tile, groups as long as the instruction
    sums, and the sums of columns that correct for zero points. The layout stands
    at the operand, so that the codes are known as before, and `undo` gives them
    back exactly. Weights of values (f32, f16, bf16) are laid out likewise, in groups
    of one and without sums.

    ```mlir
    #x = affine_map<(m, n, k) -> (m, k)>
    #w = affine_map<(m, n, k) -> (k, n)>
    #y = affine_map<(m, n, k) -> (m, n)>
    %w = arith.constant dense<[[1], [2], [3], [-4], [5]]> : tensor<5x1xi8>
    %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x5xi8>)
      rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<5x1xi8>)
      outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
    ```

    becomes, for a CPU whose `vpmaddwd` sums two products,

    ```mlir
    #x = affine_map<(m, n, k) -> (m, k)>
    #w = affine_map<(m, n, k) -> (k, n)>
    #y = affine_map<(m, n, k) -> (m, n)>
    %w = arith.constant dense<[1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                               3, -4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                               5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]> : tensor<48xi8>
    %sums = arith.constant dense<7> : tensor<1xi32>
    %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x5xi8>)
      rhs(%w as <int8, per_tensor, scale = 0.25>
             in <panels, tensor<5x1xi8>, columns = [1], reduction = [0], run = 1, panel = 8, group = 2>
             sums %sums : tensor<1xi32>, : tensor<48xi8>)
      outs(%o : tensor<4x1xf32>) maps [#x, #w, #y] -> tensor<4x1xf32>
    ```

    Weights that are packed stay as they are, so a second run changes nothing. Where
    their layout is none that the target reads, a remark says so, and a lowering to it
    computes the operation by loops, with the same numbers. Kernels
    of GPUs unpack nothing shorter than nibbles, and nothing of a depthwise contraction:
    for them, codes of two bits become codes of four, or all of them codes of eight, with
    the same range. They walk a reduction once, so blocks of channels under a window are
    a dimension of their own there (`tensor.expand_shape` of `lhs`), the outermost of the
    reduction. `undo` gives back what the codes and dimensions have become.

    Limits: constants of `arith.constant`, in memory, or `quant.unpack` of one; on
    tensors. A constant that is not packed is named in a remark with the reason;
    what is computed is left to kernels, which pack it when it is there.
  }];
  let options = [
    Option<"targetCpu", "target-cpu", "std::string", "\"\"",
           "CPU by LLVM's name, or native; default: this machine">,
    Option<"targetFeatures", "target-features", "std::string", "\"\"",
           "features of the CPU to add and remove: +a,-b">,
    Option<"targetTriple", "target-triple", "std::string", "\"\"",
           "architecture of the CPU; default: of the CPU, this machine's first">,
    Option<"gpu", "gpu", "std::string", "\"\"",
           "pack for a GPU instead: spirv, nvvm or rocdl">,
    Option<"gpuArch", "gpu-arch", "std::string", "\"\"",
           "architecture of the GPU; default: its plainest">,
    Option<"undo", "undo", "bool", "false",
           "give packed weights their codes back">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::quant::QuantDialect",
    "::mlir::tensor::TensorDialect", "::quant_mlir::QParamsDialect"
  ];
  let statistics = [
    Statistic<"numPacked", "packed", "Constants that were packed">,
    Statistic<"numUnpacked", "unpacked", "Constants that were unpacked">,
  ];
}

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_INTEGERFORMPASSES_TD
