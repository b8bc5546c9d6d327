//===- CrashGuard.h - A fatal signal becomes one clear error ----*- C++ -*-===//
//
// The last line of defence of "no input, however broken, crashes a tool": what
// upstream's parsers and passes, or the compiled model itself, do wrong is
// reported in one line with exit code 1. Not installed in sanitizer builds,
// which have something better to say.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_SUPPORT_CRASHGUARD_H
#define QUANT_MLIR_SUPPORT_CRASHGUARD_H

#include "llvm/ADT/StringRef.h"

namespace quant_mlir {

/// Installs handlers for fatal signals (on a stack of their own, so that
/// overflow of the stack is caught), LLVM's fatal errors and failed allocation.
void installCrashGuard(llvm::StringRef toolName);

/// Ends the process from where no error can be returned: prints the message,
/// and what the tool was doing, and exits with code 1 without running
/// destructors.
[[noreturn]] void exitWithError(const char *message);

/// Guards another thread while it lives: gives it a stack for the handlers, so
/// that overflow of its own is caught.
class CrashGuardThread {
public:
  CrashGuardThread();
  ~CrashGuardThread();
  CrashGuardThread(const CrashGuardThread &) = delete;
  CrashGuardThread &operator=(const CrashGuardThread &) = delete;

private:
  void *stack = nullptr;
};

/// Says what the tool is doing, for the message: "reading 'x.mlir'". Has an
/// effect on the thread that installed the guard only; others do parts of what
/// that one is doing.
class CrashScope {
public:
  explicit CrashScope(llvm::StringRef activity);
  ~CrashScope();
  CrashScope(const CrashScope &) = delete;
  CrashScope &operator=(const CrashScope &) = delete;

private:
  char previous[256];
};

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_CRASHGUARD_H
