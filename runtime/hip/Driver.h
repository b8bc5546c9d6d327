//===- Driver.h - AMD's HIP library, opened at run time ---------*- C++ -*-===//
//
// Nothing of ROCm is needed: what is called is declared here, and found in
// libamdhip64.so when the first device is asked for.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_HIP_DRIVER_H
#define QUANT_MLIR_RUNTIME_HIP_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

namespace quant_mlir::hip {

// The library's types, as its header has them.
using Result = int; ///< enum hipError_t
using ModuleHandle = struct ihipModule_t *;
using FunctionHandle = struct ihipModuleSymbol_t *;
using Stream = struct ihipStream_t *;

// hipError_t
inline constexpr Result success = 0, outOfMemory = 2;
// Flags of allocations and streams
inline constexpr unsigned attachGlobal = 1, hostPortable = 1, hostMapped = 2,
                          streamNonBlocking = 1;
// hipMemoryAdvise
inline constexpr int advicePreferredLocation = 3, adviceCoarseGrain = 100;

/// F(member, symbol, result, parameters)
#define QUANT_HIP_FUNCTIONS(F)                                                 \
  F(init, "hipInit", Result, (unsigned))                                       \
  F(deviceGetCount, "hipGetDeviceCount", Result, (int *))                      \
  F(deviceGet, "hipGetDevice", Result, (int *))                                \
  F(deviceSet, "hipSetDevice", Result, (int))                                  \
  F(streamCreate, "hipStreamCreateWithFlags", Result, (Stream *, unsigned))    \
  F(streamSynchronize, "hipStreamSynchronize", Result, (Stream))               \
  F(moduleLoad, "hipModuleLoadData", Result, (ModuleHandle *, const void *))   \
  F(moduleUnload, "hipModuleUnload", Result, (ModuleHandle))                   \
  F(moduleGetFunction, "hipModuleGetFunction", Result,                         \
    (FunctionHandle *, ModuleHandle, const char *))                            \
  F(memoryAllocate, "hipMalloc", Result, (void **, size_t))                    \
  F(memoryAllocateManaged, "hipMallocManaged", Result,                         \
    (void **, size_t, unsigned))                                               \
  F(memoryFree, "hipFree", Result, (void *))                                   \
  F(memoryAdvise, "hipMemAdvise", Result, (const void *, size_t, int, int))    \
  F(hostAllocate, "hipHostMalloc", Result, (void **, size_t, unsigned))        \
  F(hostFree, "hipHostFree", Result, (void *))                                 \
  F(copyToDevice, "hipMemcpyHtoDAsync", Result,                                \
    (void *, const void *, size_t, Stream))                                    \
  F(copyToHost, "hipMemcpyDtoHAsync", Result,                                  \
    (void *, void *, size_t, Stream))                                          \
  F(launchKernel, "hipModuleLaunchKernel", Result,                             \
    (FunctionHandle, unsigned, unsigned, unsigned, unsigned, unsigned,         \
     unsigned, unsigned, Stream, void **, void **))                            \
  F(getErrorName, "hipGetErrorName", const char *, (Result))                   \
  F(getErrorString, "hipGetErrorString", const char *, (Result))

/// The device that kernels run on, and a stream of ours: see DriverLaunch.h.
class Device {
public:
  using Address = uint64_t;
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
  /// The device is that of this thread, and the one before afterwards.
  class Scope {
  public:
    explicit Scope(const Device &device);
    ~Scope();
    Scope(const Scope &) = delete;

  private:
    const Device &device;
    int before = 0;
  };

  /// Throws where there is none with products of bytes. QUANT_HIP_DEVICE
  /// chooses by number; without it the first is taken.
  Device();

  void load(const void *binary, int64_t size, const char *name, Module &module,
            Function &function);
  void unload(Module module) { moduleUnload(module); }
  /// Of a launch; nothing has to be asked for on these devices.
  void allowSharedBytes(Function, int64_t) {}
  void launch(Function function, const int64_t *shape, void **parameters);
  void synchronize();

  Block allocate(int64_t bytes);
  void free(const Block &block) { memoryFree(toPointer(block.address)); }
  void copyIn(Address to, const void *from, int64_t bytes);
  void copyOut(void *to, Address from, int64_t bytes);
  /// Memory that both sides reach under one address; null where there is none.
  void *allocateShared(int64_t bytes);
  void freeShared(void *data);

  const std::string &getName() const { return name; }
  const char *getArch() const { return arch.c_str(); }
  int64_t getMaxSharedBytes() const { return 64 << 10; }
  /// Invocations of a launch are counted in 32 bits.
  int64_t getMaxBlocks(int64_t threads) const { return UINT32_MAX / threads; }

#define QUANT_DECLARE(member, symbol, result, parameters)                      \
  result(*member) parameters;
  QUANT_HIP_FUNCTIONS(QUANT_DECLARE)
#undef QUANT_DECLARE

private:
  static void *toPointer(Address address) {
    return reinterpret_cast<void *>(static_cast<uintptr_t>(address));
  }
  /// Throws with the call's name, the library's text and the way out.
  void check(Result result, const char *call) const;
  void open();
  void choose();

  /// hipGetDeviceProperties, of which the layout depends on the version.
  Result (*deviceGetProperties)(void *, int) = nullptr;
  std::string name, arch;
  int device = 0;
  Stream stream = nullptr;
  std::set<void *> ofHost; ///< what allocateShared took of the host's memory
};

} // namespace quant_mlir::hip

#endif // QUANT_MLIR_RUNTIME_HIP_DRIVER_H
