//===- RoundedQuotients.cpp - Quotients by what is invariant --------------===//
//
// round(clamp(x / s, lo, hi)) by multiplication, with v = clamp(x, lo s, hi s):
//
//   y = 1 / s
//   q = v y              off by less than two units in the last place
//   q = q + (v - q s) y  by less than one
//   q = q + (v - q s) y  none
//
// The last step is Markstein's: v - q s is exact, and with y the nearest to
// 1 / s and q one of the two neighbours of v / s, the result is v / s, rounded
// once (Muller et al., Handbook of Floating-Point Arithmetic, section 4.7). An
// x beyond a bound gives a quotient beside it, which rounds to the same
// integer.
//
// So that nothing overflows, and what underflows rounds to 0 anyway, x and s
// are multiplied by the power of two that takes s to between 1 and 4 (from
// 2^-22 on, if s is subnormal). A constant that is near enough to 1 stays.
//
//===----------------------------------------------------------------------===//

#include "RoundedQuotients.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/QuantizeArith.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace quant_mlir;
using arith::CmpFPredicate;

/// Elements along a run from which on its reciprocal is paid for.
static constexpr int64_t minRun = 64;

namespace {
/// round(clamp(x / s, lo, hi)), as buildRoundEven begins it.
struct RoundedQuotient {
  arith::DivFOp quotient;
  Value lo, hi;
  arith::AddFOp sum; ///< clamp(...) + roundingSummand
};
} // namespace

/// The select of %y = select(cmpf <predicate> %value, %bound), %value, %bound
/// where %value has no other uses.
static arith::SelectOp matchBound(Value value, CmpFPredicate predicate) {
  arith::CmpFOp compare;
  arith::SelectOp select;
  for (Operation *user : value.getUsers()) {
    if (auto op = dyn_cast<arith::CmpFOp>(user); op && !compare)
      compare = op;
    else if (auto op = dyn_cast<arith::SelectOp>(user); op && !select)
      select = op;
    else
      return nullptr;
  }
  if (!compare || !select || compare.getPredicate() != predicate ||
      compare.getLhs() != value || select.getCondition() != compare ||
      select.getTrueValue() != value ||
      select.getFalseValue() != compare.getRhs())
    return nullptr;
  return select;
}

static std::optional<RoundedQuotient> match(arith::DivFOp quotient) {
  arith::SelectOp low = matchBound(quotient, CmpFPredicate::OGT);
  arith::SelectOp high = low ? matchBound(low, CmpFPredicate::OLT) : nullptr;
  if (!high || !high->hasOneUse())
    return std::nullopt;
  auto sum = dyn_cast<arith::AddFOp>(*high->user_begin());
  APFloat summand(0.0f);
  if (!sum || sum.getLhs() != high ||
      !matchPattern(sum.getRhs(), m_ConstantFloat(&summand)) ||
      summand.convertToFloat() != roundingSummand)
    return std::nullopt;
  return RoundedQuotient{quotient, low.getFalseValue(), high.getFalseValue(),
                         sum};
}

/// Whether `value`, of the body, is the same for all elements of a run.
static bool isInvariant(Value value, linalg::GenericOp op,
                        const GenericLoops &loops) {
  if (value.getParentBlock() != op.getBody())
    return true;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getArgNumber() < op.getNumDpsInputs() &&
           !loops.maps[argument.getArgNumber()].isFunctionOfDim(
               loops.vectorLoop);
  return llvm::all_of(value.getDefiningOp()->getOperands(), [&](Value operand) {
    return isInvariant(operand, op, loops);
  });
}

/// A power of two, a normal number, that takes a positive `value` to between
/// 2^-22 and 4; null for a constant that is near enough to 1 as it is.
static Value buildPower(const ElementArith &arith, Value value) {
  APFloat constant(0.0f);
  if (matchPattern(value, m_ConstantFloat(&constant))) {
    double known = constant.convertToDouble();
    if (known >= 0x1p-64 && known <= 0x1p64)
      return nullptr;
  }
  Value exponent =
      arith.shr(arith.cast<arith::BitcastOp>(arith.intType(32), value), 23);
  exponent = arith::MaxSIOp::create(arith.getBuilder(), arith.getLoc(),
                                    arith.sub(arith.intConstant(254), exponent),
                                    arith.intConstant(1));
  return arith.cast<arith::BitcastOp>(arith.f32(), arith.shl(exponent, 23));
}

static void rewrite(RoundedQuotient found) {
  arith::DivFOp quotient = found.quotient;
  OpBuilder builder(found.sum);
  Location loc = quotient.getLoc();
  ElementArith arith(builder, loc, quotient);
  Value x = quotient.getLhs(), s = quotient.getRhs();
  if (Value power = buildPower(arith, s)) {
    x = arith.mulf(x, power);
    s = arith.mulf(s, power);
  }
  Value y = arith.divf(arith.floatConstant(1.0), s);
  Value v =
      buildClamp(arith, x, arith.mulf(found.lo, s), arith.mulf(found.hi, s));
  Value q = arith.mulf(v, y);
  Value minusS = arith::NegFOp::create(builder, loc, s);
  for (int step = 0; step < 2; ++step) {
    Value rest = math::FmaOp::create(builder, loc, q, minusS, v);
    q = math::FmaOp::create(builder, loc, rest, y, q);
  }
  found.sum.getLhsMutable().assign(q);
}

void quant_mlir::multiplyByReciprocals(linalg::GenericOp op,
                                       const GenericLoops &loops) {
  int64_t run = op.getStaticLoopRanges()[loops.vectorLoop];
  if (!ShapedType::isDynamic(run) && run < minRun)
    return;
  SmallVector<RoundedQuotient> found;
  for (auto quotient : op.getBody()->getOps<arith::DivFOp>()) {
    if (!quotient.getType().isF32() ||
        !isInvariant(quotient.getRhs(), op, loops))
      continue;
    std::optional<RoundedQuotient> rounded = match(quotient);
    if (rounded && isInvariant(rounded->lo, op, loops) &&
        isInvariant(rounded->hi, op, loops))
      found.push_back(*rounded);
  }
  for (const RoundedQuotient &rounded : found)
    rewrite(rounded);
  if (found.empty())
    return;
  for (Operation &inner :
       llvm::make_early_inc_range(llvm::reverse(*op.getBody())))
    if (isOpTriviallyDead(&inner))
      inner.erase();
}
