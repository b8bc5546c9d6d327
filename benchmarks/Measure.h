//===- Measure.h - Timing subjects beside each other ------------*- C++ -*-===//
//
// What is compared is measured in turns: ours, peer, limit, ours, peer, … so
// that whatever else the machine does falls on all of them. A turn begins with
// one call that is not counted, because the others have used the caches since;
// every call after it is timed on its own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_MEASURE_H
#define QUANT_MLIR_BENCHMARKS_MEASURE_H

#include <functional>
#include <string>
#include <vector>

namespace quant_mlir::bench {

/// Something that can be called again and again.
struct Subject {
  /// "ours", "oneDNN", "ONNX Runtime", "limit", …
  std::string name;
  /// One call: everything it needs is prepared.
  std::function<void()> run;
  /// Says how it computes: the library's kernel, the limit's variant.
  std::string detail;
  /// Greatest difference from the reference; negative: nothing to compare.
  double difference = -1;
  /// Threads that it runs on.
  unsigned threads = 1;
  /// From MLIR to machine code, all copies of weights; ours only.
  double compileSeconds = 0;
};

/// Of one subject, in microseconds.
struct Timing {
  double minimum = 0;
  double median = 0;
  unsigned runs = 0;
};

struct MeasureOptions {
  /// Calls of one subject in a row last about this long (at least one call).
  double turnMicroseconds = 4000;
  /// How often each subject has its turn.
  unsigned rounds = 25;
  /// Every subject is called at least this often, …
  unsigned minimumRuns = 15;
  /// … but not when its calls have taken this long together: one that is far
  /// slower than the others has few runs.
  double budgetMicroseconds = 3e6;
  /// Of subjects with several threads. Their turns begin when the threads of
  /// the one before have fallen asleep, which wait awake for up to half a
  /// second on the cores of the next, and with calls of this time that do not
  /// count: the system wakes a thread on the core of who calls it, and moves it
  /// later.
  double warmUpMicroseconds = 0;
};

/// Times of all subjects, in their order.
std::vector<Timing> measure(const std::vector<Subject> &subjects,
                            const MeasureOptions &options);

/// Minimum and median of times in microseconds.
Timing summarize(std::vector<double> times);

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_MEASURE_H
