//===- MockCuda.cpp - A driver of NVIDIA's that is none -------------------===//

#include "MockImage.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <sstream>

namespace {

constexpr int invalidValue = 1, outOfMemory = 2, invalidContext = 201,
              invalidPtx = 218, invalidHandle = 400, notFound = 500;
/// Set in addresses of the device's own memory: no address of the host's.
constexpr uint64_t deviceBit = uint64_t(1) << 62;
constexpr size_t alignment = 256;

struct Allocation {
  char *data;
  uint64_t bytes;
  bool isDevice, isHost; ///< of cuMemAlloc, of cuMemHostAlloc
};

struct State : MockCuda {
  std::map<uint64_t, Allocation> memory; ///< by address
  std::set<MockImage *> modules;
  bool isReady = false;
  int retained = 0;
  std::string log;

  State() {
    if (const char *path = std::getenv("MOCK_CUDA_LOG"))
      log = path;
    const char *text = std::getenv("MOCK_CUDA");
    std::istringstream entries(text ? text : "");
    for (std::string entry; std::getline(entries, entry, ',');) {
      size_t at = entry.find('=');
      std::string key = entry.substr(0, at), value = entry.substr(at + 1);
      if (key == "devices")
        devices = std::stoi(value);
      else if (key == "capability")
        capability = std::stoi(value);
      else if (key == "managed")
        managed = std::stoi(value);
      else if (key == "shared")
        sharedBytes = std::stoi(value);
      else if (key == "fail")
        failing[value.substr(0, value.find(':'))] =
            std::stoi(value.substr(value.find(':') + 1));
      else
        fault("MOCK_CUDA has no " + key);
    }
  }

  void write(const std::string &line) {
    if (log.empty())
      return;
    if (FILE *file = std::fopen(log.c_str(), "a")) {
      std::fprintf(file, "%s\n", line.c_str());
      std::fclose(file);
    }
  }
  void fault(const std::string &text) {
    faults.push_back(text);
    write("FAULT " + text);
  }
};

State &state() {
  static State *state = new State();
  return *state;
}

/// What the driver calls a context, a stream and devices.
char contextObject, streamObject;
thread_local std::vector<void *> contexts;

/// Records a call; the code it fails with, or 0. `detail` is for the log.
int enter(const char *call, bool needsContext = true,
          const std::string &detail = "") {
  State &s = state();
  s.calls.push_back(call);
  s.write(call + (detail.empty() ? "" : " " + detail));
  auto failing = s.failing.find(call);
  if (failing != s.failing.end())
    return failing->second;
  if (!s.isReady) {
    s.fault(std::string(call) + " before cuInit");
    return 3;
  }
  if (needsContext && (contexts.empty() || contexts.back() != &contextObject)) {
    s.fault(std::string(call) + " without a context");
    return invalidContext;
  }
  return 0;
}

/// The allocation that [address, address + bytes) lies in; null, and a fault,
/// where there is none.
Allocation *find(uint64_t address, uint64_t bytes, const char *what) {
  State &s = state();
  auto found = s.memory.upper_bound(address);
  if (found != s.memory.begin()) {
    --found;
    uint64_t offset = address - found->first;
    if (offset < std::max<uint64_t>(found->second.bytes, 1) &&
        offset + bytes <= found->second.bytes)
      return &found->second;
  }
  s.fault(std::string(what) + " outside of the device's memory");
  return nullptr;
}

char *toHost(uint64_t address) {
  return reinterpret_cast<char *>(address & ~deviceBit);
}

int allocate(uint64_t *address, size_t bytes, bool isDevice, bool isHost) {
  State &s = state();
  if (bytes == 0)
    return invalidValue;
  int64_t used = 0;
  for (auto &[at, allocation] : s.memory)
    used += int64_t(allocation.bytes);
  if (used + int64_t(bytes) > s.memoryLimit)
    return outOfMemory;
  size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  char *data = static_cast<char *>(std::aligned_alloc(alignment, rounded));
  // Nobody may rely on what is there.
  std::memset(data, 0xA5, rounded);
  *address = reinterpret_cast<uint64_t>(data) | (isDevice ? deviceBit : 0);
  s.memory[*address] = {data, bytes, isDevice, isHost};
  ++s.liveAllocations;
  return 0;
}

int release(uint64_t address, bool isHost) {
  State &s = state();
  auto found = s.memory.find(address);
  if (found == s.memory.end() || found->second.isHost != isHost) {
    s.fault("freed what was not allocated so");
    return invalidValue;
  }
  std::free(found->second.data);
  s.memory.erase(found);
  --s.liveAllocations;
  return 0;
}

} // namespace

#define ENTER(...)                                                             \
  if (int failure = enter(__VA_ARGS__))                                        \
  return failure

extern "C" {

MockCuda *mock_cuda() { return &state(); }

//===----------------------------------------------------------------------===//
// Devices and contexts
//===----------------------------------------------------------------------===//

int cuInit(unsigned flags) {
  state().isReady = true;
  ENTER("cuInit", false);
  if (state().devices == 0)
    return 100;
  return flags == 0 ? 0 : invalidValue;
}

int cuDriverGetVersion(int *version) {
  ENTER("cuDriverGetVersion", false);
  *version = 13000;
  return 0;
}

int cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount", false);
  *count = state().devices;
  return 0;
}

int cuDeviceGet(int *device, int number) {
  ENTER("cuDeviceGet", false, std::to_string(number));
  if (number < 0 || number >= state().devices)
    return 101;
  *device = number;
  return 0;
}

int cuDeviceGetName(char *name, int bytes, int device) {
  ENTER("cuDeviceGetName", false);
  std::snprintf(name, size_t(bytes), "Mock %d", device);
  return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  ENTER("cuDeviceGetAttribute", false);
  State &s = state();
  switch (attribute) {
  case 13: // kHz
  case 36:
    *value = 1000000;
    return 0;
  case 16: // multiprocessors
    *value = 4;
    return 0;
  case 37: // bits of the bus
    *value = 4096;
    return 0;
  case 38: // L2
    *value = 1 << 20;
    return 0;
  case 75:
    *value = s.capability / 10;
    return 0;
  case 76:
    *value = s.capability % 10;
    return 0;
  case 83:
  case 89:
    *value = s.managed;
    return 0;
  case 97:
    *value = s.sharedBytes;
    return 0;
  default:
    s.fault("asked for attribute " + std::to_string(attribute));
    return invalidValue;
  }
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
  ENTER("cuDevicePrimaryCtxRetain", false);
  ++state().retained;
  *context = &contextObject;
  return 0;
}

int cuCtxPushCurrent_v2(void *context) {
  ENTER("cuCtxPushCurrent", false);
  if (context != &contextObject)
    return invalidContext;
  contexts.push_back(context);
  ++state().contextDepth;
  return 0;
}

int cuCtxPopCurrent_v2(void **context) {
  ENTER("cuCtxPopCurrent");
  *context = contexts.back();
  contexts.pop_back();
  --state().contextDepth;
  return 0;
}

int cuStreamCreate(void **stream, unsigned flags) {
  ENTER("cuStreamCreate");
  *stream = &streamObject;
  return flags <= 1 ? 0 : invalidValue;
}

int cuStreamSynchronize(void *stream) {
  ENTER("cuStreamSynchronize");
  return stream == &streamObject ? 0 : invalidHandle;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

int cuModuleLoadDataEx(void **module, const void *image, unsigned numOptions,
                       int *options, void **values) {
  ENTER("cuModuleLoadDataEx");
  char *log = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < numOptions; ++i) {
    if (options[i] == 5)
      log = static_cast<char *>(values[i]);
    else if (options[i] == 6)
      bytes = reinterpret_cast<size_t>(values[i]);
    else
      state().fault("option " + std::to_string(options[i]) + " of the JIT");
  }
  std::string error;
  auto made = MockImage::parse(static_cast<const char *>(image), error);
  if (!made) {
    if (log)
      std::snprintf(log, bytes, "%s", error.c_str());
    return invalidPtx;
  }
  *module = made.get();
  state().modules.insert(made.release());
  ++state().liveModules;
  return 0;
}

int cuModuleUnload(void *module) {
  ENTER("cuModuleUnload");
  auto *known = static_cast<MockImage *>(module);
  if (!state().modules.erase(known)) {
    state().fault("unloaded no module");
    return invalidHandle;
  }
  delete known;
  --state().liveModules;
  return 0;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER("cuModuleGetFunction", true, name);
  auto *known = static_cast<MockImage *>(module);
  if (!state().modules.count(known))
    return invalidHandle;
  auto found = known->functions.find(name);
  if (found == known->functions.end())
    return notFound;
  *function = found->second.get();
  return 0;
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute", true, std::to_string(value));
  if (attribute != 8 || value > state().sharedBytes)
    return invalidValue;
  static_cast<MockFunction *>(function)->dynamicBytes = unsigned(value);
  return 0;
}

int cuLaunchKernel(void *handle, unsigned gridX, unsigned gridY, unsigned gridZ,
                   unsigned blockX, unsigned blockY, unsigned blockZ,
                   unsigned sharedBytes, void *stream, void **parameters,
                   void **extra) {
  auto *function = static_cast<MockFunction *>(handle);
  ENTER("cuLaunchKernel", true, function->name);
  State &s = state();
  if (stream != &streamObject || extra)
    return invalidHandle;
  if (!gridX || !gridY || !gridZ || !blockX || !blockY || !blockZ ||
      gridY > 65535 || gridZ > 65535 || blockX * blockY * blockZ > 1024)
    return invalidValue;
  if (function->block && function->block != blockX * blockY * blockZ)
    s.fault("a block of " + std::to_string(blockX) + " where PTX says " +
            std::to_string(function->block));
  if (sharedBytes > function->dynamicBytes)
    return invalidValue;
  std::vector<uint64_t> words;
  std::vector<void *> buffers;
  for (size_t i = 0; i < function->isAddress.size(); ++i) {
    words.push_back(*static_cast<uint64_t *>(parameters[i]));
    buffers.push_back(nullptr);
    if (!function->isAddress[i] || words[i] == 0)
      continue;
    if (words[i] % 16 != 0)
      s.fault("parameter " + std::to_string(i) + " is not aligned");
    if (find(words[i], 0, "a parameter"))
      buffers[i] = toHost(words[i]);
  }
  MockLaunch launch = {{gridX, gridY, gridZ},
                       {blockX, blockY, blockZ},
                       sharedBytes,
                       words.data(),
                       buffers.data()};
  auto added = s.kernels.find(function->name);
  if (added != s.kernels.end()) {
    added->second(launch);
    return 0;
  }
  if (function->image->emulator) {
    std::vector<quant_mlir::EmulatedBuffer> memory;
    for (auto &[address, allocation] : s.memory)
      memory.push_back({allocation.data, allocation.bytes, true});
    std::string error = function->image->run(*function, launch, memory);
    if (!error.empty())
      s.fault(error);
    return error.empty() ? 0 : 700;
  }
  using Kernel = void (*)(const MockLaunch *);
  std::string symbol = "mock_kernel_" + function->name;
  if (auto kernel =
          reinterpret_cast<Kernel>(dlsym(RTLD_DEFAULT, symbol.c_str())))
    kernel(&launch);
  return 0;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  ENTER("cuMemAlloc", true, std::to_string(bytes));
  return allocate(address, bytes, /*isDevice=*/true, /*isHost=*/false);
}

int cuMemAllocManaged(uint64_t *address, size_t bytes, unsigned flags) {
  ENTER("cuMemAllocManaged", true, std::to_string(bytes));
  if (!state().managed || flags != 1)
    return invalidValue;
  return allocate(address, bytes, /*isDevice=*/false, /*isHost=*/false);
}

int cuMemHostAlloc(void **data, size_t bytes, unsigned flags) {
  ENTER("cuMemHostAlloc", true, std::to_string(bytes));
  uint64_t address = 0;
  int result = allocate(&address, bytes, /*isDevice=*/false, /*isHost=*/true);
  *data = toHost(address);
  return result;
}

int cuMemFree_v2(uint64_t address) {
  ENTER("cuMemFree");
  return release(address, /*isHost=*/false);
}

int cuMemFreeHost(void *data) {
  ENTER("cuMemFreeHost");
  return release(reinterpret_cast<uint64_t>(data), /*isHost=*/true);
}

int cuMemAdvise(uint64_t address, size_t bytes, int advice, int device) {
  ENTER("cuMemAdvise");
  return find(address, bytes, "advice") && advice == 3 ? 0 : invalidValue;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                         void *stream) {
  ENTER("cuMemcpyHtoDAsync", true, std::to_string(bytes));
  if (stream != &streamObject || !find(to, bytes, "a copy to the device"))
    return invalidValue;
  std::memcpy(toHost(to), from, bytes);
  state().uploadedBytes += int64_t(bytes);
  return 0;
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  ENTER("cuMemcpyDtoHAsync", true, std::to_string(bytes));
  if (stream != &streamObject || !find(from, bytes, "a copy to the host"))
    return invalidValue;
  std::memcpy(to, toHost(from), bytes);
  state().downloadedBytes += int64_t(bytes);
  return 0;
}
}
