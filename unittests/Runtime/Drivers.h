//===- Drivers.h - What a test of both drivers calls ------------*- C++ -*-===//
//
// runtime/cuda and runtime/hip as types: their functions, a binary of one
// kernel `add` with two buffers and a number, and what differs in what is
// expected.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_DRIVERS_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_DRIVERS_H

#include "MockCuda/MockCuda.h"
#include "MockHip/MockHip.h"

#include "quant-mlir-runtime/GPU.h"

inline const char *const ptx = R"(
.version 7.0
.target sm_80
.address_size 64
.visible .entry add(
	.param .u64 .ptr .global .align 16 add_param_0,
	.param .u64 .ptr .global .align 16 add_param_1,
	.param .u64 add_param_2
)
.maxntid 32
{
	ret;
}
)";

/// A code object of one kernel, `add`, of which only what the library looks at
/// is there: the descriptor add.kd, of three parameters.
inline std::string makeCodeObject() {
  std::string file(0x40, '\0');
  auto put = [&](size_t at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i)
      file[at + i] = char(value >> (8 * i));
  };
  auto append = [&](const std::string &data) {
    file.resize((file.size() + 63) / 64 * 64);
    size_t at = file.size();
    file += data;
    return at;
  };
  std::string descriptor(64, '\0');
  descriptor[8] = 24; // kernarg_size
  size_t rodata = append(descriptor);
  size_t strings = append(std::string("\0add.kd\0", 8));
  std::string symbols(48, '\0');
  symbols[24] = 1;        // name
  symbols[24 + 4] = 0x11; // a global object
  symbols[24 + 6] = 1;    // in section 1
  symbols[24 + 8] = char(rodata);
  symbols[24 + 16] = 64;
  size_t table = append(symbols);
  std::string names("\0.rodata\0.dynsym\0.dynstr\0", 25);
  size_t nameTable = append(names);
  size_t headers = append(std::string(5 * 64, '\0'));
  auto section = [&](size_t i, uint64_t name, uint64_t type, uint64_t offset,
                     uint64_t size, uint64_t link, uint64_t entry) {
    size_t at = headers + 64 * i;
    put(at, name, 4);
    put(at + 4, type, 4);
    put(at + 8, 2, 8);
    put(at + 16, offset, 8);
    put(at + 24, offset, 8);
    put(at + 32, size, 8);
    put(at + 40, link, 4);
    put(at + 44, 1, 4);
    put(at + 48, 8, 8);
    put(at + 56, entry, 8);
  };
  section(1, 1, 1, rodata, 64, 0, 0);
  section(2, 9, 11, table, 48, 3, 24);
  section(3, 17, 3, strings, 8, 0, 0);
  section(4, 0, 3, nameTable, names.size(), 0, 0);
  file.replace(0, 7,
               std::string("\x7f"
                           "ELF\2\1\1"));
  put(0x10, 3, 2);
  put(0x12, 224, 2); // EM_AMDGPU
  put(0x14, 1, 4);
  put(0x28, headers, 8);
  put(0x34, 64, 2);
  put(0x3A, 64, 2);
  put(0x3C, 5, 2);
  put(0x3E, 4, 2);
  return file;
}

/// What the tests of both drivers call, and what differs in what they expect.
struct Cuda {
  using Mock = MockCuda;
  static constexpr const char *library = QUANT_MOCK_CUDA "/libcuda.so.1";
  static constexpr const char *entry = "mock_cuda";
  static constexpr auto launch = quant_cuda_launch;
  static constexpr auto release = quant_cuda_release;
  static constexpr auto allocate = quant_cuda_alloc;
  static constexpr auto free = quant_cuda_free;
  static constexpr auto device = quant_cuda_device;
  static constexpr auto arch = quant_cuda_arch;

  static std::string makeBinary() { return ptx; }
  static constexpr const char *deviceName = "Mock 0 (compute capability 9.0)";
  static constexpr const char *archName = "sm_90a";
  static constexpr int64_t sharedBytes = 232448, mostBlocks = 2147483647,
                           advices = 1;
  // Whether there is managed memory is asked once.
  static constexpr int managed[] = {1};

  static constexpr const char *load = "cuModuleLoadDataEx",
                              *find = "cuModuleGetFunction",
                              *run = "cuLaunchKernel",
                              *allocateDevice = "cuMemAlloc",
                              *allocateManaged = "cuMemAllocManaged",
                              *allocateHost = "cuMemHostAlloc",
                              *freeHost = "cuMemFreeHost",
                              *advise = "cuMemAdvise";
  static std::vector<const char *> callsOfLaunch() {
    return {"cuCtxPushCurrent",
            load,
            find,
            allocateDevice,
            "cuMemcpyHtoDAsync",
            run,
            "cuMemcpyDtoHAsync",
            "cuStreamSynchronize",
            "cuFuncSetAttribute"};
  }
  static constexpr const char *illegalAddress = "CUDA_ERROR_ILLEGAL_ADDRESS",
                              *outOfMemory = "CUDA_ERROR_OUT_OF_MEMORY",
                              *notFound = "CUDA_ERROR_NOT_FOUND";
};
struct Hip {
  using Mock = MockHip;
  static constexpr const char *library = QUANT_MOCK_HIP "/libamdhip64.so.6";
  static constexpr const char *entry = "mock_hip";
  static constexpr auto launch = quant_hip_launch;
  static constexpr auto release = quant_hip_release;
  static constexpr auto allocate = quant_hip_alloc;
  static constexpr auto free = quant_hip_free;
  static constexpr auto device = quant_hip_device;
  static constexpr auto arch = quant_hip_arch;

  static std::string makeBinary() { return makeCodeObject(); }
  // The device's name has the letters of an architecture, too.
  static constexpr const char *deviceName = "Mock gfx 0 (gfx942)";
  static constexpr const char *archName = "gfx942";
  // Blocks of 32 lanes, of which there are less than 2^32.
  static constexpr int64_t sharedBytes = 65536, mostBlocks = 134217727,
                           advices = 2;
  // And where there is none, memory of the host.
  static constexpr int managed[] = {1, 0};

  static constexpr const char *load = "hipModuleLoadData",
                              *find = "hipModuleGetFunction",
                              *run = "hipModuleLaunchKernel",
                              *allocateDevice = "hipMalloc",
                              *allocateManaged = "hipMallocManaged",
                              *allocateHost = "hipHostMalloc",
                              *freeHost = "hipHostFree",
                              *advise = "hipMemAdvise";
  static std::vector<const char *> callsOfLaunch() {
    return {"hipGetDevice",
            load,
            find,
            allocateDevice,
            "hipMemcpyHtoDAsync",
            run,
            "hipMemcpyDtoHAsync",
            "hipStreamSynchronize"};
  }
  static constexpr const char *illegalAddress = "hipErrorIllegalAddress",
                              *outOfMemory = "hipErrorOutOfMemory",
                              *notFound = "hipErrorNotFound";
};

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_DRIVERS_H
