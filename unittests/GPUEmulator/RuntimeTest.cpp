//===- RuntimeTest.cpp - Launches through the emulator's run time ---------===//

#include "quant-mlir/GPUEmulator/Runtime.h"

#include "gtest/gtest.h"

#include <cstring>
#include <string>
#include <vector>

/// y[i] = x[i] + number, of blocks of 32.
static const char *const text = R"(
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
define ptx_kernel void @add(ptr addrspace(1) %x, ptr addrspace(1) %y, i64 %n) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %f = mul i32 %b, 32
  %i = add i32 %f, %t
  %p = getelementptr i64, ptr addrspace(1) %x, i32 %i
  %v = load i64, ptr addrspace(1) %p
  %s = add i64 %v, %n
  %q = getelementptr i64, ptr addrspace(1) %y, i32 %i
  store i64 %s, ptr addrspace(1) %q
  ret void
}
)";

namespace {
struct EmulatorRuntime : public testing::Test {
  /// Null, or what went wrong.
  const char *launch(std::vector<QuantGpuBuffer> buffers, int64_t blocks = 2) {
    int64_t shape[] = {blocks, 1, 1, 32, 1, 1, 0};
    int64_t number = 5;
    return quant_emulator_launch(&kernel, text, std::strlen(text), "add", shape,
                                 buffers.size(), buffers.data(), 1, &number);
  }
  void TearDown() override {
    quant_emulator_release(&kernel);
    EXPECT_EQ(kernel, nullptr);
  }

  void *kernel = nullptr;
  std::vector<int64_t> x = std::vector<int64_t>(64, 7);
  std::vector<int64_t> y = std::vector<int64_t>(64);
};
} // namespace

TEST_F(EmulatorRuntime, PassesBuffersThenNumbers) {
  for (int run = 0; run < 2; ++run) {
    ASSERT_EQ(launch({{x.data(), 512, QUANT_GPU_READ, 0},
                      {y.data(), 512, QUANT_GPU_WRITE, 0}}),
              nullptr);
    EXPECT_EQ(y, std::vector<int64_t>(64, 12));
  }
}

TEST_F(EmulatorRuntime, KeepsToWhatALaunchSaysOfItsBuffers) {
  const char *message = launch(
      {{x.data(), 512, QUANT_GPU_READ, 0}, {y.data(), 512, QUANT_GPU_READ, 0}});
  ASSERT_NE(message, nullptr);
  EXPECT_NE(std::string(message).find("buffer 1 is to be read only"),
            std::string::npos)
      << message;
  // The same memory, read as one operand and written as another.
  EXPECT_EQ(launch({{x.data(), 512, QUANT_GPU_READ, 0},
                    {x.data(), 512, QUANT_GPU_WRITE, 0}}),
            nullptr);
  EXPECT_EQ(x, std::vector<int64_t>(64, 12));
}

TEST_F(EmulatorRuntime, MemoryIsAligned) {
  void *data = quant_emulator_alloc(64, 100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u);
  quant_emulator_free(data);
}
