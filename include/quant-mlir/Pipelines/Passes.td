//===- Passes.td - Passes that run pipelines ---------------*- tablegen -*-===//

#ifndef QUANT_MLIR_PIPELINES_PASSES_TD
#define QUANT_MLIR_PIPELINES_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerTosaPass : Pass<"quant-lower-tosa", "::mlir::ModuleOp"> {
  let summary = "Lower tosa to linalg, where there is any";
  let description = [{
    Importers give `tosa`; the passes of this project see a model as `linalg` on
    tensors. This pass runs upstream's lowering over every function, with the
    options that keep weights recognizable as constants, and is a no-op on a
    module without `tosa` operations, so that a model that is in `linalg`
    already stays as it was written.

    ```mlir
    %0 = tosa.abs %x : (tensor<4xf32>) -> tensor<4xf32>
    ```

    becomes

    ```mlir
    %e = tensor.empty() : tensor<4xf32>
    %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = math.absf %in : f32
      linalg.yield %1 : f32
    } -> tensor<4xf32>
    ```

    An operation that upstream cannot lower is an error that names it.
  }];
}

def CInterfacePass : Pass<"quant-c-interface", "::mlir::ModuleOp"> {
  let summary = "Let C call public functions by plain pointers";
  let description = [{
    Runs on buffers, where results are arguments already. A public function whose
    buffers are all static and contiguous takes a pointer for each, arguments
    first, then results; so

    ```mlir
    func.func @f(%x: memref<1x4xi8>, %y: memref<1x2xf32>) {
      return
    }
    ```

    is for C

    ```c
    void f(const int8_t *x, float *y);
    ```

    The pointers need the alignment of their elements only, and what is written
    must not overlap with anything else. Numbers that are no buffers are passed by
    value.

    Limits: any other public function is called as MLIR's C interface says,
    `_mlir_ciface_f`, with a pointer to a descriptor for each buffer.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
  let statistics = [
    Statistic<"numPlain", "plain", "Functions that take pointers">,
  ];
}

def VerifyTargetFormPass
    : Pass<"quant-verify-target-form", "::mlir::ModuleOp"> {
  let summary = "Check that a module is in the form of its target, level 3";
  let description = [{
    The contract between the lowerings and what translates or runs what they make.
    Every operation for which it does not hold is an error with its location, the
    reason and the way out, and nothing is changed. `--lower-to` ends with it.

    `reference`, on tensors:

    - No operations of `quant`, ours or upstream's, and none of `tosa`: by `linalg`,
      `arith`, `math`, `tensor`, `scf`, `func` or any other dialect that works on
      tensors. No buffers.
    - Elements that upstream's lowerings compute with: no integers of less than a
      byte (but `i1`), and no floats of 8 bits or less.

    `cpu`, and the host's code of a GPU (`spirv`, `nvvm`), which has the kernels as
    binaries:

    - Operations of `llvm`, and of `omp` where there are threads; no casts between
      types of different dialects.
    - A function without a body is of the C library (`malloc` and its like, `abort`,
      `puts` and `fflush` of checks at run time, and the functions of `math.h` that
      kernels call), or of a run time: its name begins with `calls`.
    - Memory comes from the arena (`quant-plan-buffers`). What is allocated anywhere
      else is allocated at every call: `allocations` says whether such a call is
      fine (`any`), named in a remark, or an error.

    ```mlir
    // quant-verify-target-form{target=reference}
    %c = arith.constant 1.0 : f32
    %e = tensor.empty() : tensor<4xf32>
    %f = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    ```

    Limits: what a GPU's binary holds is for its serializer to check.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"cpu\"",
           "reference or cpu; the latter also for the host's code of a GPU">,
    ListOption<"calls", "calls", "std::string",
               "What names of a run time's functions begin with; default: there "
               "is none">,
    Option<"allocations", "allocations", "std::string",
           /*default=*/"\"remark\"",
           "any, remark or error: what is allocated at every call">,
  ];
  let statistics = [
    Statistic<"numRejected", "rejected", "Operations that do not belong">,
    Statistic<"numAllocations", "allocations",
              "Calls that allocate outside the arena">,
  ];
}

#endif // QUANT_MLIR_PIPELINES_PASSES_TD
