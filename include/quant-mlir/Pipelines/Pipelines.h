//===- Pipelines.h - The order of passes, and why ---------------*- C++ -*-===//
//
// What `quant-opt`'s short flags run, for embedders too. Whatever order flags
// are written in, passes run in one:
//
//   lower tosa        the passes see linalg on tensors
//   fold batch norm   where activations are quantized: observers then stand
//                     behind the whole kernel
//   insert observers  in the float model, so that ids are those of calibration
//   fold ranges       level 0 to level 1, for activations
//   quantize weights  level 0 to level 1, for weights
//   quantize dynamic  what operations with a quantized weight read
//   simplify          values move as codes; before biases, which look for the
//                     dequantize right before an operation
//   quantize biases   behind weights and activations, whose scales they take
//   verify            closes level 1
//   fuse              level 1 to level 2; behind biases, which it takes in
//   verify            closes level 2
//   pack              last of what changes constants: nothing behind it has to
//                     look through quant.unpack
//   lower             to the reference, or to kernels and the LLVM dialect
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_PIPELINES_PIPELINES_H
#define QUANT_MLIR_PIPELINES_PIPELINES_H

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Pipelines/LowerToLLVM.h"

#include <optional>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace quant_mlir {

#define GEN_PASS_DECL
#include "quant-mlir/Pipelines/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant-mlir/Pipelines/Passes.h.inc"

/// What to do with a model; each step runs only where it is asked for.
struct QuantPipelineOptions {
  /// Where activations are quantized too: it changes outputs by rounding.
  bool foldBatchNorm = false;
  std::optional<InsertObserversPassOptions> insertObservers;
  std::optional<FoldRangesPassOptions> foldRanges;
  std::optional<QuantizeWeightsPassOptions> quantizeWeights;
  std::optional<QuantizeDynamicPassOptions> quantizeDynamic;
  /// Simplifies the quantized form, and verifies it at the end of level 1.
  bool cleanUp = false;
  /// Where activations are quantized too: there is no accumulator otherwise.
  std::optional<QuantizeBiasesPassOptions> quantizeBiases;
  /// Level 1 to level 2.
  std::optional<FusePassOptions> fuse;
  bool pack = false;
  /// To linalg and arith on tensors (reference), or all the way to the LLVM
  /// dialect (cpu), with an interface for C.
  std::optional<LLVMLoweringOptions> lowerTo;
};

/// From any float model to one with observers: what calibration runs.
void buildObserverPipeline(mlir::OpPassManager &pm,
                           const InsertObserversPassOptions &options);

void buildQuantPipeline(mlir::OpPassManager &pm,
                        const QuantPipelineOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_PIPELINES_PIPELINES_H
