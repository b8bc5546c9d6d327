//===- AsyncResults.h - Uses of what is computed later ----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_ASYNCRESULTS_H
#define QUANT_MLIR_LIB_GPUEMULATOR_ASYNCRESULTS_H

#include "llvm/ADT/SetVector.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

#include <vector>

namespace quant_mlir::emulator {

/// Products (wgmma.mma_async) whose results may be in one value.
using AsyncResults = llvm::SmallSetVector<llvm::CallInst *, 4>;

/// Puts a call of `resultName` with a number before whatever uses results of
/// such products, and gives back the products by number.
std::vector<AsyncResults> announceAsyncResults(llvm::Module &module);

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_ASYNCRESULTS_H
