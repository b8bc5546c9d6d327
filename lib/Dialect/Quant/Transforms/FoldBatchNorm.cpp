//===- FoldBatchNorm.cpp - Batch norm into weight and bias ----------------===//
//
// The result y of a multiply-accumulate, up to where it has other uses, is
// followed through operations that are affine with constants that vary only
// along dimensions of the weight (subtract, multiply, divide, add, in any order
// and any number), and through reshapes, transposes and casts between them.
// What they compute together is a * y + b per channel: a goes into the weight,
// b into the bias.
//
// Which loops are channels follows from the indexing maps: those that both the
// weight and the result use as a plain dimension. DimPieces follows them
// forward to the constants of the chain and backward to the weight's constant.
// ChannelArith does the arithmetic.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "ScaledWeight.h"

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/DebugLog.h"

namespace quant_mlir {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fold-batch-norm"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

namespace {

/// One multiply-accumulate with the operand that is taken for its weight.
class Folder {
public:
  Folder(linalg::LinalgOp op, OpOperand *weight, ChannelSpace channels,
         llvm::SmallPtrSetImpl<Operation *> &erased)
      : op(op), weight(weight), channels(std::move(channels)), erased(erased),
        init(op.getDpsInitOperand(0)),
        chain(readChain(op, this->channels, constants)) {}

  const Chain &getChain() const { return chain; }

  /// Folds the chain, which is foldable; on failure `reason` says why.
  LogicalResult fold(std::string &reason);

  /// Whether factors differ between channels: a single one is as likely to be
  /// part of another formula as a batch norm.
  bool looksLikeBatchNorm() const { return !isUniform(chain.value.factor); }

private:
  LogicalResult readInit(std::string &reason);
  Value buildBias(OpBuilder &builder, Location loc, RankedTensorType type,
                  const DimPieces &pieces, Value broadcastInto, Value addTo,
                  ElementsAttr numbers);
  ElementsAttr makeBias(RankedTensorType type, const DimPieces &pieces);

  linalg::LinalgOp op;
  OpOperand *weight;
  ChannelSpace channels;
  llvm::SmallPtrSetImpl<Operation *> &erased;
  OpOperand *init;
  ConstantEvaluator constants;
  Chain chain;
  bool biasIsInit = false;
};

} // namespace

/// Adds what the operation accumulates onto to the chain's value.
LogicalResult Folder::readInit(std::string &reason) {
  auto type = cast<RankedTensorType>(init->get().getType());
  const BroadcastConstant *constant = constants.evaluate(init->get());
  std::optional<Channels> numbers;
  if (constant)
    numbers = getPerChannel(
        constant->data, constant->strides,
        DimPieces(op.getMatchingIndexingMap(init), type.getShape()), channels);
  if (!numbers) {
    reason = "the result is accumulated onto a value that is not constant per "
             "channel";
    return failure();
  }
  bool isZero = llvm::all_of(*numbers, [](double x) { return x == 0.0; });
  // Zeros that are broadcast from a tensor are a bias that happens to be zero.
  auto broadcast = init->get().getDefiningOp<linalg::LinalgOp>();
  OpOperand *source = broadcast ? matchMove(broadcast) : nullptr;
  biasIsInit = !isZero || (source && isa<TensorType>(source->get().getType()));
  Channels offset(std::max(
      {numbers->size(), chain.value.factor.size(), chain.value.offset.size()}));
  auto at = [](const Channels &values, size_t i) {
    return values[values.size() == 1 ? 0 : i];
  };
  for (size_t i = 0; i < offset.size(); ++i)
    offset[i] =
        at(chain.value.factor, i) * at(*numbers, i) + at(chain.value.offset, i);
  chain.value.offset = std::move(offset);
  return success();
}

ElementsAttr Folder::makeBias(RankedTensorType type, const DimPieces &pieces) {
  // Dimensions with channels, whole; the others are broadcast.
  SmallVector<int64_t> shape;
  SmallVector<OffsetLoop> loops;
  int64_t stride = 1;
  for (unsigned dim = pieces.rank(); dim-- > 0;) {
    if (!channels.hasChannel(pieces[dim]))
      continue;
    shape.insert(shape.begin(), 1);
    for (const Piece &piece : llvm::reverse(pieces[dim])) {
      loops.push_back({piece.size, stride, channels.getStride(piece)});
      stride *= piece.size;
      shape.front() *= piece.size;
    }
  }
  std::reverse(loops.begin(), loops.end());
  const Channels &offset = chain.value.offset;
  std::vector<double> numbers(stride);
  forEachOffset(loops, [&](int64_t element, int64_t channel) {
    numbers[element] = offset[offset.size() == 1 ? 0 : channel];
  });
  return makeRounded(RankedTensorType::get(shape, type.getElementType()),
                     numbers, "bias");
}

/// linalg.generic over `type` that gives the bias, added to `addTo` where that
/// is there.
Value Folder::buildBias(OpBuilder &builder, Location loc, RankedTensorType type,
                        const DimPieces &pieces, Value broadcastInto,
                        Value addTo, ElementsAttr numbers) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim = 0; dim < pieces.rank(); ++dim)
    if (channels.hasChannel(pieces[dim]))
      exprs.push_back(builder.getAffineDimExpr(dim));
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  AffineMap biasMap =
      AffineMap::get(type.getRank(), 0, exprs, builder.getContext());
  SmallVector<Value> inputs{arith::ConstantOp::create(builder, loc, numbers)};
  SmallVector<AffineMap> maps{biasMap};
  if (addTo) {
    inputs.insert(inputs.begin(), addTo);
    maps.insert(maps.begin(), identity);
  }
  maps.push_back(identity);
  return linalg::GenericOp::create(
             builder, loc, type, inputs, broadcastInto, maps,
             SmallVector<utils::IteratorType>(type.getRank(),
                                              utils::IteratorType::parallel),
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               Value result = args.front();
               if (addTo)
                 result = arith::AddFOp::create(builder, loc, args[0], args[1]);
               linalg::YieldOp::create(builder, loc, result);
             })
      .getResult(0);
}

/// A tensor of the type and sizes of `value` to write to.
static Value makeEmpty(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(tensor::DimOp::create(builder, loc, value, dim));
  return tensor::EmptyOp::create(builder, loc, type, sizes);
}

LogicalResult Folder::fold(std::string &reason) {
  WeightSource source = findSource(op, weight, channels);
  if (!source.constant) {
    // Moves of a constant's elements that no dimension follows.
    if (foldConstantMoves(source.path.back()->get()))
      source = findSource(op, weight, channels);
    if (!source.constant) {
      Operation *def = source.path.back()->get().getDefiningOp();
      reason = "the weight is no constant";
      if (def)
        reason =
            ("the weight is reached through '" + def->getName().getStringRef() +
             "': expected a constant, reshaped or transposed at most")
                .str();
      return failure();
    }
  }
  if (failed(readInit(reason)))
    return failure();
  ElementsAttr scaled =
      scaleWeight(source, channels, chain.value.factor, reason);
  if (!scaled)
    return failure();
  auto initType = cast<RankedTensorType>(init->get().getType());
  DimPieces initPieces(op.getMatchingIndexingMap(init), initType.getShape());
  const DimPieces &biasPieces = biasIsInit ? initPieces : *chain.biasPieces;
  const Step &first = *llvm::find_if(
      chain.steps, [](const Step &step) { return !step.isMove; });
  Value addTo = first.data->get();
  auto biasType =
      biasIsInit ? initType : cast<RankedTensorType>(addTo.getType());
  bool hasBias = biasIsInit || llvm::any_of(chain.value.offset,
                                            [](double x) { return x != 0.0; });
  ElementsAttr bias;
  if (hasBias && !(bias = makeBias(biasType, biasPieces))) {
    reason = "the bias is not finite in its type";
    return failure();
  }

  OpBuilder builder(source.constant);
  Value newWeight = arith::ConstantOp::create(
      builder, source.constant.getLoc(), source.constant.getType(), scaled);
  Operation *oldWeight = weight->get().getDefiningOp();
  DenseMap<Operation *, Value> copies;
  replaceUse(source.path, newWeight, copies);
  eraseDead(oldWeight, &erased);
  if (biasIsInit) {
    builder.setInsertionPoint(op);
    Value oldInit = init->get();
    auto dest = oldInit.getDefiningOp<DestinationStyleOpInterface>();
    Value into = dest && dest.getNumDpsInits() == 1
                     ? dest.getDpsInits()[0]
                     : makeEmpty(builder, op.getLoc(), oldInit);
    init->set(buildBias(builder, oldInit.getLoc(), initType, initPieces, into,
                        Value(), bias));
    if (Operation *def = oldInit.getDefiningOp())
      eraseDead(def, &erased);
  }
  for (Step &step : chain.steps) {
    if (step.isMove)
      continue;
    Value value = step.data->get();
    Value result = step.op->getResult(0);
    builder.setInsertionPoint(step.op);
    if (&step == &first && hasBias && !biasIsInit)
      value =
          buildBias(builder, step.op->getLoc(),
                    cast<RankedTensorType>(value.getType()), biasPieces,
                    makeEmpty(builder, step.op->getLoc(), value), value, bias);
    auto type = cast<RankedTensorType>(result.getType());
    auto current = cast<RankedTensorType>(value.getType());
    if (type.getElementType() != current.getElementType()) {
      current = current.clone(type.getElementType());
      if (type.getElementTypeBitWidth() >
          getElementTypeOrSelf(value).getIntOrFloatBitWidth())
        value =
            arith::ExtFOp::create(builder, step.op->getLoc(), current, value);
      else
        value =
            arith::TruncFOp::create(builder, step.op->getLoc(), current, value);
    }
    if (type != current)
      value = tensor::CastOp::create(builder, step.op->getLoc(), type, value);
    result.replaceAllUsesWith(value);
  }
  for (Step &step : llvm::reverse(chain.steps))
    if (!step.isMove)
      eraseDead(step.op, &erased);
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class FoldBatchNormPass
    : public quant_mlir::impl::FoldBatchNormPassBase<FoldBatchNormPass> {
public:
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      auto quantizable = dyn_cast<QuantizableOpInterface>(op.getOperation());
      if (quantizable && !quantizable.getQuantizableKind().empty() &&
          op.hasPureTensorSemantics() && op.getNumDpsInits() == 1)
        ops.push_back(op);
    });
    // A product may itself be what scales another one.
    erased.clear();
    for (linalg::LinalgOp op : ops)
      if (!erased.contains(op))
        foldInto(op);
  }

private:
  /// In a matrix product both operands may be the weight: the constant one is.
  void foldInto(linalg::LinalgOp op) {
    auto quantizable = cast<QuantizableOpInterface>(op.getOperation());
    SmallVector<OpOperand *> weights, others;
    for (const QuantizableOperand &operand :
         quantizable.getQuantizableOperands()) {
      if (!operand.canBeWeight() || operand.operand->getOwner() != op ||
          !op.isDpsInput(operand.operand))
        continue;
      bool isConstant = isComputedFromConstants(operand.operand->get());
      (isConstant ? weights : others).push_back(operand.operand);
    }
    Operation *missed = nullptr;
    std::string reason;
    for (OpOperand *weight : weights.empty() ? others : weights) {
      std::optional<ChannelSpace> channels = getChannels(op, weight);
      if (!channels)
        continue;
      Folder folder(op, weight, std::move(*channels), erased);
      const Chain &chain = folder.getChain();
      std::string failure;
      bool isFolded = chain.isFoldable() && succeeded(folder.fold(failure));
      if (isFolded) {
        LDBG() << "folded into " << getQuantName(op);
        ++numFolded;
        missed = nullptr;
      }
      if (!failure.empty() && folder.looksLikeBatchNorm()) {
        missed = op;
        reason = failure;
      } else if (chain.missed && !weights.empty()) {
        missed = chain.missed;
        reason = chain.missedReason.str();
      }
      // What the other operand would make of it is of no interest then.
      if (isFolded)
        break;
    }
    if (missed)
      report(op, missed, reason);
  }

  void report(Operation *op, Operation *missed, StringRef reason) {
    ++numSkipped;
    InFlightDiagnostic diag = emitRemark(op->getLoc())
                              << "what looks like a batch norm behind '"
                              << getQuantName(op)
                              << "' is not folded into it: " << reason;
    if (missed != op)
      diag.attachNote(missed->getLoc()) << "it is multiplied here";
  }

  llvm::SmallPtrSet<Operation *, 8> erased;
};

} // namespace
