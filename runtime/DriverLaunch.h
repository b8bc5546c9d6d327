//===- DriverLaunch.h - Launches through a vendor's driver ------*- C++ -*-===//
//
// What runtime/cuda and runtime/hip do alike: quant-mlir-runtime/GPU.h, given a
// driver. One launch at a time: a lock around each, and each waits for its
// results. What `allocate` gives is memory that the driver keeps where it is
// used; constants are on the device from the first launch on.
//
// A `Device` has the types Block (`address`, `bytes`), Address, Module,
// Function, Error (which it throws) and Scope (while one lives, the device is
// that of this thread), and the functions that are called here.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_DRIVERLAUNCH_H
#define QUANT_MLIR_RUNTIME_DRIVERLAUNCH_H

#include "DeviceEntry.h"
#include "Staging.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace quant_mlir {

/// The device, and what lies in its memory.
template <typename Device> struct DriverRuntime {
  using Block = typename Device::Block;

  Device device;
  /// What `allocate` gave: bytes by address.
  std::map<char *, int64_t> shared;
  /// For copies of the host's buffers.
  BlockPool<Block> spare;

  Block take(int64_t bytes) {
    auto allocate = [&](int64_t size) { return device.allocate(size); };
    try {
      return spare.take(bytes, allocate);
    } catch (const typename Device::Error &) {
      // What is kept for other sizes may be what lacks.
      spare.clear([&](const Block &block) { device.free(block); });
      return spare.take(bytes, allocate);
    }
  }

  void finish() {
    typename Device::Scope scope(device);
    device.synchronize();
  }

  /// Whether a kernel reaches `buffer` where it lies.
  bool reaches(const QuantGpuBuffer &buffer) const {
    char *data = static_cast<char *>(buffer.data);
    auto found = shared.upper_bound(data);
    if (found == shared.begin())
      return false;
    auto [begin, bytes] = *std::prev(found);
    return data - begin + buffer.bytes <= bytes;
  }
};

/// Pieces of the host's memory that a launch uses, copied to blocks.
template <typename Device>
class DriverCopies : public HostPieces<typename Device::Block> {
public:
  using Piece = typename HostPieces<typename Device::Block>::Piece;

  explicit DriverCopies(DriverRuntime<Device> &runtime) : runtime(runtime) {}
  ~DriverCopies() {
    for (Piece &piece : this->pieces)
      if (piece.block.address)
        runtime.spare.giveBack(piece.block);
  }

  void copyIn() {
    for (Piece &piece : this->pieces) {
      piece.block = runtime.take(piece.bytes());
      // Also what is written: a kernel may write parts of a buffer.
      runtime.device.copyIn(piece.block.address, piece.begin, piece.bytes());
    }
  }
  /// Whether there was anything to copy.
  bool copyOut() {
    bool isAny = false;
    for (Piece &piece : this->pieces)
      if (piece.isWritten) {
        runtime.device.copyOut(piece.begin, piece.block.address, piece.bytes());
        isAny = true;
      }
    return isAny;
  }

  typename Device::Address place(const QuantGpuBuffer &buffer) const {
    const Piece &piece = this->find(buffer);
    return piece.block.address +
           static_cast<typename Device::Address>(
               static_cast<char *>(buffer.data) - piece.begin);
  }

private:
  DriverRuntime<Device> &runtime;
};

/// A module of one kernel, and its constants.
template <typename Device> class DriverKernel {
public:
  using Block = typename Device::Block;
  using Error = typename Device::Error;

  DriverKernel(DriverRuntime<Device> &runtime, const void *binary, int64_t size,
               const char *name)
      : runtime(runtime), device(runtime.device) {
    device.load(binary, size, name, module, function);
  }
  ~DriverKernel() {
    // Of a driver that has ended before us nothing is left to free.
    for (auto &[data, block] : constants)
      device.free(block);
    device.unload(module);
  }

  void launch(const int64_t *shape, int64_t numBuffers,
              const QuantGpuBuffer *buffers, int64_t numNumbers,
              const int64_t *numbers);

private:
  typename Device::Address placeConstant(const QuantGpuBuffer &buffer);
  void setSharedBytes(int64_t bytes);

  DriverRuntime<Device> &runtime;
  Device &device;
  typename Device::Module module = nullptr;
  typename Device::Function function = nullptr;
  int64_t sharedBytes = 48 << 10;    ///< that a launch may ask for
  std::map<void *, Block> constants; ///< by address
};

template <typename Device>
typename Device::Address
DriverKernel<Device>::placeConstant(const QuantGpuBuffer &buffer) {
  Block &block = constants[buffer.data];
  // A launch may see more of a constant than the one before it.
  if (block.bytes < buffer.bytes) {
    if (block.address)
      device.free(block);
    block = Block();
    Block made = device.allocate(buffer.bytes);
    try {
      device.copyIn(made.address, buffer.data, buffer.bytes);
    } catch (...) {
      device.free(made);
      throw;
    }
    block = made;
  }
  return block.address;
}

template <typename Device>
void DriverKernel<Device>::setSharedBytes(int64_t bytes) {
  if (bytes <= sharedBytes)
    return;
  if (bytes > device.getMaxSharedBytes())
    throw Error("expected at most " +
                std::to_string(device.getMaxSharedBytes()) +
                " bytes of shared memory, which " + device.getName() +
                " has for a kernel, found " + std::to_string(bytes) +
                ": compile with the --gpu-arch of this device");
  device.allowSharedBytes(function, bytes);
  sharedBytes = bytes;
}

template <typename Device>
void DriverKernel<Device>::launch(const int64_t *shape, int64_t numBuffers,
                                  const QuantGpuBuffer *buffers,
                                  int64_t numNumbers, const int64_t *numbers) {
  int64_t most = device.getMaxBlocks(shape[3] * shape[4] * shape[5]);
  if (shape[0] > most || shape[1] > 65535 || shape[2] > 65535)
    throw Error("expected at most " + std::to_string(most) +
                " x 65535 x 65535 blocks, found " + std::to_string(shape[0]) +
                " x " + std::to_string(shape[1]) + " x " +
                std::to_string(shape[2]) + ": run fewer entries at once");
  setSharedBytes(shape[6]);
  DriverCopies<Device> copies(runtime);
  // A parameter is a word: an address or a number.
  std::vector<uint64_t> words(static_cast<size_t>(numBuffers + numNumbers));
  std::vector<size_t> copied;
  for (size_t i = 0; i < static_cast<size_t>(numBuffers); ++i) {
    const QuantGpuBuffer &buffer = buffers[i];
    // Of a buffer without bytes nothing is read.
    if (buffer.bytes == 0)
      continue;
    if (runtime.reaches(buffer)) {
      words[i] = reinterpret_cast<uintptr_t>(buffer.data);
    } else if (buffer.is_constant && !(buffer.access & QUANT_GPU_WRITE)) {
      words[i] = placeConstant(buffer);
    } else {
      copies.add(buffer);
      copied.push_back(i);
    }
  }
  copies.copyIn();
  for (size_t i : copied)
    words[i] = copies.place(buffers[i]);
  std::copy(numbers, numbers + numNumbers, words.begin() + numBuffers);
  std::vector<void *> parameters;
  for (uint64_t &word : words)
    parameters.push_back(&word);
  device.launch(function, shape, parameters.data());
  // What the host has is copied in order, so only results have to be waited
  // for.
  if (copies.copyOut() || shape[7] == 0)
    device.synchronize();
}

/// The functions of quant-mlir-runtime/GPU.h.
template <typename Device> struct DriverLaunch {
  using Runtime = DriverRuntime<Device>;
  using Kernel = DriverKernel<Device>;
  using Scope = typename Device::Scope;
  using Entry = DeviceEntry<Runtime>;

  static const char *launch(void **kernel, const void *binary, int64_t size,
                            const char *name, const int64_t *shape,
                            int64_t numBuffers, const QuantGpuBuffer *buffers,
                            int64_t numNumbers, const int64_t *numbers) {
    return Entry::run(name, shape, [&](Runtime &runtime) {
      Scope scope(runtime.device);
      if (!*kernel)
        *kernel = new Kernel(runtime, binary, size, name);
      static_cast<Kernel *>(*kernel)->launch(shape, numBuffers, buffers,
                                             numNumbers, numbers);
    });
  }

  static void release(void **kernel) {
    std::lock_guard<std::mutex> guard(Entry::lock);
    auto *made = static_cast<Kernel *>(*kernel);
    *kernel = nullptr;
    if (!made)
      return;
    try {
      Scope scope(Entry::getRuntime()->device);
      delete made;
    } catch (const std::exception &) {
      // The driver has ended before us, and freed everything itself.
    }
  }

  static void *allocate(int64_t alignment, int64_t bytes) {
    return Entry::allocate(alignment, bytes, [&](Runtime &runtime) {
      Scope scope(runtime.device);
      int64_t size = std::max<int64_t>(bytes, 16);
      void *data = runtime.device.allocateShared(size);
      if (data)
        runtime.shared.emplace(static_cast<char *>(data), size);
      return data;
    });
  }

  static void free(void *data) {
    std::lock_guard<std::mutex> guard(Entry::lock);
    Runtime *runtime = Entry::getRuntime();
    if (!runtime || runtime->shared.erase(static_cast<char *>(data)) == 0)
      return std::free(data);
    try {
      Scope scope(runtime->device);
      runtime->device.freeShared(data);
    } catch (const std::exception &) {
      // As in release.
    }
  }

  static const char *getArch(const char **error) {
    return Entry::getName(error) ? Entry::getRuntime()->device.getArch()
                                 : nullptr;
  }
};

} // namespace quant_mlir

/// Defines what QUANT_DECLARE_GPU_RUNTIME(NAME) declares, but for what `DEVICE`
/// is.
#define QUANT_DEFINE_GPU_RUNTIME(NAME, DEVICE)                                 \
  extern "C" const char *quant_##NAME##_launch(                                \
      void **kernel, const void *binary, int64_t size, const char *name,       \
      const int64_t *shape, int64_t num_buffers,                               \
      const QuantGpuBuffer *buffers, int64_t num_numbers,                      \
      const int64_t *numbers) {                                                \
    return quant_mlir::DriverLaunch<DEVICE>::launch(                           \
        kernel, binary, size, name, shape, num_buffers, buffers, num_numbers,  \
        numbers);                                                              \
  }                                                                            \
  extern "C" void quant_##NAME##_release(void **kernel) {                      \
    quant_mlir::DriverLaunch<DEVICE>::release(kernel);                         \
  }                                                                            \
  extern "C" void *quant_##NAME##_alloc(int64_t alignment, int64_t bytes) {    \
    return quant_mlir::DriverLaunch<DEVICE>::allocate(alignment, bytes);       \
  }                                                                            \
  extern "C" void quant_##NAME##_free(void *data) {                            \
    quant_mlir::DriverLaunch<DEVICE>::free(data);                              \
  }                                                                            \
  extern "C" const char *quant_##NAME##_device(const char **error) {           \
    return quant_mlir::DriverLaunch<DEVICE>::Entry::getName(error);            \
  }                                                                            \
  extern "C" const char *quant_##NAME##_arch(const char **error) {             \
    return quant_mlir::DriverLaunch<DEVICE>::getArch(error);                   \
  }

#endif // QUANT_MLIR_RUNTIME_DRIVERLAUNCH_H
