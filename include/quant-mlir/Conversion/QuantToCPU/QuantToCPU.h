//===- QuantToCPU.h - Kernels of the integer form on buffers ----*- C++ -*-===//
//
// Patterns that make loops over vectors of the integer form, one operation on
// buffers each. What is generated is upstream's scf, arith, vector and memref,
// and the instructions of a target as LLVM intrinsics.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_QUANTTOCPU_QUANTTOCPU_H
#define QUANT_MLIR_CONVERSION_QUANTTOCPU_QUANTTOCPU_H

#include <string>

namespace mlir {
class Operation;
class RewritePatternSet;
namespace linalg {
class LinalgOp;
} // namespace linalg
} // namespace mlir

namespace quant_mlir {

class ContractOp;
class CPUTarget;

/// The reason why `op`, on tensors or on buffers, has no kernel on `target`
/// among those of populateContractToCPUPatterns; empty where it has one. Asked
/// after quant-pack-weights; padding of lhs counts as done.
std::string findNoKernelReason(ContractOp op, const CPUTarget &target);

/// The same for populateDepthwiseToCPUPatterns, of a depthwise contraction.
std::string findNoDepthwiseKernelReason(ContractOp op, const CPUTarget &target);
/// Whether the kernel of `op` leaves out what is padding by itself. Otherwise
/// lhs has to be padded before.
bool isPaddedInKernel(ContractOp op);
/// The same where sums are of values, which populateContractToCPUPatterns
/// knows.
std::string findNoDepthwiseValuesReason(ContractOp op);
/// isPaddedInKernel where sums are of values.
bool isPaddedInValuesKernel(ContractOp op);
/// The same for any operation of the integer form.
std::string findNoKernelReason(mlir::Operation *op, const CPUTarget &target);

// The patterns refer to `target`, which outlives them.

/// quant.contract with packed weights that rows share. `threads` that large
/// ones are divided for; 0: any number.
void populateContractToCPUPatterns(mlir::RewritePatternSet &patterns,
                                   const CPUTarget &target,
                                   unsigned threads = 0);
/// quant.contract with a filter of its own for each channel.
void populateDepthwiseToCPUPatterns(mlir::RewritePatternSet &patterns,
                                    const CPUTarget &target);
/// quant.add and quant.mul.
void populateElementwiseToCPUPatterns(mlir::RewritePatternSet &patterns,
                                      const CPUTarget &target);
/// quant.pool.
void populatePoolToCPUPatterns(mlir::RewritePatternSet &patterns,
                               const CPUTarget &target);

/// Whether `op` may have so many iterations that waking threads for it pays.
bool isWorthThreads(mlir::linalg::LinalgOp op);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_QUANTTOCPU_QUANTTOCPU_H
