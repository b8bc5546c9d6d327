//===- ExactDivision.cpp - IEEE 754's quotient from integers --------------===//
//
// Vulkan lets a quotient be wrong by 2.5 units in the last place, and
// quantization divides by the scale: a code next to a tie would depend on the
// device. So the significands are divided bit by bit, in 32-bit integers; what
// has no significand to divide (0, infinities, NaN) is left to the device.
//
//===----------------------------------------------------------------------===//

#include "SPIRV.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quant_mlir;
using arith::CmpIPredicate;

namespace {
/// |x| = significand * 2^(exponent - 150), the significand in [2^23, 2^24).
struct Parts {
  Value bits;        ///< without the sign
  Value significand; ///< i32
  Value exponent;    ///< i32, biased; less than 1 where x is denormal
};
} // namespace

static Parts split(const ElementArith &arith, Value x) {
  OpBuilder &builder = arith.getBuilder();
  Location loc = arith.getLoc();
  Parts parts;
  parts.bits = arith.bitAnd(arith.bitcast(arith.intType(32), x), 0x7fffffff);
  Value fraction = arith.bitAnd(parts.bits, 0x7fffff);
  Value exponent = arith.shr(parts.bits, 23);
  // The leading bit of a denormal moves to bit 23.
  Value zeros = math::CountLeadingZerosOp::create(builder, loc, fraction);
  Value shift = arith.sub(zeros, 8);
  Value isDenormal = arith.cmp(CmpIPredicate::eq, exponent, 0);
  shift = arith.select(isDenormal, shift, arith.intConstant(0));
  // 0 has 32 leading zeros; what comes of it is not used.
  Value moved = arith::ShLIOp::create(builder, loc, fraction, shift);
  parts.significand = arith.select(
      isDenormal, moved, arith.bitOr(fraction, arith.intConstant(1 << 23)));
  Value least =
      arith::SubIOp::create(builder, loc, arith.intConstant(1), shift);
  parts.exponent = arith.select(isDenormal, least, exponent);
  return parts;
}

/// Whether x is neither 0 nor infinite nor NaN.
static Value isOrdinary(const ElementArith &arith, const Parts &parts) {
  // Less than all of them but 0, whose predecessor is the largest number.
  return arith.cmp(CmpIPredicate::ult, arith.sub(parts.bits, 1), 0x7f7fffff);
}

Value quant_mlir::buildExactDivision(OpBuilder &builder, Location loc, Value a,
                                     Value b) {
  ElementArith arith(builder, loc, a);
  Parts x = split(arith, a), y = split(arith, b);
  // x / y in [1, 2): where it is less, x moves up by a bit.
  Value isLess = arith::CmpIOp::create(builder, loc, CmpIPredicate::ult,
                                       x.significand, y.significand);
  Value dividend =
      arith.select(isLess, arith.shl(x.significand, 1), x.significand);
  Value exponent = arith.add(arith.sub(x.exponent, y.exponent), 127);
  exponent = arith.select(isLess, arith.sub(exponent, 1), exponent);

  // 24 bits behind the leading one: the last of them is for rounding.
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value steps = arith::ConstantIndexOp::create(builder, loc, 24);
  auto loop = scf::ForOp::create(
      builder, loc, zero, steps, one,
      ValueRange{arith.sub(dividend, y.significand), arith.intConstant(1)},
      [&](OpBuilder &, Location, Value, ValueRange carried) {
        Value rest = arith.shl(carried[0], 1);
        Value fits = arith::CmpIOp::create(builder, loc, CmpIPredicate::uge,
                                           rest, y.significand);
        Value bit = arith.cast<arith::ExtUIOp>(arith.intType(32), fits);
        rest = arith.select(fits, arith.sub(rest, y.significand), rest);
        Value quotient = arith.bitOr(arith.shl(carried[1], 1), bit);
        scf::YieldOp::create(builder, loc, ValueRange{rest, quotient});
      });
  Value rest = loop.getResult(0), quotient = loop.getResult(1);

  // A denormal result loses bits, all of them at last.
  Value lost =
      arith::SubIOp::create(builder, loc, arith.intConstant(1), exponent);
  lost = arith::MaxSIOp::create(builder, loc, lost, arith.intConstant(0));
  lost = arith::MinSIOp::create(builder, loc, lost, arith.intConstant(26));
  Value kept = arith.shr(quotient, lost);
  Value back = arith::ShLIOp::create(builder, loc, kept, lost);
  Value remains = arith.bitOr(arith.sub(quotient, back), rest);
  Value sticky = arith.cast<arith::ExtUIOp>(
      arith.intType(32), arith.cmp(CmpIPredicate::ne, remains, 0));
  Value half = arith.bitAnd(kept, 1);
  Value significand = arith.shr(kept, 1);
  // Half to even; a carry goes into the exponent, as it should.
  Value odd = arith.bitOr(sticky, arith.bitAnd(significand, 1));
  Value up = arith::AndIOp::create(builder, loc, half, odd);
  Value above = arith.sub(
      arith::MaxSIOp::create(builder, loc, exponent, arith.intConstant(1)), 1);
  // Beyond 254 everything is infinite.
  above = arith::MinSIOp::create(builder, loc, above, arith.intConstant(254));
  Value bits = arith.add(arith.add(arith.shl(above, 23), significand), up);
  bits =
      arith::MinUIOp::create(builder, loc, bits, arith.intConstant(0x7f800000));
  Value sign = arith.bitAnd(
      arith::XOrIOp::create(builder, loc, arith.bitcast(arith.intType(32), a),
                            arith.bitcast(arith.intType(32), b)),
      int64_t(int32_t(0x80000000)));
  Value result = arith.bitcast(arith.f32(), arith.bitOr(bits, sign));
  Value isExact = arith::AndIOp::create(builder, loc, isOrdinary(arith, x),
                                        isOrdinary(arith, y));
  return arith.select(isExact, result, arith.divf(a, b));
}
