//===- QuantPlugin.cpp - quant-mlir for a stock mlir-opt ------------------===//
//
//   mlir-opt --load-dialect-plugin=QuantPlugin.so
//            --load-pass-plugin=QuantPlugin.so …
//
// It links the same shared libMLIR as the program that loads it.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Config/llvm-config.h"

static constexpr const char *pluginName = "quant-mlir";

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, pluginName, LLVM_VERSION_STRING,
          [](mlir::DialectRegistry *registry) {
            quant_mlir::registerAllDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, pluginName, LLVM_VERSION_STRING,
          [] {
            // A program that has our passes keeps its own; others of the same
            // names would end it.
            if (!mlir::PassInfo::lookup("quant-quantize-weights"))
              quant_mlir::registerAllPasses();
          }};
}
