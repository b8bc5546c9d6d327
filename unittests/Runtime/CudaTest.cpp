//===- CudaTest.cpp - Launches through a driver that records them ---------===//

#include "MockCuda/MockCuda.h"

#include "quant-mlir-runtime/GPU.h"

#include "gtest/gtest.h"

#include <dlfcn.h>

#include <cstring>
#include <thread>

static const char *const text = R"(
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

namespace {
struct CudaRuntime : public testing::Test {
  void SetUp() override {
    // The run time asks for a library of that name, and gets the one that is
    // there.
    void *library = dlopen(QUANT_MOCK_CUDA "/libcuda.so.1", RTLD_NOW);
    ASSERT_TRUE(library) << dlerror();
    auto get = reinterpret_cast<MockCuda *(*)()>(dlsym(library, "mock_cuda"));
    ASSERT_TRUE(get) << "another libcuda.so.1 was found";
    mock = get();
    mock->kernels["add"] = [](const MockLaunch &launch) {
      auto *x = static_cast<int64_t *>(launch.buffers[0]);
      auto *y = static_cast<int64_t *>(launch.buffers[1]);
      for (unsigned i = 0; i < launch.grid[0] * launch.block[0]; ++i)
        y[i] = x[i] + int64_t(launch.words[2]);
    };
    ASSERT_TRUE(quant_cuda_device(nullptr));
    modules = mock->liveModules;
    forget();
  }
  void TearDown() override {
    mock->failing.clear();
    mock->memoryLimit = INT64_MAX;
    quant_cuda_release(&kernel);
    EXPECT_EQ(kernel, nullptr);
    EXPECT_EQ(mock->liveModules, modules);
    EXPECT_EQ(mock->faults, std::vector<std::string>());
    EXPECT_EQ(mock->contextDepth, 0);
  }
  void forget() {
    mock->calls.clear();
    mock->uploadedBytes = mock->downloadedBytes = 0;
  }

  QuantGpuBuffer read(void *data, bool isConstant = false) {
    return {data, 512, QUANT_GPU_READ, isConstant};
  }
  QuantGpuBuffer written(void *data) { return {data, 512, QUANT_GPU_WRITE, 0}; }
  /// "", or what went wrong.
  std::string launch(std::vector<QuantGpuBuffer> buffers, int64_t blocks = 2,
                     int64_t sharedBytes = 0, const char *binary = text,
                     const char *name = "add") {
    int64_t shape[] = {blocks, 1, 1, 32, 1, 1, sharedBytes, 0};
    int64_t number = 5;
    const char *message = quant_cuda_launch(
        &kernel, binary, int64_t(std::strlen(binary)), name, shape,
        int64_t(buffers.size()), buffers.data(), 1, &number);
    return message ? message : "";
  }

  MockCuda *mock = nullptr;
  int modules = 0;
  void *kernel = nullptr;
  std::vector<int64_t> x = std::vector<int64_t>(64, 7);
  std::vector<int64_t> y = std::vector<int64_t>(64);
  const std::vector<int64_t> sums = std::vector<int64_t>(64, 12);
};
} // namespace

TEST_F(CudaRuntime, NamesItsDevice) {
  const char *error = "";
  EXPECT_STREQ(quant_cuda_device(&error), "Mock 0 (compute capability 9.0)");
  EXPECT_EQ(error, nullptr);
  EXPECT_STREQ(quant_cuda_arch(nullptr), "sm_90a");
}

TEST_F(CudaRuntime, CopiesTheHostsBuffersInAndOut) {
  for (int run = 0; run < 2; ++run) {
    y.assign(64, 0);
    ASSERT_EQ(launch({read(x.data()), written(y.data())}), "");
    EXPECT_EQ(y, sums);
  }
  // The kernel is made once, and memory for copies too.
  EXPECT_EQ(mock->count("cuModuleLoadDataEx"), 1);
  EXPECT_LE(mock->count("cuMemAlloc"), 2);
  EXPECT_EQ(mock->uploadedBytes, 2 * 1024);
  EXPECT_EQ(mock->downloadedBytes, 2 * 512);
}

TEST_F(CudaRuntime, UploadsConstantsOnce) {
  for (int run = 0; run < 3; ++run)
    ASSERT_EQ(launch({read(x.data(), true), written(y.data())}), "");
  EXPECT_EQ(y, sums);
  EXPECT_EQ(mock->uploadedBytes, 512 + 3 * 512);
  // They go with the kernel.
  int live = mock->liveAllocations;
  quant_cuda_release(&kernel);
  EXPECT_EQ(mock->liveAllocations, live - 1);
}

TEST_F(CudaRuntime, SeesMoreOfAConstant) {
  QuantGpuBuffer small = read(x.data(), true);
  small.bytes = 256;
  ASSERT_EQ(launch({small, written(y.data())}, /*blocks=*/1), "");
  ASSERT_EQ(launch({read(x.data(), true), written(y.data())}), "");
  EXPECT_EQ(y, sums);
}

TEST_F(CudaRuntime, LeavesItsOwnMemoryWhereItIs) {
  auto *arena = static_cast<int64_t *>(quant_cuda_alloc(64, 1024));
  ASSERT_TRUE(arena);
  std::fill(arena, arena + 64, 7);
  // A part of it, too.
  ASSERT_EQ(launch({read(arena), written(arena + 64)}), "");
  EXPECT_EQ(std::vector<int64_t>(arena + 64, arena + 128), sums);
  EXPECT_EQ(mock->uploadedBytes + mock->downloadedBytes, 0);
  EXPECT_EQ(mock->count("cuMemAllocManaged"), 1);
  EXPECT_EQ(mock->count("cuMemAdvise"), 1);
  int live = mock->liveAllocations;
  quant_cuda_free(arena);
  EXPECT_EQ(mock->liveAllocations, live - 1);
}

TEST_F(CudaRuntime, KeepsOverlappingBuffersTogether) {
  std::vector<int64_t> both(66, 7);
  // The second begins within the first: the kernel sees one memory.
  ASSERT_EQ(launch({read(both.data()), written(both.data() + 2)},
                   /*blocks=*/1),
            "");
  EXPECT_EQ(both[0], 7);
  EXPECT_EQ(both[2], 12);
  EXPECT_EQ(both[4], 17);
  EXPECT_EQ(mock->uploadedBytes, 66 * 8);
}

TEST_F(CudaRuntime, PassesNoMemoryOfEmptyBuffers) {
  mock->kernels["add"] = [](const MockLaunch &launch) {
    EXPECT_EQ(launch.words[0], 0u);
  };
  EXPECT_EQ(launch({{x.data(), 0, QUANT_GPU_READ, 0}, written(y.data())}), "");
}

TEST_F(CudaRuntime, LaunchesNothingWithoutBlocks) {
  EXPECT_EQ(launch({read(x.data()), written(y.data())}, /*blocks=*/0), "");
  EXPECT_EQ(mock->count("cuLaunchKernel"), 0);
}

TEST_F(CudaRuntime, AsksForSharedMemory) {
  mock->kernels["add"] = [](const MockLaunch &launch) {
    EXPECT_EQ(launch.sharedBytes, 200000u);
  };
  for (int run = 0; run < 2; ++run)
    ASSERT_EQ(launch({read(x.data()), written(y.data())}, 2, 200000), "");
  EXPECT_EQ(mock->count("cuFuncSetAttribute"), 1);
  EXPECT_EQ(launch({read(x.data()), written(y.data())}, 2, 300000),
            "kernel 'add': expected at most 232448 bytes of shared memory, "
            "which Mock 0 (compute capability 9.0) has for a kernel, found "
            "300000: compile with the --gpu-arch of this device");
}

TEST_F(CudaRuntime, TellsOfBadBinaries) {
  std::string message =
      launch({read(x.data()), written(y.data())}, 2, 0, "no PTX");
  EXPECT_EQ(message.substr(0, message.find(';')),
            "kernel 'add': cuModuleLoadDataEx failed: CUDA_ERROR_INVALID_PTX "
            "(218), a PTX JIT compilation failed");
  EXPECT_NE(message.find("the driver's assembler says: line 1; expected PTX"),
            std::string::npos);
  EXPECT_EQ(kernel, nullptr);
  // A module without the kernel is not kept.
  message = launch({read(x.data()), written(y.data())}, 2, 0, text, "other");
  EXPECT_NE(message.find("cuModuleGetFunction failed: CUDA_ERROR_NOT_FOUND"),
            std::string::npos);
}

TEST_F(CudaRuntime, TellsOfTooManyBlocks) {
  std::string message =
      launch({read(x.data()), written(y.data())}, int64_t(1) << 31);
  EXPECT_NE(message.find("expected at most 2147483647 x 65535 x 65535 blocks, "
                         "found 2147483648 x 1 x 1"),
            std::string::npos);
}

TEST_F(CudaRuntime, OutlivesEveryFailure) {
  // Each call of a launch fails once; what was made is freed, and the next
  // launch computes.
  for (const char *call :
       {"cuCtxPushCurrent", "cuModuleLoadDataEx", "cuModuleGetFunction",
        "cuMemAlloc", "cuMemcpyHtoDAsync", "cuLaunchKernel",
        "cuMemcpyDtoHAsync", "cuStreamSynchronize", "cuFuncSetAttribute"}) {
    SCOPED_TRACE(call);
    // Larger each time, so that memory has to be allocated.
    x.resize(2 * x.size(), 7);
    std::vector<int64_t> result(x.size());
    int64_t bytes = int64_t(8 * x.size());
    std::vector<QuantGpuBuffer> buffers = {
        {x.data(), bytes, QUANT_GPU_READ, 1},
        {result.data(), bytes, QUANT_GPU_WRITE, 0}};
    int64_t blocks = int64_t(x.size()) / 32, shared = 100000;
    mock->failing = {{call, 700}};
    std::string message = launch(buffers, blocks, shared);
    EXPECT_EQ(message.substr(0, message.find(':')), "kernel 'add'");
    EXPECT_NE(message.find(std::string(call) +
                           " failed: CUDA_ERROR_ILLEGAL_ADDRESS (700), an "
                           "illegal memory access was encountered; a kernel "
                           "did what it must not"),
              std::string::npos)
        << message;
    mock->failing.clear();
    ASSERT_EQ(launch(buffers, blocks, shared), "");
    EXPECT_EQ(result, std::vector<int64_t>(x.size(), 12));
    quant_cuda_release(&kernel);
  }
}

TEST_F(CudaRuntime, GivesUpWhatItKeepsWhereMemoryIsShort) {
  std::vector<int64_t> large(8192, 7), result(8192);
  QuantGpuBuffer from = {large.data(), 65536, QUANT_GPU_READ, 0},
                 to = {result.data(), 65536, QUANT_GPU_WRITE, 0};
  ASSERT_EQ(launch({from, to}, 256), "");
  std::vector<int64_t> other(20000, 7);
  QuantGpuBuffer larger = {other.data(), 160000, QUANT_GPU_WRITE, 0};
  mock->memoryLimit = 350000;
  EXPECT_EQ(launch({from, larger}, 256), "");
  mock->memoryLimit = 1000;
  std::vector<int64_t> most(100000);
  std::string message =
      launch({from, {most.data(), 800000, QUANT_GPU_WRITE, 0}}, 256);
  EXPECT_NE(message.find("cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (2), out "
                         "of memory; free memory of the device"),
            std::string::npos)
      << message;
  // The arena may lie with the host then.
  void *arena = quant_cuda_alloc(64, 4096);
  ASSERT_TRUE(arena);
  std::memset(arena, 7, 4096);
  quant_cuda_free(arena);
}

TEST_F(CudaRuntime, IsCalledByManyThreads) {
  std::vector<std::thread> threads;
  std::vector<std::vector<int64_t>> results(4, std::vector<int64_t>(64));
  std::vector<void *> kernels(4);
  for (size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      int64_t shape[] = {2, 1, 1, 32, 1, 1, 0, 0}, number = 5;
      QuantGpuBuffer buffers[] = {read(x.data()), written(results[i].data())};
      for (int run = 0; run < 50; ++run)
        EXPECT_EQ(quant_cuda_launch(&kernels[i], text,
                                    int64_t(std::strlen(text)), "add", shape, 2,
                                    buffers, 1, &number),
                  nullptr);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(results[i], sums);
    quant_cuda_release(&kernels[i]);
  }
}
