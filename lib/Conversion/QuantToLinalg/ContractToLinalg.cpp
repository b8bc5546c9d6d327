//===- ContractToLinalg.cpp - Lower contractions of codes -----------------===//
//
// Four steps, each of them linalg.generic: lhs less its zero points, padded
// with zeros; sums of products over the loops of the operation; blocks, each
// times its multiplier, added one after another by an scf.for; what follows the
// sum. All multipliers of a static lhs are formed here, by Numerics, in
// binary64; those of a dynamic one in the body, in f64, by the same formulas.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "ContractLowering.h"

#include "quant-mlir/Conversion/Utils/ReductionCheck.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace quant_mlir;

AffineMap ContractLowering::toResult(AffineMap map) {
  AffineMap init = op.getInitMap();
  SmallVector<AffineExpr> dims(init.getNumDims(),
                               rewriter.getAffineConstantExpr(0));
  for (auto [position, expr] : llvm::enumerate(init.getResults()))
    dims[cast<AffineDimExpr>(expr).getPosition()] =
        rewriter.getAffineDimExpr(position);
  return map.replaceDimsAndSymbols(dims, {}, init.getNumResults(), 0);
}

/// Scales, zero points and minvals of rhs, and the multipliers made of them.
void ContractLowering::buildParameters() {
  auto shapeOf = [](ElementsAttr attr) {
    return attr ? attr.getShapedType().getShape() : ArrayRef<int64_t>();
  };
  ArrayRef<int64_t> scaleShape, minvalShape;
  if (rhsParams) {
    scaleShape = shapeOf(rhsParams.getScale());
    minvalShape = shapeOf(rhsParams.getMinval());
    rhsZeroPoint =
        buildParameter(rewriter, loc, "zero_point",
                       shapeOf(rhsParams.getZeroPoint()), values.zeroPoints);
  }
  std::vector<float> scales = values.scales, minvals = values.minvals;
  if (!isInteger) {
    // Those are in the products already.
    rhsScale = buildParameter(rewriter, loc, "scale", scaleShape, scales);
    rhsMinval = buildParameter(rewriter, loc, "minval", minvalShape, minvals);
    scales = {1.0f};
    minvals.clear();
  }
  // That of rhs is an operand: what is known is the scale of lhs, if anything.
  if (op.isRhsDynamic())
    scales.assign(1,
                  op.isDynamic() ? 1.0f : getTensorScale(*op.getLhsParams()));
  else if (!op.isDynamic()) {
    float lhsScale =
        op.hasFloatLhs() ? 1.0f : getTensorScale(*op.getLhsParams());
    std::optional<float> resultScale = getResultScale();
    auto multiply = [&](float &scale) {
      scale = resultScale
                  ? numerics::requantMultiplier(lhsScale, scale, *resultScale)
                  : numerics::outputMultiplier(lhsScale, scale);
    };
    llvm::for_each(scales, multiply);
    llvm::for_each(minvals, multiply);
  }
  multiplier.value =
      buildParameter(rewriter, loc, "multiplier", scaleShape, scales);
  minvalMultiplier.value =
      buildParameter(rewriter, loc, "minval_multiplier", minvalShape, minvals);
}

ContractLowering::ScaledInputs
ContractLowering::addScaled(GenericInputs &inputs, const Sums &sums,
                            const Multiplier &multiplier,
                            const Multiplier &minval) {
  AffineMap identity =
      rewriter.getMultiDimIdentityMap(op.getInitMap().getNumResults());
  AffineMap unitMap = toResult(getUnitMap());
  ScaledInputs scaled;
  scaled.products = inputs.add(sums.products, identity);
  scaled.lhs = inputs.add(sums.lhs, identity);
  if (hasIntegerBias())
    scaled.bias = inputs.add(op.getBias(), toResult(op.getBiasMap()));
  if (op.isDynamic())
    scaled.scale = inputs.add(op.getScale(), getRowMap(op.getScale()));
  if (op.isRhsDynamic())
    scaled.rhsScale =
        inputs.add(op.getRhsScale(), getColumnMap(op.getRhsScale()));
  scaled.multiplier = multiplier;
  scaled.multiplier.index = inputs.add(multiplier.value.input, unitMap);
  scaled.minval = minval;
  scaled.minval.index = inputs.add(minval.value.input, unitMap);
  return scaled;
}

/// float32(double(sx) * double(sw) / double(sy)), without the division for a
/// result of values.
Value ContractLowering::buildMultiplier(const ElementArith &arith,
                                        ValueRange args,
                                        const Multiplier &multiplier,
                                        const ScaledInputs &inputs) {
  Value value = multiplier.index
                    ? args[multiplier.index]
                    : arith.floatConstant(multiplier.value.constant);
  if (!op.isDynamic() && !op.isRhsDynamic())
    return value;
  // Of factors that are there two at most are not 1: their product is exact.
  Type f64 = rewriter.getF64Type();
  value = arith.cast<arith::ExtFOp>(f64, value);
  for (unsigned scale : {inputs.scale, inputs.rhsScale})
    if (scale)
      value =
          arith.mulf(arith.cast<arith::ExtFOp>(
                         f64, buildWiden(arith.getBuilder(), loc, args[scale])),
                     value);
  if (std::optional<float> resultScale = getResultScale())
    value = arith.divf(value, arith.floatConstant(*resultScale, f64));
  return arith.cast<arith::TruncFOp>(arith.f32(), value);
}

Value ContractLowering::buildScaled(const ElementArith &arith, ValueRange args,
                                    const ScaledInputs &inputs) {
  Value value = args[inputs.products];
  if (inputs.bias)
    value = arith.add(value, arith.extend(args[inputs.bias], getSumType()));
  if (isInteger)
    value = arith.cast<arith::SIToFPOp>(arith.f32(), value);
  value = arith.mulf(value,
                     buildMultiplier(arith, args, inputs.multiplier, inputs));
  if (!inputs.lhs)
    return value;
  Value lhs = arith.cast<arith::SIToFPOp>(arith.f32(), args[inputs.lhs]);
  Value minval = buildMultiplier(arith, args, inputs.minval, inputs);
  return arith.addf(value, arith.mulf(lhs, minval));
}

/// %y = linalg.generic { scale, bias, residual, bounds, round }
Value ContractLowering::finish(const Sums &sums, Value total) {
  AffineMap identity =
      rewriter.getMultiDimIdentityMap(op.getInitMap().getNumResults());
  GenericInputs inputs;
  ScaledInputs scaled;
  if (total)
    inputs.add(total, identity);
  else
    scaled = addScaled(inputs, sums, multiplier, minvalMultiplier);
  unsigned bias = 0, residual = 0;
  if (op.getBias() && !hasIntegerBias())
    bias = inputs.add(op.getBias(), toResult(op.getBiasMap()));
  if (op.getResidual())
    residual = inputs.add(op.getResidual(), toResult(op.getResidualMap()));
  std::optional<APFloat> low = op.getLow(), high = op.getHigh();
  std::optional<float> resultScale = getResultScale();
  std::optional<AffineAttr> residualParams = op.getResidualParams();

  return buildElementwise(
      rewriter, loc, inputs, op.getInit(),
      [&](const ElementArith &arith, ValueRange args) -> Value {
        OpBuilder &builder = arith.getBuilder();
        Value value = total ? args.front() : buildScaled(arith, args, scaled);
        // In units of the result.
        auto addValue = [&](Value added) {
          if (resultScale) {
            Type f64 = builder.getF64Type();
            added = arith.divf(arith.cast<arith::ExtFOp>(f64, added),
                               arith.floatConstant(*resultScale, f64));
            added = arith.cast<arith::TruncFOp>(arith.f32(), added);
          }
          value = arith.addf(value, added);
        };
        if (bias)
          addValue(args[bias]);
        if (residual) {
          Value added = args[residual];
          if (residualParams) {
            float factor = getTensorScale(*residualParams);
            if (resultScale)
              factor = numerics::addMultiplier(factor, *resultScale);
            added = arith.mulf(buildCentredFloat(arith, added, *residualParams),
                               arith.floatConstant(factor));
            value = arith.addf(value, added);
          } else {
            addValue(buildWiden(builder, loc, added));
          }
        }
        if (std::optional<AffineAttr> params = op.getInitParams())
          return buildResultCode(arith, value, *params,
                                 getBoundedRange(*params, low, high));
        value = buildBounds(arith, value, low, high);
        auto type = cast<FloatType>(getElementTypeOrSelf(op.getInit()));
        return buildRound(builder, loc, value, type);
      });
}

LogicalResult ContractLowering::lower() {
  // There are none of blocks along a reduction that is empty.
  if (rhsParams && !op.isRhsDynamic() && values.scales.empty() &&
      op.getRhsCodesType().getNumElements() != 0)
    return rewriter.notifyMatchFailure(op, "scales are not in memory");
  if (op.getLayout() && !op.getRhsCodesType().hasStaticShape())
    return rewriter.notifyMatchFailure(op, "it is packed, of unknown sizes");
  Value rhs = op.getRhs();
  if (LayoutAttr layout = op.getLayoutAttr())
    rhs = UnpackOp::create(rewriter, loc, op.getRhsCodesType(), rhs, layout);
  Value lhs = centreLhs();
  buildParameters();
  Sums sums;
  Value total;
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  if (isInteger && block)
    total = addBlocks(lhs, rhs, block->first, block->second);
  else
    sums = sum(lhs, rhs, std::nullopt, rhsZeroPoint);
  rewriter.replaceOp(op, finish(sums, total));
  return success();
}

namespace {

/// quant.contract -> linalg.generic, as above.
struct LowerContract : public OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ContractOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(checkLowerable(op, rewriter)))
      return failure();
    // Nothing to compute, and maps into parameters of no elements do not
    // verify.
    if (llvm::is_contained(op.getInitType().getShape(), 0)) {
      rewriter.replaceOp(op, op.getInit());
      return success();
    }
    buildReductionCheck(rewriter, op);
    return ContractLowering(op, rewriter).lower();
  }
};

} // namespace

void quant_mlir::populateContractToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerContract>(patterns.getContext());
}
