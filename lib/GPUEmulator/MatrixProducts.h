//===- MatrixProducts.h - Products of matrices of a warp --------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_MATRIXPRODUCTS_H
#define QUANT_MLIR_LIB_GPUEMULATOR_MATRIXPRODUCTS_H

#include "Instructions.h"

namespace quant_mlir::emulator {

/// mma.<shape>.row.col.<types> of NVIDIA's, without "llvm.nvvm.".
std::optional<EmulatedInstruction> findMatrixProduct(llvm::StringRef name);
/// wgmma.mma_async.sync.aligned.<shape>.<types>, of inline assembly.
std::optional<EmulatedInstruction> findWarpGroupProduct(llvm::StringRef name);

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_MATRIXPRODUCTS_H
