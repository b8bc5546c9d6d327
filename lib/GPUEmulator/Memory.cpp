//===- Memory.cpp - Memory of a launch and what is known of it ------------===//

#include "Memory.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <sys/mman.h>

using namespace quant_mlir;
using namespace quant_mlir::emulator;

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

SharedMemory::SharedMemory() {
  auto map = [](uint64_t hint, size_t size) -> char * {
    void *result =
        mmap(reinterpret_cast<void *>(hint), size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return result == MAP_FAILED ? nullptr : static_cast<char *>(result);
  };
  // A hint, which the system may not follow: look for a free place.
  for (uint64_t hint = 1 << 28; hint < (uint64_t(3) << 30); hint += capacity) {
    data = map(hint, capacity);
    if (data && reinterpret_cast<uint64_t>(data) == hint)
      return;
    if (data)
      munmap(data, capacity);
  }
  llvm::report_fatal_error("no memory below 4 GB for shared variables");
}

SharedMemory::~SharedMemory() { munmap(data, capacity); }

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

void Memory::beginLaunch(llvm::ArrayRef<EmulatedBuffer> buffers,
                         size_t sharedBytes) {
  this->buffers.assign(buffers.begin(), buffers.end());
  this->sharedBytes = sharedBytes;
}

void Memory::beginBlock(uint64_t number) {
  std::fill(bytes.begin(), bytes.begin() + sharedBytes, Byte());
  fences.assign(1024, 0);
  // What earlier blocks and kernels left.
  uint64_t state = number * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D;
  for (size_t i = 0; i < sharedBytes; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    shared.getData()[i] = state >> 56;
  }
}

bool Memory::isOrdered(const Accessor &who, uint16_t lane, uint16_t warp,
                       const Moment &when) {
  return lane == nobody || lane == who.lane || when.block < who.now.block ||
         (warp == who.warp && when.warp < who.now.warp);
}

std::string Memory::describe(const Accessor &who, uint64_t address,
                             const char *does, uint16_t other,
                             const char *did) const {
  std::string lane = other == several ? std::string("other lanes")
                                      : "lane " + std::to_string(other);
  return std::string(does) + " byte " +
         std::to_string(address - shared.getBase()) +
         " of shared memory, which " + lane + " " + did;
}

std::string Memory::checkBounds(uint64_t address, size_t size,
                                bool isWrite) const {
  const char *does = isWrite ? "writes" : "reads";
  if (isShared(address)) {
    if (address + size <= shared.getBase() + sharedBytes)
      return "";
    return std::string(does) + " byte " +
           std::to_string(address + size - 1 - shared.getBase()) +
           " of shared memory, of which there are " +
           std::to_string(sharedBytes);
  }
  // What the access missed by the fewest bytes, of a page at most.
  std::string nearest;
  uint64_t least = 4096;
  for (auto [number, buffer] : llvm::enumerate(buffers)) {
    auto begin = reinterpret_cast<uint64_t>(buffer.data);
    if (address >= begin && address + size <= begin + buffer.bytes) {
      if (!isWrite || buffer.isWritable)
        return "";
      // The same memory may be another buffer's too.
      nearest = ": buffer " + std::to_string(number) + " is to be read only";
      least = 0;
      continue;
    }
    uint64_t end = begin + buffer.bytes;
    uint64_t missed = address + size <= begin ? begin - (address + size)
                      : address >= end        ? address - end
                                              : 0;
    if (missed < least) {
      least = missed;
      nearest = ": buffer " + std::to_string(number) + " has " +
                std::to_string(buffer.bytes) + " bytes, and this is byte " +
                std::to_string(int64_t(address - begin));
    }
  }
  return std::string(does) + " " + std::to_string(size) +
         " bytes that belong to no buffer" + nearest;
}

std::string Memory::read(const Accessor &who, uint64_t address, size_t size) {
  if (std::string error = checkBounds(address, size, /*isWrite=*/false);
      !error.empty() || !isShared(address))
    return error;
  for (uint64_t at = address; at < address + size; ++at) {
    Byte &byte = bytes[at - shared.getBase()];
    if (byte.copier != nobody)
      return describe(who, at, "reads", byte.copier,
                      "copies to and has not waited for");
    if (!isOrdered(who, byte.writer, byte.writerWarp, byte.written))
      return describe(who, at, "reads", byte.writer,
                      "wrote with no barrier between");
    markRead(who, byte);
  }
  return "";
}

/// Who read it since the last barrier: one lane, one warp or several.
void Memory::markRead(const Accessor &who, Byte &byte) {
  bool isOld = byte.read.block < who.now.block || byte.reader == nobody;
  byte.reader = isOld || byte.reader == who.lane ? who.lane : several;
  byte.readerWarp = isOld || byte.readerWarp == who.warp ? who.warp : several;
  byte.read = who.now;
}

void Memory::markWritten(const Accessor &who, Byte &byte) {
  byte.writer = who.lane;
  byte.writerWarp = who.warp;
  byte.written = who.now;
  byte.writerFence = fences[who.lane];
}

std::string Memory::write(const Accessor &who, uint64_t address, size_t size) {
  if (std::string error = checkBounds(address, size, /*isWrite=*/true);
      !error.empty() || !isShared(address))
    return error;
  for (uint64_t at = address; at < address + size; ++at) {
    Byte &byte = bytes[at - shared.getBase()];
    if (byte.copier != nobody)
      return describe(who, at, "writes", byte.copier,
                      "copies to and has not waited for");
    if (byte.products != 0)
      return describe(who, at, "writes", byte.reader,
                      "multiplies and has not waited for");
    if (!isOrdered(who, byte.writer, byte.writerWarp, byte.written))
      return describe(who, at, "writes", byte.writer,
                      "wrote with no barrier between");
    if (!isOrdered(who, byte.reader, byte.readerWarp, byte.read))
      return describe(who, at, "writes", byte.reader,
                      "read with no barrier between");
    markWritten(who, byte);
  }
  return "";
}

std::string Memory::beginCopy(const Accessor &who, uint64_t address,
                              size_t size) {
  if (std::string error = write(who, address, size); !error.empty())
    return error;
  for (uint64_t at = address; at < address + size; ++at)
    bytes[at - shared.getBase()].copier = who.lane;
  return "";
}

void Memory::finishCopy(const Accessor &who, uint64_t address, size_t size) {
  for (uint64_t at = address; at < address + size; ++at) {
    Byte &byte = bytes[at - shared.getBase()];
    byte.copier = nobody;
    markWritten(who, byte);
  }
}

std::string Memory::beginProduct(const Accessor &who, uint64_t address,
                                 size_t size) {
  if (std::string error = read(who, address, size); !error.empty())
    return error;
  if (!isShared(address))
    return "multiplies bytes that are not in shared memory";
  for (uint64_t at = address; at < address + size; ++at) {
    Byte &byte = bytes[at - shared.getBase()];
    if (byte.writer != nobody && byte.writerFence == fences[byte.writer])
      return describe(who, at, "multiplies", byte.writer,
                      "wrote with no fence.proxy.async behind it");
    ++byte.products;
  }
  return "";
}

void Memory::finishProduct(const Accessor &who, uint64_t address, size_t size) {
  for (uint64_t at = address; at < address + size; ++at) {
    Byte &byte = bytes[at - shared.getBase()];
    --byte.products;
    markRead(who, byte);
  }
}

//===----------------------------------------------------------------------===//
// Banks
//===----------------------------------------------------------------------===//

unsigned
quant_mlir::emulator::countBankConflicts(llvm::ArrayRef<uint64_t> addresses,
                                         size_t size) {
  // 32 banks of 4 bytes: one pass is at most 128 bytes, of lanes in their
  // order.
  constexpr unsigned numBanks = 32;
  size_t lanes = std::max<size_t>(128 / std::max<size_t>(size, 4), 1);
  unsigned conflicts = 0;
  for (size_t first = 0; first < addresses.size(); first += lanes) {
    llvm::SmallSet<uint64_t, 4> words[numBanks];
    size_t most = 0;
    for (uint64_t address :
         addresses.slice(first, std::min(lanes, addresses.size() - first))) {
      if (address == 0)
        continue;
      for (uint64_t word = address / 4; word <= (address + size - 1) / 4;
           ++word) {
        auto &inBank = words[word % numBanks];
        inBank.insert(word);
        most = std::max<size_t>(most, inBank.size());
      }
    }
    conflicts += most > 1 ? most - 1 : 0;
  }
  return conflicts;
}
