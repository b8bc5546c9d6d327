//===- DynamicRangeToLinalg.cpp - Lower dynamic ranges --------------------===//
//
// Two operations: a reduction of all elements to the ends of every unit's range,
// through the map that quantize reads parameters by, and an elementwise operation
// from those to parameters. Bodies are made by Utils/RangeArith.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "ParameterMap.h"

#include "quant-mlir/Conversion/Utils/RangeArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;
using utils::IteratorType;

/// Sizes of the dynamic dimensions of `params`, one unit per block of `input`.
static SmallVector<Value> buildUnitCounts(OpBuilder &builder, Location loc,
                                          Value input, RankedTensorType params,
                                          ArrayRef<int64_t> sizes) {
  SmallVector<Value> counts;
  for (int64_t dim = 0; dim < params.getRank(); ++dim) {
    if (!params.isDynamicDim(dim))
      continue;
    // A size written as dynamic in the type of the result only.
    if (sizes[dim] == -1) {
      counts.push_back(arith::ConstantIndexOp::create(builder, loc, 1));
      continue;
    }
    Value count = tensor::DimOp::create(builder, loc, input, dim);
    if (sizes[dim] != 1) {
      Value size = arith::ConstantIndexOp::create(builder, loc, sizes[dim]);
      Value most = arith::ConstantIndexOp::create(builder, loc, sizes[dim] - 1);
      count = arith::AddIOp::create(builder, loc, count, most);
      count = arith::DivUIOp::create(builder, loc, count, size);
    }
    counts.push_back(count);
  }
  return counts;
}

namespace {

/// %s, %z = quant.dynamic_range %x <S>
///   -> %ends:2 = linalg.generic ins(%x) outs(zeros through floordiv maps) {
///        the end where it is beyond the element or that is not finite, else the
///        element
///      }
///      %s, %z = linalg.generic ins(%ends#0, %ends#1) {
///        difference, divide, at least eps, round; divide, clamp, round
///      }
struct LowerDynamicRange : public OpRewritePattern<DynamicRangeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DynamicRangeOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SpecAttr spec = op.getSpec();
    auto inputType = cast<RankedTensorType>(op.getInput().getType());
    auto scaleType = cast<RankedTensorType>(op.getScale().getType());
    SmallVector<int64_t> sizes =
        getUnitSizes(spec.getGranularity(), inputType.getShape());
    SmallVector<Value> counts =
        buildUnitCounts(rewriter, loc, op.getInput(), scaleType, sizes);
    SmallVector<Value> ends =
        reduce(op, rewriter, sizes,
               scaleType.clone(rewriter.getF32Type()), counts);

    numerics::QuantSpec quantSpec = spec.getQuantSpec();
    SmallVector<Type> types(op.getResultTypes());
    SmallVector<Value> outputs;
    for (Type type : types)
      outputs.push_back(tensor::EmptyOp::create(rewriter, loc, type, counts));
    int64_t rank = scaleType.getRank();
    SmallVector<AffineMap> maps(ends.size() + outputs.size(),
                                rewriter.getMultiDimIdentityMap(rank));
    auto params = linalg::GenericOp::create(
        rewriter, loc, types, ends, outputs, maps,
        SmallVector<IteratorType>(rank, IteratorType::parallel),
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          SmallVector<Value> values(args.take_front(ends.size()));
          RangeParams params =
              buildParamsFromRange(builder, loc, quantSpec, values);
          SmallVector<Value> results{params.scale};
          if (params.zeroPoint)
            results.push_back(params.zeroPoint);
          linalg::YieldOp::create(builder, loc, results);
        });
    rewriter.replaceOp(op, params);
    return success();
  }

private:
  /// The ends of every unit's range that the spec asks for.
  static SmallVector<Value> reduce(DynamicRangeOp op, PatternRewriter &rewriter,
                                   ArrayRef<int64_t> sizes,
                                   RankedTensorType type, ValueRange counts) {
    Location loc = op.getLoc();
    SmallVector<RangeEnd> kinds = getRangeEnds(op.getSpec().getQuantSpec());
    if (kinds.empty())
      return {};
    auto inputType = cast<RankedTensorType>(op.getInput().getType());
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(0));
    SmallVector<Value> outputs;
    for (size_t i = 0; i < kinds.size(); ++i) {
      Value empty = tensor::EmptyOp::create(rewriter, loc, type, counts);
      outputs.push_back(
          linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0));
    }
    // Nothing to look at, and maps into units of no elements do not verify.
    if (llvm::is_contained(inputType.getShape(), 0))
      return outputs;
    SmallVector<AffineMap> maps{
        rewriter.getMultiDimIdentityMap(inputType.getRank())};
    maps.append(kinds.size(), getParameterMap(op.getSpec().getGranularity(),
                                              inputType.getShape()));
    // Several iterations along a block write to one unit.
    SmallVector<IteratorType> iterators;
    for (int64_t size : sizes)
      iterators.push_back(size == 1 ? IteratorType::parallel
                                    : IteratorType::reduction);
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange(ValueRange(outputs)), op.getInput(), outputs,
        maps, iterators, [&](OpBuilder &builder, Location loc, ValueRange args) {
          SmallVector<Value> results;
          for (auto [kind, seen] : llvm::zip_equal(kinds, args.drop_front()))
            results.push_back(
                buildExtendRange(builder, loc, kind, seen, args.front()));
          linalg::YieldOp::create(builder, loc, results);
        });
    return SmallVector<Value>(generic.getResults());
  }
};

} // namespace

void quant_mlir::populateDynamicRangeToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerDynamicRange>(patterns.getContext());
}
