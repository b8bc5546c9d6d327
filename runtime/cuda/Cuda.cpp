//===- Cuda.cpp - Launches through NVIDIA's driver ------------------------===//
//
// quant-mlir-runtime/GPU.h. One launch at a time: a lock around each, and each
// waits for its results. What quant_cuda_alloc gives is managed memory, which
// stays with the device until the host looks at it; constants are on the device
// from the first launch on.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir-runtime/GPU.h"

#include "../DeviceEntry.h"
#include "../Staging.h"
#include "Driver.h"

#include <cstdlib>
#include <map>
#include <vector>

using namespace quant_mlir;
using namespace quant_mlir::cuda;

#define CHECK(device, member, name, ...)                                       \
  (device).check((device).member(__VA_ARGS__), name)

namespace {

/// The device, and what lies in its memory.
struct Runtime {
  Device device;
  /// What quant_cuda_alloc gave: bytes by address.
  std::map<char *, int64_t> shared;
  /// For copies of the host's buffers.
  BlockPool<Block> spare;

  Block take(int64_t bytes);
  /// Whether a kernel reaches `buffer` where it lies.
  bool reaches(const QuantGpuBuffer &buffer) const;
  void copyIn(Address to, const void *from, int64_t bytes) {
    CHECK(device, copyToDevice, "cuMemcpyHtoDAsync", to, from,
          static_cast<size_t>(bytes), device.getStream());
  }
  void synchronize() {
    CHECK(device, streamSynchronize, "cuStreamSynchronize", device.getStream());
  }
};

Block Runtime::take(int64_t bytes) {
  auto allocate = [&](int64_t size) { return device.allocate(size); };
  try {
    return spare.take(bytes, allocate);
  } catch (const Error &) {
    // What is kept for other sizes may be what lacks.
    spare.clear([&](const Block &block) { device.free(block); });
    return spare.take(bytes, allocate);
  }
}

bool Runtime::reaches(const QuantGpuBuffer &buffer) const {
  char *data = static_cast<char *>(buffer.data);
  auto found = shared.upper_bound(data);
  if (found == shared.begin())
    return false;
  auto [begin, bytes] = *std::prev(found);
  return data - begin + buffer.bytes <= bytes;
}

/// Pieces of the host's memory that a launch uses, copied to blocks.
class Copies : public HostPieces<Block> {
public:
  explicit Copies(Runtime &runtime) : runtime(runtime) {}
  ~Copies() {
    for (Piece &piece : pieces)
      if (piece.block.address)
        runtime.spare.giveBack(piece.block);
  }

  void copyIn() {
    for (Piece &piece : pieces) {
      piece.block = runtime.take(piece.bytes());
      // Also what is written: a kernel may write parts of a buffer.
      runtime.copyIn(piece.block.address, piece.begin, piece.bytes());
    }
  }

  void copyOut() {
    for (Piece &piece : pieces)
      if (piece.isWritten)
        CHECK(runtime.device, copyToHost, "cuMemcpyDtoHAsync", piece.begin,
              piece.block.address, static_cast<size_t>(piece.bytes()),
              runtime.device.getStream());
  }

  Address place(const QuantGpuBuffer &buffer) const {
    const Piece &piece = find(buffer);
    return piece.block.address +
           static_cast<Address>(static_cast<char *>(buffer.data) - piece.begin);
  }

private:
  Runtime &runtime;
};

/// A module of one kernel, and its constants.
class Kernel {
public:
  Kernel(Runtime &runtime, const void *binary, int64_t size, const char *name);
  ~Kernel();

  void launch(const int64_t *shape, int64_t numBuffers,
              const QuantGpuBuffer *buffers, int64_t numNumbers,
              const int64_t *numbers);

private:
  Address placeConstant(const QuantGpuBuffer &buffer);
  void setSharedBytes(int64_t bytes);

  Runtime &runtime;
  Device &device;
  Module module = nullptr;
  Function function = nullptr;
  int64_t sharedBytes = 48 << 10;    ///< that a launch may ask for
  std::map<void *, Block> constants; ///< by address
};

Kernel::Kernel(Runtime &runtime, const void *binary, int64_t size,
               const char *name)
    : runtime(runtime), device(runtime.device) {
  // Text ends with a zero.
  std::string text(static_cast<const char *>(binary),
                   static_cast<size_t>(size));
  std::vector<char> log(8192);
  int options[] = {jitErrorLog, jitErrorLogBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  try {
    CHECK(device, moduleLoad, "cuModuleLoadDataEx", &module, text.c_str(), 2,
          options, values);
    CHECK(device, moduleGetFunction, "cuModuleGetFunction", &function, module,
          name);
  } catch (const Error &error) {
    if (module)
      device.moduleUnload(module);
    if (!log.front())
      throw;
    throw Error(std::string(error.what()) +
                "; the driver's assembler says: " + log.data());
  }
}

Kernel::~Kernel() {
  // Of a driver that has ended before us nothing is left to free.
  for (auto &[data, block] : constants)
    device.free(block);
  device.moduleUnload(module);
}

Address Kernel::placeConstant(const QuantGpuBuffer &buffer) {
  Block &block = constants[buffer.data];
  // A launch may see more of a constant than the one before it.
  if (block.bytes < buffer.bytes) {
    if (block.address)
      device.free(block);
    block = Block();
    Block made = device.allocate(buffer.bytes);
    try {
      runtime.copyIn(made.address, buffer.data, buffer.bytes);
    } catch (...) {
      device.free(made);
      throw;
    }
    block = made;
  }
  return block.address;
}

void Kernel::setSharedBytes(int64_t bytes) {
  if (bytes <= sharedBytes)
    return;
  if (bytes > device.getMaxSharedBytes())
    throw Error("expected at most " +
                std::to_string(device.getMaxSharedBytes()) +
                " bytes of shared memory, which " + device.getName() +
                " has for a kernel, found " + std::to_string(bytes) +
                ": compile with the --gpu-arch of this device");
  CHECK(device, functionSetAttribute, "cuFuncSetAttribute", function,
        functionDynamicSharedBytes, static_cast<int>(bytes));
  sharedBytes = bytes;
}

void Kernel::launch(const int64_t *shape, int64_t numBuffers,
                    const QuantGpuBuffer *buffers, int64_t numNumbers,
                    const int64_t *numbers) {
  if (shape[0] > INT32_MAX || shape[1] > 65535 || shape[2] > 65535)
    throw Error("expected at most 2147483647 x 65535 x 65535 blocks, found " +
                std::to_string(shape[0]) + " x " + std::to_string(shape[1]) +
                " x " + std::to_string(shape[2]) +
                ": run fewer entries at "
                "once");
  setSharedBytes(shape[6]);
  Copies copies(runtime);
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
  auto size = [&](int dim) { return static_cast<unsigned>(shape[dim]); };
  CHECK(device, launchKernel, "cuLaunchKernel", function, size(0), size(1),
        size(2), size(3), size(4), size(5), size(6), device.getStream(),
        parameters.data(), nullptr);
  copies.copyOut();
  runtime.synchronize();
}

using Entry = quant_mlir::DeviceEntry<Runtime>;

} // namespace

extern "C" const char *
quant_cuda_launch(void **kernel, const void *binary, int64_t size,
                  const char *name, const int64_t *shape, int64_t num_buffers,
                  const QuantGpuBuffer *buffers, int64_t num_numbers,
                  const int64_t *numbers) {
  return Entry::run(name, shape, [&](Runtime &runtime) {
    Scope scope(runtime.device);
    if (!*kernel)
      *kernel = new Kernel(runtime, binary, size, name);
    static_cast<Kernel *>(*kernel)->launch(shape, num_buffers, buffers,
                                           num_numbers, numbers);
  });
}

extern "C" void quant_cuda_release(void **kernel) {
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

extern "C" void *quant_cuda_alloc(int64_t alignment, int64_t bytes) {
  return Entry::allocate(alignment, bytes, [&](Runtime &runtime) {
    Scope scope(runtime.device);
    int64_t size = std::max<int64_t>(bytes, 16);
    void *data = runtime.device.allocateShared(size);
    if (data)
      runtime.shared.emplace(static_cast<char *>(data), size);
    return data;
  });
}

extern "C" void quant_cuda_free(void *data) {
  std::lock_guard<std::mutex> guard(Entry::lock);
  Runtime *runtime = Entry::getRuntime();
  if (!runtime || runtime->shared.erase(static_cast<char *>(data)) == 0)
    return std::free(data);
  try {
    Scope scope(runtime->device);
    runtime->device.freeShared(data);
  } catch (const std::exception &) {
    // As in quant_cuda_release.
  }
}

extern "C" const char *quant_cuda_device(const char **error) {
  return Entry::getName(error);
}

extern "C" const char *quant_cuda_arch(const char **error) {
  return quant_cuda_device(error) ? Entry::getRuntime()->device.getArch()
                                  : nullptr;
}
