//===- ElementwiseToLinalg.cpp - Lower sums and products of codes ---------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "IntegerFormToLinalg.h"

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Both operations: one linalg.generic whose body makes the value, divided by
/// the scale of the result, and requantizes it.
template <typename OpTy>
LogicalResult
lowerElementwise(OpTy op, PatternRewriter &rewriter,
                 function_ref<Value(const ElementArith &, Value, Value)> body) {
  if (failed(checkLowerable(op, rewriter)))
    return failure();
  Location loc = op.getLoc();
  AffineAttr params = op.getInitParams();
  numerics::CodeRange range =
      getBoundedRange(params, op.getLow(), op.getHigh());
  // All loops are in the result, each alone, so its dimensions can be the
  // loops.
  AffineMap toLoops = inversePermutation(op.getOperandMaps().back());
  GenericInputs inputs;
  inputs.add(op.getLhs(), op.getOperandMaps()[0].compose(toLoops));
  inputs.add(op.getRhs(), op.getOperandMaps()[1].compose(toLoops));
  rewriter.replaceOp(
      op, buildElementwise(rewriter, loc, inputs, op.getInit(),
                           [&](const ElementArith &arith, ValueRange args) {
                             return buildResultCode(
                                 arith, body(arith, args[0], args[1]), params,
                                 range);
                           }));
  return success();
}

/// quant.add %a, %b
///   -> linalg.generic { float(a - za) * ma + float(b - zb) * mb, requantized }
struct LowerAdd : public OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    float scale = getTensorScale(op.getInitParams());
    auto scaled = [&](const ElementArith &arith, Value code,
                      AffineAttr params) {
      float factor = numerics::addMultiplier(getTensorScale(params), scale);
      return arith.mulf(buildCentredFloat(arith, code, params),
                        arith.floatConstant(factor));
    };
    return lowerElementwise(
        op, rewriter, [&](const ElementArith &arith, Value a, Value b) {
          return arith.addf(scaled(arith, a, op.getLhsParams()),
                            scaled(arith, b, op.getRhsParams()));
        });
  }
};

/// quant.mul %a, %b
///   -> linalg.generic { float((a - za) * (b - zb)) * m, requantized }
struct LowerMul : public OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    float factor = numerics::mulMultiplier(getTensorScale(op.getLhsParams()),
                                           getTensorScale(op.getRhsParams()),
                                           getTensorScale(op.getInitParams()));
    return lowerElementwise(
        op, rewriter, [&](const ElementArith &arith, Value a, Value b) {
          Value product = arith::MulIOp::create(
              arith.getBuilder(), arith.getLoc(),
              buildCentredCode(arith, a, op.getLhsParams()),
              buildCentredCode(arith, b, op.getRhsParams()));
          return arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), product),
                            arith.floatConstant(factor));
        });
  }
};

} // namespace

void quant_mlir::populateElementwiseToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerAdd, LowerMul>(patterns.getContext());
}
