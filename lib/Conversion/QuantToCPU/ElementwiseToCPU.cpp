//===- ElementwiseToCPU.cpp - quant.add and quant.mul on vectors ----------===//
//
// A vector runs along the loop that is contiguous in the result and in each
// input contiguous or absent; where there is none, elements are taken one by
// one. Each loop that goes on where the next ends becomes one with it, so that
// a feature map is one long row. In place is fine: every element is read before
// it is written, and once.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Numerics/IntegerCompute.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// float(a - za) * ma + float(b - zb) * mb
Value buildSum(AddOp op, const ElementArith &arith, Value a, Value b) {
  float sy = getTensorScale(op.getInitParams());
  auto term = [&](Value codes, AffineAttr params) {
    return arith.mulf(buildCentredFloat(arith, codes, params),
                      arith.floatConstant(
                          numerics::addMultiplier(getTensorScale(params), sy)));
  };
  return arith.addf(term(a, op.getLhsParams()), term(b, op.getRhsParams()));
}

/// float((a - za) * (b - zb)) * m
Value buildSum(MulOp op, const ElementArith &arith, Value a, Value b) {
  float m = numerics::mulMultiplier(getTensorScale(op.getLhsParams()),
                                    getTensorScale(op.getRhsParams()),
                                    getTensorScale(op.getInitParams()));
  Value product =
      arith::MulIOp::create(arith.getBuilder(), arith.getLoc(),
                            buildCentredCode(arith, a, op.getLhsParams()),
                            buildCentredCode(arith, b, op.getRhsParams()));
  return arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), product),
                    arith.floatConstant(m));
}

/// quant.add lhs(%a) rhs(%b) outs(%y) on memref<4x70xi8>
///
///   scf.for %i = 0 to 272 step 16 {   // and smaller pieces for the rest
///     %qa = vector.load %a[%i] : vector<16xi8>
///     %qb = vector.load %b[%i] : vector<16xi8>
///     %v = (f32(%qa - za) * ma) + (f32(%qb - zb) * mb)
///     vector.store clamp(R(%v) + z), %y[%i]
///   }
template <typename OpTy> struct ElementwiseToCPU : OpRewritePattern<OpTy> {
  ElementwiseToCPU(MLIRContext *context, const CPUTarget &target)
      : OpRewritePattern<OpTy>(context), target(target) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getInit().getType()))
      return rewriter.notifyMatchFailure(op, "is on tensors");
    KernelBuilder kernel(rewriter, op.getLoc());
    SmallVector<AffineMap> maps = op.getOperandMaps();
    SmallVector<FlatOperand> operands = {kernel.flatten(op.getLhs(), maps[0]),
                                         kernel.flatten(op.getRhs(), maps[1]),
                                         kernel.flatten(op.getInit(), maps[2])};
    auto form = cast<IntegerFormOpInterface>(op.getOperation());
    SmallVector<OpFoldResult> sizes = form.getLoopSizes(rewriter, op.getLoc());
    unsigned numLoops = sizes.size();
    SmallVector<unsigned> all =
        llvm::to_vector(llvm::seq<unsigned>(0, numLoops));
    SmallVector<unsigned> order = orderLoops(operands[2], all);
    SmallVector<MergedLoop> loops = kernel.mergeLoops(
        order, sizes, {&operands[0], &operands[1], &operands[2]});
    if (loops.empty() && !order.empty())
      loops.push_back({order.back(), sizes[order.back()]});

    bool isVector =
        !loops.empty() && operands[2].getStride(loops.back().loop) == 1;
    for (const FlatOperand &input : ArrayRef(operands).drop_back())
      if (isVector) {
        std::optional<int64_t> stride = input.getStride(loops.back().loop);
        isVector = stride && (*stride == 0 || *stride == 1);
      }
    int64_t lanes = isVector ? target.getLanes() : 1;

    SmallVector<OpFoldResult> outer;
    for (const MergedLoop &loop :
         ArrayRef(loops).drop_back(loops.empty() ? 0 : 1))
      outer.push_back(loop.size);
    kernel.forNest(outer, [&](ValueRange outerIvs) {
      SmallVector<Value> ivs(numLoops);
      for (auto [loop, iv] : llvm::zip(loops, outerIvs))
        ivs[loop.loop] = iv;
      auto piece = [&](Value iv, int64_t lanes) {
        if (!loops.empty())
          ivs[loops.back().loop] = iv;
        auto read = [&](const FlatOperand &operand) {
          int64_t stride =
              loops.empty() || lanes == 1
                  ? 1
                  : operand.getStride(loops.back().loop).value_or(1);
          return kernel.load(operand, kernel.address(operand, ivs), lanes,
                             stride);
        };
        Value a = read(operands[0]), b = read(operands[1]);
        ElementArith arith(rewriter, op.getLoc(), a);
        int32_t zeroPoint = getTensorZeroPoint(op.getInitParams());
        Value codes = buildRequantize(
            arith, buildSum(op, arith, a, b), zeroPoint,
            getBoundedRange(op.getInitParams(), op.getLow(), op.getHigh()));
        kernel.store(operands[2], kernel.address(operands[2], ivs), codes);
      };
      kernel.forPieces(loops.empty() ? OpFoldResult(rewriter.getIndexAttr(1))
                                     : loops.back().size,
                       lanes, piece);
    });
    rewriter.eraseOp(op);
    return success();
  }

  const CPUTarget &target;
};

} // namespace

void quant_mlir::populateElementwiseToCPUPatterns(RewritePatternSet &patterns,
                                                  const CPUTarget &target) {
  patterns.add<ElementwiseToCPU<AddOp>, ElementwiseToCPU<MulOp>>(
      patterns.getContext(), target);
}
