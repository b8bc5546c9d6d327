//===- FoldBroadcasts.cpp - Contractions read what was broadcast ----------===//
//
// An operand of a contraction that repeats another tensor is that tensor,
// indexed by fewer loops. What a broadcast is, and where its elements come
// from, its indexing maps say. A reshape behind the broadcast (heads of keys,
// each repeated for several of queries) is left: no indexing map divides a
// loop.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_FOLDBROADCASTSPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fold-broadcasts"

using namespace mlir;
using namespace quant_mlir;

/// The operand that `value` repeats, and its map in dimensions of `value`; null
/// where it does not.
static std::pair<OpOperand *, AffineMap> getBroadcast(Value value) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  auto quantizable = value.getDefiningOp<QuantizableOpInterface>();
  if (!op || !quantizable || op.getNumReductionLoops() != 0 ||
      quantizable.getValueEffect() != ValueEffect::Moves)
    return {};
  SmallVector<OpOperand *> sources = quantizable.getValueSources();
  if (sources.size() != 1 || sources[0]->getOwner() != op)
    return {};
  AffineMap in = op.getMatchingIndexingMap(sources[0]);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!out.isPermutation() || in.isPermutation() ||
      !in.isProjectedPermutation(/*allowZeroInResults=*/true))
    return {};
  return {sources[0], in.compose(inversePermutation(out))};
}

/// Whether sizes of all loops still follow from operands.
static bool haveSizes(ArrayRef<AffineMap> maps) {
  return inversePermutation(concatAffineMaps(maps, maps[0].getContext())) !=
         AffineMap();
}

namespace {
/// %b = linalg.broadcast ins(%w : tensor<8x4xf32>) … dimensions = [0]
/// linalg.batch_matmul ins(%x, %b : tensor<2x3x8xf32>, tensor<2x8x4xf32>)
///   -> linalg.generic {indexing_maps = [(b, m, n, k) -> (b, m, k),
///                                       (b, m, n, k) -> (k, n), …]}
///        ins(%x, %w : tensor<2x3x8xf32>, tensor<8x4xf32>)
struct FoldBroadcast : public OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    auto quantizable = dyn_cast<QuantizableOpInterface>(op.getOperation());
    if (!quantizable || op.getNumReductionLoops() == 0 ||
        !op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "no contraction of tensors");
    for (QuantizableOperand &operand : quantizable.getQuantizableOperands()) {
      if (operand.operand->getOwner() != op)
        continue;
      auto [source, inValue] = getBroadcast(operand.operand->get());
      if (!source)
        continue;
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      unsigned number = operand.operand->getOperandNumber();
      maps[number] = inValue.compose(maps[number]);
      if (!haveSizes(maps))
        return rewriter.notifyMatchFailure(
            op, "the size of a loop is that of the broadcast only");
      auto generic = linalg::GenericOp::create(
          rewriter, op.getLoc(), op->getResultTypes(), op.getDpsInputs(),
          op.getDpsInits(), maps, op.getIteratorTypesArray(),
          /*bodyBuild=*/nullptr, llvm::to_vector(op->getDiscardableAttrs()));
      generic->setOperand(number, source->get());
      rewriter.inlineRegionBefore(op->getRegion(0), generic.getRegion(),
                                  generic.getRegion().begin());
      rewriter.replaceOp(op, generic);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a broadcast");
  }
};

struct FoldBroadcastsPass
    : public quant_mlir::impl::FoldBroadcastsPassBase<FoldBroadcastsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFoldBroadcastsPatterns(patterns);
    GreedyRewriteConfig config;
    // Only what this pass speaks of changes.
    config.enableFolding(false)
        .enableConstantCSE(false)
        .setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns),
                                     config))) {
      getOperation()->emitError("quant-fold-broadcasts did not converge");
      signalPassFailure();
    }
  }
};
} // namespace

void quant_mlir::populateFoldBroadcastsPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldBroadcast>(patterns.getContext());
}
