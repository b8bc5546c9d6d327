//===- ContractToLinalg.cpp - Lower contractions of codes -----------------===//
//
// Four steps, each of them linalg.generic: lhs less its zero points, padded
// with zeros; sums of products over the loops of the operation; blocks, each
// times its multiplier, added one after another by an scf.for; what follows the
// sum. All multipliers of a static lhs are formed here, by Numerics, in
// binary64; those of a dynamic one in the body, in f64, by the same formulas.
//
// A sum that is not of integers takes `x * dequantize(w)`: the scale of lhs
// alone is left to the multiplier then.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "IntegerFormToLinalg.h"
#include "ParameterMap.h"
#include "ParameterTensor.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// A factor of every unit of rhs: a number known here, or, where the scale of
/// lhs is an operand, what it is multiplied by at run time.
struct Multiplier {
  Parameter<float> value;
  unsigned index = 0;
};

/// Sums over one block, or over everything.
struct Sums {
  Value products; ///< sum((x - zx) * (w - zw))
  Value lhs;      ///< sum(x - zx); minval only
};

class ContractLowering {
public:
  ContractLowering(ContractOp op, PatternRewriter &rewriter)
      : op(op), rewriter(rewriter), loc(op.getLoc()),
        rhsParams(op.getRhsParamsAttr()), isInteger(op.hasIntegerSum()) {
    if (rhsParams)
      values = rhsParams.getTensorParams();
  }

  LogicalResult lower();

private:
  Value centreLhs();
  void buildParameters();
  Sums sum(Value lhs, Value rhs, std::optional<int64_t> block,
           const Parameter<int32_t> &zeroPoint);
  Value addBlocks(Value lhs, Value rhs, unsigned dim, int64_t size);
  Value addBlock(Value lhs, Value rhs, unsigned dim, int64_t size,
                 int64_t length, Value block, Value total);
  Value finish(const Sums &sums, Value total);

  /// `sums` of one element times their multipliers.
  struct ScaledInputs {
    unsigned products, lhs = 0, bias = 0, scale = 0;
    Multiplier multiplier, minval;
  };
  ScaledInputs addScaled(GenericInputs &inputs, const Sums &sums,
                         const Multiplier &multiplier,
                         const Multiplier &minval);
  Value buildScaled(const ElementArith &arith, ValueRange args,
                    const ScaledInputs &inputs);
  Value buildMultiplier(const ElementArith &arith, ValueRange args,
                        const Multiplier &multiplier, unsigned scale);

  bool hasIntegerBias() {
    return op.getBias() && getElementTypeOrSelf(op.getBias()).isInteger();
  }
  /// The scale of a result of codes.
  std::optional<float> getResultScale() {
    if (!op.getInitParams())
      return std::nullopt;
    return getTensorScale(*op.getInitParams());
  }
  /// From loops to units of rhs.
  AffineMap getUnitMap() {
    if (!rhsParams)
      return AffineMap::get(op.getNumLoops(), 0, rewriter.getContext());
    return getParameterMap(rhsParams.getGranularity(),
                           op.getRhsCodesType().getShape())
        .compose(op.getRhsMap());
  }
  /// A map of loops as one of the result's dimensions; reductions become 0.
  AffineMap toResult(AffineMap map);
  /// From the result's dimensions to an operand that has one element or one per
  /// row of lhs.
  AffineMap getRowMap(Value operand);
  Value fill(Type element);

  ContractOp op;
  PatternRewriter &rewriter;
  Location loc;
  AffineAttr rhsParams; ///< null: rhs is of values
  numerics::TensorParams values;
  bool isInteger;
  Parameter<int32_t> rhsZeroPoint;
  Parameter<float> rhsScale, rhsMinval;
  Multiplier multiplier, minvalMultiplier;
};

AffineMap ContractLowering::toResult(AffineMap map) {
  AffineMap init = op.getInitMap();
  SmallVector<AffineExpr> dims(init.getNumDims(),
                               rewriter.getAffineConstantExpr(0));
  for (auto [position, expr] : llvm::enumerate(init.getResults()))
    dims[cast<AffineDimExpr>(expr).getPosition()] =
        rewriter.getAffineDimExpr(position);
  return map.replaceDimsAndSymbols(dims, {}, init.getNumResults(), 0);
}

AffineMap ContractLowering::getRowMap(Value operand) {
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    exprs.push_back(type.getDimSize(dim) == 1
                        ? rewriter.getAffineConstantExpr(0)
                        : op.getLhsMap().getResult(dim));
  return toResult(
      AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext()));
}

Value ContractLowering::fill(Type element) {
  TypedAttr zero = rewriter.getZeroAttr(element);
  Value constant = arith::ConstantOp::create(rewriter, loc, zero);
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getInit()),
      element);
  return linalg::FillOp::create(rewriter, loc, constant, empty).getResult(0);
}

/// %x -> %c = %x - zx, i32 or binary32, and 0 where %x is padding: the zero
/// point.
Value ContractLowering::centreLhs() {
  Value lhs = op.getLhs();
  auto type = cast<RankedTensorType>(lhs.getType());
  Type element =
      isInteger ? rewriter.getI32Type() : Type(rewriter.getF32Type());
  if (type.getElementType() != element) {
    GenericInputs inputs;
    inputs.add(lhs, rewriter.getMultiDimIdentityMap(type.getRank()));
    unsigned zeroPoint = 0;
    if (Value operand = op.getZeroPoint()) {
      auto operandType = cast<RankedTensorType>(operand.getType());
      SmallVector<AffineExpr> exprs;
      for (int64_t dim = 0; dim < operandType.getRank(); ++dim)
        exprs.push_back(operandType.getDimSize(dim) == 1
                            ? rewriter.getAffineConstantExpr(0)
                            : rewriter.getAffineDimExpr(dim));
      zeroPoint = inputs.add(operand, AffineMap::get(type.getRank(), 0, exprs,
                                                     rewriter.getContext()));
    }
    Value empty = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, lhs), element);
    lhs = buildElementwise(
        rewriter, loc, inputs, empty,
        [&](const ElementArith &arith, ValueRange args) {
          if (op.hasFloatLhs())
            return buildWiden(arith.getBuilder(), loc, args[0]);
          AffineAttr params = *op.getLhsParams();
          Value value;
          if (!op.isDynamic()) {
            value = buildCentredCode(arith, args[0], params);
          } else if (numerics::isFloat(params.getStorage())) {
            value = buildWiden(arith.getBuilder(), loc, args[0]);
          } else {
            value = buildExtendCode(arith, args[0], params.getStorage());
            if (zeroPoint)
              value = arith.sub(value, args[zeroPoint]);
          }
          if (!isInteger && value.getType().isInteger())
            value = arith.cast<arith::SIToFPOp>(arith.f32(), value);
          return value;
        });
  }
  Value zero =
      arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(element));
  return buildPadded(rewriter, loc, lhs, op.getInputPadding(), zero);
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
  if (!op.isDynamic()) {
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

/// linalg.generic over all loops: products += x * (w - zw), and lhs += x for
/// minval. In a block the parameters are those of its own.
Sums ContractLowering::sum(Value lhs, Value rhs, std::optional<int64_t> block,
                           const Parameter<int32_t> &zeroPoint) {
  AffineMap unitMap = getUnitMap();
  if (block && unitMap.getNumResults() != 0) {
    SmallVector<AffineExpr> exprs(unitMap.getResults());
    exprs[*block] = rewriter.getAffineConstantExpr(0);
    unitMap = AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext());
  }
  GenericInputs inputs;
  inputs.add(lhs, op.getLhsMap());
  inputs.add(rhs, op.getRhsMap());
  unsigned zeroPointIndex = inputs.add(zeroPoint.input, unitMap);
  unsigned scaleIndex = inputs.add(rhsScale.input, unitMap);
  unsigned minvalIndex = inputs.add(rhsMinval.input, unitMap);
  numerics::CodeFormat format;
  if (rhsParams)
    format = rhsParams.getCodeFormat();
  bool isMinval = isInteger && rhsParams.getMinval();

  Type element =
      isInteger ? rewriter.getI32Type() : Type(rewriter.getF32Type());
  SmallVector<Value> outputs(isMinval ? 2 : 1, fill(element));
  SmallVector<AffineMap> maps(inputs.maps);
  maps.append(outputs.size(), op.getInitMap());
  SmallVector<utils::IteratorType> iterators;
  for (unsigned loop = 0, e = op.getNumLoops(); loop != e; ++loop)
    iterators.push_back(op.isParallelLoop(loop)
                            ? utils::IteratorType::parallel
                            : utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      rewriter, loc, TypeRange(ValueRange(outputs)), inputs.values, outputs,
      maps, iterators, [&](OpBuilder &builder, Location loc, ValueRange args) {
        ElementArith arith(builder, loc, args[0]);
        Value x = args[0], sum = args[inputs.values.size()];
        SmallVector<Value> results;
        if (isInteger) {
          Value w = buildExtendCode(arith, args[1], format.storage);
          if (isMinval)
            w = arith.sub(w, static_cast<int64_t>(format.range.min));
          else if (zeroPointIndex)
            w = arith.sub(w, args[zeroPointIndex]);
          else if (zeroPoint.constant)
            w = arith.sub(w, zeroPoint.constant);
          Value product = arith::MulIOp::create(builder, loc, x, w);
          results.push_back(arith.add(sum, product));
          if (isMinval)
            results.push_back(arith.add(args.back(), x));
        } else if (!rhsParams) {
          Value w = buildWiden(builder, loc, args[1]);
          results.push_back(arith.addf(sum, arith.mulf(x, w)));
        } else {
          ElementParams element;
          element.scale = scaleIndex ? args[scaleIndex]
                                     : arith.floatConstant(rhsScale.constant);
          if (rhsMinval.present)
            element.minval = minvalIndex
                                 ? args[minvalIndex]
                                 : arith.floatConstant(rhsMinval.constant);
          if (zeroPointIndex)
            element.zeroPoint = args[zeroPointIndex];
          element.constantZeroPoint = zeroPoint.constant;
          Value w = buildDequantize(builder, loc, args[1], format, element,
                                    builder.getF32Type());
          results.push_back(arith.addf(sum, arith.mulf(x, w)));
        }
        linalg::YieldOp::create(builder, loc, results);
      });
  Sums sums;
  sums.products = generic.getResult(0);
  if (isMinval)
    sums.lhs = generic.getResult(1);
  return sums;
}

/// %total = scf.for over whole blocks { total += scaled sum of the block },
/// and once more for a last one that is shorter.
Value ContractLowering::addBlocks(Value lhs, Value rhs, unsigned dim,
                                  int64_t size) {
  int64_t length = op.getRhsCodesType().getDimSize(dim);
  Value total = fill(rewriter.getF32Type());
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  auto loop = scf::ForOp::create(
      rewriter, loc, index(0), index(length / size), index(1), total,
      [&](OpBuilder &, Location, Value block, ValueRange args) {
        Value next = addBlock(lhs, rhs, dim, size, size, block, args.front());
        scf::YieldOp::create(rewriter, loc, next);
      });
  total = loop.getResult(0);
  if (int64_t rest = length % size)
    total = addBlock(lhs, rhs, dim, size, rest, index(length / size), total);
  return total;
}

/// One unit of `parameter` along `dim`.
template <typename T>
static Parameter<T> sliceParameter(OpBuilder &builder, Location loc,
                                   const Parameter<T> &parameter, unsigned dim,
                                   Value block) {
  if (!parameter.input)
    return parameter;
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, parameter.input);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  offsets[dim] = block;
  sizes[dim] = builder.getIndexAttr(1);
  Parameter<T> slice = parameter;
  slice.input = tensor::ExtractSliceOp::create(builder, loc, parameter.input,
                                               offsets, sizes, strides);
  return slice;
}

/// The part of `operand` in which dimension d moves by factors[d] for each of
/// `skipped` + `dropped` iterations that the loop is shortened by, `skipped` of
/// them in front.
static Value sliceOperand(OpBuilder &builder, Location loc, Value operand,
                          ArrayRef<int64_t> factors, Value skipped,
                          int64_t shorter) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, operand);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  AffineExpr d0 = builder.getAffineDimExpr(0);
  for (auto [dim, factor] : llvm::enumerate(factors)) {
    if (factor == 0)
      continue;
    offsets[dim] = affine::makeComposedFoldedAffineApply(
        builder, loc, d0 * factor, {OpFoldResult(skipped)});
    sizes[dim] = affine::makeComposedFoldedAffineApply(
        builder, loc, d0 - factor * shorter, {sizes[dim]});
  }
  return tensor::ExtractSliceOp::create(builder, loc, operand, offsets, sizes,
                                        strides);
}

/// %sums = linalg.generic over slices of lhs and rhs
/// %next = linalg.generic { %total + float(sum) * m[block] }
Value ContractLowering::addBlock(Value lhs, Value rhs, unsigned dim,
                                 int64_t size, int64_t length, Value block,
                                 Value total) {
  unsigned loop = op.getRhsMap().getDimPosition(dim);
  int64_t shorter = op.getRhsCodesType().getDimSize(dim) - length;
  Value start = affine::AffineApplyOp::create(
      rewriter, loc, rewriter.getAffineDimExpr(0) * size, block);
  SmallVector<int64_t> lhsFactors, rhsFactors;
  for (AffineExpr expr : op.getLhsMap().getResults())
    lhsFactors.push_back(getLinearExpr(expr, op.getNumLoops())->factors[loop]);
  rhsFactors.assign(op.getRhsMap().getNumResults(), 0);
  rhsFactors[dim] = 1;
  Value lhsPart = sliceOperand(rewriter, loc, lhs, lhsFactors, start, shorter);
  Value rhsPart = sliceOperand(rewriter, loc, rhs, rhsFactors, start, shorter);
  Sums sums = sum(lhsPart, rhsPart, dim,
                  sliceParameter(rewriter, loc, rhsZeroPoint, dim, block));

  GenericInputs inputs;
  Multiplier factor = multiplier, minval = minvalMultiplier;
  factor.value = sliceParameter(rewriter, loc, factor.value, dim, block);
  minval.value = sliceParameter(rewriter, loc, minval.value, dim, block);
  ScaledInputs scaled = addScaled(inputs, sums, factor, minval);
  return buildElementwise(rewriter, loc, inputs, total,
                          [&](const ElementArith &arith, ValueRange args) {
                            Value value = buildScaled(arith, args, scaled);
                            return arith.addf(args.back(), value);
                          });
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
                                        unsigned scale) {
  Value value = multiplier.index
                    ? args[multiplier.index]
                    : arith.floatConstant(multiplier.value.constant);
  if (!op.isDynamic())
    return value;
  Type f64 = rewriter.getF64Type();
  Value lhsScale = buildWiden(arith.getBuilder(), loc, args[scale]);
  value = arith.mulf(arith.cast<arith::ExtFOp>(f64, lhsScale),
                     arith.cast<arith::ExtFOp>(f64, value));
  if (std::optional<float> resultScale = getResultScale())
    value = arith.divf(value, arith.floatConstant(*resultScale, f64));
  return arith.cast<arith::TruncFOp>(arith.f32(), value);
}

Value ContractLowering::buildScaled(const ElementArith &arith, ValueRange args,
                                    const ScaledInputs &inputs) {
  Value value = args[inputs.products];
  if (inputs.bias)
    value = arith.add(value, args[inputs.bias]);
  if (isInteger)
    value = arith.cast<arith::SIToFPOp>(arith.f32(), value);
  value = arith.mulf(
      value, buildMultiplier(arith, args, inputs.multiplier, inputs.scale));
  if (!inputs.lhs)
    return value;
  Value lhs = arith.cast<arith::SIToFPOp>(arith.f32(), args[inputs.lhs]);
  Value minval = buildMultiplier(arith, args, inputs.minval, inputs.scale);
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
        if (bias) {
          Value added = args[bias];
          if (resultScale) {
            Type f64 = builder.getF64Type();
            added = arith.divf(arith.cast<arith::ExtFOp>(f64, added),
                               arith.floatConstant(*resultScale, f64));
            added = arith.cast<arith::TruncFOp>(arith.f32(), added);
          }
          value = arith.addf(value, added);
        }
        if (residual) {
          Value added = args[residual];
          if (residualParams) {
            float factor = getTensorScale(*residualParams);
            if (resultScale)
              factor = numerics::addMultiplier(factor, *resultScale);
            added = arith.mulf(buildCentredFloat(arith, added, *residualParams),
                               arith.floatConstant(factor));
          } else {
            added = buildWiden(builder, loc, added);
          }
          value = arith.addf(value, added);
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
  if (rhsParams && values.scales.empty())
    return rewriter.notifyMatchFailure(op, "scales are not in memory");
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
    return ContractLowering(op, rewriter).lower();
  }
};

} // namespace

void quant_mlir::populateContractToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerContract>(patterns.getContext());
}
