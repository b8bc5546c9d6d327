//===- Block.h - The lanes of a block and how they meet ---------*- C++ -*-===//
//
// Lanes are fibers of one thread. A lane runs until it has to wait for others
// or ends; then another one does. What several lanes execute together is done
// by the last one that arrives.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_BLOCK_H
#define QUANT_MLIR_LIB_GPUEMULATOR_BLOCK_H

#include "Instructions.h"
#include "Memory.h"

#include "quant-mlir/GPUEmulator/GPUEmulator.h"

#include "llvm/ADT/DenseMap.h"

#include <deque>
#include <map>
#include <random>
#include <ucontext.h>

namespace quant_mlir::emulator {

/// Part of memory that cp.async fills when it is waited for.
struct AsyncCopy {
  uint64_t to = 0, from = 0;
  size_t bytes = 0, fromBytes = 0; ///< zeros behind fromBytes
};

/// wgmma.mma_async, whose results are there when it is waited for.
struct AsyncProduct {
  unsigned site = 0;
  std::vector<uint64_t> chunks; ///< of shared memory, that it reads
  static constexpr size_t chunkBytes = 16;
};

/// Those of a warp.
struct AsyncProducts {
  std::vector<AsyncProduct> open;
  std::deque<std::vector<AsyncProduct>> groups;
  /// Whether wgmma.fence stands behind the last wait, since when registers of
  /// sums may have been used.
  bool isFenced = false;
};

struct Lane {
  enum class State { Ready, Waiting, Done };

  uint32_t number = 0;
  EmulatedSize position{0, 0, 0};
  State state = State::Ready;
  const Site *waitsAt = nullptr;
  ucontext_t context;
  std::vector<AsyncCopy> openCopies;
  std::deque<std::vector<AsyncCopy>> copyGroups;
};

/// The memory of fibers' stacks, used again by every block.
class Stacks {
public:
  static constexpr size_t size = 256 << 10;
  ~Stacks();
  void *get(unsigned number);

private:
  std::vector<void *> stacks;
};

class Block {
public:
  using Kernel = void (*)(void *const *parameters);

  Block(Memory &memory, Stacks &stacks, EmulatedCounts &counts,
        const EmulatedLaunch &launch, unsigned warpSize, bool isLockstep)
      : memory(memory), stacks(stacks), counts(counts), launch(launch),
        warpSize(warpSize), isLockstep(isLockstep), random(launch.seed) {}

  /// Runs all lanes to their end; what went wrong, or an empty string.
  std::string run(Kernel kernel, EmulatedSize position);

  // What instructions and compiled code call, on the fiber of a lane.

  /// The block that runs on this thread.
  static Block &getCurrent();
  void call(const Site &site, char *scratch);
  void access(uint64_t address, uint64_t size, uint32_t alignment, bool isWrite,
              bool isAtomic, uint32_t site);
  /// Ends the launch with a message about the lane that runs.
  [[noreturn]] void fail(const std::string &message);

  /// Checks of an instruction that accesses memory for lane `number`.
  void checkRead(unsigned number, uint64_t address, size_t size,
                 size_t alignment);
  void checkWrite(unsigned number, uint64_t address, size_t size,
                  size_t alignment);
  void startCopy(Lane &lane, const AsyncCopy &copy, uint32_t site);
  /// Finishes all but the newest `left` groups of copies.
  void finishCopies(Lane &lane, size_t left);
  /// Products of the warp whose first lane is `first`.
  void startProduct(unsigned first, AsyncProduct product);
  void commitProducts(unsigned first);
  /// Finishes all but the newest `left` groups of them.
  void finishProducts(unsigned first, size_t left);
  void fenceProducts(unsigned first) {
    products[first / warpSize].isFenced = true;
  }
  /// Fails where a product of one of these sites is not finished: the lane uses
  /// its results.
  void checkResults(llvm::ArrayRef<unsigned> sites);
  void countShared(llvm::ArrayRef<uint64_t> addresses, size_t size);

  const EmulatedLaunch &getLaunch() const { return launch; }
  EmulatedSize getPosition() const { return position; }
  unsigned getWarpSize() const { return warpSize; }
  Lane &getLane(unsigned number) { return lanes[number]; }
  Memory &getMemory() { return memory; }

private:
  struct Meeting {
    const Site *site = nullptr;
    uint64_t expected = 0, arrived = 0; ///< lanes of a warp, as bits
    std::vector<Call> calls;
  };
  struct Barrier {
    unsigned arrived = 0;
    std::vector<const Site *> sites; ///< by warp
  };

  static void enter(unsigned low, unsigned high);
  void wait(const Site &site);
  void meetWarp(const Site &site, const Call &call);
  void meetBlock(const Site &site, const Call &call);
  Accessor getAccessor(unsigned number) const;
  /// An access to shared memory by one lane, for counting conflicts of banks.
  void gather(uint32_t site, uint64_t address, size_t size);
  void settleGathered();
  std::string describeWaiting() const;
  unsigned chooseReady();

  Memory &memory;
  Stacks &stacks;
  EmulatedCounts &counts;
  const EmulatedLaunch &launch;
  unsigned warpSize;
  bool isLockstep; ///< lanes of a warp see each other's accesses in order
  std::mt19937_64 random;

  Kernel kernel = nullptr;
  EmulatedSize position;
  std::vector<Lane> lanes;
  std::vector<unsigned> ready;
  size_t nextReady = 0;
  Lane *current = nullptr;
  ucontext_t scheduler;
  std::string error;
  uint32_t blockMoment = 0;
  std::vector<uint32_t> warpMoments;
  std::vector<AsyncProducts> products;        ///< by warp
  std::vector<std::vector<Meeting>> meetings; ///< by warp
  std::map<uint32_t, Barrier> barriers;
  /// Accesses of a warp by site and by how often a lane was there before.
  struct Gathered {
    std::vector<uint64_t> addresses;
    unsigned arrived = 0;
    size_t size = 0;
  };
  std::map<std::tuple<unsigned, uint32_t, uint32_t>, Gathered> gathered;
  std::vector<llvm::DenseMap<uint32_t, uint32_t>> visits; ///< by lane
};

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_BLOCK_H
