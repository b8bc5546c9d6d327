//===- Calibration.cpp - What calibrated code calls -----------------------===//
//
// The C face of numerics::Statistics. Nothing is thrown through it: compiled
// code has no unwind tables.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir-runtime/Calibration.h"

#include "quant-mlir/Numerics/Statistics.h"

#include <cstdio>
#include <memory>
#include <new>

using namespace quant_mlir::numerics;

struct quant_recorder {
  std::vector<Statistics> observers;
  char error[128] = "";
  int64_t failed = -1; ///< observer that the error is about

  const Statistics *find(int64_t observer) const {
    if (observer < 0 || observer >= static_cast<int64_t>(observers.size()))
      return nullptr;
    return &observers[static_cast<size_t>(observer)];
  }
  Statistics *find(int64_t observer) {
    return const_cast<Statistics *>(
        static_cast<const quant_recorder *>(this)->find(observer));
  }
  template <typename... Arguments>
  void fail(int64_t observer, const char *format, Arguments... arguments) {
    if (error[0])
      return;
    failed = observer;
    std::snprintf(error, sizeof(error), format, arguments...);
  }
};

static thread_local quant_recorder *current = nullptr;

static void observe(int64_t observer, int64_t channelDims, int64_t rank,
                    const void *memref, ExpressedType type) {
  quant_recorder *recorder = current;
  if (!recorder)
    return;
  Statistics *statistics = recorder->find(observer);
  if (!statistics)
    return recorder->fail(observer, "is not one of the %lld that there are",
                          static_cast<long long>(recorder->observers.size()));
  // {allocated, aligned, offset, sizes…, strides…}
  const void *const *pointers = static_cast<const void *const *>(memref);
  const int64_t *numbers = static_cast<const int64_t *>(memref);
  const int64_t width = type == ExpressedType::F32 ? 4 : 2;
  StridedTensor tensor;
  tensor.data = static_cast<const char *>(pointers[1]) + numbers[2] * width;
  tensor.type = type;
  tensor.rank = rank;
  tensor.sizes = numbers + 3;
  tensor.strides = numbers + 3 + rank;
  tensor.channelDims = static_cast<uint64_t>(channelDims);
  try {
    if (!statistics->add(tensor))
      recorder->fail(observer,
                     "sees tensors with different numbers of channels; it had "
                     "%lld",
                     static_cast<long long>(statistics->numUnits()));
  } catch (const std::bad_alloc &) {
    recorder->fail(observer, "%s", "has no memory left for its statistics");
  }
}

void quant_observe_f32(int64_t observer, int64_t channel_dims, int64_t rank,
                       const void *memref) {
  observe(observer, channel_dims, rank, memref, ExpressedType::F32);
}
void quant_observe_f16(int64_t observer, int64_t channel_dims, int64_t rank,
                       const void *memref) {
  observe(observer, channel_dims, rank, memref, ExpressedType::F16);
}
void quant_observe_bf16(int64_t observer, int64_t channel_dims, int64_t rank,
                        const void *memref) {
  observe(observer, channel_dims, rank, memref, ExpressedType::BF16);
}

quant_recorder *quant_recorder_create(int64_t num_observers) {
  try {
    auto recorder = std::make_unique<quant_recorder>();
    recorder->observers.assign(
        static_cast<size_t>(num_observers < 0 ? 0 : num_observers),
        Statistics(/*withHistograms=*/false));
    return recorder.release();
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

void quant_recorder_destroy(quant_recorder *recorder) { delete recorder; }

void quant_recorder_keep_histograms(quant_recorder *recorder,
                                    int64_t observer) {
  if (Statistics *statistics = recorder->find(observer))
    *statistics = Statistics(/*withHistograms=*/true);
}

quant_recorder *quant_recorder_bind(quant_recorder *recorder) {
  quant_recorder *before = current;
  current = recorder;
  return before;
}

void quant_recorder_begin_batch(quant_recorder *recorder) {
  for (Statistics &statistics : recorder->observers)
    statistics.beginBatch();
}

const char *quant_recorder_error(const quant_recorder *recorder,
                                 int64_t *observer) {
  if (observer)
    *observer = recorder->failed;
  return recorder->error[0] ? recorder->error : nullptr;
}

quant_counts quant_recorder_counts(const quant_recorder *recorder,
                                   int64_t observer) {
  const Statistics *statistics = recorder->find(observer);
  if (!statistics)
    return {};
  quant_counts counts;
  counts.channels = statistics->numUnits();
  counts.count = statistics->count();
  counts.nan = statistics->nan();
  counts.inf = statistics->inf();
  counts.batches = statistics->batches();
  return counts;
}

int quant_recorder_batch_range(const quant_recorder *recorder, int64_t observer,
                               int64_t channel, float *min, float *max) {
  const Statistics *statistics = recorder->find(observer);
  if (!statistics || channel < 0 || channel >= statistics->numUnits())
    return 0;
  const FloatRange range = statistics->batchRange(channel);
  if (range.isEmpty())
    return 0;
  *min = range.min;
  *max = range.max;
  return 1;
}

int quant_recorder_histogram(const quant_recorder *recorder, int64_t observer,
                             int64_t channel, quant_histogram *histogram) {
  const Statistics *statistics = recorder->find(observer);
  if (!statistics || channel < 0 ||
      channel >= static_cast<int64_t>(statistics->histograms().size()))
    return 0;
  const Histogram &bins =
      statistics->histograms()[static_cast<size_t>(channel)];
  histogram->width_log2 = bins.widthLog2();
  histogram->first = bins.first();
  histogram->size = static_cast<int64_t>(bins.counts().size());
  histogram->counts = bins.counts().data();
  return 1;
}
