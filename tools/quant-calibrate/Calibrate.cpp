//===- Calibrate.cpp - A calibration run ----------------------------------===//
//
// Batches are run in rounds of a fixed number per process. In a round each
// process has a contiguous part, its threads take batches of that in turn, and
// at the end the ranges of all batches go to the first process, which takes
// them in in the order of the samples. So the result depends neither on threads
// nor on processes, and memory not on the number of samples. Counts and
// histograms need no order: each thread has its own, which are added up at the
// end.
//
//===----------------------------------------------------------------------===//

#include "Calibrate.h"

#include "Observers.h"
#include "Samples.h"

#include "quant-mlir-runtime/Calibration.h"
#include "quant-mlir/Calibration/MergeRanges.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/ProgressBar.h"

#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

#include <atomic>
#include <cstring>
#include <mutex>

using namespace quant_mlir;
using numerics::FloatRange;
using numerics::Histogram;

//===----------------------------------------------------------------------===//
// Ranges of a batch, as bytes
//===----------------------------------------------------------------------===//

namespace {
template <typename T> void put(std::string &bytes, T value) {
  bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
}
template <typename T> T take(llvm::StringRef &bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  bytes = bytes.drop_front(sizeof(value));
  return value;
}

bool usesRanges(const Observer &observer) {
  return !observer.calibrator->usesHistogram();
}

/// For each observer that uses ranges: how many units, and their ranges.
void putRanges(std::string &bytes, const quant_recorder *recorder,
               llvm::ArrayRef<Observer> observers) {
  for (const auto &[index, observer] : llvm::enumerate(observers)) {
    if (!usesRanges(observer))
      continue;
    int64_t units = quant_recorder_counts(recorder, index).channels;
    put(bytes, units);
    for (int64_t unit = 0; unit < units; ++unit) {
      FloatRange range;
      quant_recorder_batch_range(recorder, index, unit, &range.min, &range.max);
      put(bytes, range);
    }
  }
}

/// Takes a batch into the running ranges; `bytes` is left behind it.
llvm::Error takeRanges(llvm::StringRef &bytes,
                       llvm::ArrayRef<Observer> observers,
                       llvm::MutableArrayRef<RangeEntry> entries) {
  for (auto [observer, entry] : llvm::zip(observers, entries)) {
    if (!usesRanges(observer))
      continue;
    int64_t units = take<int64_t>(bytes);
    std::vector<FloatRange> &running = entry.ranges;
    if (units != 0 && running.empty())
      running.resize(units);
    if (units != 0 && static_cast<size_t>(units) != running.size())
      return makeError("observer " + quoteForMessage(entry.id) +
                       " sees tensors with different numbers of channels, " +
                       llvm::Twine(running.size()) + " and " +
                       llvm::Twine(units));
    for (int64_t unit = 0; unit < units; ++unit) {
      auto range = take<FloatRange>(bytes);
      if (!range.isEmpty())
        observer.calibrator->addBatch(running[unit], range);
    }
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// What a thread keeps from batch to batch.
class Worker {
public:
  Worker(const ObservedModel &model, const Samples &samples,
         bool ignoreNonFinite)
      : model(model), samples(samples), ignoreNonFinite(ignoreNonFinite),
        recorder(quant_recorder_create(model.observers.size())) {
    for (const auto &[index, observer] : llvm::enumerate(model.observers))
      if (recorder && !usesRanges(observer))
        quant_recorder_keep_histograms(recorder, index);
    nonFinite.resize(model.observers.size());
  }
  ~Worker() { quant_recorder_destroy(recorder); }
  Worker(const Worker &) = delete;

  /// Runs a batch; its ranges go to `ranges`.
  llvm::Error run(int64_t batch, std::string &ranges);
  /// Adds all that was counted.
  llvm::Error addTo(llvm::MutableArrayRef<RangeEntry> entries) const;

private:
  llvm::Error checkFinite(int64_t batch);

  const ObservedModel &model;
  const Samples &samples;
  bool ignoreNonFinite;
  quant_recorder *recorder;
  std::vector<NdArray> inputs;
  llvm::SmallVector<NdArray> outputs;
  /// NaN and infinities of each observer so far.
  std::vector<int64_t> nonFinite;
};
} // namespace

llvm::Error Worker::run(int64_t batch, std::string &ranges) {
  if (!recorder)
    return makeError("out of memory");
  if (llvm::Error error = samples.read(batch, inputs))
    return error;
  quant_recorder_begin_batch(recorder);
  quant_recorder *before = quant_recorder_bind(recorder);
  llvm::Error error = model.function->invoke(inputs, outputs);
  quant_recorder_bind(before);
  if (error)
    return error;
  int64_t failed;
  if (const char *message = quant_recorder_error(recorder, &failed))
    return makeError("observer " +
                     (static_cast<size_t>(failed) < model.observers.size()
                          ? quoteForMessage(model.observers[failed].entry.id)
                          : std::to_string(failed)) +
                     " " + message);
  if (!ignoreNonFinite)
    if (llvm::Error error = checkFinite(batch))
      return error;
  putRanges(ranges, recorder, model.observers);
  return llvm::Error::success();
}

llvm::Error Worker::checkFinite(int64_t batch) {
  for (const auto &[index, observer] : llvm::enumerate(model.observers)) {
    quant_counts counts = quant_recorder_counts(recorder, index);
    if (counts.nan + counts.inf != nonFinite[index])
      return makeError("observer " + quoteForMessage(observer.entry.id) +
                       " meets NaN or infinities in batch " +
                       llvm::Twine(batch) +
                       ", and the samples have none; correct the model, or "
                       "give --nonfinite=ignore");
    nonFinite[index] = counts.nan + counts.inf;
  }
  return llvm::Error::success();
}

llvm::Error Worker::addTo(llvm::MutableArrayRef<RangeEntry> entries) const {
  for (const auto &[index, entry] : llvm::enumerate(entries)) {
    quant_counts counts = quant_recorder_counts(recorder, index);
    RangeEntry own;
    own.id = entry.id;
    own.count = counts.count;
    own.batches = counts.batches;
    own.nan = counts.nan;
    own.inf = counts.inf;
    own.perChannel = model.observers[index].perChannel && counts.channels != 0;
    for (int64_t unit = 0; unit < counts.channels; ++unit) {
      quant_histogram parts;
      if (quant_recorder_histogram(recorder, index, unit, &parts))
        own.histograms.push_back(
            Histogram(parts.width_log2, parts.first,
                      {parts.counts, parts.counts + parts.size}));
    }
    if (llvm::Error error = addStatistics(entry, own))
      return error;
    entry.perChannel |= own.perChannel;
  }
  return llvm::Error::success();
}

namespace {
//===----------------------------------------------------------------------===//
// Rounds
//===----------------------------------------------------------------------===//

class Run {
public:
  Run(const CalibrateOptions &options, const ObservedModel &model,
      const Samples &samples, Communicator &processes)
      : options(options), model(model), samples(samples), processes(processes),
        pool(llvm::hardware_concurrency(options.threads)) {
    for (unsigned i = 0; i < options.threads; ++i)
      workers.push_back(
          std::make_unique<Worker>(model, samples, options.ignoreNonFinite));
  }

  llvm::Expected<RangesFile> run();

private:
  /// Batches of a round per thread: enough that threads seldom wait for each
  /// other, few enough that their ranges take no memory to speak of.
  static constexpr int64_t batchesPerThread = 16;

  llvm::Error runRound(int64_t first, int64_t last, std::string &ranges,
                       ProgressBar &progress);
  llvm::Error runAll();
  llvm::Error gather();

  const CalibrateOptions &options;
  const ObservedModel &model;
  const Samples &samples;
  Communicator &processes;
  llvm::DefaultThreadPool pool;
  std::vector<std::unique_ptr<Worker>> workers;
  RangesFile file;
};
} // namespace

llvm::Error Run::runRound(int64_t first, int64_t last, std::string &ranges,
                          ProgressBar &progress) {
  int64_t count = std::max<int64_t>(last - first, 0);
  std::vector<std::string> parts(count);
  std::vector<std::string> errors(count);
  std::atomic<int64_t> next(0), firstError(count);
  std::mutex progressMutex;
  int64_t done = 0;
  auto work = [&](Worker &worker) {
    for (int64_t i = next++; i < count; i = next++) {
      // What comes before an error is run, so that the first one is found
      // whatever the number of threads.
      if (i > firstError)
        return;
      if (llvm::Error error = worker.run(first + i, parts[i])) {
        errors[i] = llvm::toString(std::move(error));
        int64_t known = firstError;
        while (i < known && !firstError.compare_exchange_weak(known, i))
          ;
        return;
      }
      std::lock_guard<std::mutex> lock(progressMutex);
      progress.update(first + ++done * processes.getSize());
    }
  };
  if (workers.size() == 1) {
    work(*workers.front());
  } else {
    for (std::unique_ptr<Worker> &worker : workers)
      pool.async([&work, &worker] {
        CrashGuardThread guard;
        work(*worker);
      });
    pool.wait();
  }
  if (firstError != count)
    return makeError(errors[firstError]);
  for (const std::string &part : parts)
    ranges += part;
  return llvm::Error::success();
}

llvm::Error Run::runAll() {
  CrashScope scope("running '" + options.model + "'");
  // Only the first process draws.
  ProgressBar progress("calibrating", processes.isFirst() ? samples.size() : 0);
  int64_t perProcess = batchesPerThread * options.threads;
  int64_t perRound = perProcess * processes.getSize();
  for (int64_t base = 0; base < samples.size(); base += perRound) {
    int64_t first = base + processes.getRank() * perProcess;
    int64_t last = std::min(first + perProcess, samples.size());
    std::string ranges;
    llvm::Error error = runRound(first, last, ranges, progress);
    if (llvm::Error any = processes.agree(std::move(error)))
      return any;
    llvm::Error failed = llvm::Error::success();
    for (llvm::StringRef bytes : processes.gather(ranges))
      while (!bytes.empty() && !failed)
        failed = takeRanges(bytes, model.observers, file.observers);
    if (llvm::Error any = processes.agree(std::move(failed)))
      return any;
  }
  return llvm::Error::success();
}

/// Adds up what threads and processes have counted.
llvm::Error Run::gather() {
  RangesFile own = file;
  for (RangeEntry &entry : own.observers)
    entry.ranges.clear();
  for (const std::unique_ptr<Worker> &worker : workers)
    if (llvm::Error error = worker->addTo(own.observers))
      return error;
  // In the file's own format, whose ranges are not used here.
  for (RangeEntry &entry : own.observers)
    entry.ranges.resize(std::max<size_t>(entry.histograms.size(), 1));
  std::string text;
  llvm::raw_string_ostream os(text);
  writeRanges(os, own);
  for (const std::string &other : processes.gather(text)) {
    auto part = parseRanges(llvm::MemoryBufferRef(other, "statistics"));
    if (!part)
      return part.takeError();
    for (auto [entry, added] : llvm::zip(file.observers, part->observers)) {
      if (llvm::Error error = addStatistics(entry, added))
        return error;
      entry.perChannel |= added.perChannel;
    }
  }
  return llvm::Error::success();
}

llvm::Expected<RangesFile> Run::run() {
  file.request = model.request;
  for (const Observer &observer : model.observers) {
    file.observers.push_back(observer.entry);
    if (observer.calibrator->name() == "percentile")
      file.percentile = options.percentile.value_or(
          numerics::CalibrationRequest().percentile);
  }
  if (llvm::Error error = runAll())
    return std::move(error);
  llvm::Error error = gather();
  if (!error && processes.isFirst()) {
    for (auto [observer, entry] : llvm::zip(model.observers, file.observers)) {
      // Nothing was seen, not even how many channels there are.
      if (!usesRanges(observer) && entry.histograms.empty())
        entry.histograms.emplace_back();
      if (entry.ranges.empty())
        entry.ranges.emplace_back();
      entry.perChannel = observer.perChannel && entry.batches != 0;
    }
    error = resolveRanges(file, options.threads);
  }
  if (llvm::Error any = processes.agree(std::move(error)))
    return std::move(any);
  return std::move(file);
}

llvm::Expected<RangesFile>
quant_mlir::calibrate(const CalibrateOptions &options,
                      Communicator &processes) {
  ObservedModel model;
  std::optional<Samples> samples;
  auto prepare = [&]() -> llvm::Error {
    // What fails quickly comes before compiling.
    auto opened = Samples::open(options);
    if (!opened)
      return opened.takeError();
    samples.emplace(std::move(*opened));
    auto loaded = loadObserved(options);
    if (!loaded)
      return loaded.takeError();
    model = std::move(*loaded);
    return samples->cut(*model.function);
  };
  if (llvm::Error error = processes.agree(prepare()))
    return std::move(error);
  return Run(options, model, *samples, processes).run();
}
