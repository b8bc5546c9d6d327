//===- LowerToLLVM.h - From tensors to the LLVM dialect ---------*- C++ -*-===//
//
// The passes that quant-run and `quant-opt --lower-to=cpu` share:
//
//   tensors   tosa, level 1 and what has no kernel become linalg; float types
//             that the processor computes with; padding becomes buffers whose
//             border holds the zero point
//   buffers   bufferization, then one arena for all buffers of a function
//   kernels   the integer form becomes loops over vectors, linalg loops
//   LLVM      OpenMP where there are threads, and the LLVM dialect
//
// For a GPU, linalg on buffers becomes kernels, those become a binary, and
// launches calls of a run time; what has no kernel is as for a CPU.
//
// Floating-point operations are kept as they are written: nothing is
// contracted, but a product and its sum in kernels of contractions; nothing is
// reassociated or approximated.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_PIPELINES_LOWERTOLLVM_H
#define QUANT_MLIR_PIPELINES_LOWERTOLLVM_H

#include "quant-mlir/Target/CPU.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace quant_mlir {

/// What a runner adds to the names of a model's functions, all but those that
/// the embedder provides. Names of C have no dot: none of them can stand in for
/// a function of the C library.
inline constexpr llvm::StringLiteral renamedSuffix = ".model";

enum class LoweringTarget {
  Reference,     ///< linalg and arith only: what the operations mean
  CPU,           ///< kernels for the integer form
  SPIRV,         ///< kernels of a GPU, launched through Vulkan
  NVVM,          ///< kernels of a GPU of NVIDIA's, launched through its driver
  ROCDL,         ///< kernels of a GPU of AMD's, launched through its driver
  EmulatedNVVM,  ///< kernels of NVVM, run by GPUEmulator.h
  EmulatedROCDL, ///< kernels of ROCDL, run by GPUEmulator.h
};

/// "reference", "cpu", "spirv", "nvvm", "rocdl".
std::optional<LoweringTarget> symbolizeLoweringTarget(llvm::StringRef name);

/// Whether kernels run on a GPU.
inline bool isGPU(LoweringTarget target) {
  return target != LoweringTarget::Reference && target != LoweringTarget::CPU;
}

struct LLVMLoweringOptions {
  LoweringTarget target = LoweringTarget::CPU;
  /// What the kernels may use; by default what this machine has.
  CPUTargetOptions machine;
  /// Of the GPU, where there is one; empty is the target's plainest.
  std::string gpuArch;
  /// More than one: parallel loops run on OpenMP's threads.
  unsigned threads = 1;
  /// Public functions are for C (`quant-c-interface`), results are written to
  /// where the caller says. Otherwise as they are, and results are the
  /// caller's.
  bool cInterface = false;
  /// What is computed from one code is read from a table, where that is
  /// shorter.
  bool hasTables = true;
  /// Functions that a runner provides, as C calls them.
  std::vector<std::string> provided;
  /// Appends passes that run on tensors, before everything else.
  std::function<void(mlir::OpPassManager &)> addOwnLowering;
};

/// For a pass manager on modules.
void buildLLVMLoweringPipeline(mlir::OpPassManager &pm,
                               const LLVMLoweringOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_PIPELINES_LOWERTOLLVM_H
