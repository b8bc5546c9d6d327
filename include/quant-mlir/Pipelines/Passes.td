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

#endif // QUANT_MLIR_PIPELINES_PASSES_TD
