//===- SmallFloat.cpp - Conversions to and from narrow floats -------------===//
//
// The scalar entry points over FloatFormat.h, and E8M0, which has no sign and
// no mantissa. Exact on every input; speed is left to the array loops.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/SmallFloat.h"

#include "FloatFormat.h"

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

namespace quant_mlir::numerics {

uint16_t encodeF16(float value) {
  return static_cast<uint16_t>(F16::encode(value));
}
float decodeF16(uint16_t bits) { return F16::decode(bits); }
uint16_t encodeBF16(float value) {
  return static_cast<uint16_t>(BF16::encode(value));
}
float decodeBF16(uint16_t bits) { return BF16::decode(bits); }

uint8_t encodeF8E4M3FN(float value) {
  return static_cast<uint8_t>(F8E4M3FN::encode(value));
}
float decodeF8E4M3FN(uint8_t bits) { return F8E4M3FN::decode(bits); }
uint8_t encodeF8E5M2(float value) {
  return static_cast<uint8_t>(F8E5M2::encode(value));
}
float decodeF8E5M2(uint8_t bits) { return F8E5M2::decode(bits); }
uint8_t encodeF4E2M1FN(float value) {
  return static_cast<uint8_t>(F4E2M1FN::encode(value));
}
float decodeF4E2M1FN(uint8_t bits) { return F4E2M1FN::decode(bits); }

float decodeE8M0(uint8_t bits) {
  if (bits == 255)
    return floatOf(0x7fc00000);
  // 2^-127 is denormal in binary32.
  return floatOf(bits ? static_cast<uint32_t>(bits) << 23 : 0x00400000);
}

uint8_t encodeE8M0(float value) {
  const uint32_t bits = bitsOf(value);
  if (bits == 0 || bits >= infBits) // 0, Inf, NaN and everything negative
    return 255;
  // Below 2^-126 there is nothing but 2^-127; half way up is a tie, and goes to
  // the even exponent code, 0.
  if (bits < 0x00800000)
    return bits > 0x00600000 ? 1 : 0;
  // The code is the binary32 exponent; past 2^127 it reaches 255, NaN.
  return static_cast<uint8_t>((bits + 0x3fffff + ((bits >> 23) & 1)) >> 23);
}

float roundToScaleType(float value, ScaleType type) {
  switch (type) {
  case ScaleType::F32:
    return value;
  case ScaleType::F16:
    return decodeF16(encodeF16(value));
  case ScaleType::BF16:
    return decodeBF16(encodeBF16(value));
  case ScaleType::F8E8M0FNU:
    return decodeE8M0(encodeE8M0(value));
  }
  return value;
}

float roundToExpressedType(float value, ExpressedType type) {
  switch (type) {
  case ExpressedType::F32:
    return value;
  case ExpressedType::F16:
    return decodeF16(encodeF16(value));
  case ExpressedType::BF16:
    return decodeBF16(encodeBF16(value));
  }
  return value;
}

} // namespace quant_mlir::numerics
