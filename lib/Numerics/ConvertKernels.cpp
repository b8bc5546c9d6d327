//===- ConvertKernels.cpp - Expressed types, and errors -------------------===//
//
// Widening and narrowing between memory and the binary32 that all arithmetic is
// in, and the comparison of dequantized values with their source.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "FloatFormat.h"

#include <algorithm>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
template <typename Format>
QUANT_ALWAYS_INLINE void widen16(const uint16_t *__restrict source,
                                 int64_t count, float *__restrict dest) {
  for (int64_t i = 0; i < count; ++i)
    dest[i] = Format::decode(source[i]);
}
template <typename Format>
QUANT_ALWAYS_INLINE void narrow16(const float *__restrict source, int64_t count,
                                  uint16_t *__restrict dest) {
  for (int64_t i = 0; i < count; ++i)
    dest[i] = static_cast<uint16_t>(Format::encode(source[i]));
}
} // namespace

namespace quant_mlir::numerics::detail {

QUANT_HOT void widen(const void *source, ExpressedType type, int64_t count,
                     float *dest) {
  switch (type) {
  case ExpressedType::F32:
    std::memcpy(dest, source, static_cast<size_t>(count) * sizeof(float));
    break;
  case ExpressedType::F16:
    widen16<F16>(static_cast<const uint16_t *>(source), count, dest);
    break;
  case ExpressedType::BF16:
    widen16<BF16>(static_cast<const uint16_t *>(source), count, dest);
    break;
  }
}

QUANT_HOT void narrow(const float *source, int64_t count, ExpressedType type,
                      void *dest) {
  switch (type) {
  case ExpressedType::F32:
    std::memcpy(dest, source, static_cast<size_t>(count) * sizeof(float));
    break;
  case ExpressedType::F16:
    narrow16<F16>(source, count, static_cast<uint16_t *>(dest));
    break;
  case ExpressedType::BF16:
    narrow16<BF16>(source, count, static_cast<uint16_t *>(dest));
    break;
  }
}

QUANT_HOT void roundTo(ExpressedType type, int64_t count, float *x) {
  if (type == ExpressedType::F16)
    for (int64_t i = 0; i < count; ++i)
      x[i] = F16::decode(F16::encode(x[i]));
  else if (type == ExpressedType::BF16)
    for (int64_t i = 0; i < count; ++i)
      x[i] = BF16::decode(BF16::encode(x[i]));
}

// Floating-point sums do not reorder by themselves: eight partial sums, always
// the same eight, so that the result is the same for every instruction set.
QUANT_HOT void measure(const float *__restrict source,
                       const float *__restrict quantized, int64_t count,
                       QuantError &error) {
  constexpr int64_t lanes = 8;
  double signal[lanes] = {}, noise[lanes] = {}, worst[lanes] = {};
  auto step = [&](int64_t i, int64_t lane) {
    const double x = source[i];
    const double difference = static_cast<double>(quantized[i]) - x;
    const double magnitude = difference < 0 ? -difference : difference;
    signal[lane] += x * x;
    noise[lane] += difference * difference;
    worst[lane] = magnitude > worst[lane] ? magnitude : worst[lane];
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      step(i + lane, lane);
  for (int64_t lane = 0; i < count; ++i, ++lane)
    step(i, lane);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    error.signalPower += signal[lane];
    error.noisePower += noise[lane];
    error.maxAbsError = std::max(error.maxAbsError, worst[lane]);
  }
}

} // namespace quant_mlir::numerics::detail
