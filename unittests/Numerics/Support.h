//===- Support.h - Enumerating what the contract allows ---------*- C++ -*-===//
//
// Every allowed request, and the bridge between the library's types and the
// oracle's.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_NUMERICS_SUPPORT_H
#define QUANT_MLIR_UNITTESTS_NUMERICS_SUPPORT_H

#include "quant-mlir/Numerics/Tensor.h"

#include "Oracle.h"

#include "gtest/gtest.h"

namespace support {
using namespace quant_mlir::numerics;

constexpr StorageType integerTypes[] = {StorageType::Int8, StorageType::UInt8,
                                        StorageType::Int4, StorageType::UInt4,
                                        StorageType::Int2, StorageType::UInt2};
constexpr StorageType floatTypes[] = {StorageType::Float8E4M3FN,
                                      StorageType::Float8E5M2,
                                      StorageType::Float4E2M1FN};
constexpr Scheme schemes[] = {Scheme::Symmetric, Scheme::SymmetricWithClipping,
                              Scheme::Asymmetric};
constexpr ScaleType scaleTypes[] = {ScaleType::F32, ScaleType::F16,
                                    ScaleType::BF16, ScaleType::F8E8M0FNU};
constexpr ExpressedType expressedTypes[] = {
    ExpressedType::F32, ExpressedType::F16, ExpressedType::BF16};

/// Written as a list, not by asking checkSpec.
inline std::vector<QuantSpec> allowedSpecs() {
  std::vector<QuantSpec> specs;
  for (StorageType type : integerTypes)
    for (Scheme scheme : schemes)
      for (Formulation form : {Formulation::ZeroPoint, Formulation::MinVal})
        for (ScaleType scale :
             {ScaleType::F32, ScaleType::F16, ScaleType::BF16})
          specs.push_back({type, scheme, form, scale, {}, {}});
  for (StorageType type : floatTypes)
    for (ScaleType scale : scaleTypes)
      if (type != StorageType::Float4E2M1FN || scale == ScaleType::F8E8M0FNU)
        specs.push_back(
            {type, Scheme::Symmetric, Formulation::ZeroPoint, scale, {}, {}});
  return specs;
}

inline std::string describe(const QuantSpec &spec) {
  std::string text = std::string(name(spec.storage)) + " " +
                     std::string(name(spec.scheme)) + " " +
                     std::string(name(spec.formulation)) + " " +
                     std::string(name(spec.scaleType));
  if (spec.floatLo)
    text += " lo " + std::to_string(*spec.floatLo);
  if (spec.floatHi)
    text += " hi " + std::to_string(*spec.floatHi);
  return text;
}

inline oracle::Request toOracle(const QuantSpec &spec) {
  oracle::Request request;
  request.type = spec.storage;
  request.scheme = spec.scheme;
  request.minvalForm = spec.formulation == Formulation::MinVal;
  request.scaleType = spec.scaleType;
  request.fixedLo = spec.floatLo.has_value();
  request.fixedHi = spec.floatHi.has_value();
  request.lo = spec.floatLo.value_or(0);
  request.hi = spec.floatHi.value_or(0);
  return request;
}

inline oracle::Unit toOracle(const CodeFormat &format,
                             const UnitParams &params) {
  oracle::Unit unit;
  unit.type = format.storage;
  unit.minvalForm = format.formulation == Formulation::MinVal;
  unit.min = format.range.min;
  unit.max = format.range.max;
  unit.scale = params.scale;
  unit.zero = params.zeroPoint;
  unit.minval = params.minval;
  return unit;
}

inline ParamError toError(oracle::Failure failure) {
  switch (failure) {
  case oracle::Failure::Range:
    return ParamError::NonFiniteRange;
  case oracle::Failure::Scale:
    return ParamError::NonFiniteScale;
  case oracle::Failure::Minval:
    return ParamError::NonFiniteMinval;
  case oracle::Failure::None:
    break;
  }
  return ParamError::None;
}

/// The int that the byte of a tensor's code stands for.
inline int32_t extend(uint8_t byte, StorageType type) {
  return isSignedInteger(type) ? int32_t(int8_t(byte)) : int32_t(byte);
}

/// Values in memory as an expressed type, which they must be exact in.
inline std::vector<uint8_t> toMemory(const std::vector<float> &values,
                                     ExpressedType type) {
  const size_t width = type == ExpressedType::F32 ? 4 : 2;
  std::vector<uint8_t> bytes(values.size() * width);
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits = oracle::toBits(values[i]);
    if (type == ExpressedType::F16)
      bits = oracle::f16().encode(values[i]);
    else if (type == ExpressedType::BF16)
      bits = oracle::bf16().encode(values[i]);
    std::memcpy(bytes.data() + i * width, &bits, width);
  }
  return bytes;
}
inline std::vector<float> fromMemory(const std::vector<uint8_t> &bytes,
                                     ExpressedType type) {
  const size_t width = type == ExpressedType::F32 ? 4 : 2;
  std::vector<float> values(bytes.size() / width);
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * width, width);
    values[i] = type == ExpressedType::F32 ? oracle::fromBits(bits)
                : type == ExpressedType::F16
                    ? float(oracle::f16().decode(bits))
                    : float(oracle::bf16().decode(bits));
  }
  return values;
}

} // namespace support

#endif // QUANT_MLIR_UNITTESTS_NUMERICS_SUPPORT_H
