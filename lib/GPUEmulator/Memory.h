//===- Memory.h - Memory of a launch and what is known of it ----*- C++ -*-===//
//
// Which buffers a kernel may use, and for each byte of shared memory who
// touched it last, so that accesses that nothing orders are found.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_MEMORY_H
#define QUANT_MLIR_LIB_GPUEMULATOR_MEMORY_H

#include "quant-mlir/GPUEmulator/GPUEmulator.h"

#include <string>
#include <vector>

namespace quant_mlir::emulator {

/// An address space of its own for a block's shared variables. It lies below
/// 4 GB where the system allows it, since kernels keep such addresses in 32
/// bits, and begins at a multiple of what a matrix descriptor can address.
class SharedMemory {
public:
  static constexpr size_t capacity = 256 << 10;

  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory &) = delete;
  SharedMemory &operator=(const SharedMemory &) = delete;

  uint64_t getBase() const { return reinterpret_cast<uint64_t>(data); }
  char *getData() const { return data; }

private:
  char *data = nullptr;
};

/// When an access happened: after how many barriers of the block, and after how
/// many points at which the lane's warp was in step.
struct Moment {
  uint32_t block = 0, warp = 0;
};

/// The lane that accesses memory.
struct Accessor {
  uint16_t lane = 0, warp = 0;
  Moment now;
};

class Memory {
public:
  explicit Memory(SharedMemory &shared)
      : shared(shared), bytes(shared.capacity) {}

  void beginLaunch(llvm::ArrayRef<EmulatedBuffer> buffers, size_t sharedBytes);
  /// Shared memory holds anything then.
  void beginBlock(uint64_t number);

  uint64_t getSharedBase() const { return shared.getBase(); }
  bool isShared(uint64_t address) const {
    return address - shared.getBase() < shared.capacity;
  }

  /// Each returns what is wrong with the access, or an empty string.
  std::string read(const Accessor &who, uint64_t address, size_t size);
  std::string write(const Accessor &who, uint64_t address, size_t size);
  /// Atomic operations race with nothing.
  std::string checkBounds(uint64_t address, size_t size, bool isWrite) const;
  /// From now to `finishCopy` nobody may touch these bytes.
  std::string beginCopy(const Accessor &who, uint64_t address, size_t size);
  void finishCopy(const Accessor &who, uint64_t address, size_t size);
  /// From now to `finishProduct` nobody may write these bytes, which an
  /// instruction reads beside those behind it. What lanes wrote has to be
  /// behind a fence of theirs for such instructions.
  std::string beginProduct(const Accessor &who, uint64_t address, size_t size);
  void finishProduct(const Accessor &who, uint64_t address, size_t size);
  /// fence.proxy.async of a lane.
  void fenceProxy(uint16_t lane) { ++fences[lane]; }

private:
  static constexpr uint16_t nobody = UINT16_MAX, several = UINT16_MAX - 1;
  struct Byte {
    Moment written, read;
    uint16_t writer = nobody, writerWarp = nobody;
    uint16_t reader = nobody, readerWarp = nobody;
    uint16_t copier = nobody;
    uint16_t products = 0;    ///< that read it
    uint32_t writerFence = 0; ///< fences of the writer before
  };
  void markRead(const Accessor &who, Byte &byte);
  void markWritten(const Accessor &who, Byte &byte);
  static bool isOrdered(const Accessor &who, uint16_t lane, uint16_t warp,
                        const Moment &when);
  std::string describe(const Accessor &who, uint64_t address, const char *does,
                       uint16_t other, const char *did) const;

  SharedMemory &shared;
  size_t sharedBytes = 0;
  std::vector<Byte> bytes;
  std::vector<uint32_t> fences; ///< fence.proxy.async, by lane
  std::vector<EmulatedBuffer> buffers;
};

/// How often the banks have to be asked for these accesses of a warp, less how
/// often they would have to be without conflicts. Addresses by lane, 0 for
/// lanes that do not access; `size` bytes each.
unsigned countBankConflicts(llvm::ArrayRef<uint64_t> addresses, size_t size);

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_MEMORY_H
