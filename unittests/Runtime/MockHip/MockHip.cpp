//===- MockHip.cpp - AMD's HIP library that is none -----------------------===//

#include "MockHip.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdio>
#include <cstring>

using namespace mock;

namespace {

constexpr int invalidImage = 200, notSupported = 801;

struct State : MockHip {
  Library library{*this};

  State() {
    sharedBytes = 64 << 10;
    library.readEnvironment(
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

/// Threads begin with the first device.
thread_local int current = 0;

struct HipFunction : Function {
  size_t numParameters() const override { return parameterBytes / 8; }
  // A number is not as large as addresses are.
  bool isAddress(size_t, uint64_t word) const override {
    return word >= uint64_t(1) << 32;
  }
  Result check(const MockLaunch &launch, std::string &) override {
    return uint64_t(launch.grid[0]) * launch.block[0] > UINT32_MAX ||
                   ownBytes + launch.sharedBytes > unsigned(state().sharedBytes)
               ? invalidValue
               : success;
  }

  uint32_t parameterBytes = 0, ownBytes = 0;
};

/// The kernels of an ELF file, whose end its headers tell; null where it is
/// none.
std::unique_ptr<Module> parse(const char *image) {
  using namespace llvm;
  using mock::Module;
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
  auto made = std::make_unique<Module>();
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
    auto function = std::make_unique<HipFunction>();
    function->name = name->str();
    function->ownBytes = support::endian::read32le(descriptor);
    function->parameterBytes = support::endian::read32le(descriptor + 8);
    made->functions[function->name] = std::move(function);
  }
  return made->functions.empty() ? nullptr : std::move(made);
}

uint64_t toAddress(const void *pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

} // namespace

#define ENTER(...)                                                             \
  if (int failure = state().library.enter(__VA_ARGS__))                        \
  return failure

extern "C" {

MockHip *mock_hip() { return &state(); }

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

int hipInit(unsigned flags) {
  return state().library.initialize("hipInit", flags);
}

int hipGetDeviceCount(int *count) {
  return state().library.countDevices("hipGetDeviceCount", count);
}

int hipGetDevice(int *device) {
  ENTER("hipGetDevice");
  *device = current;
  return success;
}

int hipSetDevice(int device) {
  ENTER("hipSetDevice", std::to_string(device));
  if (int failure = state().library.checkDevice(device))
    return failure;
  current = device;
  return success;
}

int hipGetDevicePropertiesR0600(void *properties, int device) {
  ENTER("hipGetDeviceProperties");
  auto *text = static_cast<char *>(properties);
  std::memset(text, 0, 1472);
  std::snprintf(text, 256, "Mock gfx %d", device);
  std::snprintf(text + 1160, 256, "%s:sramecc+:xnack-", state().arch.c_str());
  return success;
}

int hipStreamCreateWithFlags(void **stream, unsigned flags) {
  return state().library.createStream("hipStreamCreateWithFlags", stream,
                                      flags);
}

int hipStreamSynchronize(void *stream) {
  return state().library.synchronize("hipStreamSynchronize", stream);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

int hipModuleLoadData(void **module, const void *image) {
  ENTER("hipModuleLoadData");
  auto made = parse(static_cast<const char *>(image));
  return made ? state().library.keep(std::move(made), module) : invalidImage;
}

int hipModuleUnload(void *module) {
  return state().library.unload("hipModuleUnload", module);
}

int hipModuleGetFunction(void **function, void *module, const char *name) {
  return state().library.getFunction("hipModuleGetFunction", function, module,
                                     name);
}

int hipModuleLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                          unsigned gridZ, unsigned blockX, unsigned blockY,
                          unsigned blockZ, unsigned sharedBytes, void *stream,
                          void **parameters, void **extra) {
  return state().library.launch("hipModuleLaunchKernel", function,
                                {{gridX, gridY, gridZ},
                                 {blockX, blockY, blockZ},
                                 sharedBytes,
                                 nullptr,
                                 nullptr},
                                stream, parameters, extra);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int hipMalloc(void **data, size_t bytes) {
  return state().library.allocate("hipMalloc", data, bytes,
                                  /*isManaged=*/false, /*isHost=*/false);
}

int hipMallocManaged(void **data, size_t bytes, unsigned flags) {
  if (!state().managed || flags != 1) {
    ENTER("hipMallocManaged", std::to_string(bytes));
    return notSupported;
  }
  return state().library.allocate("hipMallocManaged", data, bytes,
                                  /*isManaged=*/true, /*isHost=*/false);
}

int hipHostMalloc(void **data, size_t bytes, unsigned flags) {
  if (flags != 3) {
    ENTER("hipHostMalloc", std::to_string(bytes));
    return invalidValue;
  }
  return state().library.allocate("hipHostMalloc", data, bytes,
                                  /*isManaged=*/false, /*isHost=*/true);
}

int hipFree(void *data) {
  return state().library.release("hipFree", toAddress(data), /*isHost=*/false);
}

int hipHostFree(void *data) {
  return state().library.release("hipHostFree", toAddress(data),
                                 /*isHost=*/true);
}

int hipMemAdvise(const void *data, size_t bytes, int advice, int) {
  return state().library.advise("hipMemAdvise", toAddress(data), bytes,
                                advice == 3 || advice == 100);
}

int hipMemcpyHtoDAsync(void *to, const void *from, size_t bytes, void *stream) {
  return state().library.upload("hipMemcpyHtoDAsync", toAddress(to), from,
                                bytes, stream);
}

int hipMemcpyDtoHAsync(void *to, void *from, size_t bytes, void *stream) {
  return state().library.download("hipMemcpyDtoHAsync", to, toAddress(from),
                                  bytes, stream);
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

const char *hipGetErrorName(int result) {
  const ErrorText *error = findError(result, &ErrorText::hipName);
  return error ? error->hipName : nullptr;
}

const char *hipGetErrorString(int result) {
  const ErrorText *error = findError(result, &ErrorText::hipName);
  return error ? error->text : nullptr;
}
}
