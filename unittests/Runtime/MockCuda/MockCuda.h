//===- MockCuda.h - A driver of NVIDIA's that is none -----------*- C++ -*-===//
//
// libcuda.so.1 for tests. It checks every call as the driver's documentation
// says: a context is current, handles and addresses are alive, copies are
// inside of allocations, a launch has as many parameters as the kernel's PTX,
// of addresses aligned to 16 bytes, and the size of block that it says. What is
// wrong is a fault. Addresses of the device's own memory cannot be used by the
// host.
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

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// What a kernel of a test is handed. Buffers are where the host reaches them.
struct MockLaunch {
  unsigned grid[3], block[3], sharedBytes;
  const uint64_t *words; ///< parameters, as they came
  void *const *buffers;  ///< null for numbers
};

struct MockCuda {
  int devices = 1, capability = 90, managed = 1, sharedBytes = 232448;
  int64_t memoryLimit = INT64_MAX;
  /// Calls that fail, and the code they fail with.
  std::map<std::string, int> failing;
  std::map<std::string, std::function<void(const MockLaunch &)>> kernels;

  std::vector<std::string> calls, faults;
  int64_t uploadedBytes = 0, downloadedBytes = 0;
  int liveAllocations = 0, liveModules = 0;
  int contextDepth = 0; ///< of all threads

  int64_t count(const std::string &call) const {
    int64_t result = 0;
    for (const std::string &made : calls)
      result += made == call;
    return result;
  }
};

/// Exported by the library.
extern "C" MockCuda *mock_cuda();

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKCUDA_H
