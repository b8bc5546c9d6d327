//===- ProgressBar.h - Progress of long work on a terminal ------*- C++ -*-===//

#ifndef QUANT_MLIR_SUPPORT_PROGRESSBAR_H
#define QUANT_MLIR_SUPPORT_PROGRESSBAR_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace quant_mlir {

/// One line on standard error that redraws itself, at most ten times a second
/// and not within the first half second, and is erased at the end. Nothing is
/// written when standard error is not a terminal.
class ProgressBar {
public:
  ProgressBar(llvm::StringRef label, uint64_t total);
  ProgressBar(const ProgressBar &) = delete;
  ProgressBar &operator=(const ProgressBar &) = delete;
  ~ProgressBar();

  /// Reports that `done` of `total` units are finished.
  void update(uint64_t done);

private:
  using Clock = std::chrono::steady_clock;

  std::string label;
  uint64_t total;
  bool enabled;
  bool drawn = false;
  Clock::time_point next;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_PROGRESSBAR_H
