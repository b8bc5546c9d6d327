//===- MathToArith.cpp - Functions as the same arithmetic everywhere ------===//
//
// A C library, libdevice and a Vulkan driver each have an exponential of their
// own, and none of them is one of vectors. One made of products, sums and
// integers, which every target rounds alike, gives one result, and runs
// wherever loops over vectors and kernels of GPUs do. Nothing is fused.
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

namespace {

/// exp(x) = 2^n exp(r) with n = round(x / ln 2) and r = x - n ln 2, where ln 2
/// is a number of nine bits, whose multiples are exact, and a rest. Less than
/// one unit in the last place from the exact value, for every x.
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

    Value summand = constant(roundingSummand);
    Value sum = arith.addf(arith.mulf(x, constant(0x1.715476p0)), summand);
    Value whole = arith.subf(sum, summand);
    Value r = arith.subf(x, arith.mulf(whole, constant(0x1.63p-1)));
    r = arith.subf(r, arith.mulf(whole, constant(-0x1.bd0106p-13)));

    // (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2, to 2^-28 of exp(r).
    Value p = constant(0x1.6a2352p-10);
    for (double coefficient :
         {0x1.123a6cp-7, 0x1.5558f4p-5, 0x1.55549p-3, 0x1.fffffcp-2})
      p = arith.addf(arith.mulf(p, r), constant(coefficient));
    Value y = arith.addf(arith.mulf(arith.mulf(r, r), p), r);
    y = arith.addf(y, constant(1.0));

    // n goes beyond the exponents of normal numbers; its halves do not.
    Type i32 = arith.intType(32);
    Value n = arith.sub(arith.cast<arith::BitcastOp>(i32, sum),
                        llvm::bit_cast<int32_t>(roundingSummand));
    Value half = arith::ShRSIOp::create(rewriter, loc, n, arith.intConstant(1));
    for (Value exponent : {half, arith.sub(n, half)}) {
      Value bits = arith.shl(arith.add(exponent, 127), 23);
      y = arith.mulf(y, arith.cast<arith::BitcastOp>(arith.f32(), bits));
    }
    rewriter.replaceOp(op, y);
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
    patterns.add<ExpandExp>(&getContext());
    if (extremes)
      patterns.add<ExpandExtreme<arith::MaximumFOp>,
                   ExpandExtreme<arith::MinimumFOp>>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
