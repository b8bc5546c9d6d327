//===- PanelsToLinalg.cpp - Lower pack and unpack of panels ---------------===//
//
// The device layout of weights as plain index arithmetic: the reference for
// modules whose weights are packed. Kernels read panels as they are.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;
using utils::IteratorType;

namespace {

/// `expr` in the body of a linalg.generic: its dimensions are the loops.
Value buildIndex(OpBuilder &builder, Location loc, AffineExpr expr,
                 unsigned numLoops) {
  SmallVector<Value> loops;
  for (unsigned loop = 0; loop != numLoops; ++loop)
    loops.push_back(linalg::IndexOp::create(builder, loc, loop));
  return affine::expandAffineExpr(builder, loc, expr, loops, {});
}

/// Row-major index over the dimensions `dims` of codes of `shape`.
AffineExpr linearize(MLIRContext *context, ArrayRef<int64_t> shape,
                     ArrayRef<int64_t> dims) {
  AffineExpr index = getAffineConstantExpr(0, context);
  for (int64_t dim : dims)
    index = index * shape[dim] + getAffineDimExpr(dim, context);
  return index;
}

/// The inverse: positions in `dims` of row-major `index`, into `position`. Each
/// is within its dimension, also where `index` is too large.
void delinearize(AffineExpr index, ArrayRef<int64_t> shape,
                 ArrayRef<int64_t> dims, MutableArrayRef<AffineExpr> position) {
  for (int64_t dim : llvm::reverse(dims)) {
    position[dim] = index % shape[dim];
    index = index.floorDiv(shape[dim]);
  }
}

/// %q = quant.unpack %p <panels, …>
///   -> linalg.generic ins(%p at byte(d0, …)) {
///        trunci((%byte >> place(d0, …)) - offset)
///      }
/// with byte and place as the layout says; values are put together from their
/// bytes.
struct LowerUnpackPanels : public OpRewritePattern<UnpackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnpackOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getLayout().isPanels())
      return rewriter.notifyMatchFailure(op, "layout is not of panels");
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    Value init = tensor::EmptyOp::create(rewriter, loc, type, ValueRange());
    if (type.getNumElements() == 0) {
      rewriter.replaceOp(op, init);
      return success();
    }
    numerics::PanelLayout layout = op.getLayout().getPanelLayout();
    auto index = [&](ArrayRef<int64_t> dims) {
      return linearize(context, layout.shape, dims);
    };
    ArrayRef<int64_t> reduction = layout.reduction;
    AffineExpr column = index(layout.columns),
               outer = index(reduction.drop_back(layout.run)),
               element = index(reduction.take_back(layout.run));
    AffineExpr within = element % layout.blockSize(),
               inTuple = within % layout.tupleSize();
    AffineExpr byte = index(layout.batch);
    byte = byte * layout.numPanels() + column.floorDiv(layout.panel);
    byte = byte * layout.numOuter() + outer;
    byte = byte * layout.tuplesPerRun() +
           element.floorDiv(layout.blockSize()) * layout.tuplesPerBlock() +
           within.floorDiv(layout.tupleSize());
    byte = byte * layout.panel + column % layout.panel;
    byte = byte * layout.group + inTuple % layout.group;

    unsigned rank = type.getRank();
    int64_t bytes = layout.elementBytes();
    SmallVector<AffineMap> maps;
    for (int64_t i = 0; i < bytes; ++i)
      maps.push_back(AffineMap::get(rank, 0, byte * bytes + i));
    maps.push_back(rewriter.getMultiDimIdentityMap(rank));
    auto generic = linalg::GenericOp::create(
        rewriter, loc, type, SmallVector<Value>(bytes, op.getInput()), init,
        maps, SmallVector<IteratorType>(rank, IteratorType::parallel),
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          ElementArith arith(builder, loc, args[0]);
          Value code = args[0];
          if (bytes > 1) {
            code =
                arith.cast<arith::ExtUIOp>(arith.intType(layout.width), code);
            for (int64_t i = 1; i < bytes; ++i) {
              Value next = arith.cast<arith::ExtUIOp>(
                  arith.intType(layout.width), args[i]);
              code = arith.bitOr(code, arith.shl(next, 8 * i));
            }
          }
          AffineExpr place = inTuple.floorDiv(layout.group) * layout.width;
          if (place != getAffineConstantExpr(0, context))
            code = arith.shr(code, arith::IndexCastOp::create(
                                       builder, loc, arith.intType(8),
                                       buildIndex(builder, loc, place, rank)));
          if (layout.offset)
            code = arith.sub(code, layout.offset);
          if (layout.width < 8)
            code =
                arith.cast<arith::TruncIOp>(arith.intType(layout.width), code);
          code = arith.bitcast(type.getElementType(), code);
          linalg::YieldOp::create(builder, loc, code);
        });
    rewriter.replaceOp(op, generic);
    return success();
  }
};

/// %p = quant.pack %q <panels, …>
///   -> linalg.generic over batches, panels, outer reductions, tuples, columns
///   of
///      a panel, elements of a group {
///        or over the groups j of a tuple of
///          (%q at the position is one ? (%q[position] + offset) << j * W : 0)
///      }
///      tensor.collapse_shape
/// and, of values, over the bytes of an element.
struct LowerPackPanels : public OpRewritePattern<PackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getLayout().isPanels())
      return rewriter.notifyMatchFailure(op, "layout is not of panels");
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    if (type.getNumElements() == 0) {
      rewriter.replaceOpWithNewOp<tensor::EmptyOp>(op, type, ValueRange());
      return success();
    }
    numerics::PanelLayout layout = op.getLayout().getPanelLayout();
    SmallVector<int64_t> sizes{layout.numBatches(), layout.numPanels(),
                               layout.numOuter(),   layout.tuplesPerRun(),
                               layout.panel,        layout.group};
    int64_t bytes = layout.elementBytes();
    if (bytes > 1)
      sizes.push_back(bytes);
    auto full = RankedTensorType::get(sizes, type.getElementType());
    Value init = tensor::EmptyOp::create(rewriter, loc, full, ValueRange());
    auto generic = linalg::GenericOp::create(
        rewriter, loc, full, ValueRange(), init,
        rewriter.getMultiDimIdentityMap(sizes.size()),
        SmallVector<IteratorType>(sizes.size(), IteratorType::parallel),
        [&](OpBuilder &builder, Location loc, ValueRange) {
          Value byte;
          for (int64_t place = 0; place < layout.groupsPerTuple(); ++place) {
            Value code = readCode(builder, loc, op.getInput(), layout, place);
            ElementArith arith(builder, loc, code);
            if (place)
              code = arith.shl(code, place * layout.width);
            byte = byte ? arith.bitOr(byte, code) : code;
          }
          if (bytes > 1) {
            ElementArith arith(builder, loc, byte);
            Value shift = arith::IndexCastOp::create(
                builder, loc, arith.intType(layout.width),
                buildIndex(builder, loc,
                           getAffineDimExpr(6, op.getContext()) * 8,
                           sizes.size()));
            byte = arith.cast<arith::TruncIOp>(arith.intType(8),
                                               arith.shr(byte, shift));
          }
          linalg::YieldOp::create(builder, loc, byte);
        });
    ReassociationIndices all =
        llvm::to_vector(llvm::seq<int64_t>(sizes.size()));
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(
        op, type, generic.getResult(0), SmallVector<ReassociationIndices>{all});
    return success();
  }

private:
  /// The code of group `place` of the tuple at the current iteration, with the
  /// offset, in the low bits of a byte; 0 where there is none.
  static Value readCode(OpBuilder &builder, Location loc, Value codes,
                        const numerics::PanelLayout &layout, int64_t place) {
    MLIRContext *context = builder.getContext();
    auto loop = [&](unsigned index) {
      return getAffineDimExpr(index, context);
    };
    ArrayRef<int64_t> reduction = layout.reduction;
    AffineExpr column = loop(1) * layout.panel + loop(4);
    AffineExpr within =
        (loop(3) % layout.tuplesPerBlock()) * layout.tupleSize() +
        place * layout.group + loop(5);
    AffineExpr element =
        loop(3).floorDiv(layout.tuplesPerBlock()) * layout.blockSize() + within;
    SmallVector<AffineExpr> position(layout.shape.size());
    delinearize(loop(0), layout.shape, layout.batch, position);
    delinearize(column, layout.shape, layout.columns, position);
    delinearize(loop(2), layout.shape, reduction.drop_back(layout.run),
                position);
    delinearize(element, layout.shape, reduction.take_back(layout.run),
                position);

    auto build = [&](AffineExpr expr) {
      return buildIndex(builder, loc, expr, 6);
    };
    SmallVector<Value> indices = llvm::map_to_vector(position, build);
    Value code = tensor::ExtractOp::create(builder, loc, codes, indices);
    ElementArith arith(builder, loc, code);
    code = arith.bitcast(arith.intType(layout.width), code);
    if (layout.width < 8)
      code = arith.cast<arith::ExtUIOp>(arith.intType(8), code);
    if (layout.offset)
      code = arith.add(code, layout.offset);
    if (layout.width < 8 && layout.offset)
      code = arith.bitAnd(code, (1 << layout.width) - 1);
    // What lies past the last column, a block or a run.
    auto bound = [&](AffineExpr expr, int64_t limit, int64_t padded) {
      if (limit == padded)
        return;
      Value isCode = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::ult, build(expr),
          arith::ConstantIndexOp::create(builder, loc, limit));
      code = arith.select(isCode, code,
                          arith.intConstant(0, std::max(layout.width, 8u)));
    };
    bound(column, layout.numColumns(), layout.numPanels() * layout.panel);
    bound(within, layout.blockSize(),
          layout.tuplesPerBlock() * layout.tupleSize());
    bound(element, layout.runSize(),
          layout.tuplesPerRun() * layout.tupleSize());
    return code;
  }
};

} // namespace

void quant_mlir::populatePanelsToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerPackPanels, LowerUnpackPanels>(patterns.getContext());
}
