//===- MockHip.h - AMD's HIP library that is none ---------------*- C++ -*-===//
//
// libamdhip64.so.6 for tests: see MockDriver.h. Modules are code objects, ELF
// with kernel descriptors; a launch has what the descriptor says of a kernel's
// parameters, of which addresses are aligned to 16 bytes.
//
// A kernel computes where there is a function for it: one that a test adds, or
// one of the program, mock_kernel_<name>. Else it only is recorded.
//
// The environment says what the device is like, MOCK_HIP=key=value,…:
//   devices=1 arch=gfx942 managed=1
//   fail=<call>:<code>  every call of that name fails
// and MOCK_HIP_LOG=<file> gets a line for every call, faults among them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_MOCKHIP_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_MOCKHIP_H

#include "../MockDriver/MockDriver.h"

struct MockHip : MockDriver {
  std::string arch = "gfx942";
};

/// Exported by the library.
extern "C" MockHip *mock_hip();

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKHIP_H
