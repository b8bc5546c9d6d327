//===- MockCuda.h - A driver of NVIDIA's that is none -----------*- C++ -*-===//
//
// libcuda.so.1 for tests: see MockDriver.h. A context is current, handles are
// alive, a launch has as many parameters as the kernel's PTX, of addresses
// aligned to 16 bytes, and the size of block that it says.
//
// A kernel computes where there is a function for it: one that a test adds, or
// one of the program, mock_kernel_<name>; or where it is text of LLVM IR, not
// PTX, in the emulator. Else it only is recorded.
//
// The environment says what the driver is like, MOCK_CUDA=key=value,…:
//   devices=1 capability=90 managed=1 shared=232448
//   fail=<call>:<code>  every call of that name fails
// and MOCK_CUDA_LOG=<file> gets a line for every call, faults among them.
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
