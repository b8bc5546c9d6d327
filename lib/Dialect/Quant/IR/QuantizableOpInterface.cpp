//===- QuantizableOpInterface.cpp - How passes see a model ----------------===//

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "llvm/Support/ErrorHandling.h"

using namespace quant_mlir;

llvm::StringRef quant_mlir::stringify(DimRole role) {
  switch (role) {
  case DimRole::OutputChannel:
    return "output channel";
  case DimRole::Batch:
    return "batch";
  case DimRole::Reduction:
    return "reduction";
  case DimRole::Kernel:
    return "kernel";
  }
  llvm_unreachable("all roles handled");
}

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.cpp.inc"
