//===- MockCuda.cpp - A driver of NVIDIA's that is none -------------------===//

#include "MockImage.h"

#include <cstdio>
#include <set>

using mock::invalidValue;

namespace {

constexpr int invalidContext = 201, invalidPtx = 218, invalidHandle = 400,
              notFound = 500;

struct State : MockCuda {
  mock::Memory memory{*this};
  std::set<MockImage *> modules;
  bool isReady = false;
  int retained = 0;

  State() {
    sharedBytes = 232448;
    memory.readEnvironment(
        "MOCK_CUDA", [&](const std::string &key, const std::string &value) {
          if (key == "capability")
            capability = std::stoi(value);
          return key == "capability";
        });
  }
  void fault(const std::string &text) { memory.fault(text); }
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
  if (int failure = s.memory.enter(call, detail))
    return failure;
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
    if (function->isAddress[i] && words[i] != 0)
      buffers[i] = s.memory.locate(words[i], i);
  }
  MockLaunch launch = {{gridX, gridY, gridZ},
                       {blockX, blockY, blockZ},
                       sharedBytes,
                       words.data(),
                       buffers.data()};
  if (s.memory.run(function->name, launch) || !function->image->emulator)
    return 0;
  std::vector<quant_mlir::EmulatedBuffer> memory;
  for (auto &[address, allocation] : s.memory.allocations)
    memory.push_back({allocation.data, allocation.bytes, true});
  std::string error = function->image->run(*function, launch, memory);
  if (!error.empty())
    s.fault(error);
  return error.empty() ? 0 : 700;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  ENTER("cuMemAlloc", true, std::to_string(bytes));
  return state().memory.allocate(address, bytes, /*isDevice=*/true,
                                 /*isHost=*/false);
}

int cuMemAllocManaged(uint64_t *address, size_t bytes, unsigned flags) {
  ENTER("cuMemAllocManaged", true, std::to_string(bytes));
  if (!state().managed || flags != 1)
    return invalidValue;
  return state().memory.allocate(address, bytes, /*isDevice=*/false,
                                 /*isHost=*/false);
}

int cuMemHostAlloc(void **data, size_t bytes, unsigned flags) {
  ENTER("cuMemHostAlloc", true, std::to_string(bytes));
  uint64_t address = 0;
  int result = state().memory.allocate(&address, bytes, /*isDevice=*/false,
                                       /*isHost=*/true);
  *data = mock::Memory::toHost(address);
  return result;
}

int cuMemFree_v2(uint64_t address) {
  ENTER("cuMemFree");
  return state().memory.release(address, /*isHost=*/false);
}

int cuMemFreeHost(void *data) {
  ENTER("cuMemFreeHost");
  return state().memory.release(reinterpret_cast<uint64_t>(data),
                                /*isHost=*/true);
}

int cuMemAdvise(uint64_t address, size_t bytes, int advice, int device) {
  ENTER("cuMemAdvise");
  return state().memory.find(address, bytes, "advice") && advice == 3
             ? 0
             : invalidValue;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                         void *stream) {
  ENTER("cuMemcpyHtoDAsync", true, std::to_string(bytes));
  return stream == &streamObject ? state().memory.upload(to, from, bytes)
                                 : invalidValue;
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  ENTER("cuMemcpyDtoHAsync", true, std::to_string(bytes));
  return stream == &streamObject ? state().memory.download(to, from, bytes)
                                 : invalidValue;
}
}
