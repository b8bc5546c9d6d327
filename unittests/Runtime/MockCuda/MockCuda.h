//===- MockCuda.h - A driver of NVIDIA's that is none -----------*- C++ -*-===//
//
// libcuda.so.1 for tests: see MockDriver.h. A context is current, and a launch
// has the size of block that PTX says. Kernels that are text of LLVM IR, not
// PTX, compute in the emulator, too. MOCK_CUDA has capability=90.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_MOCKCUDA_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_MOCKCUDA_H

#include "../MockDriver/MockDriver.h"

struct MockCuda : MockDriver {
  int capability = 90;
  int contextDepth = 0; ///< of all threads
};

/// Exported by the library.
extern "C" MockCuda *mock_cuda();

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKCUDA_H
