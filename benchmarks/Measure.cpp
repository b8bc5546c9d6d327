//===- Measure.cpp - Timing subjects beside each other --------------------===//

#include "Measure.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

using namespace quant_mlir::bench;

using Clock = std::chrono::steady_clock;

static double timeOneCall(const Subject &subject) {
  auto start = Clock::now();
  subject.run();
  return std::chrono::duration<double, std::micro>(Clock::now() - start)
      .count();
}

/// Processor time of all threads of this process, in microseconds.
static double getProcessorTime() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/// Returns when no thread of this process runs any more, or after a time that
/// is longer than any library waits awake.
static void waitUntilAsleep() {
  constexpr auto step = std::chrono::milliseconds(2);
  for (int i = 0; i < 1000; ++i) {
    double before = getProcessorTime();
    std::this_thread::sleep_for(step);
    if (getProcessorTime() - before < 200)
      return;
  }
}

Timing quant_mlir::bench::summarize(std::vector<double> times) {
  Timing timing;
  timing.runs = static_cast<unsigned>(times.size());
  if (times.empty())
    return timing;
  std::sort(times.begin(), times.end());
  size_t middle = times.size() / 2;
  timing.minimum = times.front();
  timing.median = times.size() % 2 ? times[middle]
                                   : (times[middle - 1] + times[middle]) / 2;
  return timing;
}

std::vector<Timing>
quant_mlir::bench::measure(const std::vector<Subject> &subjects,
                           const MeasureOptions &options) {
  std::vector<std::vector<double>> times(subjects.size());
  // The first call of each pages memory in and makes threads: not a hint of how
  // many calls fit into a turn, those after it are.
  std::vector<unsigned> callsPerTurn;
  for (const Subject &subject : subjects) {
    subject.run();
    // The quickest of three, which nothing has interrupted, unless one is long.
    double once = timeOneCall(subject);
    for (int i = 0; i < 2 && once < 1e5; ++i)
      once = std::min(once, timeOneCall(subject));
    once = std::max(once, 0.01);
    callsPerTurn.push_back(std::max(
        1u, static_cast<unsigned>(options.turnMicroseconds / once + 0.5)));
  }
  std::vector<double> spent(subjects.size());
  auto isSpent = [&](size_t i) {
    return spent[i] > options.budgetMicroseconds && times[i].size() >= 3;
  };
  auto isShort = [&](size_t i) {
    return times[i].size() < options.minimumRuns && !isSpent(i);
  };
  for (unsigned round = 0;; ++round) {
    bool more = round < options.rounds;
    for (size_t i = 0; i < subjects.size(); ++i)
      more |= isShort(i);
    if (!more)
      break;
    for (size_t turn = 0; turn < subjects.size(); ++turn) {
      // Rotated, so that nobody always follows the same neighbour.
      size_t i = (turn + round) % subjects.size();
      if (isSpent(i))
        continue;
      if (options.warmUpMicroseconds) {
        waitUntilAsleep();
        for (double warm = 0; warm < options.warmUpMicroseconds;)
          warm += timeOneCall(subjects[i]);
      }
      spent[i] += timeOneCall(subjects[i]);
      for (unsigned call = 0; call < callsPerTurn[i]; ++call) {
        times[i].push_back(timeOneCall(subjects[i]));
        spent[i] += times[i].back();
      }
    }
  }
  std::vector<Timing> result;
  for (std::vector<double> &of : times)
    result.push_back(summarize(std::move(of)));
  return result;
}
