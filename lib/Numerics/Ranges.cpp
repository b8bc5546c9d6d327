//===- Ranges.cpp - Ranges and parameters of every unit -------------------===//
//
// One pass over the data keeps the ends of every unit, one over the units turns
// them into parameters.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Tensor.h"

#include "Rows.h"

#include <cassert>
#include <cmath>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace quant_mlir::numerics {

NonFinite findNonFinite(FloatData source, int64_t numElements) {
  NonFinite result;
  for (int64_t first = 0; first < numElements; first += bufferSize) {
    const int64_t count = std::min(bufferSize, numElements - first);
    const int64_t found =
        countNonFinite(elementAt(source, first), source.type, count);
    if (found && result.firstIndex < 0)
      for (int64_t i = first; result.firstIndex < 0; ++i)
        if (countNonFinite(elementAt(source, i), source.type, 1))
          result.firstIndex = i;
    result.count += found;
  }
  return result;
}

TensorError computeParams(const QuantSpec &spec, const BlockGeometry &geometry,
                          FloatData source, TensorParams &params) {
  assert(!checkSpec(spec) && "the spec has to pass checkSpec first");
  const ParamRule rule = makeParamRule(spec);
  const int64_t units = geometry.numUnits();
  params.format = {spec.storage, spec.formulation, rangeInUse(spec)};
  params.scales.resize(units);
  params.zeroPoints.resize(rule.hasZeroPoint ? units : 0);
  params.minvals.resize(rule.hasMinval ? units : 0);
  if (units == 0)
    return {};

  // 0 is part of every range, so it can be where the search starts.
  std::vector<float> mins(units, 0.0f), maxs(units, 0.0f);
  float buffer[bufferSize];
  const bool inPlace = source.type == ExpressedType::F32;
  forEachRun(mergeDims(geometry), inPlace ? geometry.numElements() : bufferSize,
             [&](int64_t offset, int64_t unit, Run run) {
               const void *data = elementAt(source, offset);
               if (!inPlace)
                 widen(data, source.type, run.count, buffer);
               extendRanges(inPlace ? static_cast<const float *>(data) : buffer,
                            run, mins.data() + unit, maxs.data() + unit);
             });

  if (unitParams(rule, mins.data(), maxs.data(), units, params.scales.data(),
                 rule.hasZeroPoint ? params.zeroPoints.data() : nullptr,
                 rule.hasMinval ? params.minvals.data() : nullptr))
    return {};
  for (int64_t unit = 0; unit < units; ++unit) {
    UnitParams ignored;
    ParamError error = paramsFromRange(spec, mins[unit], maxs[unit], ignored);
    if (error != ParamError::None)
      return {error, unit};
  }
  return {};
}

} // namespace quant_mlir::numerics
