//===- PrepareModule.h - Device code that this processor can run *- C++ -*-===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_PREPAREMODULE_H
#define QUANT_MLIR_LIB_GPUEMULATOR_PREPAREMODULE_H

#include "Instructions.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <deque>

namespace quant_mlir::emulator {

struct PreparedModule {
  bool isAMD = false;
  unsigned warpSize = 32;
  /// By number; never moved, since compiled code has their numbers and waiting
  /// lanes their addresses.
  std::deque<Site> sites;
  std::deque<EmulatedInstruction> instructions;
  /// Sites whose results may meet in one value, by number.
  std::vector<std::vector<unsigned>> resultSets;
  /// Bytes of shared memory that variables of the module take.
  size_t sharedBytes = 0;
  /// Number of parameters of each kernel.
  llvm::StringMap<unsigned> kernels;
};

/// The function that calls kernel `name` with a `void *const *` of parameters.
std::string getEntryName(llvm::StringRef kernel);

/// The instruction in inline assembly that does something, or all of it.
std::string getAssemblyName(llvm::StringRef text);

/// Names of what compiled code calls.
inline constexpr const char *callName = "quant_emulator_call";
inline constexpr const char *accessName = "quant_emulator_access";
inline constexpr const char *resultName = "quant_emulator_result";

/// Makes code for `layout` of a module for a GPU: instructions become calls of
/// `callName`, loads and stores are announced to `accessName`, uses of what
/// asynchronous instructions compute to `resultName`, shared variables are
/// placed from `sharedBase` on.
llvm::Expected<PreparedModule> prepareModule(llvm::Module &module,
                                             const llvm::DataLayout &layout,
                                             uint64_t sharedBase);

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_PREPAREMODULE_H
