//===- Pipelines.cpp - The order of passes --------------------------------===//

#include "quant-mlir/Pipelines/Pipelines.h"

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace quant_mlir;

/// To linalg whose kernels can be recognized.
static void addFloatPasses(mlir::OpPassManager &pm) {
  pm.addPass(createLowerTosaPass());
  // Elementwise arithmetic is recognized by the bodies of linalg operations.
  pm.addPass(mlir::createConvertElementwiseToLinalgPass());
  pm.addPass(createFoldBroadcastsPass());
  pm.addPass(createFoldBatchNormPass());
}

void quant_mlir::buildObserverPipeline(
    mlir::OpPassManager &pm, const InsertObserversPassOptions &options) {
  addFloatPasses(pm);
  pm.addPass(createInsertObserversPass(options));
}

void quant_mlir::buildQuantPipeline(mlir::OpPassManager &pm,
                                    const QuantPipelineOptions &options) {
  if (options.foldBatchNorm)
    addFloatPasses(pm);
  if (options.insertObservers)
    buildObserverPipeline(pm, *options.insertObservers);
  if (options.foldRanges)
    pm.addPass(createFoldRangesPass(*options.foldRanges));
  if (options.quantizeWeights) {
    pm.addPass(createLowerTosaPass());
    pm.addPass(createFoldBroadcastsPass());
    pm.addPass(createQuantizeWeightsPass(*options.quantizeWeights));
  }
  if (options.quantizeDynamic)
    pm.addPass(createQuantizeDynamicPass(*options.quantizeDynamic));
  if (options.cleanUp)
    pm.addPass(createSimplifyQuantizedFormPass());
  if (options.quantizeBiases)
    pm.addPass(createQuantizeBiasesPass(*options.quantizeBiases));
  if (options.cleanUp)
    pm.addPass(createVerifyQuantizedFormPass());
  if (options.fuse) {
    pm.addPass(createFusePass(*options.fuse));
    pm.addPass(createVerifyIntegerFormPass());
  }
  if (options.pack)
    pm.addPass(createPackConstantsPass());
  if (!options.lowerTo)
    return;
  if (options.lowerTo->target == LoweringTarget::Reference) {
    pm.addPass(createLowerTosaPass());
    addReferenceLoweringPasses(pm);
    VerifyTargetFormPassOptions verify;
    verify.target = "reference";
    pm.addPass(createVerifyTargetFormPass(verify));
  } else {
    buildLLVMLoweringPipeline(pm, *options.lowerTo);
  }
}
