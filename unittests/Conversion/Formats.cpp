//===- Formats.cpp - Every storage type and formulation -------------------===//

#include "Formats.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace quant_mlir;
using namespace quant_mlir::test;
using numerics::ExpressedType;
using numerics::ScaleType;
using numerics::StorageType;

numerics::CodeFormat Format::codeFormat() const {
  return {storage,
          hasMinval ? numerics::Formulation::MinVal
                    : numerics::Formulation::ZeroPoint,
          isNarrow ? numerics::narrowRange(storage)
                   : numerics::fullRange(storage)};
}

std::string Format::name() const {
  std::string result(numerics::name(storage));
  if (hasZeroPoint)
    result += "_zp";
  if (hasMinval)
    result += "_minval";
  if (isNarrow)
    result += "_narrow";
  result += "_" + std::string(numerics::name(scaleType));
  return result + (isDynamic ? "_dynamic" : "");
}

unsigned Format::codeWidth() const {
  return storage == StorageType::Int32 ? 4 : 1;
}

const std::vector<Format> &test::allFormats() {
  static const std::vector<Format> formats = [] {
    std::vector<Format> all;
    for (StorageType storage :
         {StorageType::Int8, StorageType::UInt8, StorageType::Int4,
          StorageType::UInt4, StorageType::Int2, StorageType::UInt2}) {
      // {storage, zero point, minval, narrow, scale, dynamic}
      all.push_back({storage, false, false, false, ScaleType::F32, false});
      all.push_back({storage, true, false, false, ScaleType::F16, false});
      all.push_back({storage, false, true, false, ScaleType::BF16, false});
      all.push_back({storage, true, false, false, ScaleType::F32, true});
      all.push_back({storage, false, false, false, ScaleType::BF16, true});
      if (numerics::isSignedInteger(storage)) {
        all.push_back({storage, true, false, true, ScaleType::F32, false});
        all.push_back({storage, false, true, true, ScaleType::F32, false});
      }
    }
    for (StorageType storage :
         {StorageType::Float8E4M3FN, StorageType::Float8E5M2}) {
      all.push_back({storage, false, false, false, ScaleType::F32, false});
      all.push_back(
          {storage, false, false, false, ScaleType::F8E8M0FNU, false});
      all.push_back({storage, false, false, false, ScaleType::F8E8M0FNU, true});
      all.push_back({storage, false, false, false, ScaleType::F16, true});
    }
    all.push_back({StorageType::Float4E2M1FN, false, false, false,
                   ScaleType::F8E8M0FNU, true});
    all.push_back(
        {StorageType::Int32, false, false, false, ScaleType::F32, false});
    all.push_back(
        {StorageType::Int32, false, false, false, ScaleType::F32, true});
    return all;
  }();
  return formats;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

template <typename T>
static Buffer bufferOf(const std::vector<T> &values,
                       std::vector<int64_t> shape) {
  return Buffer::of<T>(values, std::move(shape));
}

static Buffer encodeScales(llvm::ArrayRef<float> values, ScaleType type,
                           std::vector<int64_t> shape) {
  std::vector<uint16_t> halves;
  std::vector<uint8_t> bytes;
  switch (type) {
  case ScaleType::F32:
    return Buffer::of<float>(values, std::move(shape));
  case ScaleType::F16:
    for (float value : values)
      halves.push_back(numerics::encodeF16(value));
    return bufferOf(halves, std::move(shape));
  case ScaleType::BF16:
    for (float value : values)
      halves.push_back(numerics::encodeBF16(value));
    return bufferOf(halves, std::move(shape));
  case ScaleType::F8E8M0FNU:
    for (float value : values)
      bytes.push_back(numerics::encodeE8M0(value));
    return bufferOf(bytes, std::move(shape));
  }
  llvm_unreachable("all scale types handled");
}

Buffer Params::scales(ScaleType type, std::vector<int64_t> shape) const {
  std::vector<float> values;
  for (const numerics::UnitParams &unit : units)
    values.push_back(unit.scale);
  return encodeScales(values, type, std::move(shape));
}

Buffer Params::zeroPoints(std::vector<int64_t> shape) const {
  std::vector<int32_t> values;
  for (const numerics::UnitParams &unit : units)
    values.push_back(unit.zeroPoint);
  return bufferOf(values, std::move(shape));
}

Params test::randomParams(const Format &format, size_t count, int minExponent,
                          int maxExponent, std::mt19937 &random) {
  std::uniform_real_distribution<double> exponent(minExponent, maxExponent);
  std::uniform_real_distribution<double> unit(-1, 1);
  numerics::CodeRange range = format.codeFormat().range;
  std::uniform_int_distribution<int32_t> zeroPoint(int32_t(range.min),
                                                   int32_t(range.max));
  Params params;
  for (size_t i = 0; i < count; ++i) {
    numerics::UnitParams p;
    do
      p.scale = numerics::roundToScaleType(float(std::exp2(exponent(random))),
                                           format.scaleType);
    while (!(p.scale > 0) || std::isinf(p.scale));
    if (format.hasZeroPoint)
      p.zeroPoint = i == 0   ? int32_t(range.min)
                    : i == 1 ? int32_t(range.max)
                             : zeroPoint(random);
    if (format.hasMinval)
      p.minval = numerics::roundToScaleType(float(unit(random) * 200 * p.scale),
                                            format.scaleType);
    params.units.push_back(p);
  }
  return params;
}

//===----------------------------------------------------------------------===//
// IR
//===----------------------------------------------------------------------===//

std::string test::codeType(StorageType type) {
  switch (type) {
  case StorageType::Float8E4M3FN:
    return "f8E4M3FN";
  case StorageType::Float8E5M2:
    return "f8E5M2";
  case StorageType::Float4E2M1FN:
    return "f4E2M1FN";
  default:
    return "i" + std::to_string(numerics::bitWidth(type));
  }
}

std::string test::scaleType(ScaleType type) {
  return std::string(numerics::name(type));
}

std::string test::tensorType(llvm::ArrayRef<int64_t> shape,
                             llvm::StringRef element) {
  std::string text = "tensor<";
  for (int64_t dim : shape)
    text += (dim < 0 ? "?" : std::to_string(dim)) + "x";
  return text + element.str() + ">";
}

/// `dense<"0x…"> : type`, the bytes as they are; a scalar where there is one.
static std::string denseText(const Buffer &buffer, const std::string &type) {
  return "dense<\"0x" + llvm::toHex(llvm::ArrayRef<uint8_t>(buffer.bytes)) +
         "\"> : " + type;
}

std::string test::makeFunction(const FunctionSpec &spec, const Format &format,
                               const Params &params) {
  std::string text;
  llvm::raw_string_ostream os(text);
  std::string expressed =
      tensorType(spec.shape, std::string(numerics::name(spec.expressed)));
  std::string codes = tensorType(spec.shape, codeType(format.storage));
  std::string input = spec.isQuantize ? expressed : codes;
  std::string output = spec.isQuantize ? codes : expressed;
  std::string scales = tensorType(spec.paramShape, scaleType(format.scaleType));
  os << "func.func @" << spec.name << "(%x: " << input;
  if (format.isDynamic) {
    os << ", %s: " << scales;
    if (format.hasZeroPoint)
      os << ", %z: " << tensorType(spec.paramShape, "i32");
  }
  os << ") -> " << output << " {\n  %r = quant."
     << (spec.isQuantize ? "quantize" : "dequantize") << " %x ";
  if (format.isDynamic) {
    os << "scale(%s : " << scales << ") ";
    if (format.hasZeroPoint)
      os << "zero_point(%z : " << tensorType(spec.paramShape, "i32") << ") ";
  }
  os << "<" << std::string(numerics::name(format.storage))
     << (format.isNarrow ? " narrow" : "") << ", " << spec.granularity;
  if (!format.isDynamic) {
    os << ", scale = "
       << denseText(params.scales(format.scaleType, spec.paramShape), scales);
    if (format.hasZeroPoint) {
      std::vector<int8_t> zeroPoints;
      for (const numerics::UnitParams &unit : params.units)
        zeroPoints.push_back(int8_t(unit.zeroPoint));
      bool isSigned = numerics::isSignedInteger(format.storage);
      os << ", zero_point = "
         << denseText(bufferOf(zeroPoints, spec.paramShape),
                      tensorType(spec.paramShape, isSigned ? "i8" : "ui8"));
    }
    if (format.hasMinval) {
      std::vector<float> minvals;
      for (const numerics::UnitParams &unit : params.units)
        minvals.push_back(unit.minval);
      os << ", minval = "
         << denseText(encodeScales(minvals, format.scaleType, spec.paramShape),
                      scales);
    }
  }
  os << "> : " << input << " -> " << output << "\n  return %r : " << output
     << "\n}\n";
  return text;
}

//===----------------------------------------------------------------------===//
// Expressed values
//===----------------------------------------------------------------------===//

unsigned test::byteWidth(ExpressedType type) {
  return type == ExpressedType::F32 ? 4 : 2;
}

float test::decode(ExpressedType type, const uint8_t *bytes) {
  if (type == ExpressedType::F32) {
    float value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
  uint16_t half;
  std::memcpy(&half, bytes, sizeof(half));
  return type == ExpressedType::F16 ? numerics::decodeF16(half)
                                    : numerics::decodeBF16(half);
}

uint32_t test::encode(ExpressedType type, float value) {
  if (type == ExpressedType::F16)
    return numerics::encodeF16(value);
  if (type == ExpressedType::BF16)
    return numerics::encodeBF16(value);
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

bool test::isNaN(ExpressedType type, uint32_t bits) {
  if (type == ExpressedType::F16)
    return (bits & 0x7fff) > 0x7c00;
  if (type == ExpressedType::BF16)
    return (bits & 0x7fff) > 0x7f80;
  return (bits & 0x7fffffff) > 0x7f800000;
}
