//===- NVVM.h - Kernels of NVIDIA's GPUs ------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H

#include <memory>

namespace mlir {
class OpPassManager;
class Type;
} // namespace mlir

namespace quant_mlir {

class GPUBuilder;
class MatrixUnit;
class GPUTarget;
struct MatrixWork;
struct MatrixShape;
struct GPUTargetOptions;

std::unique_ptr<MatrixUnit> createTensorCore(GPUBuilder &body,
                                             const MatrixWork &work);
/// Of values and codes: see createValueUnit. `isLong`: with stages of twice the
/// length.
std::unique_ptr<MatrixUnit> createValueCore(GPUBuilder &body, mlir::Type lhs,
                                            mlir::Type rhs, bool isLong);
/// The same of up to eight rows: see createValueStream.
std::unique_ptr<MatrixUnit> createColumnCore(GPUBuilder &body, mlir::Type lhs,
                                             mlir::Type rhs, int64_t warps,
                                             int64_t chunks);
/// sm_90a, with panels of 128 columns.
std::unique_ptr<MatrixUnit> createWarpGroup(GPUBuilder &body,
                                            const GPUTarget &target,
                                            const MatrixWork &work);
/// The same of nibbles: `groups` with `rows`, a multiple of 8, each.
std::unique_ptr<MatrixUnit> createNibbleGroup(GPUBuilder &body, int64_t rows,
                                              int64_t groups);
/// A StreamUnit.
std::unique_ptr<MatrixUnit> createDotProduct(GPUBuilder &body,
                                             const MatrixShape &shape);

/// gpu.module to gpu.binary: PTX, or LLVM IR for the emulator.
void addNVVMModulePasses(mlir::OpPassManager &pm,
                         const GPUTargetOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H
