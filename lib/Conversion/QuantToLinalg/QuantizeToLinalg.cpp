//===- QuantizeToLinalg.cpp - Lower quantize and dequantize ---------------===//
//
// One linalg.generic each, whose body is made by Utils/QuantizeArith. Constant
// parameters are decoded to binary32 (i32 for zero points) here; those of
// operands in the body. Zero-point operands are taken to lie in the range in
// use.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"

#include "ParameterMap.h"
#include "ParameterTensor.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Both operations: `op` with one linalg.generic over input and parameters.
template <typename OpTy, typename BodyFn>
LogicalResult lowerElementwise(OpTy op, PatternRewriter &rewriter,
                               BodyFn body) {
  Location loc = op.getLoc();
  AffineAttr params = op.getParams();
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  ArrayRef<int64_t> shape = outputType.getShape();
  int64_t rank = outputType.getRank();

  SmallVector<Value> dynamicSizes;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (outputType.isDynamicDim(dim))
      dynamicSizes.push_back(
          tensor::DimOp::create(rewriter, loc, op.getInput(), dim));
  Value init = tensor::EmptyOp::create(rewriter, loc, outputType, dynamicSizes);
  if (llvm::is_contained(shape, 0)) {
    // Nothing to compute, and maps into parameters of no elements do not
    // verify.
    rewriter.replaceOp(op, init);
    return success();
  }

  Parameter<float> scale, minval;
  Parameter<int32_t> zeroPoint;
  if (Value operand = op.getScale()) {
    scale.input = operand;
    zeroPoint.input = op.getZeroPoint();
  } else {
    numerics::TensorParams values = params.getTensorParams();
    if (values.scales.empty())
      return rewriter.notifyMatchFailure(op, "scales are not in memory");
    auto shapeOf = [](ElementsAttr attr) {
      return attr ? attr.getShapedType().getShape() : ArrayRef<int64_t>();
    };
    scale = buildParameter(rewriter, loc, "scale", shapeOf(params.getScale()),
                           values.scales);
    zeroPoint = buildParameter(rewriter, loc, "zero_point",
                               shapeOf(params.getZeroPoint()),
                               values.zeroPoints);
    minval = buildParameter(rewriter, loc, "minval",
                            shapeOf(params.getMinval()), values.minvals);
  }

  AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
  AffineMap parameterMap = getParameterMap(params.getGranularity(), shape);
  SmallVector<Value> inputs{op.getInput()};
  SmallVector<AffineMap> maps{identity};
  // Position of each parameter among the block arguments; 0 where it is none.
  auto addInput = [&](Value input) -> unsigned {
    if (!input)
      return 0;
    inputs.push_back(input);
    maps.push_back(parameterMap);
    return inputs.size() - 1;
  };
  unsigned scaleIndex = addInput(scale.input);
  unsigned zeroPointIndex = addInput(zeroPoint.input);
  unsigned minvalIndex = addInput(minval.input);
  maps.push_back(identity);

  auto buildFloat = [&](OpBuilder &builder, Location loc, ValueRange args,
                        unsigned index, float constant) -> Value {
    if (index)
      return buildWiden(builder, loc, args[index]);
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(constant));
  };
  auto generic = linalg::GenericOp::create(
      rewriter, loc, outputType, inputs, init, maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        ElementParams element;
        element.scale =
            buildFloat(builder, loc, args, scaleIndex, scale.constant);
        if (params.getMinval())
          element.minval =
              buildFloat(builder, loc, args, minvalIndex, minval.constant);
        if (zeroPointIndex)
          element.zeroPoint = args[zeroPointIndex];
        element.constantZeroPoint = zeroPoint.constant;
        Value result = body(builder, loc, args.front(), element);
        linalg::YieldOp::create(builder, loc, result);
      });
  rewriter.replaceOp(op, generic);
  return success();
}

/// quant.quantize %x <P>
///   -> linalg.generic ins(%x, parameters through floordiv maps) {
///        quotient, clamp, round, zero point, cast
///      }
struct LowerQuantize : public OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    numerics::CodeFormat format = op.getParams().getCodeFormat();
    return lowerElementwise(op, rewriter,
                            [&](OpBuilder &builder, Location loc, Value value,
                                const ElementParams &params) {
                              return buildQuantize(builder, loc, value, format,
                                                   params);
                            });
  }
};

/// quant.dequantize %q <P>
///   -> linalg.generic ins(%q, parameters through floordiv maps) {
///        centre, convert, multiply, add minval, round to the expressed type
///      }
struct LowerDequantize : public OpRewritePattern<DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantizeOp op,
                                PatternRewriter &rewriter) const override {
    numerics::CodeFormat format = op.getParams().getCodeFormat();
    auto expressed = cast<FloatType>(
        cast<RankedTensorType>(op.getOutput().getType()).getElementType());
    return lowerElementwise(op, rewriter,
                            [&](OpBuilder &builder, Location loc, Value code,
                                const ElementParams &params) {
                              return buildDequantize(builder, loc, code, format,
                                                     params, expressed);
                            });
  }
};

} // namespace

void quant_mlir::populateQuantizeToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerQuantize, LowerDequantize>(patterns.getContext());
}
