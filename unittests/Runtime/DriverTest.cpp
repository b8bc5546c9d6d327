//===- DriverTest.cpp - Launches through drivers that record them ---------===//
//
// runtime/cuda and runtime/hip on MockCuda and MockHip: one test for both,
// wherever they do the same.
//
//===----------------------------------------------------------------------===//

#include "Drivers.h"

#include "gtest/gtest.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <thread>

namespace {

template <typename Driver> struct DriverRuntime : public testing::Test {
  void SetUp() override {
    // The run time asks for a library of that name, and gets the one that is
    // there.
    void *library = dlopen(Driver::library, RTLD_NOW);
    ASSERT_TRUE(library) << dlerror();
    using Get = typename Driver::Mock *(*)();
    auto get = reinterpret_cast<Get>(dlsym(library, Driver::entry));
    ASSERT_TRUE(get) << "another library was found than " << Driver::library;
    mock = get();
    mock->kernels["add"] = [](const MockLaunch &launch) {
      auto *x = static_cast<int64_t *>(launch.buffers[0]);
      auto *y = static_cast<int64_t *>(launch.buffers[1]);
      for (unsigned i = 0; i < launch.grid[0] * launch.block[0]; ++i)
        y[i] = x[i] + int64_t(launch.words[2]);
    };
    const char *error = nullptr;
    ASSERT_TRUE(Driver::device(&error)) << error;
    EXPECT_EQ(error, nullptr);
    modules = mock->liveModules;
    forget();
  }
  void TearDown() override {
    mock->failing.clear();
    mock->managed = 1;
    mock->memoryLimit = INT64_MAX;
    Driver::release(&kernel);
    EXPECT_EQ(kernel, nullptr);
    EXPECT_EQ(mock->liveModules, modules);
    EXPECT_EQ(mock->faults, std::vector<std::string>());
    if constexpr (std::is_same_v<Driver, Cuda>)
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
                     int64_t sharedBytes = 0, const char *name = "add") {
    int64_t shape[] = {blocks, 1, 1, 32, 1, 1, sharedBytes, 0};
    int64_t number = 5;
    const char *message = Driver::launch(
        &kernel, binary.data(), int64_t(binary.size()), name, shape,
        int64_t(buffers.size()), buffers.data(), 1, &number);
    return message ? message : "";
  }

  typename Driver::Mock *mock = nullptr;
  int modules = 0;
  std::string binary = Driver::makeBinary();
  void *kernel = nullptr;
  std::vector<int64_t> x = std::vector<int64_t>(64, 7);
  std::vector<int64_t> y = std::vector<int64_t>(64);
  const std::vector<int64_t> sums = std::vector<int64_t>(64, 12);
};

using CudaRuntime = DriverRuntime<Cuda>;
using HipRuntime = DriverRuntime<Hip>;

struct Names {
  template <typename Driver> static std::string GetName(int) {
    return std::is_same_v<Driver, Cuda> ? "Cuda" : "Hip";
  }
};

} // namespace

using Drivers = testing::Types<Cuda, Hip>;
TYPED_TEST_SUITE(DriverRuntime, Drivers, Names);

TYPED_TEST(DriverRuntime, NamesItsDevice) {
  const char *error = "";
  EXPECT_STREQ(TypeParam::device(&error), TypeParam::deviceName);
  EXPECT_EQ(error, nullptr);
  EXPECT_STREQ(TypeParam::arch(nullptr), TypeParam::archName);
}

TYPED_TEST(DriverRuntime, CopiesTheHostsBuffersInAndOut) {
  for (int run = 0; run < 2; ++run) {
    this->y.assign(64, 0);
    ASSERT_EQ(this->launch(
                  {this->read(this->x.data()), this->written(this->y.data())}),
              "");
    EXPECT_EQ(this->y, this->sums);
  }
  // The kernel is made once, and memory for copies too.
  EXPECT_EQ(this->mock->count(TypeParam::load), 1);
  EXPECT_LE(this->mock->count(TypeParam::allocateDevice), 2);
  EXPECT_EQ(this->mock->uploadedBytes, 2 * 1024);
  EXPECT_EQ(this->mock->downloadedBytes, 2 * 512);
}

TYPED_TEST(DriverRuntime, UploadsConstantsOnce) {
  for (int run = 0; run < 3; ++run)
    ASSERT_EQ(this->launch({this->read(this->x.data(), true),
                            this->written(this->y.data())}),
              "");
  EXPECT_EQ(this->y, this->sums);
  EXPECT_EQ(this->mock->uploadedBytes, 512 + 3 * 512);
  // They go with the kernel.
  int live = this->mock->liveAllocations;
  TypeParam::release(&this->kernel);
  EXPECT_EQ(this->mock->liveAllocations, live - 1);
}

TYPED_TEST(DriverRuntime, SeesMoreOfAConstant) {
  QuantGpuBuffer small = this->read(this->x.data(), true);
  small.bytes = 256;
  ASSERT_EQ(this->launch({small, this->written(this->y.data())}, /*blocks=*/1),
            "");
  ASSERT_EQ(this->launch({this->read(this->x.data(), true),
                          this->written(this->y.data())}),
            "");
  EXPECT_EQ(this->y, this->sums);
}

TYPED_TEST(DriverRuntime, LeavesItsOwnMemoryWhereItIs) {
  for (int managed : TypeParam::managed) {
    this->mock->managed = managed;
    int live = this->mock->liveAllocations;
    auto *arena = static_cast<int64_t *>(TypeParam::allocate(64, 1024));
    ASSERT_TRUE(arena);
    std::fill(arena, arena + 64, 7);
    // A part of it, too.
    ASSERT_EQ(this->launch({this->read(arena), this->written(arena + 64)}), "");
    EXPECT_EQ(std::vector<int64_t>(arena + 64, arena + 128), this->sums);
    EXPECT_EQ(this->mock->uploadedBytes + this->mock->downloadedBytes, 0);
    TypeParam::free(arena);
    EXPECT_EQ(this->mock->liveAllocations, live);
  }
  EXPECT_EQ(this->mock->count(TypeParam::advise), TypeParam::advices);
  int64_t times = std::size(TypeParam::managed);
  EXPECT_EQ(this->mock->count(TypeParam::allocateManaged), times);
  EXPECT_EQ(this->mock->count(TypeParam::allocateHost), times - 1);
  EXPECT_EQ(this->mock->count(TypeParam::freeHost), times - 1);
}

TYPED_TEST(DriverRuntime, KeepsOverlappingBuffersTogether) {
  std::vector<int64_t> both(66, 7);
  // The second begins within the first: the kernel sees one memory.
  ASSERT_EQ(
      this->launch({this->read(both.data()), this->written(both.data() + 2)},
                   /*blocks=*/1),
      "");
  EXPECT_EQ(both[0], 7);
  EXPECT_EQ(both[2], 12);
  EXPECT_EQ(both[4], 17);
  EXPECT_EQ(this->mock->uploadedBytes, 66 * 8);
}

TYPED_TEST(DriverRuntime, PassesNoMemoryOfEmptyBuffers) {
  this->mock->kernels["add"] = [](const MockLaunch &launch) {
    EXPECT_EQ(launch.words[0], 0u);
  };
  EXPECT_EQ(this->launch({{this->x.data(), 0, QUANT_GPU_READ, 0},
                          this->written(this->y.data())}),
            "");
}

TYPED_TEST(DriverRuntime, LaunchesNothingWithoutBlocks) {
  EXPECT_EQ(
      this->launch({this->read(this->x.data()), this->written(this->y.data())},
                   /*blocks=*/0),
      "");
  EXPECT_EQ(this->mock->count(TypeParam::run), 0);
}

TYPED_TEST(DriverRuntime, AsksForSharedMemory) {
  int64_t bytes = TypeParam::sharedBytes;
  this->mock->kernels["add"] = [=](const MockLaunch &launch) {
    EXPECT_EQ(launch.sharedBytes, bytes);
  };
  auto buffers = {this->read(this->x.data()), this->written(this->y.data())};
  for (int run = 0; run < 2; ++run)
    ASSERT_EQ(this->launch(buffers, 2, bytes), "");
  // Of a driver that wants to know before.
  EXPECT_LE(this->mock->count("cuFuncSetAttribute"), 1);
  EXPECT_EQ(this->launch(buffers, 2, bytes + 16),
            "kernel 'add': expected at most " + std::to_string(bytes) +
                " bytes of shared memory, which " + TypeParam::deviceName +
                " has for a kernel, found " + std::to_string(bytes + 16) +
                ": compile with the --gpu-arch of this device");
}

TYPED_TEST(DriverRuntime, TellsOfTooManyBlocks) {
  int64_t most = TypeParam::mostBlocks;
  std::string message = this->launch(
      {this->read(this->x.data()), this->written(this->y.data())}, most + 1);
  EXPECT_NE(message.find("expected at most " + std::to_string(most) +
                         " x 65535 x 65535 blocks, found " +
                         std::to_string(most + 1) + " x 1 x 1"),
            std::string::npos)
      << message;
}

TYPED_TEST(DriverRuntime, TellsOfMissingKernels) {
  // A module without the kernel is not kept.
  std::string message =
      this->launch({this->read(this->x.data()), this->written(this->y.data())},
                   2, 0, "other");
  EXPECT_NE(message.find(std::string(TypeParam::find) +
                         " failed: " + TypeParam::notFound),
            std::string::npos)
      << message;
  EXPECT_EQ(this->kernel, nullptr);
}

TYPED_TEST(DriverRuntime, OutlivesEveryFailure) {
  // Each call of a launch fails once; what was made is freed, and the next
  // launch computes.
  for (const char *call : TypeParam::callsOfLaunch()) {
    SCOPED_TRACE(call);
    // Larger each time, so that memory has to be allocated.
    this->x.resize(2 * this->x.size(), 7);
    std::vector<int64_t> result(this->x.size());
    int64_t bytes = int64_t(8 * this->x.size());
    std::vector<QuantGpuBuffer> buffers = {
        {this->x.data(), bytes, QUANT_GPU_READ, 1},
        {result.data(), bytes, QUANT_GPU_WRITE, 0}};
    int64_t blocks = int64_t(this->x.size()) / 32,
            shared = TypeParam::sharedBytes / 2;
    this->mock->failing = {{call, 700}};
    std::string message = this->launch(buffers, blocks, shared);
    EXPECT_EQ(message.substr(0, message.find(':')), "kernel 'add'");
    EXPECT_NE(message.find(std::string(call) +
                           " failed: " + TypeParam::illegalAddress +
                           " (700), an illegal memory access was encountered; "
                           "a kernel did what it must not"),
              std::string::npos)
        << message;
    this->mock->failing.clear();
    ASSERT_EQ(this->launch(buffers, blocks, shared), "");
    EXPECT_EQ(result, std::vector<int64_t>(this->x.size(), 12));
    TypeParam::release(&this->kernel);
  }
}

TYPED_TEST(DriverRuntime, GivesUpWhatItKeepsWhereMemoryIsShort) {
  std::vector<int64_t> large(8192, 7), result(8192);
  QuantGpuBuffer from = {large.data(), 65536, QUANT_GPU_READ, 0},
                 to = {result.data(), 65536, QUANT_GPU_WRITE, 0};
  ASSERT_EQ(this->launch({from, to}, 256), "");
  std::vector<int64_t> other(20000, 7);
  QuantGpuBuffer larger = {other.data(), 160000, QUANT_GPU_WRITE, 0};
  this->mock->memoryLimit = 350000;
  EXPECT_EQ(this->launch({from, larger}, 256), "");
  this->mock->memoryLimit = 1000;
  std::vector<int64_t> most(100000);
  std::string message =
      this->launch({from, {most.data(), 800000, QUANT_GPU_WRITE, 0}}, 256);
  EXPECT_NE(message.find(std::string(TypeParam::allocateDevice) +
                         " failed: " + TypeParam::outOfMemory +
                         " (2), out of memory; free memory of the device"),
            std::string::npos)
      << message;
  // The arena may lie with the host then.
  void *arena = TypeParam::allocate(64, 4096);
  ASSERT_TRUE(arena);
  std::memset(arena, 7, 4096);
  TypeParam::free(arena);
}

TYPED_TEST(DriverRuntime, IsCalledByManyThreads) {
  std::vector<std::thread> threads;
  std::vector<std::vector<int64_t>> results(4, std::vector<int64_t>(64));
  std::vector<void *> kernels(4);
  for (size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      int64_t shape[] = {2, 1, 1, 32, 1, 1, 0, 0}, number = 5;
      QuantGpuBuffer buffers[] = {this->read(this->x.data()),
                                  this->written(results[i].data())};
      for (int run = 0; run < 50; ++run)
        EXPECT_EQ(TypeParam::launch(&kernels[i], this->binary.data(),
                                    int64_t(this->binary.size()), "add", shape,
                                    2, buffers, 1, &number),
                  nullptr);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(results[i], this->sums);
    TypeParam::release(&kernels[i]);
  }
}

TEST_F(CudaRuntime, TellsOfBadBinaries) {
  binary = "no PTX";
  std::string message = launch({read(x.data()), written(y.data())});
  EXPECT_EQ(message.substr(0, message.find(';')),
            "kernel 'add': cuModuleLoadDataEx failed: CUDA_ERROR_INVALID_PTX "
            "(218), a PTX JIT compilation failed");
  EXPECT_NE(message.find("the driver's assembler says: line 1; expected PTX"),
            std::string::npos);
  EXPECT_EQ(kernel, nullptr);
}

TEST_F(HipRuntime, TellsOfBadBinaries) {
  binary.assign(256, 'x');
  EXPECT_EQ(launch({read(x.data()), written(y.data())}),
            "kernel 'add': hipModuleLoadData failed: hipErrorInvalidImage "
            "(200), device kernel image is invalid; the kernel was made for "
            "another GPU: compile with the --gpu-arch of this one");
  EXPECT_EQ(kernel, nullptr);
}
