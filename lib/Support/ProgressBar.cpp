//===- ProgressBar.cpp ----------------------------------------------------===//

#include "quant-mlir/Support/ProgressBar.h"

#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;

static constexpr unsigned barWidth = 40;

ProgressBar::ProgressBar(llvm::StringRef label, uint64_t total)
    : label(label), total(total),
      enabled(total != 0 && llvm::sys::Process::StandardErrIsDisplayed()),
      next(Clock::now() + std::chrono::milliseconds(500)) {}

void ProgressBar::update(uint64_t done) {
  if (!enabled || done > total)
    return;
  Clock::time_point now = Clock::now();
  if (now < next)
    return;
  next = now + std::chrono::milliseconds(100);
  unsigned filled =
      static_cast<unsigned>(barWidth * (static_cast<double>(done) / total));
  llvm::errs() << '\r' << label << " [" << std::string(filled, '#')
               << std::string(barWidth - filled, ' ') << "] " << done << '/'
               << total;
  drawn = true;
}

ProgressBar::~ProgressBar() {
  // Erase from the start of the line to its end.
  if (drawn)
    llvm::errs() << "\r\x1b[K";
}
