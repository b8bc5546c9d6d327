//===- HostRuntime.h - What compiled code calls in this process -*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_EXECUTION_HOSTRUNTIME_H
#define QUANT_MLIR_LIB_EXECUTION_HOSTRUNTIME_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <string>
#include <utility>

namespace quant_mlir {

enum class LoweringTarget;

/// C names, and the functions that stand for them in compiled code: allocation
/// (counted, and failing with an error), failed assertions, and launches.
llvm::ArrayRef<std::pair<const char *, void *>> getHostSymbols();

/// An error where no kernel can be launched through Vulkan, with the way out.
llvm::Error checkVulkan();

/// The architecture of the GPU that --target=nvvm, or rocdl, runs kernels on;
/// an error where there is none, with the way out.
llvm::Expected<std::string> findGPUArch(LoweringTarget target);

/// Frees a buffer that compiled code allocated.
void freeBuffer(void *buffer);

/// Calls `function`; an assertion or allocation that fails in compiled code on
/// this thread becomes an error, and what the call had allocated is lost.
/// Inside a parallel region there is no way back: the process ends with the
/// message and exit code 1.
llvm::Error callGuarded(void (*function)(void **), void **arguments);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_EXECUTION_HOSTRUNTIME_H
