//===- ErrorStatistics.cpp - How far a quantized model is off -------------===//

#include "quant-mlir/ErrorReport/ErrorStatistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace quant_mlir;
using namespace quant_mlir::numerics;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void Deviation::add(double error) {
  power += error * error;
  maxAbs = std::max(maxAbs, std::abs(error));
}

void ErrorStatistics::add(const float *reference, const float *quantized,
                          const float *local, int64_t size) {
  // Histograms take arrays: the finite elements, and their errors.
  constexpr int64_t chunk = 1024;
  float f[chunk], q[chunk], e[chunk];
  for (int64_t begin = 0; begin < size; begin += chunk) {
    int64_t end = std::min(size, begin + chunk), kept = 0;
    for (int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(reference[i]) || !std::isfinite(quantized[i]) ||
          !std::isfinite(local[i])) {
        ++nonFinite;
        continue;
      }
      double original = reference[i], clean = local[i], found = quantized[i];
      signalPower += original * original;
      total.add(found - original);
      this->local.add(clean - original);
      inherited.add(found - clean);
      f[kept] = reference[i];
      q[kept] = quantized[i];
      // The difference of two finite numbers may not fit.
      constexpr double largest = std::numeric_limits<float>::max();
      e[kept] =
          static_cast<float>(std::clamp(found - original, -largest, largest));
      ++kept;
    }
    count += kept;
    referenceValues.add(f, kept);
    quantizedValues.add(q, kept);
    errors.add(e, kept);
  }
}

double ErrorStatistics::rms(double power) const {
  return count == 0 ? 0 : std::sqrt(power / static_cast<double>(count));
}

double ErrorStatistics::getOrderedSqnrDb(const Deviation &deviation) const {
  // Nothing that is finite in both models is the worst of all.
  if (count == 0 && nonFinite != 0)
    return -std::numeric_limits<double>::infinity();
  if (deviation.power == 0)
    return std::numeric_limits<double>::infinity();
  // Two logarithms: the quotient might overflow.
  return 10 * (std::log10(signalPower) - std::log10(deviation.power));
}

std::optional<double>
ErrorStatistics::getSqnrDb(const Deviation &deviation) const {
  double sqnr = getOrderedSqnrDb(deviation);
  return std::isfinite(sqnr) ? std::optional<double>(sqnr) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

/// The number that a code stands for before scale and zero point.
static double getNumber(uint8_t code, const CodeFormat &format) {
  CodeFormat plain = format;
  plain.formulation = Formulation::ZeroPoint;
  bool isSigned = isInteger(format.storage) && isSignedInteger(format.storage);
  return dequantize(isSigned ? int32_t(int8_t(code)) : int32_t(code), plain,
                    UnitParams());
}

CodeStatistics::CodeStatistics(CodeFormat format) : format(format) {
  if (isInteger(format.storage)) {
    numCodes = static_cast<int>(format.range.max - format.range.min) + 1;
    return;
  }
  for (int code = 0; code < 1 << bitWidth(format.storage); ++code) {
    double number = getNumber(static_cast<uint8_t>(code), format);
    bool isSecondZero = number == 0 && code != 0;
    if (number >= format.range.min && number <= format.range.max &&
        !isSecondZero)
      ++numCodes;
  }
}

void CodeStatistics::addCodes(const uint8_t *codes, int64_t size) {
  count += static_cast<uint64_t>(size);
  for (int64_t i = 0; i < size; ++i)
    ++counts[codes[i]];
}

void CodeStatistics::add(const TensorParams &params,
                         const BlockGeometry &geometry, const float *values) {
  const int64_t size = geometry.numElements();
  const FloatData data = {values, ExpressedType::F32};
  std::vector<uint8_t> codes(static_cast<size_t>(size));
  QuantError error;
  if (findNonFinite(data, size).count == 0) {
    quantizeTensor(params, geometry, data, codes.data(), &error);
  } else {
    std::vector<float> finite(values, values + size);
    constexpr float largest = std::numeric_limits<float>::max();
    for (float &value : finite)
      value = std::isnan(value) ? 0.0f : std::clamp(value, -largest, largest);
    quantizeTensor(params, geometry, {finite.data(), ExpressedType::F32},
                   codes.data(), &error);
  }
  clipped += static_cast<uint64_t>(error.clipped);
  addCodes(codes.data(), size);
}

double CodeStatistics::getClippedShare() const {
  return count == 0 ? 0 : double(clipped) / double(count);
}

int CodeStatistics::getUsedCodes() const {
  if (isInteger(format.storage))
    return static_cast<int>(
        std::count_if(counts.begin(), counts.end(),
                      [](uint64_t times) { return times != 0; }));
  int used = 0;
  bool hasZero = false;
  for (int code = 0; code < 256; ++code) {
    if (counts[code] == 0)
      continue;
    double number = getNumber(static_cast<uint8_t>(code), format);
    hasZero |= number == 0;
    used += number != 0 && std::isfinite(number);
  }
  return used + hasZero;
}

//===----------------------------------------------------------------------===//
// Histograms
//===----------------------------------------------------------------------===//

Histogram quant_mlir::coarsenTo(const Histogram &histogram, int widthLog2) {
  int shift = widthLog2 - histogram.widthLog2();
  if (histogram.isEmpty() || shift <= 0)
    return histogram;
  const std::vector<uint64_t> &fine = histogram.counts();
  int64_t first = histogram.first();
  int64_t last = first + static_cast<int64_t>(fine.size()) - 1;
  // Beyond 31 bits all that is left of a bin's index is its sign.
  shift = std::min(shift, 31);
  int64_t newFirst = first >> shift;
  std::vector<uint64_t> counts(
      static_cast<size_t>((last >> shift) - newFirst + 1));
  for (size_t i = 0; i < fine.size(); ++i)
    counts[static_cast<size_t>(((first + static_cast<int64_t>(i)) >> shift) -
                               newFirst)] += fine[i];
  return Histogram(widthLog2, static_cast<int>(newFirst), std::move(counts));
}

Histogram quant_mlir::coarsen(const Histogram &histogram, int maxBins) {
  int widthLog2 = histogram.widthLog2();
  Histogram result = histogram;
  while (static_cast<int>(result.counts().size()) > maxBins)
    result = coarsenTo(histogram, ++widthLog2);
  return result;
}
