//===- SectionMemoryTest.cpp - Memory that compiled code lies in ----------===//

#include "../../lib/Execution/SectionMemory.h"

#include "llvm/Support/Compiler.h"
#include "gtest/gtest.h"

#include <cstring>

using namespace quant_mlir;
using llvm::SectionMemoryManager;
using llvm::sys::Memory;
using llvm::sys::MemoryBlock;

namespace {

MemoryBlock allocate(SectionMemoryManager::AllocationPurpose purpose,
                     size_t bytes, const MemoryBlock *near = nullptr) {
  std::error_code code;
  MemoryBlock block = getSectionMemory().allocateMappedMemory(
      purpose, bytes, near, Memory::MF_READ | Memory::MF_WRITE, code);
  EXPECT_FALSE(code) << code.message();
  EXPECT_GE(block.allocatedSize(), bytes);
  return block;
}

bool isAtLargePage(const MemoryBlock &block) {
  return reinterpret_cast<uintptr_t>(block.base()) % largePage == 0;
}

#if defined(__linux__)
TEST(SectionMemoryTest, LargeDataBeginsAtALargePageNearCode) {
#if LLVM_ADDRESS_SANITIZER_BUILD
  GTEST_SKIP() << "AddressSanitizer's own memory is near code";
#endif
  MemoryBlock code =
      allocate(SectionMemoryManager::AllocationPurpose::Code, 4096);
  MemoryBlock data = allocate(SectionMemoryManager::AllocationPurpose::ROData,
                              2 * largePage + 5, &code);
  EXPECT_TRUE(isAtLargePage(data));
  // What is read relative to an instruction is within 2 GiB of it.
  EXPECT_LT(std::abs(static_cast<char *>(data.base()) -
                     static_cast<char *>(code.base())),
            int64_t(1) << 31);
  std::memset(data.base(), 7, 2 * largePage + 5);
  EXPECT_FALSE(getSectionMemory().protectMappedMemory(data, Memory::MF_READ));
  EXPECT_EQ(static_cast<char *>(data.base())[2 * largePage + 4], 7);
  EXPECT_FALSE(getSectionMemory().releaseMappedMemory(data));
  EXPECT_FALSE(getSectionMemory().releaseMappedMemory(code));
}
#endif

TEST(SectionMemoryTest, SmallSectionsAreNotRoundedUp) {
  MemoryBlock block =
      allocate(SectionMemoryManager::AllocationPurpose::ROData, 4096);
  EXPECT_LT(block.allocatedSize(), largePage);
  EXPECT_FALSE(getSectionMemory().releaseMappedMemory(block));
}

} // namespace
