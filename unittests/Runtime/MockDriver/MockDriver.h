//===- MockDriver.h - What drivers that are none have in common -*- C++ -*-===//
//
// Libraries for tests that stand in for a vendor's driver: MockCuda.h and
// MockHip.h give one library the names and the peculiarities of each. It
// records every call and checks it as the documentation says: handles and
// addresses are alive, copies are inside of allocations, a launch has as many
// parameters as its kernel, of addresses aligned to 16 bytes. What is wrong is
// a fault. Addresses of the device's own memory cannot be used by the host.
//
// A kernel computes where there is a function for it: one that a test adds, or
// one of the program, mock_kernel_<name>. Else it only is recorded.
//
// The environment says what the driver is like, <library>=key=value,…:
//   devices=1 managed=1 shared=<bytes>
//   fail=<call>:<code>  every call of that name fails
// and <library>_LOG=<file> gets a line for every call, faults among them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_MOCKDRIVER_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_MOCKDRIVER_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
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

/// What drivers of CUDA and HIP answer alike.
enum Result {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  notInitialized = 3,
  noDevice = 100,
  invalidDevice = 101,
  invalidHandle = 400,
  notFound = 500,
  illegalAddress = 700,
};

struct ErrorText {
  int code;
  const char *cudaName, *hipName, *text; ///< null where there is none
};
/// What a vendor says of an error that it has a `name` for; null where it has
/// none.
const ErrorText *findError(int code, const char *ErrorText::*name);

struct Allocation {
  char *data;
  uint64_t bytes;
  bool isDevice, isHost; ///< of the device alone; of the host's memory
};

/// A kernel of a module.
struct Function {
  virtual ~Function() = default;
  virtual size_t numParameters() const = 0;
  virtual bool isAddress(size_t parameter, uint64_t word) const = 0;
  /// What a launch is answered that asks for what the kernel has not; `wrong`
  /// becomes what is a fault.
  virtual Result check(const MockLaunch &launch, std::string &wrong) = 0;
  /// Computes what no function of the test does; "", or what was wrong.
  virtual std::string run(const MockLaunch &launch,
                          const std::map<uint64_t, Allocation> &memory) {
    return "";
  }

  std::string name;
};
struct Module {
  virtual ~Module() = default;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

/// A library, but for the names of its functions: what it keeps beside what
/// tests see. `call` is the name of what was called.
class Library {
public:
  explicit Library(MockDriver &driver) : driver(driver) {}
  virtual ~Library() = default;

  /// From <prefix>=key=value,…: those keys that all have, and others, by
  /// `set`; calls go to the file of <prefix>_LOG.
  void readEnvironment(
      const std::string &prefix,
      const std::function<bool(const std::string &, const std::string &)> &set);
  void fault(const std::string &text);
  /// Records a call; the code it fails with. `detail` is for the log.
  int enter(const char *call, const std::string &detail = "");

  int initialize(const char *call, unsigned flags);
  int countDevices(const char *call, int *count);
  int checkDevice(int device) {
    return device < 0 || device >= driver.devices ? invalidDevice : success;
  }

  int createStream(const char *call, void **stream, unsigned flags);
  int synchronize(const char *call, void *stream);

  int keep(std::unique_ptr<Module> made, void **handle);
  int unload(const char *call, void *handle);
  int getFunction(const char *call, void **function, void *handle,
                  const char *name);
  /// `launch` but for its words and buffers.
  int launch(const char *call, void *function, MockLaunch launch, void *stream,
             void **parameters, void **extra);

  /// Of the device alone, or as `isManaged` or `isHost` says.
  int allocate(const char *call, uint64_t *address, size_t bytes,
               bool isManaged, bool isHost);
  int allocate(const char *call, void **data, size_t bytes, bool isManaged,
               bool isHost) {
    uint64_t address = 0;
    int result = allocate(call, &address, bytes, isManaged, isHost);
    *data = reinterpret_cast<void *>(address);
    return result;
  }
  int release(const char *call, uint64_t address, bool isHost);
  int advise(const char *call, uint64_t address, size_t bytes, bool isKnown);
  int upload(const char *call, uint64_t to, const void *from, size_t bytes,
             void *stream);
  int download(const char *call, void *to, uint64_t from, size_t bytes,
               void *stream);
  int copy(const char *call, uint64_t to, uint64_t from, size_t bytes,
           void *stream);

protected:
  /// What a call needs beyond an initialized library.
  virtual int checkCall(const std::string &call) { return success; }

private:
  void write(const std::string &line);
  /// The allocation that [address, address + bytes) lies in; null, and a fault,
  /// where there is none.
  Allocation *find(uint64_t address, uint64_t bytes, const char *what);
  /// Where a parameter points; null, and a fault, where it should and does not.
  void *locate(uint64_t word, size_t number);
  /// Calls the function of a test, or of the program, for a kernel.
  bool runOfTest(const std::string &name, const MockLaunch &launch);

  MockDriver &driver;
  bool isReady = false;
  std::set<Module *> modules;
  std::map<uint64_t, Allocation> allocations; ///< by address
  std::string log;
};

} // namespace mock

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKDRIVER_H
