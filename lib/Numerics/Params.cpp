//===- Params.cpp - From a range to scale, zero point and minval ----------===//
//
// Sections 2 and 3 of docs/numerics.md for one unit and one element. The
// arithmetic that turns ranges into parameters is in UnitParams.cpp, shared
// with whole tensors, so that a calibrated range and a weight block cannot
// differ.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Params.h"

#include "FloatFormat.h"
#include "Kernels.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace {
std::string expected(const std::string &what, const std::string &found,
                     const std::string &wayOut) {
  return "expected " + what + ", found " + found + ": " + wayOut;
}

std::string text(float value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.9g", static_cast<double>(value));
  return buffer;
}

std::string rangeText(const QuantSpec &spec) {
  return "[" + (spec.floatLo ? text(*spec.floatLo) : "none") + ", " +
         (spec.floatHi ? text(*spec.floatHi) : "none") + "]";
}

std::optional<std::string> checkFloatRange(const QuantSpec &spec) {
  const std::string found = rangeText(spec);
  auto finite = [](std::optional<float> end) {
    return !end || std::isfinite(*end);
  };
  if (!finite(spec.floatLo) || !finite(spec.floatHi))
    return expected("finite float_range ends", found,
                    "give numbers, or none to take an end from the data");
  if (spec.floatLo && *spec.floatLo > 0)
    return expected("float_range with lo <= 0", found,
                    "zero is always inside a range; use 0 as its lower end");
  if (spec.floatHi && *spec.floatHi < 0)
    return expected("float_range with hi >= 0", found,
                    "zero is always inside a range; use 0 as its upper end");
  if (spec.floatLo && spec.floatHi && *spec.floatLo >= *spec.floatHi)
    return expected("float_range with lo < hi", found,
                    "move an end away from 0, or use none to take it from the "
                    "data");
  return std::nullopt;
}

template <typename Format> uint32_t castCode(float value, CodeRange range) {
  value = std::max(value, static_cast<float>(range.min));
  value = std::min(value, static_cast<float>(range.max));
  return Format::encode(value);
}
} // namespace

namespace quant_mlir::numerics {

std::optional<std::string> checkSpec(const QuantSpec &spec) {
  const std::string storage(name(spec.storage));
  if (spec.storage == StorageType::Int32)
    return expected("a storage type of 2, 4 or 8 bits", storage,
                    "int32 is for biases only; use int8");
  if (isInteger(spec.storage)) {
    if (spec.scaleType == ScaleType::F8E8M0FNU)
      return expected("scale type f32, f16 or bf16 for " + storage, "f8E8M0FNU",
                      "use one of these, or a floating-point storage type");
    return checkFloatRange(spec);
  }
  if (spec.scheme != Scheme::Symmetric)
    return expected("scheme symmetric for " + storage,
                    std::string(name(spec.scheme)),
                    "use symmetric, or an integer storage type");
  if (spec.formulation != Formulation::ZeroPoint)
    return expected("formulation zp for " + storage,
                    std::string(name(spec.formulation)),
                    "use zp, or an integer storage type");
  if (spec.storage == StorageType::Float4E2M1FN &&
      spec.scaleType != ScaleType::F8E8M0FNU)
    return expected("scale type f8E8M0FNU for " + storage,
                    std::string(name(spec.scaleType)),
                    "use f8E8M0FNU (MXFP4), or another storage type");
  return checkFloatRange(spec);
}

std::optional<std::string> checkBlockSize(const QuantSpec &spec,
                                          std::optional<int64_t> blockSize) {
  if (blockSize && *blockSize < 1 && *blockSize != -1)
    return expected("a positive block size, or -1", std::to_string(*blockSize),
                    "use 32, or -1 for the whole dimension");
  if (spec.storage == StorageType::Float4E2M1FN && blockSize != 32)
    return expected("per_block with block size 32 for float4_e2m1fn",
                    blockSize ? "block size " + std::to_string(*blockSize)
                              : std::string("no block size"),
                    "use per_block with block size 32 (MXFP4), or another "
                    "storage type");
  return std::nullopt;
}

CodeRange rangeInUse(const QuantSpec &spec) {
  return spec.scheme == Scheme::SymmetricWithClipping
             ? narrowRange(spec.storage)
             : fullRange(spec.storage);
}

bool hasZeroPoint(const QuantSpec &spec) {
  return isInteger(spec.storage) &&
         spec.formulation == Formulation::ZeroPoint &&
         (spec.scheme == Scheme::Asymmetric || !isSignedInteger(spec.storage));
}

std::string_view message(ParamError error) {
  switch (error) {
  case ParamError::None:
    return "no error";
  case ParamError::NonFiniteRange:
    return "expected a finite range, found an end that is NaN or infinite: "
           "remove such values from the data";
  case ParamError::NonFiniteScale:
    return "expected a finite scale, found one that overflows its stored type: "
           "use a scale type of wider range (f32), or a float_range";
  case ParamError::NonFiniteMinval:
    return "expected a finite minval, found one that overflows its stored "
           "type: use a scale type of wider range (f32), or a float_range";
  }
  return "unknown error";
}

ParamError paramsFromRange(const QuantSpec &spec, float min, float max,
                           UnitParams &params) {
  assert(!checkSpec(spec) && "the spec has to pass checkSpec first");
  if (!std::isfinite(min) || !std::isfinite(max))
    return ParamError::NonFiniteRange;
  UnitParams result;
  const ParamRule rule = makeParamRule(spec);
  unitParams(rule, &min, &max, 1, &result.scale,
             rule.hasZeroPoint ? &result.zeroPoint : nullptr,
             rule.hasMinval ? &result.minval : nullptr);
  if (!std::isfinite(result.scale))
    return ParamError::NonFiniteScale;
  if (!std::isfinite(result.minval))
    return ParamError::NonFiniteMinval;
  params = result;
  return ParamError::None;
}

int32_t quantize(float value, const CodeFormat &format,
                 const UnitParams &params) {
  if (std::isnan(value))
    value = 0.0f;
  switch (format.storage) {
  case StorageType::Float8E4M3FN:
    return castCode<F8E4M3FN>(value / params.scale, format.range);
  case StorageType::Float8E5M2:
    return castCode<F8E5M2>(value / params.scale, format.range);
  case StorageType::Float4E2M1FN:
    return castCode<F4E2M1FN>(value / params.scale, format.range);
  default:
    break;
  }
  const bool hasMinval = format.formulation == Formulation::MinVal;
  if (hasMinval)
    value = value - params.minval;
  // The quotient is binary32. The clamp is in binary64 only so that the ends of
  // int32, which binary32 does not have, are exact.
  double quotient = value / params.scale;
  const double offset = hasMinval ? format.range.min : params.zeroPoint;
  quotient = std::max(quotient, format.range.min - offset);
  quotient = std::min(quotient, format.range.max - offset);
  return static_cast<int32_t>(std::nearbyint(quotient) + offset);
}

float dequantize(int32_t code, const CodeFormat &format,
                 const UnitParams &params) {
  switch (format.storage) {
  case StorageType::Float8E4M3FN:
    return F8E4M3FN::decode(code & 0xff) * params.scale;
  case StorageType::Float8E5M2:
    return F8E5M2::decode(code & 0xff) * params.scale;
  case StorageType::Float4E2M1FN:
    return F4E2M1FN::decode(code & 0xf) * params.scale;
  default:
    break;
  }
  const bool hasMinval = format.formulation == Formulation::MinVal;
  const int64_t offset =
      hasMinval ? static_cast<int64_t>(format.range.min) : params.zeroPoint;
  float product = static_cast<float>(code - offset) * params.scale;
  return hasMinval ? product + params.minval : product;
}

bool roundTripIsIdentity(const CodeFormat &format, ExpressedType expressed,
                         int32_t minZeroPoint, int32_t maxZeroPoint) {
  if (expressed != ExpressedType::BF16)
    return true;
  if (format.formulation == Formulation::MinVal)
    return false;
  const double low = format.range.min - maxZeroPoint;
  const double high = format.range.max - minZeroPoint;
  return low >= -128 && high <= 128;
}

} // namespace quant_mlir::numerics
