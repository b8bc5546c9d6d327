//===- quant-opt.cpp - mlir-opt with quantization -------------------------===//

#include "quant-mlir/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  quant_mlir::registerAllDialects(registry);
  quant_mlir::registerAllPasses();
  return mlir::failed(mlir::MlirOptMain(argc, argv, "quant-opt\n", registry));
}
