//===- Pipelines.cpp - The order of passes --------------------------------===//

#include "quant-mlir/Pipelines/Pipelines.h"

#include "mlir/Pass/PassManager.h"

void quant_mlir::buildQuantPipeline(mlir::OpPassManager &pm,
                                    const QuantPipelineOptions &options) {
  if (options.foldBatchNorm || options.quantizeWeights)
    pm.addPass(createLowerTosaPass());
  if (options.foldBatchNorm)
    pm.addPass(createFoldBatchNormPass());
  if (options.quantizeWeights)
    pm.addPass(createQuantizeWeightsPass(*options.quantizeWeights));
  if (options.pack)
    pm.addPass(createPackConstantsPass());
}
