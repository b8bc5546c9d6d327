//===- HipTest.cpp - Launches through a HIP library that records them -----===//
//
// What runtime/cuda and runtime/hip do alike, CudaTest.cpp tests.
//
//===----------------------------------------------------------------------===//

#include "MockHip/MockHip.h"

#include "quant-mlir-runtime/GPU.h"

#include "gtest/gtest.h"

#include <dlfcn.h>

#include <cstring>

namespace {

/// A code object of one kernel, `add`, of which only what the library looks at
/// is there: the descriptor add.kd, of three parameters.
std::string makeCodeObject() {
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

struct HipRuntime : public testing::Test {
  void SetUp() override {
    void *library = dlopen(QUANT_MOCK_HIP "/libamdhip64.so.6", RTLD_NOW);
    ASSERT_TRUE(library) << dlerror();
    auto get = reinterpret_cast<MockHip *(*)()>(dlsym(library, "mock_hip"));
    ASSERT_TRUE(get) << "another libamdhip64.so was found";
    mock = get();
    mock->kernels["add"] = [](const MockLaunch &launch) {
      auto *x = static_cast<int64_t *>(launch.buffers[0]);
      auto *y = static_cast<int64_t *>(launch.buffers[1]);
      for (unsigned i = 0; i < launch.grid[0] * launch.block[0]; ++i)
        y[i] = x[i] + int64_t(launch.words[2]);
    };
    const char *error = nullptr;
    ASSERT_TRUE(quant_hip_device(&error)) << error;
    mock->calls.clear();
    mock->uploadedBytes = mock->downloadedBytes = 0;
  }
  void TearDown() override {
    mock->failing.clear();
    quant_hip_release(&kernel);
    EXPECT_EQ(mock->liveModules, 0);
    EXPECT_EQ(mock->faults, std::vector<std::string>());
  }

  /// "", or what went wrong.
  std::string launch(int64_t *from, int64_t *to, bool isConstant = false,
                     int64_t blocks = 2, int64_t sharedBytes = 0) {
    QuantGpuBuffer buffers[] = {{from, 512, QUANT_GPU_READ, isConstant},
                                {to, 512, QUANT_GPU_WRITE, 0}};
    int64_t shape[] = {blocks, 1, 1, 32, 1, 1, sharedBytes, 0};
    int64_t number = 5;
    const char *message =
        quant_hip_launch(&kernel, binary.data(), int64_t(binary.size()), "add",
                         shape, 2, buffers, 1, &number);
    return message ? message : "";
  }

  MockHip *mock = nullptr;
  std::string binary = makeCodeObject();
  void *kernel = nullptr;
  std::vector<int64_t> x = std::vector<int64_t>(64, 7);
  std::vector<int64_t> y = std::vector<int64_t>(64);
  const std::vector<int64_t> sums = std::vector<int64_t>(64, 12);
};

} // namespace

TEST_F(HipRuntime, FindsItsArchitectureInTheProperties) {
  // The device's name has the letters, too.
  EXPECT_STREQ(quant_hip_device(nullptr), "Mock gfx 0 (gfx942)");
  EXPECT_STREQ(quant_hip_arch(nullptr), "gfx942");
}

TEST_F(HipRuntime, CopiesTheHostsBuffersInAndOut) {
  for (int run = 0; run < 2; ++run) {
    y.assign(64, 0);
    ASSERT_EQ(launch(x.data(), y.data(), /*isConstant=*/true), "");
    EXPECT_EQ(y, sums);
  }
  EXPECT_EQ(mock->count("hipModuleLoadData"), 1);
  // Constants once.
  EXPECT_EQ(mock->uploadedBytes, 3 * 512);
  EXPECT_EQ(mock->downloadedBytes, 2 * 512);
}

TEST_F(HipRuntime, LeavesItsOwnMemoryWhereItIs) {
  for (int managed : {1, 0}) {
    mock->managed = managed;
    int live = mock->liveAllocations;
    auto *arena = static_cast<int64_t *>(quant_hip_alloc(64, 1024));
    ASSERT_TRUE(arena);
    std::fill(arena, arena + 64, 7);
    ASSERT_EQ(launch(arena, arena + 64), "");
    EXPECT_EQ(std::vector<int64_t>(arena + 64, arena + 128), sums);
    EXPECT_EQ(mock->uploadedBytes + mock->downloadedBytes, 0);
    quant_hip_free(arena);
    EXPECT_EQ(mock->liveAllocations, live);
  }
  EXPECT_EQ(mock->count("hipMallocManaged"), 2);
  EXPECT_EQ(mock->count("hipMemAdvise"), 2);
  EXPECT_EQ(mock->count("hipHostMalloc"), 1);
  EXPECT_EQ(mock->count("hipHostFree"), 1);
}

TEST_F(HipRuntime, TellsOfWhatDoesNotFit) {
  EXPECT_EQ(launch(x.data(), y.data(), false, 2, 70000),
            "kernel 'add': expected at most 65536 bytes of shared memory, "
            "which Mock gfx 0 (gfx942) has for a kernel, found 70000: compile "
            "with the --gpu-arch of this device");
  std::string message = launch(x.data(), y.data(), false, int64_t(1) << 28);
  EXPECT_NE(message.find("expected at most 134217727 x 65535 x 65535 blocks, "
                         "found 268435456 x 1 x 1"),
            std::string::npos)
      << message;
}

TEST_F(HipRuntime, OutlivesEveryFailure) {
  for (const char *call :
       {"hipGetDevice", "hipModuleLoadData", "hipModuleGetFunction",
        "hipMalloc", "hipMemcpyHtoDAsync", "hipModuleLaunchKernel",
        "hipMemcpyDtoHAsync", "hipStreamSynchronize"}) {
    SCOPED_TRACE(call);
    // Larger each time, so that memory has to be allocated.
    x.resize(2 * x.size(), 7);
    std::vector<int64_t> result(x.size());
    int64_t bytes = int64_t(8 * x.size());
    QuantGpuBuffer buffers[] = {{x.data(), bytes, QUANT_GPU_READ, 1},
                                {result.data(), bytes, QUANT_GPU_WRITE, 0}};
    int64_t shape[] = {int64_t(x.size()) / 32, 1, 1, 32, 1, 1, 0, 0},
            number = 5;
    auto run = [&]() -> std::string {
      const char *message =
          quant_hip_launch(&kernel, binary.data(), int64_t(binary.size()),
                           "add", shape, 2, buffers, 1, &number);
      return message ? message : "";
    };
    mock->failing = {{call, 700}};
    std::string message = run();
    EXPECT_NE(message.find(std::string(call) +
                           " failed: hipErrorIllegalAddress (700), an illegal "
                           "memory access was encountered; a kernel did what "
                           "it must not"),
              std::string::npos)
        << message;
    mock->failing.clear();
    ASSERT_EQ(run(), "");
    EXPECT_EQ(result, std::vector<int64_t>(x.size(), 12));
    quant_hip_release(&kernel);
  }
}

TEST_F(HipRuntime, TellsOfBadBinaries) {
  binary.assign(256, 'x');
  EXPECT_EQ(launch(x.data(), y.data()),
            "kernel 'add': hipModuleLoadData failed: hipErrorInvalidImage "
            "(200), device kernel image is invalid; the kernel was made for "
            "another GPU: compile with the --gpu-arch of this one");
  EXPECT_EQ(kernel, nullptr);
}
