//===- TablePasses.td - Functions of one code as tables ----*- tablegen -*-===//
//
// Part of Passes.td: what is computed from one tensor of codes becomes one
// operation, and that a lookup.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_TABLEPASSES_TD
#define QUANT_MLIR_CONVERSION_TABLEPASSES_TD

include "mlir/Pass/PassBase.td"

def FuseChainsPass : Pass<"quant-fuse-chains", "::mlir::ModuleOp"> {
  let summary = "Make one operation of what is computed from one tensor of codes";
  let description = [{
    Between two kernels on codes there may be a function of values: hard-swish, GELU,
    sigmoid, swish. Level 1 has it as `quant.dequantize`, operations of a model one
    after the other, and `quant.quantize`, and the reference lowering makes a
    `linalg.generic` of each, with a buffer of values behind each. This pass runs on
    tensors, when all of them are `linalg.generic`, and makes one operation, with one
    body, of all that depends on one tensor of codes of 8 bits (or less: they lie in
    bytes by then) and on constants, element by element:

    ```mlir
    #id = affine_map<(i) -> (i)>
    func.func @f(%x: tensor<16xi8>) -> tensor<16xi8> {
      %three = arith.constant dense<3.0> : tensor<16xf32>
      %e = tensor.empty() : tensor<16xf32>
      %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
          ins(%x : tensor<16xi8>) outs(%e : tensor<16xf32>) {
      ^bb0(%code: i8, %out: f32):
        %0 = arith.sitofp %code : i8 to f32
        linalg.yield %0 : f32
      } -> tensor<16xf32>
      %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
          ins(%v, %three : tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<16xf32>) {
      ^bb0(%a: f32, %b: f32, %out: f32):
        %0 = arith.addf %a, %b : f32
        linalg.yield %0 : f32
      } -> tensor<16xf32>
      %i = tensor.empty() : tensor<16xi8>
      %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
          ins(%v, %s : tensor<16xf32>, tensor<16xf32>) outs(%i : tensor<16xi8>) {
      ^bb0(%a: f32, %b: f32, %out: i8):
        %0 = arith.mulf %a, %b : f32
        %1 = arith.fptosi %0 : f32 to i8
        linalg.yield %1 : i8
      } -> tensor<16xi8>
      return %y : tensor<16xi8>
    }
    ```

    becomes

    ```mlir
    …
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<16xi8>) outs(%i : tensor<16xi8>) {
    ^bb0(%code: i8, %out: i8):
      %0 = arith.sitofp %code : i8 to f32
      %1 = arith.addf %0, %cst : f32
      %2 = arith.mulf %0, %1 : f32
      %3 = arith.fptosi %2 : f32 to i8
      linalg.yield %3 : i8
    } -> tensor<16xi8>
    ```

    What is fused ends in codes again, or in values where a function of `math` is on
    the way. `quant.add` and `quant.mul` of a tensor with a function of itself (swish)
    belong to it: they are lowered as `quant-to-linalg` does it. Every operation is
    computed as it was, so numbers do not change. `quant-tabulate` makes a table of it.

    Limits: what depends on two tensors, on the position (parameters by channel,
    `linalg.index`), or through an operation that is not elementwise, is left as it is.
  }];
  let dependentDialects = quantLoweringDialects;
  let statistics = [
    Statistic<"numChains", "chains", "Functions of codes that became one operation">,
    Statistic<"numFused", "fused", "Operations that they were made of">,
  ];
}

def TabulatePass : Pass<"quant-tabulate", "::mlir::ModuleOp"> {
  let summary = "Replace functions of one code by tables of 256 entries";
  let description = [{
    A body whose result is computed from one code of 8 bits and constants has at most
    256 results. This pass runs on buffers, before kernels are made. It computes them
    all by folding the operations of the body one after the other, with the rounding
    of each, and lets the body read them from a constant:

    ```mlir
    #id = affine_map<(i) -> (i)>
    func.func @f(%x: memref<16xi8>, %y: memref<16xi8>) {
      linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
          ins(%x : memref<16xi8>) outs(%y : memref<16xi8>) {
      ^bb0(%code: i8, %out: i8):
        %0 = arith.sitofp %code : i8 to f32
        %1 = math.tanh %0 : f32
        %2 = arith.fptosi %1 : f32 to i8
        linalg.yield %2 : i8
      }
      return
    }
    ```

    becomes

    ```mlir
    memref.global "private" constant @quant.table : memref<256xi8> = dense<…>
    …
    %table = memref.get_global @quant.table : memref<256xi8>
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : memref<16xi8>) outs(%y : memref<16xi8>) {
    ^bb0(%code: i8, %out: i8):
      %0 = arith.index_castui %code : i8 to index
      %1 = memref.load %table[%0] : memref<256xi8>
      linalg.yield %1 : i8
    }
    ```

    `quant-vectorize-generics` makes the target's lookups of that: `vpermi2b`,
    `vpshufb` or `tbl`; what has none loads from the table, as a GPU does.

    A table pays where the body is longer than the lookup. Both are counted in
    instructions for a register of codes: an operation on elements of four bytes is
    four (a division sixteen), a function of `math` that is a call is more than any
    table. A lookup is 4 instructions with `vpermi2b`, 2 of codes of 4 bits, 3 for
    each of 16 rows with `vpshufb`, two loads and a store for each code where there is
    nothing; on a GPU it counts as eight operations. Results of more than a byte have
    tables only in place of calls, since lookups of vectors are of bytes.

    Entries are what the operations give at run time, bit for bit, but for functions
    of `math` on a machine with another C library than the one that compiles
    (`quant-math-to-arith` leaves no `exp`, `erf` or `tanh` of f32).

    Limits: an operation that does not fold (which LLVM 22 does not do with `math.fma`
    or `math.rsqrt`, for example) or has fast-math flags leaves the body as it is, with
    a remark.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "",
           "Processor as LLVM calls it (default: this one)">,
    Option<"features", "features", "std::string", "",
           "Features beside those of the processor: +avx2,-avx512f">,
    Option<"triple", "triple", "std::string", "",
           "Architecture and system (default: those of this machine, or of the "
           "processor)">,
    Option<"onGPU", "on-gpu", "bool", "false",
           "Bodies become kernels of a GPU">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
  ];
  let statistics = [
    Statistic<"numTables", "tables", "Results that are read from tables">,
    Statistic<"numShort", "short", "Functions of a code shorter than a lookup">,
    Statistic<"numLeft", "left", "Functions of a code that do not fold">,
  ];
}

#endif // QUANT_MLIR_CONVERSION_TABLEPASSES_TD
