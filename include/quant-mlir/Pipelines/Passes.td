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

#endif // QUANT_MLIR_PIPELINES_PASSES_TD
