//===- Driver.cpp - AMD's HIP library, opened at run time -----------------===//

#include "Driver.h"

#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace quant_mlir::hip;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// What to do about an error; null where its text says all.
static const char *findWayOut(Result result) {
  switch (result) {
  case outOfMemory:
    return "free memory of the device (rocm-smi lists who has it), or run "
           "fewer entries at once";
  case 100: // hipErrorNoDevice
    return "the driver sees no GPU: look at rocminfo, ROCR_VISIBLE_DEVICES and "
           "whether you may open /dev/kfd (groups render and video), or use "
           "--target=cpu or --target=rocdl-emulator";
  case 200: // hipErrorInvalidImage
  case 209: // hipErrorNoBinaryForGpu
  case 218: // hipErrorInvalidKernelFile
    return "the kernel was made for another GPU: compile with the --gpu-arch "
           "of this one";
  case 700: // hipErrorIllegalAddress
  case 719: // hipErrorLaunchFailure
    return "a kernel did what it must not, and no other can run in this "
           "process: run the model with --target=rocdl-emulator, which says "
           "where, and report it";
  case 701: // hipErrorLaunchOutOfResources
    return "the kernel needs more registers or shared memory than the device "
           "has: compile with its --gpu-arch";
  case 999: // hipErrorUnknown
    return "look at rocm-smi and the kernel's log; often the driver's module "
           "has to be loaded again";
  default:
    return nullptr;
  }
}

void Device::check(Result result, const char *call) const {
  if (result == success)
    return;
  const char *symbol = getErrorName(result), *text = getErrorString(result);
  std::string message = std::string(call) +
                        " failed: " + (symbol ? symbol : "an unknown error") +
                        " (" + std::to_string(result) + ")";
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

Device::Scope::Scope(const Device &device) : device(device) {
  device.check(device.deviceGet(&before), "hipGetDevice");
  if (before != device.device)
    device.check(device.deviceSet(device.device), "hipSetDevice");
}

Device::Scope::~Scope() {
  if (before != device.device)
    device.deviceSet(before);
}

Device::Device() {
  open();
  choose();
  Scope scope(*this);
  CHECK(streamCreate, "hipStreamCreateWithFlags", &stream, streamNonBlocking);
}

void Device::open() {
  void *library = nullptr;
  for (const char *file : {"libamdhip64.so.7", "libamdhip64.so.6",
                           "libamdhip64.so.5", "libamdhip64.so"})
    if ((library = dlopen(file, RTLD_NOW | RTLD_LOCAL)))
      break;
  if (!library)
    throw Error("expected AMD's HIP run time, found no libamdhip64.so: install "
                "ROCm, or use --target=cpu or --target=rocdl-emulator");
#define QUANT_LOAD(member, symbol, result, parameters)                         \
  member = reinterpret_cast<result(*) parameters>(dlsym(library, symbol));     \
  if (!member)                                                                 \
    throw Error("libamdhip64.so lacks " symbol ": expected ROCm 5 or later");
  QUANT_HIP_FUNCTIONS(QUANT_LOAD)
#undef QUANT_LOAD
  for (const char *symbol :
       {"hipGetDevicePropertiesR0600", "hipGetDeviceProperties"})
    if (!deviceGetProperties)
      deviceGetProperties =
          reinterpret_cast<Result (*)(void *, int)>(dlsym(library, symbol));
  if (!deviceGetProperties)
    throw Error("libamdhip64.so lacks hipGetDeviceProperties: expected ROCm 5 "
                "or later");
}

/// "gfx942" of "…gfx942:sramecc+:xnack-…", the name of an architecture in a
/// structure of which versions of ROCm have different ones; "" where there is
/// none.
static std::string findArch(const std::vector<char> &properties) {
  static const char mark[] = "gfx";
  auto found = std::search(properties.begin(), properties.end(), mark,
                           mark + sizeof(mark) - 1);
  std::string arch;
  for (; found != properties.end() && std::isalnum(*found); ++found)
    arch.push_back(*found);
  return arch;
}

void Device::choose() {
  CHECK(init, "hipInit", 0);
  int count = 0;
  CHECK(deviceGetCount, "hipGetDeviceCount", &count);
  if (count == 0)
    check(100, "hipGetDeviceCount");
  if (const char *wanted = std::getenv("QUANT_HIP_DEVICE")) {
    char *end;
    long value = std::strtol(wanted, &end, 10);
    if (end == wanted || *end || value < 0 || value >= count)
      throw Error("QUANT_HIP_DEVICE expects a number below " +
                  std::to_string(count) + ", found '" + wanted + "'");
    device = static_cast<int>(value);
  }
  // All versions begin with the name, of 256 bytes, and are smaller than this.
  std::vector<char> properties(1 << 14);
  CHECK(deviceGetProperties, "hipGetDeviceProperties", properties.data(),
        device);
  std::string text(properties.data(), strnlen(properties.data(), 256));
  arch =
      findArch(std::vector<char>(properties.begin() + 256, properties.end()));
  name = text + " (" + (arch.empty() ? "of no known architecture" : arch) + ")";
  bool isKnown = arch == "gfx942" || arch.rfind("gfx11", 0) == 0;
  if (!isKnown)
    throw Error("expected a GPU of CDNA3 or RDNA3 (gfx942, gfx11..), found " +
                name +
                ": choose another one by QUANT_HIP_DEVICE, or use --target=cpu "
                "or --target=vulkan");
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

void Device::load(const void *binary, int64_t, const char *name, Module &module,
                  Function &function) {
  CHECK(moduleLoad, "hipModuleLoadData", &module, binary);
  Result result = moduleGetFunction(&function, module, name);
  if (result == success)
    return;
  moduleUnload(module);
  check(result, "hipModuleGetFunction");
}

void Device::launch(Function function, const int64_t *shape,
                    void **parameters) {
  auto size = [&](int dim) { return static_cast<unsigned>(shape[dim]); };
  CHECK(launchKernel, "hipModuleLaunchKernel", function, size(0), size(1),
        size(2), size(3), size(4), size(5), size(6), stream, parameters,
        nullptr);
}

void Device::synchronize() {
  CHECK(streamSynchronize, "hipStreamSynchronize", stream);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Device::Block Device::allocate(int64_t bytes) {
  void *data = nullptr;
  CHECK(memoryAllocate, "hipMalloc", &data, static_cast<size_t>(bytes));
  return {reinterpret_cast<uintptr_t>(data), bytes};
}

void Device::copyIn(Address to, const void *from, int64_t bytes) {
  CHECK(copyToDevice, "hipMemcpyHtoDAsync", toPointer(to), from,
        static_cast<size_t>(bytes), stream);
}

void Device::copyOut(void *to, Address from, int64_t bytes) {
  CHECK(copyToHost, "hipMemcpyDtoHAsync", to, toPointer(from),
        static_cast<size_t>(bytes), stream);
}

void *Device::allocateShared(int64_t bytes) {
  size_t size = static_cast<size_t>(bytes);
  void *data = nullptr;
  if (memoryAllocateManaged(&data, size, attachGlobal) == success) {
    // Only advice: what fails here still computes.
    memoryAdvise(data, size, adviceCoarseGrain, device);
    memoryAdvise(data, size, advicePreferredLocation, device);
    return data;
  }
  // Where there is no managed memory, it stays with the host.
  Result result = hostAllocate(&data, size, hostPortable | hostMapped);
  if (result != success)
    return nullptr;
  ofHost.insert(data);
  return data;
}

void Device::freeShared(void *data) {
  if (ofHost.erase(data))
    hostFree(data);
  else
    memoryFree(data);
}
