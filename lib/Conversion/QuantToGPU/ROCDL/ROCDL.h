//===- ROCDL.h - Kernels of AMD's GPUs --------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_ROCDL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_ROCDL_H

#include <memory>
#include <optional>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace quant_mlir {

class GPUBuilder;
class GPUTarget;
class MatrixUnit;
struct GPUTargetOptions;

/// MFMA or WMMA, whichever the architecture has.
std::unique_ptr<MatrixUnit>
createMatrixCore(GPUBuilder &body, const GPUTarget &target, int64_t tileColumns,
                 std::optional<int64_t> numRows, bool isNibbles);

/// gpu.module to gpu.binary: a code object, or LLVM IR for the emulator.
void addROCDLModulePasses(mlir::OpPassManager &pm,
                          const GPUTargetOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_ROCDL_H
