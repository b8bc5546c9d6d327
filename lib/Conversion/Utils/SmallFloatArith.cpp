//===- SmallFloatArith.cpp - Casts to and from narrow floats --------------===//
//
// The IR of lib/Numerics/FloatFormat.h, operation by operation; the unit test
// of this file compares the two on every code and on every rounding case.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace quant_mlir;
using arith::CmpIPredicate;

namespace {

constexpr uint32_t infBits = 0x7f800000;

/// A format with a sign, as far as its conversions need it.
struct Format {
  unsigned exponentBits;
  unsigned mantissaBits;
  uint32_t overflowCode; ///< what a magnitude past the largest finite becomes
  uint32_t nanCode;
  uint32_t firstSpecial; ///< first magnitude that is infinite or NaN
  bool overflowIsNaN;

  unsigned width() const { return 1 + exponentBits + mantissaBits; }
  unsigned codeWidth() const { return width() > 8 ? 16 : 8; }
  uint32_t signBit() const { return 1u << (width() - 1); }
  uint32_t bias() const { return (1u << (exponentBits - 1)) - 1; }
  unsigned dropped() const { return 23 - mantissaBits; }
  uint32_t rebias() const { return (127 - bias()) << 23; }
  /// Biased binary32 exponent of the smallest normal value.
  uint32_t minNormalExponent() const { return 128 - bias(); }
};

/// nullopt for f8E8M0FNU and bf16, which have forms of their own, and for any
/// type that is not a small float.
std::optional<Format> getFormat(Type type) {
  return TypeSwitch<Type, std::optional<Format>>(type)
      .Case([](Float16Type) {
        return Format{5, 10, 0x7c00, 0x7e00, 0x7c00, false};
      })
      .Case(
          [](Float8E5M2Type) { return Format{5, 2, 0x7c, 0x7e, 0x7c, false}; })
      .Case(
          [](Float8E4M3FNType) { return Format{4, 3, 0x7f, 0x7f, 0x7f, true}; })
      .Case([](Float4E2M1FNType) { return Format{2, 1, 0x7, 0, 0x8, false}; })
      .Default([](Type) { return std::nullopt; });
}

float floatOf(uint32_t bits) { return llvm::bit_cast<float>(bits); }

/// magnitude + (half a unit of what stays, less one) + parity of what stays:
/// carries into the kept bits exactly where half-to-even rounds up.
Value addRounding(const ElementArith &arith, Value magnitude,
                  unsigned dropped) {
  Value parity = arith.bitAnd(arith.shr(magnitude, dropped), 1);
  return arith.add(arith.add(magnitude, (1 << (dropped - 1)) - 1), parity);
}

struct Parts {
  Value magnitude; ///< bits of |value|
  Value sign;      ///< at the format's sign bit
};
Parts split(const ElementArith &arith, Value value, const Format &format) {
  Value bits = arith.bitcast(arith.intType(32), value);
  return {arith.bitAnd(bits, 0x7fffffff),
          arith.bitAnd(arith.shr(bits, 32 - format.width()), format.signBit())};
}

Value encodeBF16(const ElementArith &arith, Value value) {
  Value bits = arith.bitcast(arith.intType(32), value);
  Value code = arith.shr(addRounding(arith, bits, 16), 16);
  Value isNaN =
      arith.cmp(CmpIPredicate::ugt, arith.bitAnd(bits, 0x7fffffff), infBits);
  code = arith.select(isNaN, arith.intConstant(0x7fc0), code);
  return arith.cast<arith::TruncIOp>(arith.intType(16), code);
}

/// The code is the binary32 exponent, rounded on the significand half to even;
/// past 2^127 it reaches 255, the NaN. Below 2^-126 there is only 2^-127, a
/// denormal whose tie with 2^-126 goes to the even code 0.
Value encodeE8M0(const ElementArith &arith, Value value) {
  Value bits = arith.bitcast(arith.intType(32), value);
  Value code = arith.shr(addRounding(arith, bits, 23), 23);
  Value aboveTie = arith.cmp(CmpIPredicate::ugt, bits, 0x00600000);
  Value denormal = arith.cast<arith::ExtUIOp>(arith.intType(32), aboveTie);
  code = arith.select(arith.cmp(CmpIPredicate::ult, bits, 0x00800000), denormal,
                      code);
  // 0, infinity, NaN and everything negative: bits - 1 wraps for 0.
  Value invalid =
      arith.cmp(CmpIPredicate::uge, arith.sub(bits, 1), infBits - 1);
  code = arith.select(invalid, arith.intConstant(255), code);
  return arith.cast<arith::TruncIOp>(arith.intType(8), code);
}

Value decodeE8M0(const ElementArith &arith, Value code) {
  Value wide = arith.cast<arith::ExtUIOp>(arith.intType(32), code);
  Value bits = arith.shl(wide, 23);
  // 2^-127 is denormal in binary32.
  bits = arith.select(arith.cmp(CmpIPredicate::eq, wide, 0),
                      arith.intConstant(0x00400000), bits);
  bits = arith.select(arith.cmp(CmpIPredicate::eq, wide, 255),
                      arith.intConstant(0x7fc00000), bits);
  return arith.bitcast(arith.f32(), bits);
}

} // namespace

bool quant_mlir::isSmallFloat(Type type) {
  return isa<BFloat16Type, Float8E8M0FNUType>(type) || getFormat(type);
}

bool quant_mlir::needsOwnCasts(Type type) {
  return isSmallFloat(type) && type.getIntOrFloatBitWidth() <= 8;
}

Value quant_mlir::buildEncode(OpBuilder &builder, Location loc, Value value,
                              FloatType type) {
  ElementArith arith(builder, loc, value);
  if (type.isBF16())
    return encodeBF16(arith, value);
  if (isa<Float8E8M0FNUType>(type))
    return encodeE8M0(arith, value);
  Format format = *getFormat(type);
  auto [magnitude, sign] = split(arith, value, format);

  // One form for normal and denormal results: the significand, implicit bit
  // included, is shifted to the step of max(exponent, smallest normal), rounded
  // half to even, and the exponents above that one are added; a carry of the
  // rounding runs into the exponent by itself. 25 places already lose every bit
  // without rounding up, so a binary32 denormal's missing implicit bit, here
  // taken as present, is lost as well.
  int64_t minExponent = format.minNormalExponent();
  Value exponent = arith.shr(magnitude, 23);
  Value scaleExponent =
      arith.select(arith.cmp(CmpIPredicate::ugt, exponent, minExponent),
                   exponent, arith.intConstant(minExponent));
  Value distance =
      arith.add(arith.sub(scaleExponent, exponent), format.dropped());
  Value shift = arith.select(arith.cmp(CmpIPredicate::ult, distance, 25),
                             distance, arith.intConstant(25));
  Value significand = arith.bitOr(arith.bitAnd(magnitude, 0x7fffff),
                                  arith.intConstant(0x800000));
  Value kept = arith.shr(significand, shift);
  Value one = arith.intConstant(1);
  Value unit = arith::ShLIOp::create(builder, loc, one, shift);
  Value up =
      arith.add(arith.sub(arith.shr(unit, 1), one), arith.bitAnd(kept, 1));
  Value rounded = arith.shr(arith.add(significand, up), shift);
  Value code = arith.add(
      arith.shl(arith.sub(scaleExponent, minExponent), format.mantissaBits),
      rounded);

  Value overflow = arith.intConstant(format.overflowCode);
  code = arith.select(arith.cmp(CmpIPredicate::ugt, code, format.overflowCode),
                      overflow, code);
  Value signedCode = arith.bitOr(sign, code);
  Value isNaN = arith.cmp(CmpIPredicate::ugt, magnitude, infBits);
  if (format.overflowIsNaN)
    isNaN = arith.bitOr(
        isNaN, arith.cmp(CmpIPredicate::eq, code, format.overflowCode));
  code = arith.select(isNaN, arith.intConstant(format.nanCode), signedCode);
  return arith.cast<arith::TruncIOp>(arith.intType(format.codeWidth()), code);
}

Value quant_mlir::buildEncodeClamped(OpBuilder &builder, Location loc,
                                     Value value, FloatType type) {
  ElementArith arith(builder, loc, value);
  Format format = *getFormat(type);
  auto [magnitude, sign] = split(arith, value, format);
  // Wraps, and is not taken, for denormal results.
  Value normal =
      arith.shr(arith.sub(addRounding(arith, magnitude, format.dropped()),
                          format.rebias()),
                format.dropped());
  // One unit in the last place of `step` is the format's smallest denormal, so
  // one addition rounds to it.
  uint32_t step = (format.minNormalExponent() + format.dropped()) << 23;
  Value sum = arith.addf(arith.bitcast(arith.f32(), magnitude),
                         arith.floatConstant(floatOf(step)));
  Value denormal = arith.sub(arith.bitcast(arith.intType(32), sum), step);
  Value isDenormal = arith.cmp(CmpIPredicate::ult, magnitude,
                               format.minNormalExponent() << 23);
  Value code = arith.bitOr(sign, arith.select(isDenormal, denormal, normal));
  return arith.cast<arith::TruncIOp>(arith.intType(format.codeWidth()), code);
}

Value quant_mlir::buildDecode(OpBuilder &builder, Location loc, Value code,
                              FloatType type) {
  ElementArith arith(builder, loc, code);
  if (isa<Float8E8M0FNUType>(type))
    return decodeE8M0(arith, code);
  Value wide = arith.cast<arith::ExtUIOp>(arith.intType(32), code);
  if (type.isBF16())
    return arith.bitcast(arith.f32(), arith.shl(wide, 16));

  Format format = *getFormat(type);
  Value magnitude = arith.bitAnd(wide, format.signBit() - 1);
  Value sign =
      arith.shl(arith.bitAnd(wide, format.signBit()), 32 - format.width());
  Value normal =
      arith.add(arith.shl(magnitude, format.dropped()), format.rebias());
  if (format.firstSpecial < format.signBit()) {
    Value isSpecial =
        arith.cmp(CmpIPredicate::uge, magnitude, format.firstSpecial);
    normal = arith.select(
        isSpecial, arith.bitOr(normal, arith.intConstant(infBits)), normal);
  }
  // An integer times a power of two: no denormal operand, which some targets
  // flush.
  float unit =
      floatOf((format.minNormalExponent() - format.mantissaBits) << 23);
  Value denormal =
      arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), magnitude),
                 arith.floatConstant(unit));
  Value isDenormal =
      arith.cmp(CmpIPredicate::ult, magnitude, 1 << format.mantissaBits);
  Value bits = arith.select(isDenormal,
                            arith.bitcast(arith.intType(32), denormal), normal);
  return arith.bitcast(arith.f32(), arith.bitOr(sign, bits));
}

Value quant_mlir::buildFromCode(OpBuilder &builder, Location loc, Value code,
                                FloatType format) {
  ElementArith arith(builder, loc, code);
  unsigned width = format.getWidth();
  if (width < 8)
    code = arith.cast<arith::TruncIOp>(arith.intType(width), code);
  return arith.bitcast(format, code);
}

Value quant_mlir::buildToCode(OpBuilder &builder, Location loc, Value value) {
  ElementArith arith(builder, loc, value);
  unsigned width =
      getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  Value code = arith.bitcast(arith.intType(width), value);
  return width < 8 ? arith.cast<arith::ExtUIOp>(arith.intType(8), code) : code;
}

Value quant_mlir::buildWiden(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<FloatType>(getElementTypeOrSelf(value.getType()));
  if (type.isF32())
    return value;
  if (!type.isF16())
    return buildDecode(builder, loc, buildToCode(builder, loc, value), type);
  ElementArith arith(builder, loc, value);
  return arith.cast<arith::ExtFOp>(arith.f32(), value);
}

Value quant_mlir::buildRound(OpBuilder &builder, Location loc, Value value,
                             FloatType type) {
  if (type.isF32())
    return value;
  if (!type.isF16())
    return buildFromCode(builder, loc, buildEncode(builder, loc, value, type),
                         type);
  ElementArith arith(builder, loc, value);
  return arith.cast<arith::TruncFOp>(type, value);
}
