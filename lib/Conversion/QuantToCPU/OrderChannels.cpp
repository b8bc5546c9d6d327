//===- OrderChannels.cpp - Contractions with channels innermost -----------===//
//
// A contraction whose result goes on along rows, and that no kernel computes
// so, is the same contraction on transposed operands: maps have their results
// in another order, loops are what they were.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <numeric>

namespace quant_mlir {
#define GEN_PASS_DEF_ORDERCHANNELSPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

namespace {
/// For each dimension of a transposed tensor that of its source.
using Permutation = SmallVector<int64_t>;
} // namespace

/// Loops that are to be innermost in the result, in their order there: columns,
/// or of a depthwise contraction the innermost channel. Empty where they are
/// innermost already, or nothing keeps them elsewhere.
static SmallVector<unsigned> findChannels(ContractOp op,
                                          const ContractLoops &loops) {
  SmallVector<unsigned> order, channels;
  for (AffineExpr expr : op.getInitMap().getResults())
    order.push_back(cast<AffineDimExpr>(expr).getPosition());
  bool areColumns = loops.getSize(loops.columns) != 1;
  if (!areColumns && !loops.isDepthwise)
    return {};
  ArrayRef<unsigned> from = areColumns ? loops.columns : loops.batch;
  for (unsigned loop : order)
    if (llvm::is_contained(from, loop) && loops.sizes[loop] != 1)
      channels.push_back(loop);
  if (!areColumns)
    channels.assign(1, channels.back());
  SmallVector<unsigned> moving = llvm::to_vector(llvm::make_filter_range(
      order, [&](unsigned loop) { return loops.sizes[loop] != 1; }));
  if (ArrayRef(moving).take_back(channels.size()) == ArrayRef(channels))
    return {};
  return channels;
}

/// Whether a kernel computes `op` by rows: weights then are packed row by row.
static bool hasKernelByRows(ContractOp op, const ContractLoops &loops) {
  Operation *def = op.getRhs().getDefiningOp();
  if (auto unpack = dyn_cast_or_null<UnpackOp>(def))
    def = unpack.getInput().getDefiningOp();
  return isa_and_nonnull<arith::ConstantOp>(def) && loops.isResultByRows() &&
         op.hasIntegerSum() && !op.getWide() &&
         op.getRhsCodesType().getElementTypeBitWidth() == 8 &&
         findNoExchangeReason(op, loops).empty();
}

/// Dimensions for which `isLast` holds behind the others.
static Permutation moveLast(unsigned rank,
                            llvm::function_ref<bool(unsigned)> isLast) {
  Permutation permutation;
  for (bool last : {false, true})
    for (unsigned dim = 0; dim < rank; ++dim)
      if (isLast(dim) == last)
        permutation.push_back(dim);
  return permutation;
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::is_sorted(permutation);
}

/// `value` transposed; where that undoes a transposition, what was before it.
static Value transpose(OpBuilder &builder, Location loc, Value value,
                       ArrayRef<int64_t> permutation) {
  if (isIdentity(permutation))
    return value;
  if (auto before = value.getDefiningOp<linalg::TransposeOp>()) {
    Permutation both;
    for (int64_t dim : permutation)
      both.push_back(before.getPermutation()[dim]);
    if (isIdentity(both))
      return before.getInput();
  }
  SmallVector<OpFoldResult> from = tensor::getMixedSizes(builder, loc, value);
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim : permutation)
    sizes.push_back(from[dim]);
  Value empty = tensor::EmptyOp::create(
      builder, loc, sizes,
      cast<RankedTensorType>(value.getType()).getElementType());
  return linalg::TransposeOp::create(builder, loc, value, empty, permutation)
      ->getResult(0);
}

static AffineMap permute(AffineMap map, ArrayRef<int64_t> permutation) {
  SmallVector<AffineExpr> results;
  for (int64_t dim : permutation)
    results.push_back(map.getResult(dim));
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

namespace {
struct OrderChannelsPass
    : public quant_mlir::impl::OrderChannelsPassBase<OrderChannelsPass> {
  using OrderChannelsPassBase::OrderChannelsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    if (gpu.empty())
      return success();
    llvm::Expected<GPUTarget> found = GPUTarget::get(gpu, gpuArch);
    if (!found)
      return emitError(UnknownLoc::get(context))
             << "quant-order-channels: " << llvm::toString(found.takeError());
    gpuTarget = std::make_shared<GPUTarget>(std::move(*found));
    return success();
  }

  void runOnOperation() override {
    SmallVector<ContractOp> ops;
    getOperation()->walk([&](ContractOp op) {
      if (op->getNumResults() != 0 && !op.getLayout())
        ops.push_back(op);
    });
    for (ContractOp op : ops) {
      ContractLoops loops = analyzeLoops(op);
      SmallVector<unsigned> channels = findChannels(op, loops);
      if (channels.empty())
        continue;
      if (gpuTarget ? findNoGPUTypesReason(op, *gpuTarget).empty()
                    : !hasKernelByRows(op, loops))
        order(op, loops, channels);
    }
  }

private:
  /// Null for a CPU.
  std::shared_ptr<const GPUTarget> gpuTarget;

  void order(ContractOp op, const ContractLoops &loops,
             ArrayRef<unsigned> channels) {
    ++numOrdered;
    emitRemark(op.getLoc())
        << "'" << getQuantName(op)
        << "' is computed with channels innermost, between transpositions: "
        << (gpuTarget ? "no kernel of a GPU writes them elsewhere"
                      : "only codes of 8 bits with static parameters have a "
                        "kernel where they are not");
    OpBuilder builder(op);
    Location loc = op.getLoc();
    auto loopOf = [](AffineMap map, unsigned dim) -> std::optional<unsigned> {
      auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
      return loop ? std::optional<unsigned>(loop.getPosition()) : std::nullopt;
    };
    AffineMap lhsMap = op.getLhsMap(), initMap = op.getInitMap();
    Permutation ofInit = moveLast(initMap.getNumResults(), [&](unsigned dim) {
      return llvm::is_contained(channels, loopOf(initMap, dim));
    });
    // Of lhs the channels that are summed, or those of the result.
    Permutation ofLhs = moveLast(lhsMap.getNumResults(), [&](unsigned dim) {
      std::optional<unsigned> loop = loopOf(lhsMap, dim);
      return loop &&
             (llvm::is_contained(channels, *loop) || !op.isParallelLoop(*loop));
    });

    SmallVector<AffineMap> maps = op.getOperandMaps();
    maps.front() = permute(lhsMap, ofLhs);
    maps.back() = permute(initMap, ofInit);
    op.getLhsMutable().assign(transpose(builder, loc, op.getLhs(), ofLhs));
    for (MutableOperandRange range :
         {op.getScaleMutable(), op.getZeroPointMutable()})
      if (!range.empty() &&
          cast<ShapedType>(range[0].get().getType()).getRank() != 0)
        range[0].set(transpose(builder, loc, range[0].get(), ofLhs));
    if (std::optional<ArrayRef<int64_t>> padding = op.getPadding()) {
      SmallVector<int64_t> moved;
      for (int64_t dim : ofLhs)
        moved.append({(*padding)[2 * dim], (*padding)[2 * dim + 1]});
      op.setPadding(moved);
    }
    if (Value residual = op.getResidual()) {
      AffineMap map = op.getResidualMap();
      // In the order of the result.
      Permutation ofResidual(map.getNumResults());
      std::iota(ofResidual.begin(), ofResidual.end(), 0);
      llvm::stable_sort(ofResidual, [&](int64_t a, int64_t b) {
        return *maps.back().getResultPosition(map.getResult(a)) <
               *maps.back().getResultPosition(map.getResult(b));
      });
      maps[maps.size() - 2] = permute(map, ofResidual);
      op.getResidualMutable().assign(
          transpose(builder, loc, residual, ofResidual));
    }
    SmallVector<OpFoldResult> from =
        tensor::getMixedSizes(builder, loc, op.getInit());
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim : ofInit)
      sizes.push_back(from[dim]);
    Value init = tensor::EmptyOp::create(builder, loc, sizes,
                                         op.getInitType().getElementType());
    op.getInitMutable().assign(init);
    op.setMapsAttr(builder.getAffineMapArrayAttr(maps));

    // The result as it was.
    Value result = op->getResult(0);
    Type before = result.getType();
    SmallVector<OpOperand *> uses = llvm::to_vector(
        llvm::map_range(result.getUses(), [](OpOperand &use) { return &use; }));
    result.setType(init.getType());
    builder.setInsertionPointAfter(op);
    Permutation back(ofInit.size());
    for (auto [to, dim] : llvm::enumerate(ofInit))
      back[dim] = to;
    Value transposed = transpose(builder, loc, result, back);
    if (transposed.getType() != before)
      transposed = tensor::CastOp::create(builder, loc, before, transposed);
    for (OpOperand *use : uses)
      use->set(transposed);
  }
};
} // namespace
