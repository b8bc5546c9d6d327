//===- embed.cpp - quant-mlir inside another compiler ---------------------===//
//
// Registers the dialects, parses a model, quantizes its weights to int4 with one
// scale per 32 elements, and prints it. Usage: embed model.mlir
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/InitAll.h"
#include "quant-mlir/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "usage: embed model.mlir\n";
    return 1;
  }
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quant_mlir::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  if (!module)
    return 1;

  quant_mlir::QuantPipelineOptions options;
  options.quantizeWeights.emplace();
  options.quantizeWeights->dtype = "int4";
  options.quantizeWeights->granularity = "per_block";
  options.quantizeWeights->blockSize = {32};
  mlir::PassManager pm(&context);
  quant_mlir::buildQuantPipeline(pm, options);
  if (mlir::failed(pm.run(*module)))
    return 1;
  module->print(llvm::outs());
  return 0;
}
