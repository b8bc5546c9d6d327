//===- MockHip.cpp - AMD's HIP library that is none -----------------------===//

#include "MockHip.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>

using mock::invalidValue;

namespace {

constexpr int noDevice = 100, invalidDevice = 101, invalidImage = 200,
              invalidHandle = 400, notFound = 500;

struct Function {
  std::string name;
  uint32_t parameterBytes = 0, sharedBytes = 0;
};
struct CodeObject {
  std::map<std::string, Function> functions;
};

struct State : MockHip {
  mock::Memory memory{*this};
  std::set<CodeObject *> modules;
  bool isReady = false;

  State() {
    sharedBytes = 64 << 10;
    memory.readEnvironment(
        "MOCK_HIP", [&](const std::string &key, const std::string &value) {
          if (key == "arch")
            arch = value;
          return key == "arch";
        });
  }
};

State &state() {
  static State *state = new State();
  return *state;
}

char streamObject;
/// Threads begin with the first device.
thread_local int current = 0;

int enter(const char *call, const std::string &detail = "") {
  State &s = state();
  if (int failure = s.memory.enter(call, detail))
    return failure;
  if (!s.isReady) {
    s.memory.fault(std::string(call) + " before hipInit");
    return 3;
  }
  return 0;
}

/// The kernels of an ELF file, whose end its headers tell; null where it is
/// none.
std::unique_ptr<CodeObject> parse(const char *image) {
  using namespace llvm;
  if (std::memcmp(image,
                  "\x7f"
                  "ELF",
                  4) != 0)
    return nullptr;
  // The section headers are last.
  uint64_t sections = support::endian::read64le(image + 0x28);
  uint64_t bytes =
      sections + uint64_t(support::endian::read16le(image + 0x3A)) *
                     support::endian::read16le(image + 0x3C);
  auto file = object::ObjectFile::createELFObjectFile(
      MemoryBufferRef(StringRef(image, bytes), "image"));
  if (!file) {
    consumeError(file.takeError());
    return nullptr;
  }
  auto made = std::make_unique<CodeObject>();
  auto &elf = cast<object::ELFObjectFileBase>(**file);
  for (object::ELFSymbolRef symbol : elf.getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    Expected<uint64_t> value = symbol.getValue();
    Expected<object::section_iterator> section = symbol.getSection();
    if (!name || !value || !section) {
      consumeError(name.takeError());
      consumeError(value.takeError());
      consumeError(section.takeError());
      continue;
    }
    if (!name->consume_back(".kd"))
      continue;
    Expected<StringRef> contents = (*section)->getContents();
    if (!contents) {
      consumeError(contents.takeError());
      continue;
    }
    // A descriptor begins with the bytes of shared memory, of scratch, and of
    // parameters.
    const char *descriptor =
        contents->data() + (*value - (*section)->getAddress());
    Function function;
    function.name = name->str();
    function.sharedBytes = support::endian::read32le(descriptor);
    function.parameterBytes = support::endian::read32le(descriptor + 8);
    made->functions[function.name] = function;
  }
  return made->functions.empty() ? nullptr : std::move(made);
}

const std::map<int, std::pair<const char *, const char *>> &errorTexts() {
  static const std::map<int, std::pair<const char *, const char *>> texts = {
      {1, {"hipErrorInvalidValue", "invalid argument"}},
      {2, {"hipErrorOutOfMemory", "out of memory"}},
      {100, {"hipErrorNoDevice", "no ROCm-capable device is detected"}},
      {101, {"hipErrorInvalidDevice", "invalid device ordinal"}},
      {200, {"hipErrorInvalidImage", "device kernel image is invalid"}},
      {209,
       {"hipErrorNoBinaryForGpu",
        "no kernel image is available for execution on the device"}},
      {400, {"hipErrorInvalidHandle", "invalid resource handle"}},
      {500, {"hipErrorNotFound", "named symbol not found"}},
      {700,
       {"hipErrorIllegalAddress", "an illegal memory access was encountered"}},
  };
  return texts;
}

uint64_t toAddress(const void *pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

int allocate(void **data, size_t bytes, bool isDevice, bool isHost) {
  uint64_t address = 0;
  int result = state().memory.allocate(&address, bytes, isDevice, isHost);
  *data = reinterpret_cast<void *>(address);
  return result;
}

} // namespace

#define ENTER(...)                                                             \
  if (int failure = enter(__VA_ARGS__))                                        \
  return failure

extern "C" {

MockHip *mock_hip() { return &state(); }

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

int hipInit(unsigned flags) {
  state().isReady = true;
  ENTER("hipInit");
  if (state().devices == 0)
    return noDevice;
  return flags == 0 ? 0 : invalidValue;
}

int hipGetDeviceCount(int *count) {
  ENTER("hipGetDeviceCount");
  *count = state().devices;
  return 0;
}

int hipGetDevice(int *device) {
  ENTER("hipGetDevice");
  *device = current;
  return 0;
}

int hipSetDevice(int device) {
  ENTER("hipSetDevice", std::to_string(device));
  if (device < 0 || device >= state().devices)
    return invalidDevice;
  current = device;
  return 0;
}

int hipGetDevicePropertiesR0600(void *properties, int device) {
  ENTER("hipGetDeviceProperties");
  auto *text = static_cast<char *>(properties);
  std::memset(text, 0, 1472);
  std::snprintf(text, 256, "Mock gfx %d", device);
  std::snprintf(text + 1160, 256, "%s:sramecc+:xnack-", state().arch.c_str());
  return 0;
}

int hipStreamCreateWithFlags(void **stream, unsigned flags) {
  ENTER("hipStreamCreateWithFlags");
  *stream = &streamObject;
  return flags <= 1 ? 0 : invalidValue;
}

int hipStreamSynchronize(void *stream) {
  ENTER("hipStreamSynchronize");
  return stream == &streamObject ? 0 : invalidHandle;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

int hipModuleLoadData(void **module, const void *image) {
  ENTER("hipModuleLoadData");
  auto made = parse(static_cast<const char *>(image));
  if (!made)
    return invalidImage;
  *module = made.get();
  state().modules.insert(made.release());
  ++state().liveModules;
  return 0;
}

int hipModuleUnload(void *module) {
  ENTER("hipModuleUnload");
  auto *known = static_cast<CodeObject *>(module);
  if (!state().modules.erase(known)) {
    state().memory.fault("unloaded no module");
    return invalidHandle;
  }
  delete known;
  --state().liveModules;
  return 0;
}

int hipModuleGetFunction(void **function, void *module, const char *name) {
  ENTER("hipModuleGetFunction", name);
  auto *known = static_cast<CodeObject *>(module);
  if (!state().modules.count(known))
    return invalidHandle;
  auto found = known->functions.find(name);
  if (found == known->functions.end())
    return notFound;
  *function = &found->second;
  return 0;
}

int hipModuleLaunchKernel(void *handle, unsigned gridX, unsigned gridY,
                          unsigned gridZ, unsigned blockX, unsigned blockY,
                          unsigned blockZ, unsigned sharedBytes, void *stream,
                          void **parameters, void **extra) {
  auto *function = static_cast<Function *>(handle);
  ENTER("hipModuleLaunchKernel", function->name);
  State &s = state();
  if (stream != &streamObject || extra)
    return invalidHandle;
  if (!gridX || !gridY || !gridZ || !blockX || !blockY || !blockZ ||
      uint64_t(gridX) * blockX > UINT32_MAX || gridY > 65535 || gridZ > 65535 ||
      blockX * blockY * blockZ > 1024 ||
      function->sharedBytes + sharedBytes > unsigned(s.sharedBytes))
    return invalidValue;
  std::vector<uint64_t> words;
  std::vector<void *> buffers;
  for (size_t i = 0; i < function->parameterBytes / 8; ++i) {
    words.push_back(*static_cast<uint64_t *>(parameters[i]));
    // A number is not as large as addresses are.
    bool isAddress = words[i] >= uint64_t(1) << 32;
    buffers.push_back(isAddress ? s.memory.locate(words[i], i) : nullptr);
  }
  s.memory.run(function->name, {{gridX, gridY, gridZ},
                                {blockX, blockY, blockZ},
                                sharedBytes,
                                words.data(),
                                buffers.data()});
  return 0;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int hipMalloc(void **data, size_t bytes) {
  ENTER("hipMalloc", std::to_string(bytes));
  return allocate(data, bytes, /*isDevice=*/true, /*isHost=*/false);
}

int hipMallocManaged(void **data, size_t bytes, unsigned flags) {
  ENTER("hipMallocManaged", std::to_string(bytes));
  if (!state().managed || flags != 1)
    return 801;
  return allocate(data, bytes, /*isDevice=*/false, /*isHost=*/false);
}

int hipHostMalloc(void **data, size_t bytes, unsigned flags) {
  ENTER("hipHostMalloc", std::to_string(bytes));
  if (flags != 3)
    return invalidValue;
  return allocate(data, bytes, /*isDevice=*/false, /*isHost=*/true);
}

int hipFree(void *data) {
  ENTER("hipFree");
  return state().memory.release(toAddress(data), /*isHost=*/false);
}

int hipHostFree(void *data) {
  ENTER("hipHostFree");
  return state().memory.release(toAddress(data), /*isHost=*/true);
}

int hipMemAdvise(const void *data, size_t bytes, int advice, int) {
  ENTER("hipMemAdvise", std::to_string(advice));
  return state().memory.find(toAddress(data), bytes, "advice") &&
                 (advice == 3 || advice == 100)
             ? 0
             : invalidValue;
}

int hipMemcpyHtoDAsync(void *to, const void *from, size_t bytes, void *stream) {
  ENTER("hipMemcpyHtoDAsync", std::to_string(bytes));
  return stream == &streamObject
             ? state().memory.upload(toAddress(to), from, bytes)
             : invalidValue;
}

int hipMemcpyDtoHAsync(void *to, void *from, size_t bytes, void *stream) {
  ENTER("hipMemcpyDtoHAsync", std::to_string(bytes));
  return stream == &streamObject
             ? state().memory.download(to, toAddress(from), bytes)
             : invalidValue;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

const char *hipGetErrorName(int result) {
  auto found = errorTexts().find(result);
  return found == errorTexts().end() ? nullptr : found->second.first;
}

const char *hipGetErrorString(int result) {
  auto found = errorTexts().find(result);
  return found == errorTexts().end() ? nullptr : found->second.second;
}
}
