//===- MathToArith.cpp - Functions as the same arithmetic everywhere ------===//
//
// A C library, libdevice and a Vulkan driver each have an exponential of their
// own, and none of them is one of vectors. One made of products, sums and
// integers, which every target rounds alike, gives one result, and runs
// wherever loops over vectors and kernels of GPUs do. Nothing is fused, nothing
// divided: Vulkan's quotients may be wrong by 2.5 units in the last place.
//
// Polynomials are least in their greatest relative error of the result, their
// coefficients rounded to f32 one after the other, from the lowest power on.
// How wrong results are was tried on every binary32.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/QuantizeArith.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/bit.h"

#include <limits>

namespace quant_mlir {
#define GEN_PASS_DEF_MATHTOARITHPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;
using arith::CmpFPredicate;

/// Whether `op` computes scalars or vectors of f32, exactly as written.
static LogicalResult matchF32(Operation *op, PatternRewriter &rewriter) {
  Type type = op->getResult(0).getType();
  if (isa<TensorType>(type) || !getElementTypeOrSelf(type).isF32())
    return rewriter.notifyMatchFailure(op, "not of scalars or vectors of f32");
  return success();
}

/// The sum of `coefficients`, the lowest first, times powers of `x`.
static Value buildPolynomial(const ElementArith &arith, Value x,
                             ArrayRef<double> coefficients) {
  Value sum = arith.floatConstant(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = arith.addf(arith.mulf(sum, x), arith.floatConstant(coefficient));
  return sum;
}

namespace {
/// exp(x) = y 2^n, y in [0.7, 1.5)
struct ScaledExp {
  Value y, n;
};
} // namespace

/// n = round(x / ln 2) and y = exp(r) with r = x - n ln 2, where ln 2 is a
/// number of nine bits, whose multiples are exact, and a rest.
static ScaledExp buildScaledExp(const ElementArith &arith, Value x) {
  auto constant = [&](double value) { return arith.floatConstant(value); };
  Value summand = constant(roundingSummand);
  Value sum = arith.addf(arith.mulf(x, constant(0x1.715476p0)), summand);
  Value whole = arith.subf(sum, summand);
  Value r = arith.subf(x, arith.mulf(whole, constant(0x1.63p-1)));
  r = arith.subf(r, arith.mulf(whole, constant(-0x1.bd0106p-13)));

  // (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2, to 2^-28 of exp(r).
  Value p = buildPolynomial(arith, r,
                            {0x1.fffffcp-2, 0x1.55549p-3, 0x1.5558f4p-5,
                             0x1.123a6cp-7, 0x1.6a2352p-10});
  Value y = arith.addf(arith.mulf(arith.mulf(r, r), p), r);
  y = arith.addf(y, constant(1.0));
  Value n = arith.sub(arith.cast<arith::BitcastOp>(arith.intType(32), sum),
                      llvm::bit_cast<int32_t>(roundingSummand));
  return {y, n};
}

/// value 2^n for a normal 2^n
static Value scaleByPower(const ElementArith &arith, Value value, Value n) {
  Value bits = arith.shl(arith.add(n, 127), 23);
  return arith.mulf(value, arith.cast<arith::BitcastOp>(arith.f32(), bits));
}

/// exp(x) of an x whose exponential is a normal number.
static Value buildNormalExp(const ElementArith &arith, Value x) {
  ScaledExp exp = buildScaledExp(arith, x);
  return scaleByPower(arith, exp.y, exp.n);
}

/// An odd function that goes to 1, of t = |x|: t + t q(t^2) up to `bound` and 1
/// - rest(t) beyond, from `end` on that of `end`; with the sign of x.
static Value buildOdd(const ElementArith &arith, Value x, double bound,
                      ArrayRef<double> q, double end,
                      llvm::function_ref<Value(Value)> rest) {
  Type i32 = arith.intType(32), f32 = arith.f32();
  Value bits = arith.cast<arith::BitcastOp>(i32, x);
  Value t = arith.cast<arith::BitcastOp>(f32, arith.bitAnd(bits, INT32_MAX));
  auto isBeyond = [&](double limit) {
    // NaN is not.
    return arith.cmp(CmpFPredicate::OGT, t, arith.floatConstant(limit));
  };
  Value near = buildPolynomial(arith, arith.mulf(t, t), q);
  near = arith.addf(arith.mulf(near, t), t);
  Value to = arith.select(isBeyond(end), arith.floatConstant(end), t);
  Value far = arith.subf(arith.floatConstant(1.0), rest(to));
  Value result = arith.select(isBeyond(bound), far, near);
  return arith.cast<arith::BitcastOp>(
      f32, arith.bitOr(arith.cast<arith::BitcastOp>(i32, result),
                       arith.bitAnd(bits, INT32_MIN)));
}

namespace {

/// Less than one unit in the last place from the exact value.
struct ExpandExp : public OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(matchF32(op, rewriter)))
      return failure();
    Location loc = op.getLoc();
    ElementArith arith(rewriter, loc, op.getOperand());
    auto constant = [&](double value) { return arith.floatConstant(value); };
    // Beyond these bounds the result is 0 or infinite; NaN is not beyond them.
    Value x = op.getOperand(), lo = constant(-104.0), hi = constant(89.0);
    x = arith.select(arith.cmp(CmpFPredicate::OLT, x, lo), lo, x);
    x = arith.select(arith.cmp(CmpFPredicate::OGT, x, hi), hi, x);
    auto [y, n] = buildScaledExp(arith, x);
    // n goes beyond the exponents of normal numbers; its halves do not.
    Value half = arith::ShRSIOp::create(rewriter, loc, n, arith.intConstant(1));
    for (Value exponent : {half, arith.sub(n, half)})
      y = scaleByPower(arith, y, exponent);
    rewriter.replaceOp(op, y);
    return success();
  }
};

/// 1 - erf(t) = exp(p(t)): the logarithm is as good as a parabola. Less
/// than 1.4 units in the last place from the exact value.
struct ExpandErf : public OpRewritePattern<math::ErfOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ErfOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(matchF32(op, rewriter)))
      return failure();
    ElementArith arith(rewriter, op.getLoc(), op.getOperand());
    // To 2^-30 and 2^-29 of erf(x).
    const double q[] = {0x1.06eba8p-3,  -0x1.812740p-2, 0x1.ce2d64p-4,
                        -0x1.b80120p-6, 0x1.544aa8p-8,  -0x1.a6126ep-11,
                        0x1.4f8e5ap-14};
    const double p[] = {-0x1.d46564p-13, -0x1.20a7e6p+0, -0x1.4655b6p-1,
                        -0x1.a905dcp-4,  0x1.6adc18p-6,  -0x1.8c45e2p-9,
                        0x1.96adf8p-13};
    rewriter.replaceOp(
        op, buildOdd(arith, op.getOperand(), 0.9375, q, 4.0, [&](Value t) {
          return buildNormalExp(arith, buildPolynomial(arith, t, p));
        }));
    return success();
  }
};

/// 1 - tanh(t) = e p(e) with e = exp(-2 t) and p(e) = 2 / (1 + e). Less
/// than 1.3 units in the last place from the exact value.
struct ExpandTanh : public OpRewritePattern<math::TanhOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::TanhOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(matchF32(op, rewriter)))
      return failure();
    ElementArith arith(rewriter, op.getLoc(), op.getOperand());
    // To 2^-29 and 2^-28 of tanh(x).
    const double q[] = {-0x1.98ea50p-30, -0x1.555544p-2, 0x1.110d24p-3,
                        -0x1.b96f24p-5,  0x1.5f247cp-6,  -0x1.f3f4c0p-8,
                        0x1.c33982p-10};
    const double p[] = {0x1.ffffeep+0,  -0x1.fff9e8p+0, 0x1.ff4dccp+0,
                        -0x1.f673eap+0, 0x1.bb6d1ap+0,  -0x1.f2f732p-1};
    rewriter.replaceOp(
        op, buildOdd(arith, op.getOperand(), 0.75, q, 16.0, [&](Value t) {
          Value e =
              buildNormalExp(arith, arith.mulf(t, arith.floatConstant(-2.0)));
          return arith.mulf(buildPolynomial(arith, e, p), e);
        }));
    return success();
  }
};

/// The greater of two, or the lesser; -0 < +0, and NaN if one of them is. The
/// expansion of `arith` gives one of two zeros by their order, in which nothing
/// could be reduced on vectors.
template <typename OpTy> struct ExpandExtreme : public OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  static constexpr bool isMaximum = std::is_same_v<OpTy, arith::MaximumFOp>;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (failed(matchF32(op, rewriter)))
      return failure();
    Value a = op.getLhs(), b = op.getRhs();
    ElementArith arith(rewriter, op.getLoc(), a);
    APFloat bound(0.0f);
    if (matchPattern(b, m_ConstantFloat(&bound)) && !bound.isNaN())
      rewriter.replaceOp(op, buildBound(arith, a, b, bound));
    else
      rewriter.replaceOp(op, buildExtreme(arith, a, b));
    return success();
  }

private:
  static Value buildExtreme(const ElementArith &arith, Value a, Value b) {
    // Of equal numbers, only the bits of zeros differ.
    Type i32 = arith.intType(32);
    Value x = arith.cast<arith::BitcastOp>(i32, a);
    Value y = arith.cast<arith::BitcastOp>(i32, b);
    using BitsOp = std::conditional_t<isMaximum, arith::AndIOp, arith::OrIOp>;
    Value bits = BitsOp::create(arith.getBuilder(), arith.getLoc(), x, y);
    Value result = arith.cast<arith::BitcastOp>(arith.f32(), bits);
    CmpFPredicate isBeyond =
        isMaximum ? CmpFPredicate::OGT : CmpFPredicate::OLT;
    result = arith.select(arith.cmp(isBeyond, b, a), b, result);
    result = arith.select(arith.cmp(isBeyond, a, b), a, result);
    Value nan = arith.floatConstant(std::numeric_limits<float>::quiet_NaN());
    return arith.select(arith.cmp(CmpFPredicate::UNO, a, b), nan, result);
  }
  /// Of a number that is equal to the bound, the bound is it, unless that is
  /// the zero that the other one goes before.
  static Value buildBound(const ElementArith &arith, Value a, Value b,
                          const APFloat &bound) {
    bool keeps = bound.isZero() && bound.isNegative() == isMaximum;
    CmpFPredicate isBeyond =
        isMaximum ? (keeps ? CmpFPredicate::OLT : CmpFPredicate::OLE)
                  : (keeps ? CmpFPredicate::OGT : CmpFPredicate::OGE);
    return arith.select(arith.cmp(isBeyond, a, b), b, a);
  }
};

struct MathToArithPass
    : public quant_mlir::impl::MathToArithPassBase<MathToArithPass> {
  using MathToArithPassBase::MathToArithPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandErf, ExpandExp, ExpandTanh>(&getContext());
    if (extremes)
      patterns.add<ExpandExtreme<arith::MaximumFOp>,
                   ExpandExtreme<arith::MinimumFOp>>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
