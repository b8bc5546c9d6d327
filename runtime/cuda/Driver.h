//===- Driver.h - NVIDIA's driver, opened at run time -----------*- C++ -*-===//
//
// Nothing of the CUDA toolkit is needed: what is called of the driver is
// declared here, and found in libcuda.so.1 when the first device is asked for.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_CUDA_DRIVER_H
#define QUANT_MLIR_RUNTIME_CUDA_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace quant_mlir::cuda {

// The driver's types, as its header has them.
using Result = int; ///< enum CUresult
using DeviceNumber = int;
using Address = unsigned long long; ///< CUdeviceptr
using Context = struct CUctx_st *;
using ModuleHandle = struct CUmod_st *;
using FunctionHandle = struct CUfunc_st *;
using Stream = struct CUstream_st *;

// CUresult
inline constexpr Result success = 0, outOfMemory = 2;
// CUdevice_attribute
inline constexpr int attributeMajor = 75, attributeMinor = 76,
                     attributeManaged = 83, attributeConcurrentManaged = 89,
                     attributeSharedBytes = 97;
// CUjit_option
inline constexpr int jitErrorLog = 5, jitErrorLogBytes = 6;
// CUfunction_attribute, and flags of allocations and streams
inline constexpr int functionDynamicSharedBytes = 8;
inline constexpr unsigned attachGlobal = 1, hostPortable = 1, hostMapped = 2,
                          streamNonBlocking = 1;
// CUmem_advise
inline constexpr int advicePreferredLocation = 3;

/// F(member, symbol, parameters): versions of symbols are those that the
/// header's macros have named since CUDA 4.
#define QUANT_CUDA_FUNCTIONS(F)                                                \
  F(init, "cuInit", (unsigned))                                                \
  F(deviceGetCount, "cuDeviceGetCount", (int *))                               \
  F(deviceGet, "cuDeviceGet", (DeviceNumber *, int))                           \
  F(deviceGetName, "cuDeviceGetName", (char *, int, DeviceNumber))             \
  F(deviceGetAttribute, "cuDeviceGetAttribute", (int *, int, DeviceNumber))    \
  F(primaryContextRetain, "cuDevicePrimaryCtxRetain",                          \
    (Context *, DeviceNumber))                                                 \
  F(contextPush, "cuCtxPushCurrent_v2", (Context))                             \
  F(contextPop, "cuCtxPopCurrent_v2", (Context *))                             \
  F(streamCreate, "cuStreamCreate", (Stream *, unsigned))                      \
  F(streamSynchronize, "cuStreamSynchronize", (Stream))                        \
  F(moduleLoad, "cuModuleLoadDataEx",                                          \
    (ModuleHandle *, const void *, unsigned, int *, void **))                  \
  F(moduleUnload, "cuModuleUnload", (ModuleHandle))                            \
  F(moduleGetFunction, "cuModuleGetFunction",                                  \
    (FunctionHandle *, ModuleHandle, const char *))                            \
  F(functionSetAttribute, "cuFuncSetAttribute", (FunctionHandle, int, int))    \
  F(memoryAllocate, "cuMemAlloc_v2", (Address *, size_t))                      \
  F(memoryAllocateManaged, "cuMemAllocManaged", (Address *, size_t, unsigned)) \
  F(memoryFree, "cuMemFree_v2", (Address))                                     \
  F(memoryAdvise, "cuMemAdvise", (Address, size_t, int, DeviceNumber))         \
  F(hostAllocate, "cuMemHostAlloc", (void **, size_t, unsigned))               \
  F(hostFree, "cuMemFreeHost", (void *))                                       \
  F(copyToDevice, "cuMemcpyHtoDAsync_v2",                                      \
    (Address, const void *, size_t, Stream))                                   \
  F(copyToHost, "cuMemcpyDtoHAsync_v2", (void *, Address, size_t, Stream))     \
  F(launchKernel, "cuLaunchKernel",                                            \
    (FunctionHandle, unsigned, unsigned, unsigned, unsigned, unsigned,         \
     unsigned, unsigned, Stream, void **, void **))                            \
  F(getErrorName, "cuGetErrorName", (Result, const char **))                   \
  F(getErrorString, "cuGetErrorString", (Result, const char **))

/// The device that kernels run on, its primary context, and a stream of ours:
/// see DriverLaunch.h.
class Device {
public:
  using Address = cuda::Address;
  using Module = ModuleHandle;
  using Function = FunctionHandle;
  struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  /// A piece of the device's memory.
  struct Block {
    Address address = 0;
    int64_t bytes = 0;
  };
  /// The device's context is that of this thread, and the one before
  /// afterwards: an embedder may have its own.
  class Scope {
  public:
    explicit Scope(const Device &device) : device(device) {
      device.check(device.contextPush(device.context), "cuCtxPushCurrent");
    }
    ~Scope() {
      Context ours;
      device.contextPop(&ours);
    }
    Scope(const Scope &) = delete;

  private:
    const Device &device;
  };

  /// Throws where there is none with tensor cores of bytes (compute capability
  /// 8.0). QUANT_CUDA_DEVICE chooses by number; without it the first is taken.
  Device();

  /// Throws with the call's name, the driver's text and the way out.
  void check(Result result, const char *call) const;

  void load(const void *binary, int64_t size, const char *name, Module &module,
            Function &function);
  void unload(Module module) { moduleUnload(module); }
  void allowSharedBytes(Function function, int64_t bytes);
  void launch(Function function, const int64_t *shape, void **parameters);
  void synchronize();

  Block allocate(int64_t bytes);
  void free(const Block &block) { memoryFree(block.address); }
  void copyIn(Address to, const void *from, int64_t bytes);
  void copyOut(void *to, Address from, int64_t bytes);

  /// Memory that both sides reach under one address; null where there is none.
  void *allocateShared(int64_t bytes);
  void freeShared(void *data);

  const std::string &getName() const { return name; }
  const char *getArch() const { return arch; }
  int64_t getMaxSharedBytes() const { return maxSharedBytes; }
  int64_t getMaxBlocks(int64_t) const { return INT32_MAX; }

#define QUANT_DECLARE(member, symbol, parameters) Result(*member) parameters;
  QUANT_CUDA_FUNCTIONS(QUANT_DECLARE)
#undef QUANT_DECLARE

private:
  void open();
  void choose();

  std::string name;
  const char *arch = nullptr;
  DeviceNumber device = 0;
  Context context = nullptr;
  Stream stream = nullptr;
  int maxSharedBytes = 0;
  bool isManaged = false;
};

} // namespace quant_mlir::cuda

#endif // QUANT_MLIR_RUNTIME_CUDA_DRIVER_H
