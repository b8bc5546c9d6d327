//===- QuantizeTensor.cpp - Codes of whole tensors, and back --------------===//
//
// Section 2 of docs/numerics.md over blocked tensors. Sources and results of 16
// bits, and the measurement of errors, go through buffers that stay in the
// first cache level, so that memory is passed over once.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Tensor.h"

#include "Rows.h"

#include <cassert>
#include <cmath>
#include <limits>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
RowParams rowParams(const TensorParams &params, int64_t unit) {
  return {params.scales.data() + unit,
          params.zeroPoints.empty() ? nullptr : params.zeroPoints.data() + unit,
          params.minvals.empty() ? nullptr : params.minvals.data() + unit};
}

void assertMatching(const TensorParams &params, const BlockGeometry &geometry) {
  assert(params.format.storage != StorageType::Int32 &&
         "int32 storage is for biases only: use quantizeBias");
  const size_t units = static_cast<size_t>(geometry.numUnits());
  assert(params.scales.size() == units && "one scale per unit");
  assert((params.zeroPoints.empty() || params.zeroPoints.size() == units) &&
         "one zero point per unit, or none");
  assert((params.format.formulation == Formulation::MinVal
              ? params.minvals.size() == units
              : params.minvals.empty()) &&
         "one minval per unit in the minval formulation, none otherwise");
  (void)units;
}
} // namespace

namespace quant_mlir::numerics {

double QuantError::sqnrDb() const {
  if (noisePower == 0)
    return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(signalPower / noisePower);
}

void quantizeTensor(const TensorParams &params, const BlockGeometry &geometry,
                    FloatData source, uint8_t *codes, QuantError *error) {
  assertMatching(params, geometry);
  if (geometry.numElements() == 0)
    return;
  float buffer[bufferSize], dequantized[bufferSize];
  const bool inPlace = source.type == ExpressedType::F32;
  forEachRun(
      mergeDims(geometry),
      inPlace && !error ? geometry.numElements() : bufferSize,
      [&](int64_t offset, int64_t unit, Run run) {
        const void *data = elementAt(source, offset);
        if (!inPlace)
          widen(data, source.type, run.count, buffer);
        const float *x = inPlace ? static_cast<const float *>(data) : buffer;
        const RowParams row = rowParams(params, unit);
        quantizeRun(params.format, row, x, run, codes + offset,
                    error ? &error->clipped : nullptr);
        if (!error)
          return;
        dequantizeRun(params.format, row, codes + offset, run, dequantized);
        roundTo(source.type, run.count, dequantized);
        measure(x, dequantized, run.count, *error);
      });
}

void dequantizeTensor(const TensorParams &params, const BlockGeometry &geometry,
                      const uint8_t *codes, ExpressedType expressed,
                      void *dest) {
  assertMatching(params, geometry);
  if (geometry.numElements() == 0)
    return;
  float buffer[bufferSize];
  const bool inPlace = expressed == ExpressedType::F32;
  forEachRun(mergeDims(geometry), inPlace ? geometry.numElements() : bufferSize,
             [&](int64_t offset, int64_t unit, Run run) {
               float *x =
                   inPlace ? static_cast<float *>(dest) + offset : buffer;
               dequantizeRun(params.format, rowParams(params, unit),
                             codes + offset, run, x);
               if (!inPlace)
                 narrow(buffer, run.count, expressed,
                        static_cast<uint16_t *>(dest) + offset);
             });
}

TensorError quantizeTensor(const QuantSpec &spec, const BlockGeometry &geometry,
                           FloatData source, TensorParams &params,
                           uint8_t *codes, QuantError *error) {
  // Slabs of whole units along the outermost dimension, small enough for the
  // second cache level: parameters and codes of a slab are contiguous in their
  // row-major arrays. Where one unit spans everything there is one slab, and
  // memory is read twice, as it has to be.
  constexpr int64_t slabElements = 1 << 16;
  const ParamRule rule = makeParamRule(spec);
  params.format = {spec.storage, spec.formulation, rangeInUse(spec)};
  params.scales.clear();
  params.zeroPoints.clear();
  params.minvals.clear();
  const int64_t units = geometry.numUnits();
  if (units == 0)
    return {};
  params.scales.reserve(units);
  params.zeroPoints.reserve(rule.hasZeroPoint ? units : 0);
  params.minvals.reserve(rule.hasMinval ? units : 0);

  BlockGeometry slab;
  for (BlockedDim dim : mergeDims(geometry)) {
    slab.shape.push_back(dim.size);
    slab.blockSizes.push_back(dim.block);
  }
  const int64_t outerSize = slab.shape[0], outerBlock = slab.blockSizes[0];
  const int64_t rowElements = geometry.numElements() / outerSize;
  const int64_t step =
      outerBlock *
      std::max<int64_t>(1, slabElements / (rowElements * outerBlock));
  TensorParams part;
  for (int64_t first = 0; first < outerSize; first += step) {
    slab.shape[0] = std::min(step, outerSize - first);
    const FloatData data = {elementAt(source, first * rowElements),
                            source.type};
    if (TensorError failure = computeParams(spec, slab, data, part))
      return {failure.error,
              failure.unit + static_cast<int64_t>(params.scales.size())};
    quantizeTensor(part, slab, data, codes + first * rowElements, error);
    params.scales.insert(params.scales.end(), part.scales.begin(),
                         part.scales.end());
    params.zeroPoints.insert(params.zeroPoints.end(), part.zeroPoints.begin(),
                             part.zeroPoints.end());
    params.minvals.insert(params.minvals.end(), part.minvals.begin(),
                          part.minvals.end());
  }
  return {};
}

bool roundTripIsIdentity(const TensorParams &params, ExpressedType expressed) {
  const CodeFormat &format = params.format;
  int32_t minZero = 0, maxZero = 0;
  if (!params.zeroPoints.empty()) {
    auto ends =
        std::minmax_element(params.zeroPoints.begin(), params.zeroPoints.end());
    minZero = *ends.first;
    maxZero = *ends.second;
  }
  if (!roundTripIsIdentity(format, expressed, minZero, maxZero))
    return false;

  // The largest finite value and the smallest denormal of the expressed type,
  // and the distance of the storage type's codes around 0.
  const double largest = expressed == ExpressedType::F16    ? 65504.0
                         : expressed == ExpressedType::BF16 ? 0x1.FEp127
                                                            : 0x1.FFFFFEp127;
  const double denormal = expressed == ExpressedType::F16    ? 0x1p-24
                          : expressed == ExpressedType::BF16 ? 0x1p-133
                                                             : 0x1p-149;
  const double precision = expressed == ExpressedType::F16    ? 0x1p-11
                           : expressed == ExpressedType::BF16 ? 0x1p-8
                                                              : 0x1p-24;
  const double step = format.storage == StorageType::Float8E4M3FN   ? 0x1p-9
                      : format.storage == StorageType::Float8E5M2   ? 0x1p-16
                      : format.storage == StorageType::Float4E2M1FN ? 0.5
                                                                    : 1.0;
  const bool hasMinval = format.formulation == Formulation::MinVal;
  for (size_t unit = 0; unit < params.scales.size(); ++unit) {
    const double scale = params.scales[unit];
    const double zero = params.zeroPoints.empty() ? 0 : params.zeroPoints[unit];
    const double minval = hasMinval ? params.minvals[unit] : 0;
    const double low = hasMinval ? minval : (format.range.min - zero) * scale;
    const double high =
        hasMinval ? minval + (format.range.max - format.range.min) * scale
                  : (format.range.max - zero) * scale;
    const double magnitude = std::max(std::abs(low), std::abs(high));
    // A code's value is off by at most half a place of the expressed type; a
    // quarter of a step leaves room for the roundings of the arithmetic. In the
    // zp form the relative error is small by section 2; a minval far from the
    // range shifts all values to coarser places, and x - minval can overflow.
    if (magnitude > largest || step * scale < 2 * denormal)
      return false;
    const double span = (format.range.max - format.range.min) * scale;
    if (hasMinval && (magnitude * (precision + 0x1p-23) > 0.25 * scale ||
                      span > 0x1.FFFFFEp127))
      return false;
  }
  return true;
}

} // namespace quant_mlir::numerics
