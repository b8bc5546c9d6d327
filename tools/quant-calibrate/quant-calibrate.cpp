//===- quant-calibrate.cpp - Finds the ranges of activations --------------===//
//
// Runs a model with observers over samples and writes what they saw, whole or
// not at all; or combines what several runs have written.
//
//===----------------------------------------------------------------------===//

#include "Calibrate.h"
#include "Communicator.h"
#include "Options.h"

#include "quant-mlir/Calibration/MergeRanges.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;

static llvm::Expected<RangesFile>
mergeFiles(llvm::ArrayRef<std::string> paths) {
  std::vector<RangesFile> files;
  for (const std::string &path : paths) {
    auto file = readRanges(path);
    if (!file)
      return file.takeError();
    files.push_back(std::move(*file));
  }
  return mergeRanges(files, paths);
}

static void warn(const RangeEntry &entry, const llvm::Twine &message) {
  llvm::errs() << "quant-calibrate: warning: observer "
               << quoteForMessage(entry.id) << ' ' << message << '\n';
}

/// What is left out is said.
static void warnAbout(const RangesFile &ranges) {
  for (const RangeEntry &entry : ranges.observers) {
    if (entry.nan != 0 || entry.inf != 0)
      warn(entry, "leaves out " + llvm::Twine(entry.nan) + " NaN and " +
                      llvm::Twine(entry.inf) + " infinities");
    size_t empty =
        llvm::count_if(entry.ranges, [](const numerics::FloatRange &range) {
          return range.isEmpty();
        });
    if (empty != 0 && entry.perChannel)
      warn(entry, "has seen nothing finite in " + llvm::Twine(empty) + " of " +
                      llvm::Twine(entry.ranges.size()) + " channels");
    else if (empty != 0)
      warn(entry, "has seen nothing finite, and so has no range");
  }
}

/// Everything but the first process's messages.
static llvm::Error run(int argc, char **argv, Communicator &processes) {
  std::string answer;
  auto options = parseOptions(argc, argv, answer);
  if (llvm::Error error = processes.agree(options.takeError()))
    return error;
  if (!*options) {
    if (processes.isFirst())
      llvm::outs() << answer;
    return llvm::Error::success();
  }

  const CalibrateOptions &asked = **options;
  llvm::Expected<RangesFile> ranges = RangesFile();
  if (asked.merge.empty())
    ranges = calibrate(asked, processes);
  else if (processes.isFirst())
    ranges = mergeFiles(asked.merge);
  llvm::Error error = ranges.takeError();
  if (!error && processes.isFirst()) {
    warnAbout(*ranges);
    error = writeRanges(asked.output, *ranges);
  }
  // A failure of calibrate() is everybody's already, and so not asked again.
  return asked.merge.empty() && !ranges ? std::move(error)
                                        : processes.agree(std::move(error));
}

int main(int argc, char **argv) {
  installCrashGuard("quant-calibrate");
  auto processes = Communicator::create(argv[0]);
  bool isFirst = true;
  llvm::Error error = llvm::Error::success();
  if (!processes) {
    error = processes.takeError();
  } else {
    // MPI has handlers of its own.
    installCrashGuard("quant-calibrate");
    isFirst = (*processes)->isFirst();
    error = run(argc, argv, **processes);
  }
  if (!error)
    return 0;
  std::string message = llvm::toString(std::move(error));
  if (isFirst)
    llvm::errs() << "quant-calibrate: error: " << message << '\n';
  return 1;
}
