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
/// Whether four warps multiply `work` together: sm_90a, tiles of 128 columns.
bool hasWarpGroup(const GPUTarget &target, const MatrixWork &work);
/// The same of values.
bool hasValueGroup(const GPUTarget &target, const MatrixWork &work);
std::unique_ptr<MatrixUnit> createWarpGroup(GPUBuilder &body,
                                            const GPUTarget &target,
                                            const MatrixWork &work);
/// The same with weights in registers: nibbles, or codes of blocks.
std::unique_ptr<MatrixUnit> createRegisterGroup(GPUBuilder &body,
                                                const GPUTarget &target,
                                                const MatrixWork &work);
/// The same beside values: see createValueUnit.
std::unique_ptr<MatrixUnit> createValueGroup(GPUBuilder &body,
                                             const GPUTarget &target,
                                             const MatrixWork &work,
                                             mlir::Type lhs, mlir::Type rhs);
/// A StreamUnit.
std::unique_ptr<MatrixUnit> createDotProduct(GPUBuilder &body,
                                             const MatrixShape &shape);

/// gpu.module to gpu.binary: PTX, or LLVM IR for the emulator.
void addNVVMModulePasses(mlir::OpPassManager &pm,
                         const GPUTargetOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H
