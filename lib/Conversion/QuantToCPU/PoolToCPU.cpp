//===- PoolToCPU.cpp - quant.pool on vectors ------------------------------===//
//
// A vector runs along the loop that is contiguous in input and result (channels
// of NHWC), and holds sums or maxima while the window is walked; where there is
// none, elements are taken one by one. Padding is not read: near an edge a
// window's loops are shorter.
//
// Left to the reference: 8-bit floats, and padded dimensions that more than one
// loop of the window walks.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// The iterations of a window's loop that do not touch padding.
struct WindowBounds {
  OpFoldResult from, to;
};

/// One dimension of the input as outer * iv + step * k - low: k runs from
/// max(0, ceil((low - outer * iv) / step)) to
/// min(K, ceil((size + low - outer * iv) / step)).
WindowBounds getBounds(KernelBuilder &kernel, Value outer, int64_t step,
                       int64_t low, OpFoldResult size, OpFoldResult count) {
  OpBuilder &b = kernel.builder;
  Location loc = kernel.loc;
  Value zero = kernel.index(0);
  auto firstFrom = [&](OpFoldResult position) -> Value {
    Value distance =
        arith::SubIOp::create(b, loc, kernel.index(position), outer);
    if (step != 1)
      distance =
          arith::CeilDivSIOp::create(b, loc, distance, kernel.index(step));
    return distance;
  };
  Value from =
      arith::MaxSIOp::create(b, loc, firstFrom(b.getIndexAttr(low)), zero);
  Value to = arith::MinSIOp::create(
      b, loc, firstFrom(kernel.add(size, b.getIndexAttr(low))),
      kernel.index(count));
  // A window that is padding from end to end.
  to = arith::MaxSIOp::create(b, loc, to, from);
  return {from, to};
}

/// quant.pool average ins(%x) outs(%y), channels innermost
///
///   scf.for %h, %w { scf.for %c = 0 to C step 64 {
///     %sum = scf.for %i, %j iter_args(%s = 0) {
///       yield %s + i32(vector.load %x[%h * sh + %i, %w * sw + %j, %c])
///     }
///     vector.store clamp(R(f32(%sum - n * z) / n) + z), %y[%h, %w, %c]
///   } }
struct PoolToCPU : OpRewritePattern<PoolOp> {
  PoolToCPU(MLIRContext *context, const CPUTarget &target)
      : OpRewritePattern<PoolOp>(context), target(target) {}

  LogicalResult matchAndRewrite(PoolOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getInit().getType()))
      return rewriter.notifyMatchFailure(op, "is on tensors");
    if (!numerics::isInteger(op.getParams().getStorage()))
      return rewriter.notifyMatchFailure(op, "is of codes in floating point");

    SmallVector<AffineMap> maps = op.getOperandMaps();
    unsigned numLoops = maps[0].getNumDims();
    auto form = cast<IntegerFormOpInterface>(op.getOperation());
    SmallVector<unsigned> parallel, reduction;
    for (unsigned loop = 0; loop < numLoops; ++loop)
      (form.isParallelLoop(loop) ? parallel : reduction).push_back(loop);
    ArrayRef<int64_t> padding = form.getInputPadding();
    // By reduction loop: the dimension whose padding makes it shorter.
    SmallVector<std::optional<unsigned>> padded(numLoops);
    for (auto [dim, expr] : llvm::enumerate(maps[0].getResults())) {
      if (padding.empty() || (!padding[2 * dim] && !padding[2 * dim + 1]))
        continue;
      LinearExpr linear = *getLinearExpr(expr, numLoops);
      std::optional<unsigned> walker;
      for (unsigned loop : reduction)
        if (linear.factors[loop] != 0) {
          if (walker || padded[loop])
            return rewriter.notifyMatchFailure(
                op, "padding in a dimension of more than one window loop");
          walker = loop;
        }
      if (!walker)
        return rewriter.notifyMatchFailure(op, "padding without a window");
      padded[*walker] = dim;
    }

    KernelBuilder kernel(rewriter, op.getLoc());
    FlatOperand input = kernel.flatten(op.getInput(), maps[0], padding);
    FlatOperand init = kernel.flatten(op.getInit(), maps[1]);
    SmallVector<OpFoldResult> sizes = form.getLoopSizes(rewriter, op.getLoc());
    SmallVector<unsigned> order = orderLoops(init, parallel);
    std::optional<unsigned> vectorLoop;
    if (!order.empty() && init.getStride(order.back()) == 1 &&
        input.getStride(order.back()) == 1) {
      vectorLoop = order.pop_back_val();
    }
    int64_t lanes = vectorLoop ? target.getVectorBytes() : 1;

    SmallVector<OpFoldResult> outerSizes;
    for (unsigned loop : order)
      outerSizes.push_back(sizes[loop]);
    kernel.forNest(outerSizes, [&](ValueRange outerIvs) {
      SmallVector<Value> ivs(numLoops);
      for (auto [loop, iv] : llvm::zip(order, outerIvs))
        ivs[loop] = iv;
      SmallVector<WindowBounds> bounds;
      for (unsigned loop : reduction)
        bounds.push_back(
            getLoopBounds(kernel, op, maps[0], padded[loop], loop, ivs, sizes));
      auto piece = [&](Value iv, int64_t lanes) {
        if (vectorLoop)
          ivs[*vectorLoop] = iv;
        buildWindow(kernel, op, input, init, reduction, bounds, ivs, sizes,
                    lanes);
      };
      kernel.forPieces(vectorLoop ? sizes[*vectorLoop]
                                  : OpFoldResult(rewriter.getIndexAttr(1)),
                       lanes, piece);
    });
    rewriter.eraseOp(op);
    return success();
  }

private:
  static WindowBounds getLoopBounds(KernelBuilder &kernel, PoolOp op,
                                    AffineMap map, std::optional<unsigned> dim,
                                    unsigned loop, ArrayRef<Value> ivs,
                                    ArrayRef<OpFoldResult> sizes) {
    if (!dim)
      return {kernel.builder.getIndexAttr(0), sizes[loop]};
    LinearExpr linear = *getLinearExpr(map.getResult(*dim), ivs.size());
    OpFoldResult outer = kernel.builder.getIndexAttr(linear.constant);
    for (auto [factor, iv] : llvm::zip_equal(linear.factors, ivs))
      if (factor != 0 && iv)
        outer = kernel.add(outer,
                           kernel.mul(iv, kernel.builder.getIndexAttr(factor)));
    OpFoldResult size =
        memref::getMixedSize(kernel.builder, kernel.loc, op.getInput(), *dim);
    return getBounds(kernel, kernel.index(outer), linear.factors[loop],
                     (*op.getPadding())[2 * *dim], size, sizes[loop]);
  }

  /// Everything for `lanes` elements of the result.
  static void buildWindow(KernelBuilder &kernel, PoolOp op,
                          const FlatOperand &input, const FlatOperand &init,
                          ArrayRef<unsigned> reduction,
                          ArrayRef<WindowBounds> bounds, SmallVector<Value> ivs,
                          ArrayRef<OpFoldResult> sizes, int64_t lanes) {
    OpBuilder &b = kernel.builder;
    Location loc = kernel.loc;
    AffineAttr params = op.getParams();
    bool isMax = op.getKind() == PoolKind::Max;
    bool isSigned = numerics::isSignedInteger(params.getStorage());
    Type element = b.getIntegerType(isMax ? 8 : 32);
    auto type = VectorType::get({lanes}, element);
    // A maximum of nothing is the least code, which the range in use raises.
    APInt least = isMax && isSigned ? APInt::getSignedMinValue(8)
                                    : APInt(isMax ? 8 : 32, 0);
    Value start =
        arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, least));

    std::function<Value(unsigned, Value)> walk = [&](unsigned depth,
                                                     Value sum) -> Value {
      if (depth == reduction.size()) {
        Value codes = kernel.load(input, kernel.address(input, ivs), lanes);
        if (isMax)
          return isSigned
                     ? arith::MaxSIOp::create(b, loc, sum, codes).getResult()
                     : arith::MaxUIOp::create(b, loc, sum, codes).getResult();
        Value wide =
            isSigned ? arith::ExtSIOp::create(b, loc, type, codes).getResult()
                     : arith::ExtUIOp::create(b, loc, type, codes).getResult();
        return arith::AddIOp::create(b, loc, sum, wide);
      }
      return kernel.forCarry(
          bounds[depth].from, bounds[depth].to, sum,
          [&](Value iv, ValueRange sums) -> SmallVector<Value> {
            ivs[reduction[depth]] = iv;
            return {walk(depth + 1, sums[0])};
          })[0];
    };
    Value total = walk(0, start);
    for (unsigned loop : reduction)
      ivs[loop] = nullptr;

    ElementArith arith(b, loc, total);
    int32_t zeroPoint = getTensorZeroPoint(params);
    numerics::CodeRange range =
        getBoundedRange(params, op.getLow(), op.getHigh());
    Value codes;
    if (isMax) {
      auto constant = [&](double code) {
        return arith.intConstant(
            isSigned ? int64_t(code) : int64_t(int8_t(uint8_t(code))), 8);
      };
      Value low = constant(range.min), high = constant(range.max);
      codes = isSigned ? arith::MaxSIOp::create(b, loc, total, low).getResult()
                       : arith::MaxUIOp::create(b, loc, total, low).getResult();
      codes = isSigned
                  ? arith::MinSIOp::create(b, loc, codes, high).getResult()
                  : arith::MinUIOp::create(b, loc, codes, high).getResult();
    } else {
      // Elements that were read, and those that count.
      OpFoldResult read = b.getIndexAttr(1), counted = b.getIndexAttr(1);
      for (auto [loop, bound] : llvm::zip_equal(reduction, bounds)) {
        OpFoldResult length = bound.to;
        if (getConstantIntValue(bound.from) != 0)
          length = arith::SubIOp::create(b, loc, kernel.index(bound.to),
                                         kernel.index(bound.from))
                       .getResult();
        read = kernel.mul(read, length);
        counted =
            kernel.mul(counted, op.getCountPadding() ? sizes[loop] : length);
      }
      auto spread = [&](OpFoldResult count) -> Value {
        if (std::optional<int64_t> known = getConstantIntValue(count))
          return arith.intConstant(*known);
        Value narrow = arith::IndexCastOp::create(b, loc, b.getI32Type(),
                                                  kernel.index(count));
        return vector::BroadcastOp::create(b, loc, type, narrow);
      };
      if (zeroPoint != 0) {
        Value zeros = arith::MulIOp::create(b, loc, spread(read),
                                            arith.intConstant(zeroPoint));
        total = arith::SubIOp::create(b, loc, total, zeros);
      }
      Value value =
          arith.divf(arith.cast<arith::SIToFPOp>(arith.f32(), total),
                     arith.cast<arith::SIToFPOp>(arith.f32(), spread(counted)));
      codes = buildRequantize(arith, value, zeroPoint, range);
    }
    kernel.store(init, kernel.address(init, ivs), codes);
  }

  const CPUTarget &target;
};

} // namespace

void quant_mlir::populatePoolToCPUPatterns(RewritePatternSet &patterns,
                                           const CPUTarget &target) {
  patterns.add<PoolToCPU>(patterns.getContext(), target);
}
