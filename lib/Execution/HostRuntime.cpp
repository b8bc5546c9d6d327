//===- HostRuntime.cpp - What compiled code calls in this process ---------===//

#include "HostRuntime.h"

#include "quant-mlir/Execution/CompiledFunction.h"
#include "quant-mlir/GPUEmulator/Runtime.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"

#include "quant-mlir-runtime/GPU.h"

#include <atomic>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace quant_mlir;

// From libomp; its header is not always where the compiler looks. It also makes
// the library a dependency of this one, which compiled code needs.
extern "C" int omp_in_parallel(void);

//===----------------------------------------------------------------------===//
// Errors out of compiled code
//===----------------------------------------------------------------------===//

namespace {
/// What a call that is under way returns to. Compiled code has no destructors
/// to run, so that leaving it by longjmp is safe.
struct Guard {
  std::jmp_buf buffer;
  char message[1024];
};
thread_local Guard *current = nullptr;
thread_local char lastPrinted[1024] = "";
std::atomic<int64_t> liveBuffers{0};

[[noreturn]] void failCall(const char *message) {
  if (!current || omp_in_parallel())
    exitWithError(message);
  std::snprintf(current->message, sizeof(current->message), "%s", message);
  std::longjmp(current->buffer, 1);
}

//===----------------------------------------------------------------------===//
// Functions by C name
//===----------------------------------------------------------------------===//

void *checkAllocated(void *buffer, size_t size) {
  if (!buffer) {
    char message[96];
    std::snprintf(message, sizeof(message),
                  "out of memory: the model asked for %zu bytes", size);
    failCall(message);
  }
  liveBuffers.fetch_add(1, std::memory_order_relaxed);
  return buffer;
}

void *hostAlignedAlloc(size_t alignment, size_t size) {
  // A size of 0 may give null, which is no failure; sizes that are no multiple
  // of the alignment are not portable.
  size_t rounded = size + alignment - 1;
  if (rounded < size)
    return checkAllocated(nullptr, size);
  rounded -= rounded % alignment;
  return checkAllocated(
      std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded), size);
}

void *hostMalloc(size_t size) {
  return checkAllocated(std::malloc(size == 0 ? 1 : size), size);
}

void hostFree(void *buffer) {
  if (!buffer)
    return;
  liveBuffers.fetch_sub(1, std::memory_order_relaxed);
  std::free(buffer);
}

/// Of a run time for a GPU. Not counted: it is not freed by freeBuffer.
template <void *(*allocate)(int64_t, int64_t)>
void *hostGPUAlloc(int64_t alignment, int64_t size) {
  void *buffer = allocate(alignment, size);
  if (!buffer)
    checkAllocated(nullptr, static_cast<size_t>(size));
  return buffer;
}

/// A failed assertion prints its message and then aborts.
int hostPuts(const char *text) {
  std::snprintf(lastPrinted, sizeof(lastPrinted), "%s", text);
  return 1;
}

/// The text is that of an assertion, or of a generated check:
///   ERROR: Runtime op verification failed
///   "linalg.generic"(%0, %1) …
///   ^ dimension #1 of … is incompatible
///   Location: loc("model.mlir":3:5)
/// of which the last two lines are for people.
[[noreturn]] void hostAbort() {
  char message[1024];
  const char *what = std::strstr(lastPrinted, "^ ");
  what = what ? what + 2 : lastPrinted;
  const char *end = std::strchr(what, '\n');
  const char *where = end ? std::strstr(end, "loc(") : nullptr;
  int length = static_cast<int>(end ? end - what : std::strlen(what));
  std::snprintf(message, sizeof(message), "failed at run time: %.*s%s%s",
                length, what, where ? ", at " : "", where ? where : "");
  failCall(message);
}

template <typename Function> void *address(Function *function) {
  return reinterpret_cast<void *>(function);
}
} // namespace

llvm::ArrayRef<std::pair<const char *, void *>> quant_mlir::getHostSymbols() {
  static const std::pair<const char *, void *> symbols[] = {
      {"aligned_alloc", address(hostAlignedAlloc)},
      {"malloc", address(hostMalloc)},
      {"free", address(hostFree)},
      {"puts", address(hostPuts)},
      {"abort", address(hostAbort)},
      {"quant_emulator_launch", address(quant_emulator_launch)},
      {"quant_emulator_release", address(quant_emulator_release)},
      {"quant_emulator_alloc", address(hostGPUAlloc<quant_emulator_alloc>)},
      {"quant_emulator_free", address(quant_emulator_free)},
      {"quant_cuda_launch", address(quant_cuda_launch)},
      {"quant_cuda_release", address(quant_cuda_release)},
      {"quant_cuda_alloc", address(hostGPUAlloc<quant_cuda_alloc>)},
      {"quant_cuda_free", address(quant_cuda_free)},
      {"quant_hip_launch", address(quant_hip_launch)},
      {"quant_hip_release", address(quant_hip_release)},
      {"quant_hip_alloc", address(hostGPUAlloc<quant_hip_alloc>)},
      {"quant_hip_free", address(quant_hip_free)},
#ifdef QUANT_HAS_VULKAN
      {"quant_vulkan_launch", address(quant_vulkan_launch)},
      {"quant_vulkan_release", address(quant_vulkan_release)},
      {"quant_vulkan_alloc", address(hostGPUAlloc<quant_vulkan_alloc>)},
      {"quant_vulkan_free", address(quant_vulkan_free)},
#endif
  };
  return symbols;
}

llvm::Error quant_mlir::checkVulkan() {
#ifdef QUANT_HAS_VULKAN
  const char *error;
  if (quant_vulkan_device(&error))
    return llvm::Error::success();
  return makeError(error);
#else
  return makeError(
      "Vulkan is not built in: install libvulkan-dev and configure "
      "again, or use --target=cpu");
#endif
}

llvm::Expected<std::string> quant_mlir::findGPUArch(LoweringTarget target) {
  const char *error;
  const char *arch = target == LoweringTarget::ROCDL ? quant_hip_arch(&error)
                                                     : quant_cuda_arch(&error);
  if (arch)
    return std::string(arch);
  return makeError(error);
}

void quant_mlir::freeBuffer(void *buffer) { hostFree(buffer); }

int64_t quant_mlir::getNumLiveBuffers() { return liveBuffers.load(); }

llvm::Error quant_mlir::callGuarded(void (*function)(void **),
                                    void **arguments) {
  Guard guard;
  Guard *const outer = current;
  current = &guard;
  if (setjmp(guard.buffer) != 0) {
    current = outer;
    return makeError(guard.message);
  }
  function(arguments);
  current = outer;
  return llvm::Error::success();
}
