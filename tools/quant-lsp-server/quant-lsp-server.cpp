//===- quant-lsp-server.cpp - Editor support for quantized MLIR -----------===//
//
// The language server of MLIR with our dialects: hover, go to definition and
// diagnostics in .mlir files.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quant_mlir::registerAllDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
