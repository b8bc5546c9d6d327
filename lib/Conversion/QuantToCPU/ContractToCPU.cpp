//===- ContractToCPU.cpp - quant.contract as loops over registers ---------===//
//
// The pattern, and the whole of a kernel (ContractKernel.h). Right-hand sides
// are in panels: constants since quant-pack-weights, others are packed by the
// kernel (ContractPanels.cpp).
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;

static DotProduct chooseDot(ContractOp op, const CPUTarget &target,
                            bool isExchanged, bool usesTiles) {
  if (!op.hasIntegerSum())
    return DotProduct(target);
  bool isLhsSigned =
      isExchanged || numerics::isSignedInteger(op.getLhsParams()->getStorage());
  // Beside tiles, rows are summed as they are stored: against an operand of the
  // other signedness.
  if (usesTiles)
    return DotProduct(target, isLhsSigned, isLhsSigned);
  return DotProduct(target, isLhsSigned,
                    isExchanged
                        ? target.isDotLhsUnsigned()
                        : op.getRhsCodesType().getElementTypeBitWidth() < 8);
}

ContractKernel::ContractKernel(ContractOp op, const CPUTarget &target,
                               OpBuilder &builder, unsigned threads,
                               bool mayUseTiles)
    : op(op), target(target), threads(threads), kernel(builder, op.getLoc()),
      loops(analyzeLoops(op)), isOfValues(!op.hasIntegerSum()),
      isExchanged(!isOfValues && op.getLayout() &&
                  op.getLayout()->getPanel() == 1),
      usesTiles(mayUseTiles &&
                findTileRows(op, target, loops, isExchanged).has_value()),
      dot(chooseDot(op, target, isExchanged, usesTiles)) {}

void ContractKernel::build() {
  analyze();
  placeConstants(multiplier, "multiplier");
  placeConstants(minval, "minval");
  placeConstants(rhsZero, "zero_point");
  placeConstants(rhsOffset, "offset");
  placeConstants(storedOffset, "offset");
  Values ivs(loops.roles.size());
  if (isScratchOfRowBlock())
    return buildBatches(ivs, 0, attr(0));
  if (parallel != Parallel::Batches)
    return withScratch([&] { buildBatches(ivs, 0, attr(0)); });
  // All batches are one loop, whose iterations have a scratch of their own.
  OpFoldResult batches = attr(1);
  for (unsigned loop : batchLoops)
    batches = kernel.mul(batches, sizes[loop]);
  Value end = kernel.index(batches);
  buildLoop(kernel.index(0), end, 1, /*isParallel=*/true, [&](Value number) {
    Value rest = number;
    for (unsigned loop : llvm::reverse(batchLoops)) {
      Value size = kernel.index(sizes[loop]);
      ivs[loop] =
          arith::RemUIOp::create(kernel.builder, kernel.loc, rest, size);
      rest = arith::DivUIOp::create(kernel.builder, kernel.loc, rest, size);
    }
    withScratch([&] { buildBatch(ivs, number); });
  });
}

//===----------------------------------------------------------------------===//
// Pattern
//===----------------------------------------------------------------------===//

namespace {
/// quant.contract lhs(%x) rhs(%w) outs(%y)
///   -> scf.for panels { scf.for tiles {
///        %acc:24 = scf.for groups iter_args(...) {
///          %w = vector.load; %x = vector.broadcast
///          llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %x, %w)
///          ...
///        }
///        scale, round, vector.store } }
struct LowerContract : public OpRewritePattern<ContractOp> {
  LowerContract(MLIRContext *context, const CPUTarget &target, unsigned threads)
      : OpRewritePattern(context), target(target), threads(threads) {}

  LogicalResult matchAndRewrite(ContractOp op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 0)
      return rewriter.notifyMatchFailure(op, "it is not on buffers");
    std::string reason = findNoKernelReason(op, target);
    if (!reason.empty())
      return rewriter.notifyMatchFailure(op, reason);
    buildKernel(op, rewriter);
    rewriter.eraseOp(op);
    return success();
  }

  /// Rows of a number that is not known may be few, for which tiles do not pay.
  void buildKernel(ContractOp op, PatternRewriter &rewriter) const {
    ContractLoops loops = analyzeLoops(op);
    bool isExchanged =
        op.hasIntegerSum() && op.getLayout() && op.getLayout()->getPanel() == 1;
    ArrayRef<unsigned> rows = isExchanged ? loops.columns : loops.rows;
    std::optional<int64_t> least = findTileRows(op, target, loops, isExchanged);
    if (!least || !ShapedType::isDynamic(loops.getSize(rows)))
      return ContractKernel(op, target, rewriter, threads).build();
    Location loc = op.getLoc();
    KernelBuilder kernel(rewriter, loc);
    SmallVector<OpFoldResult> sizes =
        cast<IntegerFormOpInterface>(op.getOperation())
            .getLoopSizes(rewriter, loc);
    OpFoldResult count = rewriter.getIndexAttr(1);
    for (unsigned loop : rows)
      count = kernel.mul(count, sizes[loop]);
    Value areMany =
        arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::uge,
                              kernel.index(count), kernel.index(*least));
    auto branch = scf::IfOp::create(rewriter, loc, areMany,
                                    /*withElseRegion=*/true);
    for (bool usesTiles : {true, false}) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(
          (usesTiles ? branch.thenBlock() : branch.elseBlock())
              ->getTerminator());
      ContractKernel(op, target, rewriter, threads, usesTiles).build();
    }
  }

  const CPUTarget &target;
  unsigned threads;
};
} // namespace

void quant_mlir::populateContractToCPUPatterns(RewritePatternSet &patterns,
                                               const CPUTarget &target,
                                               unsigned threads) {
  patterns.add<LowerContract>(patterns.getContext(), target, threads);
}
