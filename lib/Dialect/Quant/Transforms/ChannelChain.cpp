//===- ChannelChain.cpp - What is affine per channel ----------------------===//
//
// A step is an elementwise operation whose other operands are constants that
// vary only along channels, or a move: a reshape, a transpose, a cast.
// DimPieces says where channels are after moves, ChannelArith what a step
// computes.
//
//===----------------------------------------------------------------------===//

#include "ChannelChain.h"

#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// More channels than this have no weight that fits into memory.
static constexpr int64_t maxChannels = 1 << 24;

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

std::optional<ChannelSpace> quant_mlir::detail::getChannels(linalg::LinalgOp op,
                                                            OpOperand *weight) {
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  auto type = dyn_cast<RankedTensorType>(weight->get().getType());
  if (!type)
    return std::nullopt;
  ChannelSpace space;
  space.sizes.assign(op.getNumLoops(), 1);
  space.strides.assign(op.getNumLoops(), 0);
  SmallVector<unsigned> loops;
  for (auto [expr, size] : llvm::zip_equal(
           op.getMatchingIndexingMap(weight).getResults(), type.getShape())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || !outMap.getResultPosition(dim) || size == 1)
      continue;
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    if (llvm::is_contained(loops, dim.getPosition()))
      return std::nullopt;
    space.sizes[dim.getPosition()] = size;
    loops.push_back(dim.getPosition());
  }
  for (unsigned loop : llvm::reverse(loops)) {
    space.strides[loop] = space.count;
    if (llvm::MulOverflow(space.count, space.sizes[loop], space.count) ||
        space.count > maxChannels)
      return std::nullopt;
  }
  return space;
}

std::optional<Channels> quant_mlir::detail::getPerChannel(
    ArrayRef<double> data, ArrayRef<int64_t> strides, const DimPieces &pieces,
    const ChannelSpace &channels) {
  if (data.size() == 1)
    return Channels{data.front()};
  SmallVector<OffsetLoop> loops;
  for (auto [dim, dimStride] : llvm::enumerate(strides)) {
    int64_t stride = dimStride;
    for (const Piece &piece : llvm::reverse(pieces[dim])) {
      int64_t channel = channels.getStride(piece);
      if (stride || channel) {
        if (ShapedType::isDynamic(piece.size))
          return std::nullopt;
        loops.push_back({piece.size, stride, channel});
      }
      stride *= stride ? piece.size : 0;
    }
  }
  Channels result(channels.count);
  std::vector<bool> isKnown(channels.count);
  bool varies = false;
  forEachOffset(loops, [&](int64_t from, int64_t channel) {
    varies |= isKnown[channel] && result[channel] != data[from];
    isKnown[channel] = true;
    result[channel] = data[from];
  });
  if (varies || llvm::is_contained(isKnown, false))
    return std::nullopt;
  return result;
}

bool quant_mlir::detail::isUniform(const Channels &values) {
  return llvm::all_equal(values);
}

//===----------------------------------------------------------------------===//
// Following the result
//===----------------------------------------------------------------------===//

bool quant_mlir::detail::followMove(OpOperand &data, DimPieces &pieces) {
  Operation *op = data.getOwner();
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return true;
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    auto type = dyn_cast<RankedTensorType>(cast.getType());
    return type && type.getRank() == pieces.rank();
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return pieces.expand(expand.getReassociationIndices(),
                         expand.getResultType().getShape());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    pieces.collapse(collapse.getReassociationIndices());
    return true;
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || matchMove(linalgOp) != &data)
    return false;
  AffineMap inMap = linalgOp.getMatchingIndexingMap(&data);
  AffineMap outMap =
      linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0));
  if (!inMap.isPermutation() || !outMap.isPermutation())
    return false;
  SmallVector<int64_t> sources;
  for (AffineExpr expr : outMap.getResults())
    sources.push_back(*inMap.getResultPosition(expr));
  pieces.permute(sources);
  return true;
}

/// Whether `op` reads element i of `data` for element i of its result.
static bool isElementwiseOn(linalg::LinalgOp op, OpOperand *data) {
  AffineMap inMap = op.getMatchingIndexingMap(data);
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  auto type = dyn_cast<RankedTensorType>(data->get().getType());
  auto outType = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !outType || !outMap.isPermutation() ||
      inMap.getNumResults() != outMap.getNumResults())
    return false;
  for (unsigned dim = 0, rank = outMap.getNumResults(); dim < rank; ++dim) {
    bool isUnit = type.getDimSize(dim) == 1 && outType.getDimSize(dim) == 1 &&
                  isa<AffineConstantExpr>(inMap.getResult(dim));
    if (inMap.getResult(dim) != outMap.getResult(dim) && !isUnit)
      return false;
  }
  return true;
}

namespace {

/// What an operation does to its operand in the chain, or why it is no step.
struct StepResult {
  std::optional<AffineValue> value;
  /// It multiplies or divides by a constant, but not per channel.
  bool isOtherConstant = false;
};

class ChainReader {
public:
  ChainReader(const ChannelSpace &channels, ConstantEvaluator &constants)
      : channels(channels), constants(constants) {}

  /// `data` is the operand whose dimensions are `pieces`, `current` its value.
  StepResult read(OpOperand &data, const DimPieces &pieces,
                  const AffineValue &current) {
    Operation *op = data.getOwner();
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return readLinalg(linalgOp, data, pieces, current);
    StepResult result;
    if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumResults() != 1 ||
        !isa<RankedTensorType>(op->getResult(0).getType()))
      return result;
    SmallVector<AffineValue> values;
    for (OpOperand &operand : op->getOpOperands()) {
      if (&operand == &data) {
        values.push_back(current);
        continue;
      }
      const BroadcastConstant *constant = constants.evaluate(operand.get());
      if (!constant)
        return result;
      if (!addConstant(*constant, constant->strides, pieces, values))
        result.isOtherConstant = true;
    }
    if (result.isOtherConstant) {
      result.isOtherConstant = isa<arith::MulFOp, arith::DivFOp>(op);
      return result;
    }
    SmallVector<const AffineValue *> operands;
    for (const AffineValue &value : values)
      operands.push_back(&value);
    result.value = evaluateElementwise(op, operands, channels.count);
    return result;
  }

private:
  bool addConstant(const BroadcastConstant &constant, ArrayRef<int64_t> strides,
                   const DimPieces &pieces,
                   SmallVectorImpl<AffineValue> &values) {
    std::optional<Channels> numbers =
        getPerChannel(constant.data, strides, pieces, channels);
    if (numbers)
      values.push_back({{}, std::move(*numbers)});
    return numbers.has_value();
  }

  StepResult readLinalg(linalg::LinalgOp op, OpOperand &data,
                        const DimPieces &pieces, const AffineValue &current) {
    StepResult result;
    if (op->getNumResults() != 1 || op.getNumDpsInits() != 1 ||
        !op.getBlock() || op.getNumParallelLoops() != op.getNumLoops() ||
        !op.isDpsInput(&data) || !isElementwiseOn(op, &data))
      return result;
    AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    DenseMap<Value, AffineValue> values;
    values[op.getMatchingBlockArgument(&data)] = current;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      if (operand == &data)
        continue;
      const BroadcastConstant *constant = constants.evaluate(operand->get());
      if (!constant)
        return result;
      // Its strides in the space of the result, whose dimensions are those of
      // the data.
      SmallVector<int64_t> strides(outMap.getNumResults(), 0);
      for (auto [expr, size, stride] :
           llvm::zip_equal(op.getMatchingIndexingMap(operand).getResults(),
                           constant->shape, constant->strides)) {
        std::optional<unsigned> dim = outMap.getResultPosition(expr);
        if (dim)
          strides[*dim] += size == 1 ? 0 : stride;
        else if (stride && size != 1)
          return result;
      }
      SmallVector<AffineValue> value;
      if (!addConstant(*constant, strides, pieces, value)) {
        result.isOtherConstant =
            llvm::any_of(op.getBlock()->getOperations(),
                         llvm::IsaPred<arith::MulFOp, arith::DivFOp>);
        return result;
      }
      values[op.getMatchingBlockArgument(operand)] = std::move(value.front());
    }
    result.value =
        evaluateBody(*op.getBlock(), std::move(values), channels.count);
    // A constant, where the body does not use the data.
    if (result.value && result.value->isConstant())
      result.value.reset();
    return result;
  }

  const ChannelSpace &channels;
  ConstantEvaluator &constants;
};

} // namespace

/// Uses of the elements of `value`. Upstream's conversion of elementwise
/// operations takes an operand for the tensor that it writes to, too.
static SmallVector<OpOperand *> getReaders(Value value) {
  SmallVector<OpOperand *> readers;
  for (OpOperand &use : value.getUses()) {
    auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
    if (!op || !op.isDpsInit(&use) || op.payloadUsesValueFromOperand(&use))
      readers.push_back(&use);
  }
  return readers;
}

Chain quant_mlir::detail::readChain(linalg::LinalgOp op,
                                    const ChannelSpace &channels,
                                    ConstantEvaluator &constants) {
  ChainReader reader(channels, constants);
  Chain chain;
  Value value = op->getResult(0);
  auto type = cast<RankedTensorType>(value.getType());
  DimPieces pieces(op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
                   type.getShape());
  size_t end = 0;
  while (true) {
    SmallVector<OpOperand *> readers = getReaders(value);
    if (readers.size() != 1) {
      for (OpOperand *use : readers) {
        StepResult step = reader.read(*use, pieces, {{1.0}, {0.0}});
        if (step.value && step.value->isScaled &&
            !isUniform(step.value->factor)) {
          chain.missed = use->getOwner();
          chain.missedReason = "its input has other uses";
        }
      }
      break;
    }
    OpOperand &use = *readers.front();
    Operation *user = use.getOwner();
    if (user->getBlock() != op->getBlock() || user->getNumResults() != 1)
      break;
    DimPieces moved = pieces;
    if (followMove(use, moved)) {
      pieces = std::move(moved);
      chain.steps.push_back({user, &use, /*isMove=*/true});
    } else {
      StepResult step = reader.read(use, pieces, chain.value);
      if (step.isOtherConstant) {
        chain.missed = user;
        chain.missedReason =
            "its constant varies along other dimensions than the "
            "channels of the weight";
      }
      if (!step.value)
        break;
      chain.value = std::move(*step.value);
      chain.steps.push_back({user, &use, /*isMove=*/false});
      end = chain.steps.size();
      if (!chain.biasPieces)
        chain.biasPieces = pieces;
    }
    value = user->getResult(0);
  }
  chain.steps.truncate(end);
  if (isUniform(chain.value.factor))
    chain.value.factor.resize(1);
  return chain;
}
