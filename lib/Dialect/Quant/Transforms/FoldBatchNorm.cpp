//===- FoldBatchNorm.cpp - Batch norm into weight and bias ----------------===//
//
// The result y of a multiply-accumulate, up to where it has other uses, is
// followed through operations that are affine with constants that vary only along
// dimensions of the weight (subtract, multiply, divide, add, in any order and any
// number), and through reshapes, transposes and casts between them. What they
// compute together is a * y + b per channel: a goes into the weight, b into the
// bias.
//
// Which loops are channels follows from the indexing maps: those that both the
// weight and the result use as a plain dimension. DimPieces follows them forward
// to the constants of the chain and backward to the weight's constant.
// ChannelArith does the arithmetic.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "ChannelArith.h"
#include "DimPieces.h"
#include "StridedCopy.h"

#include "quant-mlir/Dialect/Quant/IR/QParams.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/DebugLog.h"
#include <cmath>
#include <cstring>

namespace quant_mlir {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fold-batch-norm"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// More channels than this have no weight that fits into memory.
static constexpr int64_t maxChannels = 1 << 24;
/// A splat weight that becomes one number per element may take this many bytes.
static constexpr int64_t maxExpandedBytes = int64_t(1) << 30;

namespace {

/// The loops that index channels, as one row-major space.
struct ChannelSpace {
  /// Per loop of the operation: its stride in the space; 0 where it is none.
  SmallVector<int64_t> strides;
  SmallVector<int64_t> sizes; ///< per loop, 1 where it is none
  int64_t count = 1;

  int64_t getStride(const Piece &piece) const {
    return piece.loop < 0 ? 0 : piece.stride * strides[piece.loop];
  }
};

/// The constant that an operand comes from, through moves.
struct WeightSource {
  SmallVector<OpOperand *> path; ///< as in WeightUse
  arith::ConstantOp constant;    ///< null where there is none
  DimPieces pieces;              ///< of the last value on the path
};

/// One operation behind the multiply-accumulate.
struct Step {
  Operation *op;
  OpOperand *data; ///< its operand in the chain
  bool isMove;
};

struct Chain {
  SmallVector<Step> steps;
  /// Of the result, as a function of the result before the first step.
  AffineValue value{{1.0}, {0.0}};
  /// Pieces of the data of the first step that is no move.
  std::optional<DimPieces> biasPieces;
};

} // namespace

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

static std::optional<ChannelSpace> getChannels(linalg::LinalgOp op,
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

/// A constant as one number per channel, read through a tensor whose dimensions
/// are `pieces` and in which it has `strides`; nullopt where it varies along
/// anything else.
static std::optional<Channels> getPerChannel(ArrayRef<double> data,
                                             ArrayRef<int64_t> strides,
                                             const DimPieces &pieces,
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
  if (varies)
    return std::nullopt;
  return result;
}

static bool isUniform(const Channels &values) {
  return llvm::all_equal(values);
}

//===----------------------------------------------------------------------===//
// Following the result
//===----------------------------------------------------------------------===//

/// Updates `pieces` where `op` only moves elements of `data`, each to one place,
/// or converts them.
static bool followMove(OpOperand &data, DimPieces &pieces) {
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
    if (op->getNumResults() != 1 || op.getNumDpsInits() != 1 || !op.getBlock() ||
        op.getNumParallelLoops() != op.getNumLoops() || !op.isDpsInput(&data) ||
        !isElementwiseOn(op, &data))
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
    result.value = evaluateBody(*op.getBlock(), std::move(values),
                                channels.count);
    // A constant, where the body does not use the data.
    if (result.value && result.value->isConstant())
      result.value.reset();
    return result;
  }

  const ChannelSpace &channels;
  ConstantEvaluator &constants;
};

} // namespace

//===----------------------------------------------------------------------===//
// The weight
//===----------------------------------------------------------------------===//

/// One step from an operand back towards a constant; the operand of the
/// operation passed, or nullptr.
static OpOperand *stepBack(Operation *op, DimPieces &pieces,
                           const ChannelSpace &channels) {
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return &op->getOpOperand(0);
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    auto source = dyn_cast<RankedTensorType>(cast.getSource().getType());
    return source && source.getRank() == pieces.rank() ? &op->getOpOperand(0)
                                                       : nullptr;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    pieces.collapse(expand.getReassociationIndices());
    return &op->getOpOperand(0);
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return pieces.expand(collapse.getReassociationIndices(),
                         collapse.getSrcType().getShape())
               ? &op->getOpOperand(0)
               : nullptr;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  OpOperand *input = linalgOp ? matchMove(linalgOp) : nullptr;
  if (!input)
    return nullptr;
  AffineMap inMap = linalgOp.getMatchingIndexingMap(input);
  AffineMap outMap =
      linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0));
  if (!outMap.isPermutation())
    return nullptr;
  SmallVector<int64_t> sources;
  for (AffineExpr expr : inMap.getResults()) {
    std::optional<unsigned> dim = outMap.getResultPosition(expr);
    if (!dim && !isa<AffineConstantExpr>(expr))
      return nullptr;
    sources.push_back(dim ? int64_t(*dim) : -1);
  }
  // A weight that is broadcast along a channel has no element for each.
  for (unsigned dim = 0; dim < pieces.rank(); ++dim)
    if (!llvm::is_contained(sources, dim) &&
        llvm::any_of(pieces[dim], [&](const Piece &piece) {
          return channels.getStride(piece) != 0;
        }))
      return nullptr;
  pieces.permute(sources);
  return input;
}

static WeightSource findSource(linalg::LinalgOp op, OpOperand *weight,
                               const ChannelSpace &channels) {
  auto type = cast<RankedTensorType>(weight->get().getType());
  WeightSource source;
  source.path = {weight};
  source.pieces =
      DimPieces(op.getMatchingIndexingMap(weight), type.getShape());
  while (Operation *def = source.path.back()->get().getDefiningOp()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(def)) {
      source.constant = constant;
      break;
    }
    DimPieces pieces = source.pieces;
    OpOperand *next = stepBack(def, pieces, channels);
    if (!next)
      break;
    source.pieces = std::move(pieces);
    source.path.push_back(next);
  }
  return source;
}

/// Elements of `type` rounded from `count` numbers; null where one is not finite
/// in that type.
static ElementsAttr makeRounded(ShapedType type, ArrayRef<double> numbers,
                                StringRef name) {
  auto element = cast<FloatType>(type.getElementType());
  unsigned width = element.getWidth() / 8;
  bool isFinite = true;
  ElementsAttr result = makeElements(
      type, numbers.size() * width, name, [&](MutableArrayRef<char> dest) {
        for (auto [i, number] : llvm::enumerate(numbers)) {
          APFloat value(number);
          bool losesInfo;
          value.convert(element.getFloatSemantics(),
                        APFloat::rmNearestTiesToEven, &losesInfo);
          isFinite &= value.isFinite();
          uint64_t bits = value.bitcastToAPInt().getZExtValue();
          std::memcpy(dest.data() + i * width, &bits, width);
        }
      });
  return isFinite ? result : ElementsAttr();
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

namespace {

/// One multiply-accumulate with the operand that is taken for its weight.
class Folder {
public:
  Folder(linalg::LinalgOp op, OpOperand *weight, ChannelSpace channels)
      : op(op), weight(weight), channels(std::move(channels)),
        init(op.getDpsInitOperand(0)) {}

  /// Reads the chain; whether it multiplies, so that there is something to fold.
  bool readChain();

  /// Folds the chain; on failure nothing has changed, and `reason` says why.
  LogicalResult fold(std::string &reason);

  /// A multiplication by per-channel constants that cannot be folded, and why.
  Operation *missed = nullptr;
  std::string missedReason;

  /// Whether factors differ between channels: a single one is as likely to be
  /// part of another formula as a batch norm.
  bool looksLikeBatchNorm() const { return !isUniform(chain.value.factor); }

private:
  LogicalResult readInit(std::string &reason);
  ElementsAttr scaleWeight(std::string &reason);
  Value buildBias(OpBuilder &builder, Location loc, RankedTensorType type,
                  const DimPieces &pieces, Value broadcastInto, Value addTo,
                  ElementsAttr numbers);
  ElementsAttr makeBias(RankedTensorType type, const DimPieces &pieces);

  linalg::LinalgOp op;
  OpOperand *weight;
  ChannelSpace channels;
  OpOperand *init;
  ConstantEvaluator constants;
  Chain chain;
  bool biasIsInit = false;
};

} // namespace

bool Folder::readChain() {
  ChainReader reader(channels, constants);
  Value value = op->getResult(0);
  auto type = cast<RankedTensorType>(value.getType());
  DimPieces pieces(op.getMatchingIndexingMap(init), type.getShape());
  size_t end = 0;
  while (true) {
    if (!value.hasOneUse()) {
      for (OpOperand &use : value.getUses()) {
        StepResult step = reader.read(use, pieces, {{1.0}, {0.0}});
        if (step.value && step.value->isScaled &&
            !isUniform(step.value->factor)) {
          missed = use.getOwner();
          missedReason = "its input has other uses";
        }
      }
      break;
    }
    OpOperand &use = *value.getUses().begin();
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
        missed = user;
        missedReason = "its constant varies along other dimensions than the "
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
  // Dead code stays as it is.
  return chain.value.isScaled && !chain.steps.back().op->use_empty();
}

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
  Channels offset(std::max({numbers->size(), chain.value.factor.size(),
                            chain.value.offset.size()}));
  auto at = [](const Channels &values, size_t i) {
    return values[values.size() == 1 ? 0 : i];
  };
  for (size_t i = 0; i < offset.size(); ++i)
    offset[i] = at(chain.value.factor, i) * at(*numbers, i) +
                at(chain.value.offset, i);
  chain.value.offset = std::move(offset);
  return success();
}

/// The constant of the weight times the chain's factor, each element rounded
/// once.
static ElementsAttr scaleConstant(arith::ConstantOp constant,
                                  const DimPieces &pieces,
                                  const ChannelSpace &channels,
                                  const Channels &factor,
                                  std::string &reason) {
  auto type = dyn_cast<RankedTensorType>(constant.getType());
  std::optional<numerics::ExpressedType> expressed;
  if (type)
    expressed = getExpressedType(type.getElementType());
  if (!expressed) {
    reason = "the weight is not of f32, f16 or bf16 elements";
    return {};
  }
  std::optional<std::vector<double>> data =
      readFloats(cast<ElementsAttr>(constant.getValue()));
  if (!data) {
    reason = "the weight is not in memory";
    return {};
  }
  std::vector<double> scaled;
  if (factor.size() == 1) {
    scaled = std::move(*data);
    for (double &number : scaled)
      number *= factor.front();
  } else {
    if (isTooLarge(type) ||
        type.getNumElements() * type.getElementTypeBitWidth() / 8 >
            std::max<int64_t>(maxExpandedBytes, data->size() * 4)) {
      reason = "the weight is a splat of more than 2^30 bytes";
      return {};
    }
    SmallVector<OffsetLoop> loops;
    int64_t stride = 1;
    for (unsigned dim = pieces.rank(); dim-- > 0;)
      for (const Piece &piece : llvm::reverse(pieces[dim])) {
        loops.push_back({piece.size, stride, channels.getStride(piece)});
        stride *= piece.size;
      }
    std::reverse(loops.begin(), loops.end());
    bool isSplat = data->size() == 1;
    scaled.resize(type.getNumElements());
    forEachOffset(loops, [&](int64_t element, int64_t channel) {
      scaled[element] = (*data)[isSplat ? 0 : element] * factor[channel];
    });
  }
  ElementsAttr result = makeRounded(type, scaled, "weight");
  if (!result)
    reason = "the scaled weight is not finite in its type";
  return result;
}

ElementsAttr Folder::makeBias(RankedTensorType type, const DimPieces &pieces) {
  // Dimensions with channels, whole; the others are broadcast.
  SmallVector<int64_t> shape;
  SmallVector<OffsetLoop> loops;
  int64_t stride = 1;
  for (unsigned dim = pieces.rank(); dim-- > 0;) {
    auto isChannel = [&](const Piece &piece) {
      return channels.getStride(piece) != 0;
    };
    if (!llvm::any_of(pieces[dim], isChannel))
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

/// linalg.generic over `type` that gives the bias, added to `addTo` where that is
/// there.
Value Folder::buildBias(OpBuilder &builder, Location loc, RankedTensorType type,
                        const DimPieces &pieces, Value broadcastInto,
                        Value addTo, ElementsAttr numbers) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim = 0; dim < pieces.rank(); ++dim)
    if (llvm::any_of(pieces[dim], [&](const Piece &piece) {
          return channels.getStride(piece) != 0;
        }))
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
        reason = ("the weight is reached through '" +
                  def->getName().getStringRef() +
                  "': expected a constant, reshaped or transposed at most")
                     .str();
      return failure();
    }
  }
  if (failed(readInit(reason)))
    return failure();
  ElementsAttr scaled =
      scaleConstant(source.constant, source.pieces, channels,
                    chain.value.factor, reason);
  if (!scaled)
    return failure();
  auto initType = cast<RankedTensorType>(init->get().getType());
  DimPieces initPieces(op.getMatchingIndexingMap(init), initType.getShape());
  const DimPieces &biasPieces = biasIsInit ? initPieces : *chain.biasPieces;
  const Step &first =
      *llvm::find_if(chain.steps, [](const Step &step) { return !step.isMove; });
  Value addTo = first.data->get();
  auto biasType =
      biasIsInit ? initType : cast<RankedTensorType>(addTo.getType());
  bool hasBias = biasIsInit || llvm::any_of(chain.value.offset, [](double x) {
                   return x != 0.0;
                 });
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
  eraseDead(oldWeight);
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
      eraseDead(def);
  }
  for (Step &step : chain.steps) {
    if (step.isMove)
      continue;
    Value value = step.data->get();
    Value result = step.op->getResult(0);
    builder.setInsertionPoint(step.op);
    if (&step == &first && hasBias && !biasIsInit)
      value = buildBias(builder, step.op->getLoc(),
                        cast<RankedTensorType>(value.getType()), biasPieces,
                        makeEmpty(builder, step.op->getLoc(), value), value,
                        bias);
    auto type = cast<RankedTensorType>(result.getType());
    auto current = cast<RankedTensorType>(value.getType());
    if (type.getElementType() != current.getElementType()) {
      current = current.clone(type.getElementType());
      if (type.getElementTypeBitWidth() > getElementTypeOrSelf(value)
                                              .getIntOrFloatBitWidth())
        value = arith::ExtFOp::create(builder, step.op->getLoc(), current, value);
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
      eraseDead(step.op);
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
    for (linalg::LinalgOp op : ops)
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
    for (OpOperand *weight : weights.empty() ? others : weights) {
      std::optional<ChannelSpace> channels = getChannels(op, weight);
      if (!channels)
        continue;
      Folder folder(op, weight, std::move(*channels));
      std::string reason;
      bool isChain = folder.readChain();
      if (isChain && succeeded(folder.fold(reason))) {
        LDBG() << "folded into " << getQuantName(op);
        ++numFolded;
      } else if (isChain && folder.looksLikeBatchNorm()) {
        report(op, op, reason);
        continue;
      }
      if (folder.missed && !weights.empty())
        report(op, folder.missed, folder.missedReason);
    }
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
};

} // namespace
