//===- InitAll.cpp - Registration of everything in quant-mlir -------------===//

#include "quant-mlir/InitAll.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Dialect/Quant/IR/QuantExtension.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Pipelines/Pipelines.h"

void quant_mlir::registerAllDialects(mlir::DialectRegistry &registry) {
  registerQuantExtension(registry);
  registerGPUTranslations(registry);
}

void quant_mlir::registerAllPasses() {
  registerQuantConversionPasses();
  registerQuantTransformsPasses();
  registerQuantPipelinesPasses();
}
