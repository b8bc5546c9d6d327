//===- Driver.cpp - NVIDIA's driver, opened at run time -------------------===//

#include "Driver.h"

#include <dlfcn.h>

#include <cstdlib>
#include <vector>

using namespace quant_mlir::cuda;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// What to do about an error of the driver; null where its text says all.
static const char *findWayOut(Result result) {
  switch (result) {
  case outOfMemory:
    return "free memory of the device (nvidia-smi lists who has it), or run "
           "fewer entries at once";
  case 34: // CUDA_ERROR_STUB_LIBRARY
    return "libcuda.so.1 is the toolkit's stub for linking: take its folder "
           "out of LD_LIBRARY_PATH, so that the driver's is found";
  case 46: // CUDA_ERROR_DEVICE_UNAVAILABLE
    return "another process has the device for itself: end it, or choose "
           "another one by QUANT_CUDA_DEVICE";
  case 100: // CUDA_ERROR_NO_DEVICE
    return "the driver sees no GPU: look at nvidia-smi and "
           "CUDA_VISIBLE_DEVICES, or use --target=cpu or "
           "--target=nvvm-emulator";
  case 209: // CUDA_ERROR_NO_BINARY_FOR_GPU
  case 218: // CUDA_ERROR_INVALID_PTX
    return "the kernel was made for another GPU: compile with the --gpu-arch "
           "of this one";
  case 222: // CUDA_ERROR_UNSUPPORTED_PTX_VERSION
    return "the driver is older than the PTX: update it, or compile with "
           "--gpu-arch=sm_80, whose PTX is the oldest";
  case 221: // CUDA_ERROR_JIT_COMPILER_NOT_FOUND
    return "install the driver's compiler, libnvidia-ptxjitcompiler.so.1";
  case 700: // CUDA_ERROR_ILLEGAL_ADDRESS
  case 715: // CUDA_ERROR_ILLEGAL_INSTRUCTION
  case 716: // CUDA_ERROR_MISALIGNED_ADDRESS
  case 719: // CUDA_ERROR_LAUNCH_FAILED
    return "a kernel did what it must not, and no other can run in this "
           "process: run the model with --target=nvvm-emulator, which says "
           "where, and report it";
  case 701: // CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES
    return "the kernel needs more registers or shared memory than the device "
           "has: compile with its --gpu-arch";
  case 802: // CUDA_ERROR_SYSTEM_NOT_READY
    return "start NVIDIA's fabric manager, or wait for it";
  case 803: // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
    return "the kernel's driver and libcuda.so.1 are of two versions: restart "
           "the machine after an update";
  case 999: // CUDA_ERROR_UNKNOWN
    return "look at nvidia-smi and the kernel's log; often the driver's "
           "module has to be loaded again";
  default:
    return nullptr;
  }
}

void Device::check(Result result, const char *call) const {
  if (result == success)
    return;
  const char *text = nullptr, *symbol = nullptr;
  if (getErrorName(result, &symbol) != success || !symbol)
    symbol = "an unknown error";
  if (getErrorString(result, &text) != success)
    text = nullptr;
  std::string message = std::string(call) + " failed: " + symbol + " (" +
                        std::to_string(result) + ")";
  if (text)
    message += std::string(", ") + text;
  if (const char *wayOut = findWayOut(result))
    message += std::string("; ") + wayOut;
  throw Error(message);
}

#define CHECK(member, name, ...) check(member(__VA_ARGS__), name)

//===----------------------------------------------------------------------===//
// Setting up
//===----------------------------------------------------------------------===//

Device::Device() {
  open();
  choose();
  CHECK(primaryContextRetain, "cuDevicePrimaryCtxRetain", &context, device);
  Scope scope(*this);
  CHECK(streamCreate, "cuStreamCreate", &stream, streamNonBlocking);
}

void Device::open() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw Error("expected NVIDIA's driver, found no libcuda.so.1: install the "
                "driver, or use --target=cpu or --target=nvvm-emulator");
#define QUANT_LOAD(member, symbol, parameters)                                 \
  member = reinterpret_cast<Result(*) parameters>(dlsym(library, symbol));     \
  if (!member)                                                                 \
    throw Error("libcuda.so.1 lacks " symbol                                   \
                ": expected NVIDIA's driver of CUDA 11 or later");
  QUANT_CUDA_FUNCTIONS(QUANT_LOAD)
#undef QUANT_LOAD
}

/// The newest architecture whose kernels a device of `capability` runs; null
/// before those with products of bytes by 16 x 8 x 32. An "a" has what only
/// that one has; without it PTX is for later ones too.
static const char *findArch(int capability) {
  switch (capability) {
  case 90:
    return "sm_90a";
  case 100:
    return "sm_100a";
  case 120:
    return "sm_120a";
  default:
    return capability >= 120  ? "sm_120"
           : capability > 100 ? "sm_100"
           : capability > 90  ? "sm_90"
           : capability == 89 ? "sm_89"
           : capability == 87 ? "sm_87"
           : capability >= 86 ? "sm_86"
           : capability >= 80 ? "sm_80"
                              : nullptr;
  }
}

void Device::choose() {
  CHECK(init, "cuInit", 0);
  int count = 0;
  CHECK(deviceGetCount, "cuDeviceGetCount", &count);
  if (count == 0)
    check(100, "cuDeviceGetCount");
  int number = 0;
  if (const char *wanted = std::getenv("QUANT_CUDA_DEVICE")) {
    char *end;
    long value = std::strtol(wanted, &end, 10);
    if (end == wanted || *end || value < 0 || value >= count)
      throw Error("QUANT_CUDA_DEVICE expects a number below " +
                  std::to_string(count) + ", found '" + wanted + "'");
    number = static_cast<int>(value);
  }
  CHECK(deviceGet, "cuDeviceGet", &device, number);
  char text[256] = "";
  CHECK(deviceGetName, "cuDeviceGetName", text, sizeof(text) - 1, device);
  auto ask = [&](int attribute) {
    int value = 0;
    CHECK(deviceGetAttribute, "cuDeviceGetAttribute", &value, attribute,
          device);
    return value;
  };
  int major = ask(attributeMajor), minor = ask(attributeMinor);
  name = std::string(text) + " (compute capability " + std::to_string(major) +
         "." + std::to_string(minor) + ")";
  arch = findArch(10 * major + minor);
  if (!arch)
    throw Error("expected a GPU of compute capability 8.0 or more, found " +
                name +
                ": choose another one by QUANT_CUDA_DEVICE, or use "
                "--target=cpu or --target=vulkan");
  maxSharedBytes = ask(attributeSharedBytes);
  // Where both sides may reach it at any time; else it stays with the host.
  isManaged = ask(attributeManaged) && ask(attributeConcurrentManaged);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

void Device::load(const void *binary, int64_t size, const char *name,
                  Module &module, Function &function) {
  // Text ends with a zero.
  std::string text(static_cast<const char *>(binary),
                   static_cast<size_t>(size));
  std::vector<char> log(8192);
  int options[] = {jitErrorLog, jitErrorLogBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  try {
    CHECK(moduleLoad, "cuModuleLoadDataEx", &module, text.c_str(), 2, options,
          values);
    CHECK(moduleGetFunction, "cuModuleGetFunction", &function, module, name);
  } catch (const Error &error) {
    if (module)
      moduleUnload(module);
    if (!log.front())
      throw;
    throw Error(std::string(error.what()) +
                "; the driver's assembler says: " + log.data());
  }
}

void Device::allowSharedBytes(Function function, int64_t bytes) {
  CHECK(functionSetAttribute, "cuFuncSetAttribute", function,
        functionDynamicSharedBytes, static_cast<int>(bytes));
}

void Device::launch(Function function, const int64_t *shape,
                    void **parameters) {
  auto size = [&](int dim) { return static_cast<unsigned>(shape[dim]); };
  CHECK(launchKernel, "cuLaunchKernel", function, size(0), size(1), size(2),
        size(3), size(4), size(5), size(6), stream, parameters, nullptr);
}

void Device::synchronize() {
  CHECK(streamSynchronize, "cuStreamSynchronize", stream);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void Device::copyIn(Address to, const void *from, int64_t bytes) {
  CHECK(copyToDevice, "cuMemcpyHtoDAsync", to, from, static_cast<size_t>(bytes),
        stream);
}

void Device::copyOut(void *to, Address from, int64_t bytes) {
  CHECK(copyToHost, "cuMemcpyDtoHAsync", to, from, static_cast<size_t>(bytes),
        stream);
}

Device::Block Device::allocate(int64_t bytes) {
  Block block;
  block.bytes = bytes;
  CHECK(memoryAllocate, "cuMemAlloc", &block.address,
        static_cast<size_t>(bytes));
  return block;
}

void *Device::allocateShared(int64_t bytes) {
  size_t size = static_cast<size_t>(bytes);
  if (!isManaged) {
    void *data = nullptr;
    Result result = hostAllocate(&data, size, hostPortable | hostMapped);
    return result == success ? data : nullptr;
  }
  Address address = 0;
  if (memoryAllocateManaged(&address, size, attachGlobal) != success)
    return nullptr;
  // Only advice: what fails here still computes.
  memoryAdvise(address, size, advicePreferredLocation, device);
  return reinterpret_cast<void *>(static_cast<uintptr_t>(address));
}

void Device::freeShared(void *data) {
  if (isManaged)
    memoryFree(reinterpret_cast<uintptr_t>(data));
  else
    hostFree(data);
}
