//===- Runtime.cpp - Launches that the emulator runs ----------------------===//

#include "quant-mlir/GPUEmulator/Runtime.h"

#include "quant-mlir/GPUEmulator/GPUEmulator.h"

#include "llvm/ADT/SmallVector.h"

#include <cstdlib>
#include <mutex>

using namespace quant_mlir;

/// Kernels run one at a time: lanes are fibers of one thread.
static std::mutex emulatorMutex;

const char *quant_emulator_launch(void **kernel, const void *binary,
                                  int64_t size, const char *name,
                                  const int64_t *shape, int64_t num_buffers,
                                  const QuantGpuBuffer *buffers,
                                  int64_t num_numbers, const int64_t *numbers) {
  static thread_local std::string message;
  std::lock_guard<std::mutex> lock(emulatorMutex);
  if (!*kernel) {
    auto created = GPUEmulator::create(
        llvm::StringRef(static_cast<const char *>(binary), size));
    if (!created) {
      message = llvm::toString(created.takeError());
      return message.c_str();
    }
    *kernel = created->release();
  }
  EmulatedLaunch launch;
  launch.grid = {uint32_t(shape[0]), uint32_t(shape[1]), uint32_t(shape[2])};
  launch.block = {uint32_t(shape[3]), uint32_t(shape[4]), uint32_t(shape[5])};
  launch.dynamicSharedBytes = size_t(shape[6]);
  llvm::SmallVector<EmulatedBuffer> memory;
  llvm::SmallVector<int64_t> words;
  for (int64_t i = 0; i < num_buffers; ++i) {
    memory.push_back({buffers[i].data, size_t(buffers[i].bytes),
                      (buffers[i].access & QUANT_GPU_WRITE) != 0});
    words.push_back(reinterpret_cast<int64_t>(buffers[i].data));
  }
  words.append(numbers, numbers + num_numbers);
  llvm::SmallVector<void *> parameters;
  for (int64_t &word : words)
    parameters.push_back(&word);
  launch.buffers = memory;
  launch.parameters = parameters;
  auto *emulator = static_cast<GPUEmulator *>(*kernel);
  if (llvm::Error error = emulator->launch(name, launch)) {
    message = llvm::toString(std::move(error));
    return message.c_str();
  }
  return nullptr;
}

void quant_emulator_release(void **kernel) {
  delete static_cast<GPUEmulator *>(*kernel);
  *kernel = nullptr;
}

void *quant_emulator_alloc(int64_t alignment, int64_t bytes) {
  size_t step = std::max<size_t>(alignment, sizeof(void *));
  return std::aligned_alloc(step, (size_t(bytes) + step - 1) / step * step);
}

void quant_emulator_free(void *data) { std::free(data); }
