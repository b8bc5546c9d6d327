//===- CalibrationTest.cpp ------------------------------------------------===//

#include "quant-mlir-runtime/Calibration.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

extern "C" float observeFromC(quant_recorder *recorder);

namespace {
template <typename T, int rank> struct MemRef {
  T *allocated, *aligned;
  int64_t offset, sizes[rank], strides[rank];
};

MemRef<float, 1> vectorOf(std::vector<float> &values) {
  return {values.data(), values.data(), 0, {int64_t(values.size())}, {1}};
}

TEST(CalibrationRuntime, CountsOverBatches) {
  quant_recorder *recorder = quant_recorder_create(2);
  quant_recorder_keep_histograms(recorder, 1);
  EXPECT_EQ(quant_recorder_bind(recorder), nullptr);
  std::vector<float> a = {1, -2, NAN, INFINITY}, b = {3};
  MemRef<float, 1> first = vectorOf(a), second = vectorOf(b);
  quant_recorder_begin_batch(recorder);
  quant_observe_f32(1, 0, 1, &first);
  quant_recorder_begin_batch(recorder);
  quant_observe_f32(1, 0, 1, &second);
  EXPECT_EQ(quant_recorder_bind(nullptr), recorder);
  // Nobody listens.
  quant_observe_f32(1, 0, 1, &second);
  EXPECT_EQ(quant_recorder_error(recorder, nullptr), nullptr);

  quant_counts counts = quant_recorder_counts(recorder, 1);
  EXPECT_EQ(counts.channels, 1);
  EXPECT_EQ(counts.count, 3);
  EXPECT_EQ(counts.nan, 1);
  EXPECT_EQ(counts.inf, 1);
  EXPECT_EQ(counts.batches, 2);
  EXPECT_EQ(quant_recorder_counts(recorder, 0).channels, 0);
  float min = 0, max = 0;
  EXPECT_TRUE(quant_recorder_batch_range(recorder, 1, 0, &min, &max));
  EXPECT_EQ(min, 3);
  EXPECT_EQ(max, 3);
  EXPECT_FALSE(quant_recorder_batch_range(recorder, 0, 0, &min, &max));
  EXPECT_FALSE(quant_recorder_batch_range(recorder, 1, 1, &min, &max));
  quant_histogram histogram;
  ASSERT_TRUE(quant_recorder_histogram(recorder, 1, 0, &histogram));
  uint64_t total = 0;
  for (int64_t i = 0; i < histogram.size; ++i)
    total += histogram.counts[i];
  EXPECT_EQ(total, 3u);
  EXPECT_FALSE(quant_recorder_histogram(recorder, 0, 0, &histogram));
  quant_recorder_destroy(recorder);
}

TEST(CalibrationRuntime, ReadsStridesChannelsAndNarrowFloats) {
  quant_recorder *recorder = quant_recorder_create(2);
  quant_recorder_bind(recorder);
  quant_recorder_begin_batch(recorder);
  // Columns 1 and 2 of three rows of four, transposed.
  uint16_t bf16[12], f16[12];
  for (int i = 0; i < 12; ++i) {
    const float value = float(i);
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    bf16[i] = uint16_t(bits >> 16);
    f16[i] = i == 0 ? 0 : uint16_t((bits >> 13) - ((127 - 15) << 10));
  }
  MemRef<uint16_t, 2> columns = {bf16, bf16, 1, {2, 3}, {1, 4}};
  quant_observe_bf16(0, 1, 2, &columns);
  columns.allocated = columns.aligned = f16;
  quant_observe_f16(1, 2, 2, &columns);
  quant_recorder_bind(nullptr);
  float min, max;
  for (int64_t channel = 0; channel < 2; ++channel) {
    ASSERT_TRUE(quant_recorder_batch_range(recorder, 0, channel, &min, &max));
    EXPECT_EQ(min, 1 + channel);
    EXPECT_EQ(max, 9 + channel);
  }
  for (int64_t channel = 0; channel < 3; ++channel) {
    ASSERT_TRUE(quant_recorder_batch_range(recorder, 1, channel, &min, &max));
    EXPECT_EQ(min, 1 + 4 * channel);
    EXPECT_EQ(max, 2 + 4 * channel);
  }
  quant_recorder_destroy(recorder);
}

TEST(CalibrationRuntime, SaysWhatIsWrongOnce) {
  quant_recorder *recorder = quant_recorder_create(1);
  quant_recorder_bind(recorder);
  quant_recorder_begin_batch(recorder);
  std::vector<float> a = {1, 2}, b = {3};
  MemRef<float, 1> first = vectorOf(a), second = vectorOf(b);
  quant_observe_f32(0, 1, 1, &first);
  quant_observe_f32(0, 1, 1, &second);
  quant_observe_f32(7, 0, 1, &first);
  quant_observe_f32(-1, 0, 1, &first);
  quant_recorder_bind(nullptr);
  int64_t observer = 5;
  EXPECT_EQ(std::string(quant_recorder_error(recorder, &observer)),
            "sees tensors with different numbers of channels; it had 2");
  EXPECT_EQ(observer, 0);
  quant_recorder_destroy(recorder);

  recorder = quant_recorder_create(1);
  quant_recorder_bind(recorder);
  quant_observe_f32(7, 0, 1, &first);
  quant_recorder_bind(nullptr);
  EXPECT_EQ(std::string(quant_recorder_error(recorder, &observer)),
            "is not one of the 1 that there are");
  EXPECT_EQ(observer, 7);
  quant_recorder_destroy(recorder);
}

TEST(CalibrationRuntime, BelongsToAThread) {
  quant_recorder *recorder = quant_recorder_create(1);
  quant_recorder_bind(recorder);
  std::thread([] {
    std::vector<float> a = {1};
    MemRef<float, 1> memref = vectorOf(a);
    quant_observe_f32(0, 0, 1, &memref);
  }).join();
  quant_recorder_bind(nullptr);
  EXPECT_EQ(quant_recorder_counts(recorder, 0).count, 0);
  quant_recorder_destroy(recorder);
}

TEST(CalibrationRuntime, IsC) {
  quant_recorder *recorder = quant_recorder_create(1);
  EXPECT_EQ(observeFromC(recorder), -2);
  quant_recorder_destroy(recorder);
}
} // namespace
