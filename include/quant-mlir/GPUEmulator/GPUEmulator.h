//===- GPUEmulator.h - Kernels of a GPU on this processor -------*- C++ -*-===//
//
// Executes device code that a compiler for NVIDIA or AMD GPUs made, before it
// becomes PTX or a code object: LLVM IR with the targets' intrinsics. Each lane
// runs as a fiber of its own; an instruction of a whole warp, such as mma.sync
// or ldmatrix, is computed when the last of its lanes arrives.
//
// It is a tool of tests, and finds what a GPU does not report:
// - accesses beyond the buffers that a launch was given, and misaligned ones;
// - shared memory that one lane reads or overwrites while no barrier stands
//   between that and another lane's access;
// - data that cp.async has not been waited for;
// - sums of wgmma that are used, or factors that are written over, before it has
//   been waited for; what it reads without a fence behind the lane that wrote;
// - lanes of a warp that are not at the same instruction, barriers that not
//   every lane reaches;
// - conflicts of banks, which it counts.
//
// What it knows of instructions is what their manuals say; it says nothing
// about speed. Sums of floating-point products are exact, then rounded once: a
// GPU may round in between.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_GPUEMULATOR_GPUEMULATOR_H
#define QUANT_MLIR_GPUEMULATOR_GPUEMULATOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>

namespace quant_mlir {

/// Blocks of a grid, or lanes of a block.
struct EmulatedSize {
  uint32_t x = 1, y = 1, z = 1;

  uint64_t getCount() const { return uint64_t(x) * y * z; }
};

/// Memory that a kernel may use.
struct EmulatedBuffer {
  void *data = nullptr;
  size_t bytes = 0;
  bool isWritable = true;
};

struct EmulatedLaunch {
  EmulatedSize grid, block;
  /// Bytes of shared memory beyond those of the kernel's own variables.
  size_t dynamicSharedBytes = 0;
  /// Where each parameter lies, as cuLaunchKernel takes them.
  llvm::ArrayRef<void *> parameters;
  llvm::ArrayRef<EmulatedBuffer> buffers;
  /// 0: lanes run in order. Otherwise in a random order that follows from it.
  uint64_t seed = 0;
};

/// What the launches so far did.
struct EmulatedCounts {
  /// Instructions that lanes or warps executed, by the intrinsic's name.
  llvm::StringMap<uint64_t> instructions;
  /// Accesses of a warp to shared memory, and by how many passes more than
  /// needed they took because of conflicts of banks.
  uint64_t sharedAccesses = 0, bankConflicts = 0;
};

class GPUEmulator {
public:
  /// `module`: text or bitcode of LLVM IR, whose target triple says which GPU
  /// it is for; NVIDIA's where there is none. `warpSize`: 0 is the GPU's usual
  /// one.
  static llvm::Expected<std::unique_ptr<GPUEmulator>>
  create(llvm::StringRef module, unsigned warpSize = 0);
  ~GPUEmulator();

  /// Runs all blocks, one after the other. Fails with what a kernel did wrong.
  llvm::Error launch(llvm::StringRef kernel, const EmulatedLaunch &launch);

  const EmulatedCounts &getCounts() const;

private:
  struct State;
  explicit GPUEmulator(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_GPUEMULATOR_GPUEMULATOR_H
