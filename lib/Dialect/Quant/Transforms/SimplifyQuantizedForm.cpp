//===- SimplifyQuantizedForm.cpp - Level 1 with nothing left to do --------===//
//
// What parameters that are the same on both sides of an operation allow: pairs
// vanish, moves work on codes (MoveOnCodes.cpp), constants become codes. The
// values of the model stay the same, bit for bit. Weights are left alone: a
// consumer has to find them.
//
//===----------------------------------------------------------------------===//

#include "MoveOnCodes.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_SIMPLIFYQUANTIZEDFORMPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-simplify-quantized-form"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// A splat whose parameters differ is expanded up to this many elements.
static constexpr int64_t maxExpandedElements = int64_t(1) << 28;

namespace {

/// %x = arith.constant dense<…> : tensor<4xf32>
/// %q = quant.quantize %x <P>
///   -> %q = arith.constant dense<…> : tensor<4xi8>
struct FoldQuantizeOfConstant : public OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto constant = op.getInput().getDefiningOp<arith::ConstantOp>();
    AffineAttr params = op.getParams();
    if (!constant || op.getScale())
      return rewriter.notifyMatchFailure(op, "no constant, or no parameters");
    // Biases have a pass of their own.
    if (params.getStorage() == numerics::StorageType::Int32)
      return rewriter.notifyMatchFailure(op, "int32 is for biases");
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (isTooLarge(type))
      return rewriter.notifyMatchFailure(op, "elements cannot be counted");
    if (type.getNumElements() == 0) {
      auto codes = cast<RankedTensorType>(op.getType());
      rewriter.replaceOpWithNewOp<arith::ConstantOp>(
          op, DenseElementsAttr::getFromRawBuffer(codes, {}));
      return success();
    }
    numerics::TensorParams values = params.getTensorParams();
    bool isSplat;
    std::optional<ArrayRef<char>> bytes =
        getRawBytes(cast<ElementsAttr>(constant.getValue()), isSplat);
    if (!bytes || values.scales.empty())
      return rewriter.notifyMatchFailure(op, "elements are not in memory");

    FailureOr<SmallVector<int64_t>> sizes =
        params.getGranularity().getBlockSizes(type.getShape(),
                                              [&] { return op.emitOpError(); });
    if (failed(sizes))
      return failure();
    numerics::BlockGeometry geometry(
        type.getShape().vec(),
        std::vector<int64_t>(sizes->begin(), sizes->end()));
    std::vector<char> expanded;
    if (isSplat && values.scales.size() == 1) {
      // One element stands for all.
      geometry = numerics::BlockGeometry({1}, {1});
    } else if (isSplat) {
      if (type.getNumElements() > maxExpandedElements)
        return rewriter.notifyMatchFailure(op, "too many elements to expand");
      expanded.reserve(type.getNumElements() * bytes->size());
      for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
        expanded.insert(expanded.end(), bytes->begin(), bytes->end());
      bytes = expanded;
    }
    std::vector<uint8_t> codes(geometry.numElements());
    quantizeTensor(values, geometry,
                   {bytes->data(), *getExpressedType(type.getElementType())},
                   codes.data());
    StringRef name = "codes";
    if (auto attr = op->getAttrOfType<StringAttr>("quant.name"))
      name = attr.getValue();
    rewriter.replaceOp(op, makeCodes(rewriter, op.getLoc(),
                                     cast<RankedTensorType>(op.getType()),
                                     codes, name));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Pairs and moves
//===----------------------------------------------------------------------===//

/// quantize(dequantize(q)) -> q, as QuantizeOp::fold allows it.
struct FoldPair : public OpRewritePattern<QuantizeOp> {
  FoldPair(MLIRContext *context, llvm::function_ref<void()> count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(results)) || results.size() != 1)
      return rewriter.notifyMatchFailure(op, "no pair that is the identity");
    rewriter.replaceOp(op, cast<Value>(results.front()));
    count();
    return success();
  }

  llvm::function_ref<void()> count;
};

/// move(dequantize(q)) -> dequantize(move(q))
struct MoveOnCodes : public OpInterfaceRewritePattern<QuantizableOpInterface> {
  MoveOnCodes(MLIRContext *context, llvm::function_ref<void()> count)
      : OpInterfaceRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(QuantizableOpInterface op,
                                PatternRewriter &rewriter) const override {
    std::string reason;
    if (failed(quant_mlir::detail::moveOntoCodes(op, rewriter, reason)))
      return rewriter.notifyMatchFailure(op, reason);
    count();
    return success();
  }

  llvm::function_ref<void()> count;
};

//===----------------------------------------------------------------------===//
// Duplicates
//===----------------------------------------------------------------------===//

/// Quantizes and dequantizes of one value with equal parameters become the
/// first of them. Parameters are equal by content, names do not count.
class DuplicateEliminator {
public:
  explicit DuplicateEliminator(Operation *root) : dominance(root) {}

  int64_t run(Operation *root) {
    int64_t count = 0;
    root->walk([&](Operation *op) {
      if (auto quantize = dyn_cast<QuantizeOp>(op))
        count += tryReplace(quantize);
      else if (auto dequantize = dyn_cast<DequantizeOp>(op))
        count += tryReplace(dequantize);
    });
    for (Operation *op : dead)
      op->erase();
    return count;
  }

private:
  template <typename OpTy> bool tryReplace(OpTy op) {
    for (Operation *other : seen[op.getInput()]) {
      auto earlier = dyn_cast<OpTy>(other);
      if (!earlier || earlier.getType() != op.getType() ||
          earlier.getScale() != op.getScale() ||
          earlier.getZeroPoint() != op.getZeroPoint() ||
          !haveEqualContents(earlier.getParams(), op.getParams()) ||
          !dominance.properlyDominates(other, op))
        continue;
      op.replaceAllUsesWith(earlier.getResult());
      dead.push_back(op);
      return true;
    }
    seen[op.getInput()].push_back(op);
    return false;
  }

  DominanceInfo dominance;
  DenseMap<Value, SmallVector<Operation *, 2>> seen;
  SmallVector<Operation *> dead;
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct SimplifyQuantizedFormPass
    : public quant_mlir::impl::SimplifyQuantizedFormPassBase<
          SimplifyQuantizedFormPass> {
  void runOnOperation() override {
    auto countPair = [&] { ++numPairs; };
    auto countMove = [&] { ++numMoved; };
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldQuantizeOfConstant>(&getContext());
    patterns.add<FoldPair>(&getContext(), countPair);
    patterns.add<MoveOnCodes>(&getContext(), countMove);
    GreedyRewriteConfig config;
    // Only what this pass speaks of changes.
    config.enableFolding(false)
        .enableConstantCSE(false)
        .setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns),
                                     config))) {
      getOperation().emitError(
          "quant-simplify-quantized-form did not converge");
      return signalPassFailure();
    }
    numDuplicates += DuplicateEliminator(getOperation()).run(getOperation());
    explainWhatIsLeft();
  }

private:
  /// Names the moves that stay in floating point between codes, and why.
  void explainWhatIsLeft() {
    SmallVector<QuantizableOpInterface> moves;
    getOperation()->walk([&](QuantizableOpInterface op) {
      if (op.getValueEffect() == ValueEffect::Moves)
        moves.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (QuantizableOpInterface op : moves) {
      std::string reason;
      if (succeeded(quant_mlir::detail::moveOntoCodes(op, rewriter, reason)) ||
          reason.empty())
        continue;
      ++numSkipped;
      emitRemark(op.getLoc()) << "'" << getQuantName(op)
                              << "' moves floating-point values: " << reason;
    }
  }
};

} // namespace
