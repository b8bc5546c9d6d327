//===- MockCuda.cpp - A driver of NVIDIA's that is none -------------------===//

#include "MockImage.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace mock;

namespace {

constexpr int invalidContext = 201, invalidPtx = 218;

/// What the driver calls a context, current in a thread.
char contextObject;
thread_local std::vector<void *> contexts;

class CudaLibrary : public Library {
public:
  using Library::Library;

private:
  int checkCall(const std::string &call) override {
    // No object that a program's end destroys, for it unloads modules later.
    constexpr const char *withoutContext[] = {"cuInit",
                                              "cuDriverGetVersion",
                                              "cuDeviceGetCount",
                                              "cuDeviceGet",
                                              "cuDeviceGetName",
                                              "cuDeviceGetAttribute",
                                              "cuDevicePrimaryCtxRetain",
                                              "cuCtxPushCurrent"};
    if (std::count(std::begin(withoutContext), std::end(withoutContext),
                   call) ||
        (!contexts.empty() && contexts.back() == &contextObject))
      return success;
    fault(call + " without a context");
    return invalidContext;
  }
};

/// What a stream is given, in order.
using Graph = std::vector<std::function<int()>>;

struct State : MockCuda {
  CudaLibrary library{*this};
  /// What is captured; null while calls are done at once.
  std::unique_ptr<Graph> capture;
  std::set<Graph *> graphs;
  std::set<double *> events; ///< and when they were

  State() {
    sharedBytes = 232448;
    library.readEnvironment(
        "MOCK_CUDA", [&](const std::string &key, const std::string &value) {
          if (key == "capability")
            capability = std::stoi(value);
          return key == "capability";
        });
  }
};

State &state() {
  static State *state = new State();
  return *state;
}

} // namespace

/// Does `call`, or leaves it to the graph that is captured.
static int enqueue(std::function<int()> call) {
  if (!state().capture)
    return call();
  state().capture->push_back(std::move(call));
  return success;
}

#define ENTER(...)                                                             \
  if (int failure = state().library.enter(__VA_ARGS__))                        \
  return failure

static int destroyGraph(const char *call, void *graph) {
  ENTER(call);
  if (!state().graphs.erase(static_cast<Graph *>(graph)))
    return invalidHandle;
  delete static_cast<Graph *>(graph);
  return success;
}

extern "C" {

MockCuda *mock_cuda() { return &state(); }

//===----------------------------------------------------------------------===//
// Devices and contexts
//===----------------------------------------------------------------------===//

int cuInit(unsigned flags) {
  return state().library.initialize("cuInit", flags);
}

int cuDriverGetVersion(int *version) {
  ENTER("cuDriverGetVersion");
  *version = 13000;
  return success;
}

int cuDeviceGetCount(int *count) {
  return state().library.countDevices("cuDeviceGetCount", count);
}

int cuDeviceGet(int *device, int number) {
  ENTER("cuDeviceGet", std::to_string(number));
  *device = number;
  return state().library.checkDevice(number);
}

int cuDeviceGetName(char *name, int bytes, int device) {
  ENTER("cuDeviceGetName");
  std::snprintf(name, size_t(bytes), "Mock %d", device);
  return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  ENTER("cuDeviceGetAttribute");
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
    s.library.fault("asked for attribute " + std::to_string(attribute));
    return invalidValue;
  }
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
  ENTER("cuDevicePrimaryCtxRetain");
  *context = &contextObject;
  return state().library.checkDevice(device);
}

int cuCtxPushCurrent_v2(void *context) {
  ENTER("cuCtxPushCurrent");
  if (context != &contextObject)
    return invalidContext;
  contexts.push_back(context);
  ++state().contextDepth;
  return success;
}

int cuCtxPopCurrent_v2(void **context) {
  ENTER("cuCtxPopCurrent");
  *context = contexts.back();
  contexts.pop_back();
  --state().contextDepth;
  return success;
}

int cuStreamCreate(void **stream, unsigned flags) {
  return state().library.createStream("cuStreamCreate", stream, flags);
}

int cuStreamSynchronize(void *stream) {
  return state().library.synchronize("cuStreamSynchronize", stream);
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
      state().library.fault("option " + std::to_string(options[i]) +
                            " of the JIT");
  }
  std::string error;
  auto made = MockImage::parse(static_cast<const char *>(image), error);
  if (!made) {
    if (log)
      std::snprintf(log, bytes, "%s", error.c_str());
    return invalidPtx;
  }
  return state().library.keep(std::move(made), module);
}

int cuModuleUnload(void *module) {
  return state().library.unload("cuModuleUnload", module);
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
  return state().library.getFunction("cuModuleGetFunction", function, module,
                                     name);
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute", std::to_string(value));
  if (attribute != 8 || value > state().sharedBytes)
    return invalidValue;
  static_cast<MockFunction *>(static_cast<Function *>(function))->dynamicBytes =
      unsigned(value);
  return success;
}

int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, void *stream,
                   void **parameters, void **extra) {
  MockLaunch shape{{gridX, gridY, gridZ},
                   {blockX, blockY, blockZ},
                   sharedBytes,
                   nullptr,
                   nullptr};
  // Parameters are read when the call is made.
  std::vector<uint64_t> words;
  for (size_t i = 0; i < static_cast<Function *>(function)->numParameters();
       ++i)
    words.push_back(*static_cast<uint64_t *>(parameters[i]));
  return enqueue([=]() mutable {
    std::vector<void *> pointers;
    for (uint64_t &word : words)
      pointers.push_back(&word);
    return state().library.launch("cuLaunchKernel", function, shape, stream,
                                  pointers.data(), extra);
  });
}

int cuStreamBeginCapture_v2(void *stream, int mode) {
  ENTER("cuStreamBeginCapture");
  if (state().capture || mode < 0 || mode > 2)
    return invalidValue;
  state().capture = std::make_unique<Graph>();
  return success;
}

int cuStreamEndCapture(void *stream, void **graph) {
  ENTER("cuStreamEndCapture");
  if (!state().capture)
    return invalidValue;
  *graph = state().capture.get();
  state().graphs.insert(state().capture.release());
  return success;
}

int cuGraphInstantiateWithFlags(void **executable, void *graph,
                                unsigned long long flags) {
  ENTER("cuGraphInstantiateWithFlags");
  if (!state().graphs.count(static_cast<Graph *>(graph)) || flags)
    return invalidValue;
  auto *made = new Graph(*static_cast<Graph *>(graph));
  state().graphs.insert(made);
  *executable = made;
  return success;
}

int cuGraphLaunch(void *executable, void *stream) {
  ENTER("cuGraphLaunch");
  if (!state().graphs.count(static_cast<Graph *>(executable)))
    return invalidHandle;
  for (auto &call : *static_cast<Graph *>(executable))
    if (int result = call())
      return result;
  return success;
}

int cuGraphDestroy(void *graph) {
  return destroyGraph("cuGraphDestroy", graph);
}

int cuGraphExecDestroy(void *executable) {
  return destroyGraph("cuGraphExecDestroy", executable);
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

int cuEventCreate(void **event, unsigned flags) {
  ENTER("cuEventCreate");
  auto *made = new double(-1);
  state().events.insert(made);
  *event = made;
  return flags == 0 ? success : invalidValue;
}

int cuEventRecord(void *event, void *stream) {
  ENTER("cuEventRecord");
  if (!state().events.count(static_cast<double *>(event)))
    return invalidHandle;
  *static_cast<double *>(event) =
      std::chrono::duration<double, std::milli>(
          std::chrono::steady_clock::now().time_since_epoch())
          .count();
  return success;
}

int cuEventSynchronize(void *event) {
  ENTER("cuEventSynchronize");
  return state().events.count(static_cast<double *>(event)) ? success
                                                            : invalidHandle;
}

int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
  ENTER("cuEventElapsedTime");
  if (!state().events.count(static_cast<double *>(from)) ||
      !state().events.count(static_cast<double *>(to)))
    return invalidHandle;
  *milliseconds = static_cast<float>(*static_cast<double *>(to) -
                                     *static_cast<double *>(from));
  return success;
}

int cuEventDestroy_v2(void *event) {
  ENTER("cuEventDestroy");
  if (!state().events.erase(static_cast<double *>(event)))
    return invalidHandle;
  delete static_cast<double *>(event);
  return success;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  return state().library.allocate("cuMemAlloc", address, bytes,
                                  /*isManaged=*/false, /*isHost=*/false);
}

int cuMemAllocManaged(uint64_t *address, size_t bytes, unsigned flags) {
  if (!state().managed || flags != 1) {
    ENTER("cuMemAllocManaged", std::to_string(bytes));
    return invalidValue;
  }
  return state().library.allocate("cuMemAllocManaged", address, bytes,
                                  /*isManaged=*/true, /*isHost=*/false);
}

int cuMemHostAlloc(void **data, size_t bytes, unsigned flags) {
  return state().library.allocate("cuMemHostAlloc", data, bytes,
                                  /*isManaged=*/false, /*isHost=*/true);
}

int cuMemFree_v2(uint64_t address) {
  return state().library.release("cuMemFree", address, /*isHost=*/false);
}

int cuMemFreeHost(void *data) {
  return state().library.release(
      "cuMemFreeHost", reinterpret_cast<uint64_t>(data), /*isHost=*/true);
}

int cuMemAdvise(uint64_t address, size_t bytes, int advice, int device) {
  return state().library.advise("cuMemAdvise", address, bytes, advice == 3);
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                         void *stream) {
  return state().library.upload("cuMemcpyHtoDAsync", to, from, bytes, stream);
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  return state().library.download("cuMemcpyDtoHAsync", to, from, bytes, stream);
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes,
                         void *stream) {
  return enqueue([=] {
    return state().library.copy("cuMemcpyDtoDAsync", to, from, bytes, stream);
  });
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

int cuGetErrorName(int result, const char **text) {
  const ErrorText *error = findError(result, &ErrorText::cudaName);
  *text = error ? error->cudaName : nullptr;
  return error ? success : invalidValue;
}

int cuGetErrorString(int result, const char **text) {
  const ErrorText *error = findError(result, &ErrorText::cudaName);
  *text = error ? error->text : nullptr;
  return error ? success : invalidValue;
}
}
