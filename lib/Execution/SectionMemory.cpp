//===- SectionMemory.cpp - Memory that compiled code lies in --------------===//
//
// Weights are constants in sections of what was compiled. Where a matrix is
// multiplied by one row, they are read once from memory, and with pages of 4
// KiB the processor waits for their addresses a fifth of the time. So large
// sections of data begin at a large page and ask Linux for those; elsewhere,
// and where the system refuses, pages are as they were.
//
//===----------------------------------------------------------------------===//

#include "SectionMemory.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

#if defined(__linux__)
#include <sys/mman.h>
#endif

using namespace quant_mlir;
using llvm::SectionMemoryManager;
using llvm::sys::Memory;
using llvm::sys::MemoryBlock;

#if defined(__linux__)
/// Readable and writable, behind `near` or before it, so that instructions
/// reach it; null if that is not to be had.
static void *mapNear(size_t bytes, const MemoryBlock *near) {
  auto map = [&](char *hint) {
    return mmap(hint, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  if (!near) {
    void *found = map(nullptr);
    return found == MAP_FAILED ? nullptr : found;
  }
  constexpr int64_t reach = int64_t(1) << 31;
  char *code = static_cast<char *>(near->base());
  for (char *hint : {code + near->allocatedSize(), code - bytes}) {
    void *found = map(hint);
    if (found == MAP_FAILED)
      return nullptr;
    char *first = static_cast<char *>(found);
    if (std::max(first + bytes, code + near->allocatedSize()) -
            std::min(first, code) <
        reach)
      return found;
    munmap(found, bytes);
  }
  return nullptr;
}

/// From a large page's first byte on; null without memory. `near`: where code
/// expects it, if anywhere.
static void *mapLargePages(size_t bytes, const MemoryBlock *near) {
  size_t reserved = bytes + largePage;
  void *found = mapNear(reserved, near);
  if (!found)
    return nullptr;
  // What lies before and behind goes back.
  char *begin = static_cast<char *>(found);
  char *first = reinterpret_cast<char *>(
      llvm::alignTo(reinterpret_cast<uintptr_t>(begin), largePage));
  if (first != begin)
    munmap(begin, first - begin);
  if (char *last = first + bytes; last != begin + reserved)
    munmap(last, begin + reserved - last);
  // A refusal leaves small pages.
  (void)madvise(first, bytes, MADV_HUGEPAGE);
  return first;
}
#endif

namespace {
class SectionMemory : public SectionMemoryManager::MemoryMapper {
public:
  MemoryBlock
  allocateMappedMemory(SectionMemoryManager::AllocationPurpose purpose,
                       size_t bytes, const MemoryBlock *const near,
                       unsigned flags, std::error_code &code) override {
#if defined(__linux__)
    if (purpose != SectionMemoryManager::AllocationPurpose::Code &&
        bytes >= largePage) {
      size_t size = llvm::alignTo(bytes, largePage);
      if (void *base = mapLargePages(size, near)) {
        code = std::error_code();
        return MemoryBlock(base, size);
      }
    }
#endif
    return Memory::allocateMappedMemory(bytes, near, flags, code);
  }

  std::error_code protectMappedMemory(const MemoryBlock &block,
                                      unsigned flags) override {
    return Memory::protectMappedMemory(block, flags);
  }

  std::error_code releaseMappedMemory(MemoryBlock &block) override {
    return Memory::releaseMappedMemory(block);
  }
};
} // namespace

SectionMemoryManager::MemoryMapper &quant_mlir::getSectionMemory() {
  static SectionMemory memory;
  return memory;
}
