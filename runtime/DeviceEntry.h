//===- DeviceEntry.h - Entry points of GPUs' run times ----------*- C++ -*-===//
//
// The C functions of runtime/cuda, hip and vulkan take one lock, make their
// Runtime once, and turn exceptions into messages.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_DEVICEENTRY_H
#define QUANT_MLIR_RUNTIME_DEVICEENTRY_H

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

namespace quant_mlir {

/// The device of a run time and its last error. `Runtime`'s constructor throws
/// where there is no device; its member `device` has a name. `finish` waits for
/// all launches.
template <typename Runtime> class DeviceEntry {
public:
  static inline std::mutex lock;

  /// Null, with the reason in the last error, where there is no device. Never
  /// destroyed: modules are unloaded after static objects are gone.
  static Runtime *getRuntime() {
    static std::string failure;
    static Runtime *runtime = [] {
      try {
        return new Runtime();
      } catch (const std::exception &error) {
        failure = error.what();
        return static_cast<Runtime *>(nullptr);
      }
    }();
    lastError = failure;
    return runtime;
  }

  /// Null, or what went wrong. `launch` takes the run time, and throws.
  template <typename Launch>
  static const char *run(const char *name, const int64_t *shape,
                         const Launch &launch) {
    std::lock_guard<std::mutex> guard(lock);
    Runtime *runtime = getRuntime();
    if (!runtime)
      return lastError.c_str();
    try {
      // Nothing to compute, and no launch of that shape.
      if (shape[0] != 0 && shape[1] != 0 && shape[2] != 0)
        launch(*runtime);
      else if (shape[7] == 0)
        runtime->finish();
      return nullptr;
    } catch (const std::exception &error) {
      lastError = "kernel '" + std::string(name) + "': " + error.what();
      return lastError.c_str();
    }
  }

  /// Memory that `allocate` gives of the device, or the host's where there is
  /// no device or it has none left: the host's does, too.
  template <typename Allocate>
  static void *allocate(int64_t alignment, int64_t bytes,
                        const Allocate &allocate) {
    std::lock_guard<std::mutex> guard(lock);
    if (Runtime *runtime = getRuntime()) {
      try {
        if (void *data = allocate(*runtime))
          return data;
      } catch (const std::exception &) {
      }
    }
    size_t unit = static_cast<size_t>(alignment);
    size_t size = (static_cast<size_t>(bytes) + unit - 1) / unit * unit;
    return std::aligned_alloc(unit, std::max<size_t>(size, 64));
  }

  /// The device's name; null, with the reason in `error`, where there is none.
  static const char *getName(const char **error) {
    std::lock_guard<std::mutex> guard(lock);
    Runtime *runtime = getRuntime();
    if (error)
      *error = runtime ? nullptr : lastError.c_str();
    return runtime ? runtime->device.getName().c_str() : nullptr;
  }

private:
  static inline thread_local std::string lastError;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_RUNTIME_DEVICEENTRY_H
