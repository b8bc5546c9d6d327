//===- CrashGuard.cpp -----------------------------------------------------===//
//
// Everything a handler touches is allocated before, and what it calls is
// async-signal-safe.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Support/CrashGuard.h"

#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUANT_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define QUANT_ADDRESS_SANITIZER
#endif

using namespace quant_mlir;

namespace {
char tool[64] = "";
char activity[256] = "";
thread_local bool namesActivity = false;

void say(const char *text) {
  size_t left = std::strlen(text);
  while (left != 0) {
    ssize_t written = ::write(STDERR_FILENO, text, left);
    if (written <= 0)
      return;
    text += written;
    left -= static_cast<size_t>(written);
  }
}

std::atomic_flag failing = ATOMIC_FLAG_INIT;

[[noreturn]] void fail(const char *what) {
  // One error, of the first thread that fails; it ends the others.
  while (failing.test_and_set())
    ::pause();
  if (tool[0] != 0) {
    say(tool);
    say(": ");
  }
  say("error: ");
  say(what);
  if (activity[0] != 0) {
    say(" while ");
    say(activity);
  }
  say("\n");
  ::_exit(1);
}

void onFatalError(void *, const char *reason, bool) { fail(reason); }
void onBadAlloc(void *, const char *, bool) { fail("out of memory"); }

void copyTo(char *destination, size_t size, llvm::StringRef text) {
  size_t length = std::min(text.size(), size - 1);
  std::memcpy(destination, text.data(), length);
  destination[length] = 0;
}
} // namespace

#ifndef QUANT_ADDRESS_SANITIZER
namespace {
constexpr size_t alternateSize = 64 * 1024;
alignas(16) char alternateStack[alternateSize];

void useAlternateStack(void *memory) {
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = alternateSize;
  stack.ss_flags = memory ? 0 : SS_DISABLE;
  ::sigaltstack(&stack, nullptr);
}

void onSignal(int signal) {
  switch (signal) {
  case SIGSEGV:
  case SIGBUS:
    fail("internal failure (invalid memory access)");
  case SIGFPE:
    fail("internal failure (invalid integer arithmetic)");
  case SIGILL:
    fail("internal failure (invalid instruction)");
  default:
    fail("internal failure (abort)");
  }
}

void installSignalHandlers() {
  useAlternateStack(alternateStack);
  struct sigaction action = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    ::sigaction(signal, &action, nullptr);
}
} // namespace
#endif

void quant_mlir::installCrashGuard(llvm::StringRef toolName) {
  copyTo(tool, sizeof(tool), toolName);
  namesActivity = true;
  llvm::install_fatal_error_handler(onFatalError);
  llvm::install_bad_alloc_error_handler(onBadAlloc);
  // Failures of operator new arrive there as well.
  llvm::install_out_of_memory_new_handler();
#ifndef QUANT_ADDRESS_SANITIZER
  installSignalHandlers();
#endif
}

void quant_mlir::exitWithError(const char *message) { fail(message); }

#ifndef QUANT_ADDRESS_SANITIZER
CrashGuardThread::CrashGuardThread() : stack(std::malloc(alternateSize)) {
  if (stack)
    useAlternateStack(stack);
}
CrashGuardThread::~CrashGuardThread() {
  useAlternateStack(nullptr);
  std::free(stack);
}
#else
CrashGuardThread::CrashGuardThread() = default;
CrashGuardThread::~CrashGuardThread() = default;
#endif

CrashScope::CrashScope(llvm::StringRef text) {
  if (!namesActivity)
    return;
  std::memcpy(previous, activity, sizeof(previous));
  copyTo(activity, sizeof(activity), text);
}

CrashScope::~CrashScope() {
  if (namesActivity)
    std::memcpy(activity, previous, sizeof(previous));
}
