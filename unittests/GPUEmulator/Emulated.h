//===- Emulated.h - Kernels in tests of the emulator ------------*- C++ -*-===//

#ifndef QUANT_MLIR_UNITTESTS_GPUEMULATOR_EMULATED_H
#define QUANT_MLIR_UNITTESTS_GPUEMULATOR_EMULATED_H

#include "quant-mlir/GPUEmulator/GPUEmulator.h"

#include "gtest/gtest.h"

#include <random>
#include <string>
#include <vector>

namespace quant_mlir::test {

/// One kernel, `k`, of pointers to buffers.
class Emulated {
public:
  explicit Emulated(const std::string &text, unsigned warpSize = 0) {
    auto created = GPUEmulator::create(text, warpSize);
    if (created)
      emulator = std::move(*created);
    else
      createError = llvm::toString(created.takeError());
  }

  template <typename T> Emulated &add(std::vector<T> &buffer) {
    return add(buffer.data(), buffer.size());
  }

  template <typename T> Emulated &add(T *data, size_t size) {
    addresses.push_back(data);
    buffers.push_back({data, size * sizeof(T), true});
    return *this;
  }

  /// What was wrong, or an empty string.
  std::string run(EmulatedSize grid, EmulatedSize block, uint64_t seed = 0,
                  size_t sharedBytes = 0) {
    if (!emulator)
      return createError;
    std::vector<void *> parameters;
    for (void *&address : addresses)
      parameters.push_back(&address);
    EmulatedLaunch launch;
    launch.grid = grid;
    launch.block = block;
    launch.parameters = parameters;
    launch.buffers = buffers;
    launch.seed = seed;
    launch.dynamicSharedBytes = sharedBytes;
    return llvm::toString(emulator->launch("k", launch));
  }

  const EmulatedCounts &getCounts() const { return emulator->getCounts(); }

private:
  std::unique_ptr<GPUEmulator> emulator;
  std::string createError;
  std::vector<void *> addresses;
  std::vector<EmulatedBuffer> buffers;
};

/// `text` with every `from` in it replaced.
inline std::string replaced(std::string text, const std::string &from,
                            const std::string &to) {
  bool isFound = false;
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size()) {
    text.replace(at, from.size(), to);
    isFound = true;
  }
  EXPECT_TRUE(isFound) << from;
  return text;
}

template <typename T>
std::vector<T> getRandom(size_t count, int low, int high, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> distribution(low, high);
  std::vector<T> values(count);
  for (T &value : values)
    value = T(distribution(random));
  return values;
}

} // namespace quant_mlir::test

#endif // QUANT_MLIR_UNITTESTS_GPUEMULATOR_EMULATED_H
