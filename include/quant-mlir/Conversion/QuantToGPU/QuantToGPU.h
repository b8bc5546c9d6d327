//===- QuantToGPU.h - Kernels of the integer form on GPUs -------*- C++ -*-===//
//
// Functions that make a gpu.func and its launch of one operation on buffers.
// Tiling, addresses and epilogues are the same for every target; a target has a
// folder of its own below lib/Conversion/QuantToGPU.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_QUANTTOGPU_QUANTTOGPU_H
#define QUANT_MLIR_CONVERSION_QUANTTOGPU_QUANTTOGPU_H

#include <memory>
#include <string>

namespace mlir {
class DialectRegistry;
class OpBuilder;
class OpPassManager;
namespace linalg {
class GenericOp;
} // namespace linalg
} // namespace mlir

namespace quant_mlir {

class ContractOp;
class GPUTarget;
class PackColumnsOp;
class PoolOp;
struct GPUTargetOptions;

/// The reason why `op`, on tensors or on buffers, has no kernel of its own on
/// `target`; empty where it has one. Asked after quant-pack-weights; padding of
/// lhs counts as done.
std::string findNoGPUKernelReason(ContractOp op, const GPUTarget &target);
/// The part of that which types decide, before weights are packed.
std::string findNoGPUTypesReason(ContractOp op, const GPUTarget &target);
/// Packs rhs of `op`, on tensors, where it is computed: before it, by
/// quant.pack_columns, panels and sums of columns as quant-pack-weights makes
/// of constants. The reason why there is no kernel of such panels, which leaves
/// `op` as it is; empty where there is one.
std::string packActivations(ContractOp op, const GPUTarget &target);
/// Makes a kernel and its launch before `op`, on buffers, which is left.
void buildContractKernel(ContractOp op, const GPUTarget &target,
                         mlir::OpBuilder &builder);

/// The same of what packs.
std::string findNoGPUKernelReason(PackColumnsOp op, const GPUTarget &target);
void buildPackKernel(PackColumnsOp op, const GPUTarget &target,
                     mlir::OpBuilder &builder);

/// The same of a pool, whose padding is left to the kernel.
std::string findNoGPUKernelReason(PoolOp op, const GPUTarget &target);
void buildPoolKernel(PoolOp op, const GPUTarget &target,
                     mlir::OpBuilder &builder);

/// The reason why `op`, on buffers, is left to the host; empty where it has a
/// kernel on `target`.
std::string findNoGPUKernelReason(mlir::linalg::GenericOp op,
                                  const GPUTarget &target);
/// Makes a kernel and its launch before `op`, which is left. One invocation
/// computes one position of the parallel loops, with all of its reductions.
void buildGenericKernel(mlir::linalg::GenericOp op, const GPUTarget &target,
                        mlir::OpBuilder &builder);

/// What upstream needs to make binaries: translations to LLVM IR.
void registerGPUTranslations(mlir::DialectRegistry &registry);
/// From gpu.module to gpu.binary, by the passes of the target's folder. For a
/// pass manager on modules.
void addGPUModulePasses(mlir::OpPassManager &pm,
                        const GPUTargetOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_QUANTTOGPU_QUANTTOGPU_H
