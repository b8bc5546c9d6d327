//===- KernelPasses.h - Kernels through LLVM's backends ---------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_KERNELPASSES_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_KERNELPASSES_H

#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace quant_mlir {

struct GPUTargetOptions;

/// gpu.module to gpu.binary for targets whose code LLVM makes: its assembly, or
/// LLVM IR for the emulator. A target adds `matrices`, from operations on
/// matrices to its dialect, and `toDialect`, from gpu and all else to that and
/// llvm. The module has its target attached.
void addKernelPasses(mlir::OpPassManager &pm, const GPUTargetOptions &options,
                     llvm::function_ref<void(mlir::OpPassManager &)> matrices,
                     llvm::function_ref<void(mlir::OpPassManager &)> toDialect);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_KERNELPASSES_H
