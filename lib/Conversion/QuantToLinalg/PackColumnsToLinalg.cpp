//===- PackColumnsToLinalg.cpp - Lower quant.pack_columns -----------------===//
//
// The reference for what kernels pack: quant.pack, and one more pass for sums.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;
using utils::IteratorType;

namespace {

/// sums = linalg.generic over blocks, batches, columns; reductions, of which
/// the one that is split goes along a block {
///   %sum + (%codes exists at the position ? %codes[position] : 0)
/// }
class SumsLowering {
public:
  SumsLowering(PackColumnsOp op, PatternRewriter &rewriter)
      : op(op), rewriter(rewriter), layout(op.getLayout()),
        shape(layout.getCodesType().getShape()), block(op.getReductionBlock()) {
  }

  Value build();

private:
  Value buildCode(OpBuilder &builder, Location loc);

  PackColumnsOp op;
  PatternRewriter &rewriter;
  LayoutAttr layout;
  ArrayRef<int64_t> shape;
  std::optional<std::pair<unsigned, int64_t>> block;
};

Value SumsLowering::buildCode(OpBuilder &builder, Location loc) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  SmallVector<Value> position(shape.size());
  unsigned loop = block ? 1 : 0;
  for (ArrayRef<int64_t> dims :
       {layout.getBatch(), layout.getColumns(), layout.getReduction()})
    for (int64_t dim : dims)
      position[dim] = linalg::IndexOp::create(builder, loc, loop++);
  Value exists;
  if (block) {
    auto [dim, size] = *block;
    Value first = arith::MulIOp::create(
        builder, loc, linalg::IndexOp::create(builder, loc, 0), constant(size));
    Value number = arith::AddIOp::create(builder, loc, first, position[dim]);
    exists = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                   number, constant(shape[dim]));
    position[dim] =
        arith::MinUIOp::create(builder, loc, number, constant(shape[dim] - 1));
  }
  Value code = tensor::ExtractOp::create(builder, loc, op.getInput(), position);
  Type i32 = builder.getI32Type();
  if (numerics::isSignedInteger(op.getParams().getStorage()))
    code = arith::ExtSIOp::create(builder, loc, i32, code);
  else
    code = arith::ExtUIOp::create(builder, loc, i32, code);
  if (!exists)
    return code;
  ElementArith arith(builder, loc, code);
  return arith.select(exists, code, arith.intConstant(0));
}

Value SumsLowering::build() {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getSums().getType());
  Value zero =
      arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(0));
  Value init =
      linalg::FillOp::create(rewriter, loc, zero, op.getSums()).getResult(0);
  // Only its shape is used.
  SmallVector<int64_t> window;
  for (int64_t dim : layout.getReduction())
    window.push_back(block && int64_t(block->first) == dim ? block->second
                                                           : shape[dim]);
  Value empty =
      tensor::EmptyOp::create(rewriter, loc, window, rewriter.getI8Type());
  unsigned rank = type.getRank(), numLoops = rank + window.size();
  AffineMap all = rewriter.getMultiDimIdentityMap(numLoops);
  AffineMap maps[] = {all.getMinorSubMap(window.size()),
                      all.getMajorSubMap(rank)};
  SmallVector<IteratorType> loops(rank, IteratorType::parallel);
  loops.append(window.size(), IteratorType::reduction);
  return linalg::GenericOp::create(
             rewriter, loc, type, empty, init, maps, loops,
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               Value sum = arith::AddIOp::create(builder, loc, args[1],
                                                 buildCode(builder, loc));
               linalg::YieldOp::create(builder, loc, sum);
             })
      .getResult(0);
}

struct LowerPackColumns : public OpRewritePattern<PackColumnsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackColumnsOp op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() == 0)
      return rewriter.notifyMatchFailure(op, "it is on buffers");
    if (!op.getLayout().getCodesType().hasStaticShape())
      return rewriter.notifyMatchFailure(
          op, "the size of a batch, column or reduction is not known");
    Value panels =
        PackOp::create(rewriter, op.getLoc(), op.getPanels().getType(),
                       op.getInput(), op.getLayout());
    rewriter.replaceOp(op, {panels, SumsLowering(op, rewriter).build()});
    return success();
  }
};

} // namespace

void quant_mlir::populatePackColumnsToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerPackColumns>(patterns.getContext());
}
