//===- MockDriver.h - What drivers that are none have in common -*- C++ -*-===//
//
// Libraries for tests that stand in for a vendor's driver: MockCuda.h and
// MockHip.h. They record every call and check it as the documentation says:
// addresses are alive, copies are inside of allocations. What is wrong is a
// fault. Addresses of the device's own memory cannot be used by the host.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_MOCKDRIVER_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_MOCKDRIVER_H

#include <cstddef>
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

struct MockDriver {
  int devices = 1, managed = 1, sharedBytes = 0;
  int64_t memoryLimit = INT64_MAX;
  /// Calls that fail, and the code they fail with.
  std::map<std::string, int> failing;
  std::map<std::string, std::function<void(const MockLaunch &)>> kernels;

  std::vector<std::string> calls, faults;
  int64_t uploadedBytes = 0, downloadedBytes = 0;
  int liveAllocations = 0, liveModules = 0;

  int64_t count(const std::string &call) const {
    int64_t result = 0;
    for (const std::string &made : calls)
      result += made == call;
    return result;
  }
};

/// For the libraries.
namespace mock {

constexpr int invalidValue = 1, outOfMemory = 2;

struct Allocation {
  char *data;
  uint64_t bytes;
  bool isDevice, isHost; ///< of the device alone; of the host's memory
};

/// What a library keeps beside what tests see.
struct Memory {
  explicit Memory(MockDriver &driver) : driver(driver) {}

  /// From <prefix>=key=value,…: those keys that all have, and others, by
  /// `set`; calls go to the file of <prefix>_LOG.
  void readEnvironment(
      const std::string &prefix,
      const std::function<bool(const std::string &, const std::string &)> &set);
  void write(const std::string &line);
  void fault(const std::string &text);
  /// Records a call; the code it fails with, or 0. `detail` is for the log.
  int enter(const char *call, const std::string &detail);

  /// The allocation that [address, address + bytes) lies in; null, and a fault,
  /// where there is none.
  Allocation *find(uint64_t address, uint64_t bytes, const char *what);
  int allocate(uint64_t *address, size_t bytes, bool isDevice, bool isHost);
  int release(uint64_t address, bool isHost);
  int upload(uint64_t to, const void *from, size_t bytes);
  int download(void *to, uint64_t from, size_t bytes);
  /// Where a parameter points; null, and a fault, where it should and does not.
  void *locate(uint64_t word, size_t number);
  /// Calls the function of a test, or of the program, for a kernel.
  bool run(const std::string &name, const MockLaunch &launch);

  static char *toHost(uint64_t address);

  MockDriver &driver;
  std::map<uint64_t, Allocation> allocations; ///< by address
  std::string log;
};

} // namespace mock

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKDRIVER_H
