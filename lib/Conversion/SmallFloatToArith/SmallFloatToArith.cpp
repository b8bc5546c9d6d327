//===- SmallFloatToArith.cpp - Casts of fp8, fp4 and E8M0 -----------------===//
//
// arith.extf and arith.truncf of the floats of at most eight bits, written by a
// model or by another pass, as the integer arithmetic of Utils/SmallFloatArith.
// Casts to and from f64, and those that ask for a rounding mode, are left
// alone.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/SmallFloatToArith/SmallFloatToArith.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_SMALLFLOATTOARITHPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

namespace {

/// The two element types where the builders can make the cast.
struct CastTypes {
  FloatType from, to;
};
FailureOr<CastTypes> matchCast(Operation *op, PatternRewriter &rewriter) {
  Type from = op->getOperand(0).getType();
  if (isa<TensorType>(from))
    return rewriter.notifyMatchFailure(
        op, "a cast of tensors, which quant-widen-storage makes scalar");
  CastTypes types{cast<FloatType>(getElementTypeOrSelf(from)),
                  cast<FloatType>(getElementTypeOrSelf(op->getResult(0)))};
  if (!needsOwnCasts(types.from) && !needsOwnCasts(types.to))
    return rewriter.notifyMatchFailure(op, "neither side is a small float");
  auto isKnown = [](FloatType type) {
    return type.isF32() || isSmallFloat(type);
  };
  if (!isKnown(types.from) || !isKnown(types.to))
    return rewriter.notifyMatchFailure(op, "a float type without a builder");
  return types;
}

/// arith.extf %x : f8E4M3FN to f32 -> integer arithmetic on its code
struct ExpandExtF : public OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<CastTypes> types = matchCast(op, rewriter);
    if (failed(types))
      return failure();
    Value wide = buildWiden(rewriter, op.getLoc(), op.getIn());
    rewriter.replaceOp(op, buildRound(rewriter, op.getLoc(), wide, types->to));
    return success();
  }
};

/// arith.truncf %x : f32 to f8E4M3FN -> integer arithmetic that makes its code
struct ExpandTruncF : public OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<CastTypes> types = matchCast(op, rewriter);
    if (failed(types))
      return failure();
    if (op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) !=
        arith::RoundingMode::to_nearest_even)
      return rewriter.notifyMatchFailure(op, "rounds other than half to even");
    Value wide = buildWiden(rewriter, op.getLoc(), op.getIn());
    rewriter.replaceOp(op, buildRound(rewriter, op.getLoc(), wide, types->to));
    return success();
  }
};

struct SmallFloatToArithPass
    : public quant_mlir::impl::SmallFloatToArithPassBase<
          SmallFloatToArithPass> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateSmallFloatToArithPatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    walkAndApplyPatterns(getOperation(), patterns);
  }

private:
  FrozenRewritePatternSet patterns;
};

} // namespace

void quant_mlir::populateSmallFloatToArithPatterns(
    RewritePatternSet &patterns) {
  patterns.add<ExpandExtF, ExpandTruncF>(patterns.getContext());
}
