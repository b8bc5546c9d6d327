//===- PoolToLinalg.cpp - Lower pools of codes ----------------------------===//
//
// Padding is made explicit as what does not change the result: 0 beside centred
// codes for an average, less than every code for a maximum. How many elements a
// window has is counted where padding is not among them.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "IntegerFormToLinalg.h"

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace quant_mlir;
using utils::IteratorType;

namespace {

class PoolLowering {
public:
  PoolLowering(PoolOp op, PatternRewriter &rewriter)
      : op(op), rewriter(rewriter), loc(op.getLoc()), params(op.getParams()),
        isAverage(op.getKind() == PoolKind::Average),
        isFloat(numerics::isFloat(params.getStorage())),
        element(isFloat        ? Type(rewriter.getF32Type())
                : op.getWide() ? Type(rewriter.getI64Type())
                               : Type(rewriter.getI32Type())) {}

  void lower();

private:
  Value widenInput();
  Value fill(TypedAttr value);
  Value reduce(Value input, TypedAttr identity);
  Value buildWindowSize();
  Value countElements();

  PoolOp op;
  PatternRewriter &rewriter;
  Location loc;
  AffineAttr params;
  bool isAverage, isFloat;
  Type element;
};

/// What a window of padding alone gives, and what padding is.
TypedAttr getIdentity(OpBuilder &builder, Type element, bool isAverage) {
  if (isAverage)
    return builder.getZeroAttr(element);
  if (auto type = dyn_cast<FloatType>(element))
    return FloatAttr::get(
        type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/true));
  return builder.getI32IntegerAttr(std::numeric_limits<int32_t>::min());
}

Value PoolLowering::fill(TypedAttr value) {
  Value constant = arith::ConstantOp::create(rewriter, loc, value);
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getInit()),
      value.getType());
  return linalg::FillOp::create(rewriter, loc, constant, empty).getResult(0);
}

/// %x -> i32 codes, centred for an average (i64 for a wide one); binary32 for
/// floats.
Value PoolLowering::widenInput() {
  Value input = op.getInput();
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  GenericInputs inputs;
  inputs.add(input, rewriter.getMultiDimIdentityMap(rank));
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, input), element);
  return buildElementwise(
      rewriter, loc, inputs, empty,
      [&](const ElementArith &arith, ValueRange args) {
        if (isFloat || isAverage)
          return arith.extend(buildCentredCode(arith, args[0], params),
                              element);
        return buildExtendCode(arith, args[0], params.getStorage());
      });
}

/// Sums or maxima over windows. A tensor without contents says how large a
/// window is, as it does for linalg's own pools.
Value PoolLowering::reduce(Value input, TypedAttr identity) {
  SmallVector<OpFoldResult> loopSizes = op.getLoopSizes(rewriter, loc);
  SmallVector<OpFoldResult> windowSizes;
  SmallVector<AffineExpr> windowLoops;
  SmallVector<IteratorType> iterators;
  for (auto [loop, size] : llvm::enumerate(loopSizes)) {
    bool isParallel = op.isParallelLoop(loop);
    iterators.push_back(isParallel ? IteratorType::parallel
                                   : IteratorType::reduction);
    if (isParallel)
      continue;
    windowSizes.push_back(size);
    windowLoops.push_back(rewriter.getAffineDimExpr(loop));
  }
  Value window = tensor::EmptyOp::create(rewriter, loc, windowSizes, element);
  SmallVector<AffineMap> maps{
      op.getOperandMaps().front(),
      AffineMap::get(loopSizes.size(), 0, windowLoops, rewriter.getContext()),
      op.getOperandMaps().back()};
  Value init = fill(identity);
  auto generic = linalg::GenericOp::create(
      rewriter, loc, init.getType(), ValueRange{input, window}, init, maps,
      iterators, [&](OpBuilder &builder, Location loc, ValueRange args) {
        ElementArith arith(builder, loc, args[0]);
        Value value = args[0], seen = args[2], result;
        if (isAverage)
          result = arith.add(seen, value);
        else if (isFloat)
          result = arith.select(
              arith.cmp(arith::CmpFPredicate::OGT, value, seen), value, seen);
        else
          result = arith::MaxSIOp::create(builder, loc, seen, value);
        linalg::YieldOp::create(builder, loc, result);
      });
  return generic.getResult(0);
}

/// The number of elements of a window, padding included, as i32.
Value PoolLowering::buildWindowSize() {
  Value count =
      arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(1));
  for (auto [loop, size] : llvm::enumerate(op.getLoopSizes(rewriter, loc))) {
    if (op.isParallelLoop(loop))
      continue;
    Value factor = getValueOrCreateConstantIndexOp(rewriter, loc, size);
    factor = arith::IndexCastOp::create(rewriter, loc, rewriter.getI32Type(),
                                        factor);
    count = arith::MulIOp::create(rewriter, loc, count, factor);
  }
  return count;
}

/// The same, without padding, for every element of the result: the sum over
/// windows of a tensor of ones that is padded with zeros.
Value PoolLowering::countElements() {
  Value one = arith::ConstantOp::create(rewriter, loc,
                                        rewriter.getIntegerAttr(element, 1));
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getInput()),
      element);
  Value ones = linalg::FillOp::create(rewriter, loc, one, empty).getResult(0);
  TypedAttr zero = rewriter.getZeroAttr(element);
  Value zeroValue = arith::ConstantOp::create(rewriter, loc, zero);
  ones = buildPadded(rewriter, loc, ones, op.getInputPadding(), zeroValue);
  return reduce(ones, zero);
}

void PoolLowering::lower() {
  TypedAttr identity = getIdentity(rewriter, element, isAverage);
  Value padding = arith::ConstantOp::create(rewriter, loc, identity);
  Value input =
      buildPadded(rewriter, loc, widenInput(), op.getInputPadding(), padding);
  GenericInputs inputs;
  AffineMap identityMap =
      rewriter.getMultiDimIdentityMap(op.getInitType().getRank());
  inputs.add(reduce(input, identity), identityMap);
  bool hasPadding = llvm::any_of(op.getInputPadding(),
                                 [](int64_t size) { return size != 0; });
  unsigned countIndex = 0;
  Value count;
  if (isAverage && hasPadding && !op.getCountPadding())
    countIndex = inputs.add(countElements(), identityMap);
  else if (isAverage)
    count = buildWindowSize();
  numerics::CodeRange range =
      getBoundedRange(params, op.getLow(), op.getHigh());
  Value result = buildElementwise(
      rewriter, loc, inputs, op.getInit(),
      [&](const ElementArith &arith, ValueRange args) -> Value {
        Value value = args[0];
        if (isAverage) {
          Value number = countIndex ? args[countIndex] : count;
          value = arith.divf(arith.cast<arith::SIToFPOp>(arith.f32(), value),
                             arith.cast<arith::SIToFPOp>(arith.f32(), number));
          return buildResultCode(arith, value, params, range);
        }
        if (isFloat)
          return buildResultCode(arith, value, params, range);
        OpBuilder &builder = arith.getBuilder();
        value = arith::MaxSIOp::create(
            builder, loc, value,
            arith.intConstant(static_cast<int64_t>(range.min)));
        value = arith::MinSIOp::create(
            builder, loc, value,
            arith.intConstant(static_cast<int64_t>(range.max)));
        return arith.cast<arith::TruncIOp>(
            arith.intType(numerics::bitWidth(params.getStorage())), value);
      });
  rewriter.replaceOp(op, result);
}

/// quant.pool %x
///   -> %w = linalg.generic { extend %x, less the zero point for an average }
///      %p = tensor.pad %w
///      %r = linalg.generic over windows { sum or maximum }
///      linalg.generic { divide by the count and requantize, or clamp }
struct LowerPool : public OpRewritePattern<PoolOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PoolOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(checkLowerable(op, rewriter)))
      return failure();
    PoolLowering(op, rewriter).lower();
    return success();
  }
};

} // namespace

void quant_mlir::populatePoolToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerPool>(patterns.getContext());
}
