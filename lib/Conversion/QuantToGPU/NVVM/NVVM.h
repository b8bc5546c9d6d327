//===- NVVM.h - Kernels of NVIDIA's GPUs ------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H

#include <string>

namespace mlir {
class OpBuilder;
class OpPassManager;
} // namespace mlir

namespace quant_mlir {

class ContractOp;
class GPUTarget;
struct GPUTargetOptions;

/// The reason why `op`, on tensors or on buffers, has no kernel on tensor
/// cores; empty where it has one. Asked after quant-pack-weights; padding of
/// lhs counts as done.
std::string findNoTensorCoreReason(ContractOp op);
/// Makes a kernel and its launch before `op`, on buffers, which is left.
void buildTensorCoreKernel(ContractOp op, const GPUTarget &target,
                           mlir::OpBuilder &builder);

/// gpu.module to gpu.binary: PTX, or LLVM IR for the emulator.
void addNVVMModulePasses(mlir::OpPassManager &pm,
                         const GPUTargetOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_NVVM_H
