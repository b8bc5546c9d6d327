//===- ActivationGroups.cpp - Kernels to be, and shared ranges ------------===//
//
// A group begins with an operation of a kind and grows along values with one
// user, through what QuantizableOpInterface calls an epilogue:
//
//   matmul, conv, …   bias?  residual add?  clamp?
//   add, mul          clamp?
//
// Reshapes between a kernel and its epilogue go along (a depthwise result
// passes a collapse_shape before its bias). Of two kernels that a residual
// addition joins, the later one takes it in, so that the other's result is
// there.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"

#include "quant-mlir/Dialect/Quant/IR/ElementwiseBody.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace quant_mlir;

bool quant_mlir::isElementwiseMove(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (!quantizable || op->getNumResults() != 1 ||
      quantizable.getValueEffect() != ValueEffect::Moves)
    return false;
  SmallVector<OpOperand *> sources = quantizable.getValueSources();
  if (sources.size() != 1)
    return false;
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return true;
  auto source = dyn_cast<RankedTensorType>(sources[0]->get().getType());
  auto result = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!source || !result)
    return false;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return linalgOp.getNumReductionLoops() == 0 &&
           linalgOp.getMatchingIndexingMap(sources[0]).isPermutation();
  return isa<tensor::CastOp>(op) && source.getRank() == result.getRank();
}

//===----------------------------------------------------------------------===//
// Along which dimensions a bias may vary
//===----------------------------------------------------------------------===//

using Dims = llvm::SmallBitVector;

/// Dimensions after a reshape, from those before it. Dimensions of size one are
/// in every set: nothing varies along them.
static Dims mapReshape(Operation *op, const Dims &dims) {
  auto expand = dyn_cast<tensor::ExpandShapeOp>(op);
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Dims result(type.getRank());
  if (expand)
    for (auto [source, parts] :
         llvm::enumerate(expand.getReassociationIndices()))
      for (int64_t part : parts)
        result[part] = dims[source] || type.getDimSize(part) == 1;
  if (collapse)
    for (auto [target, parts] :
         llvm::enumerate(collapse.getReassociationIndices()))
      result[target] =
          llvm::all_of(parts, [&](int64_t part) { return dims[part]; });
  return result;
}

/// Dimensions after a permutation by a structured operation.
static Dims mapMove(linalg::LinalgOp op, OpOperand *source, const Dims &dims) {
  AffineMap in = op.getMatchingIndexingMap(source);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  Dims result(out.getNumResults());
  for (auto [index, expr] : llvm::enumerate(out.getResults())) {
    std::optional<unsigned> position = in.getResultPosition(expr);
    result[index] = position && dims[*position];
  }
  return result;
}

/// Dimensions of `value`, a tensor made of constants, along which its elements
/// may differ.
static Dims getVaryingDims(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Dims all(type.getRank());
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    all[dim] = type.getDimSize(dim) != 1;
  DenseElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)) && elements.isSplat())
    return Dims(type.getRank());
  Operation *op = value.getDefiningOp();
  if (!op || isa<linalg::FillOp>(op))
    return op ? Dims(type.getRank()) : all;
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return all;
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) {
    // What varies is the complement of what does not, which a reshape maps.
    Dims fixed = getVaryingDims(op->getOperand(0)).flip();
    return mapReshape(op, fixed).flip();
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (linalgOp && linalgOp.getNumDpsInputs() == 1 &&
      linalgOp.getNumReductionLoops() == 0 &&
      isa<RankedTensorType>(linalgOp.getDpsInputs()[0].getType()))
    return mapMove(linalgOp, linalgOp.getDpsInputOperand(0),
                   getVaryingDims(linalgOp.getDpsInputs()[0])) &= all;
  return all;
}

/// Dimensions of the result of `anchor` that index output channels, batches of
/// weights and groups, and those of size one; nullopt where they are not known.
static std::optional<Dims> getChannelDims(const ActivationGroup &group) {
  auto op = dyn_cast<linalg::LinalgOp>(group.anchor);
  if (!op || group.weights.empty())
    return std::nullopt;
  OpOperand *weight = group.weights.front();
  AffineMap in = op.getMatchingIndexingMap(weight);
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  SmallVector<DimRole> roles;
  for (QuantizableOperand &operand :
       cast<QuantizableOpInterface>(group.anchor).getQuantizableOperands())
    if (operand.operand == weight)
      roles = operand.roles;
  auto type = cast<RankedTensorType>(group.anchor->getResult(0).getType());
  Dims result(out.getNumResults());
  for (auto [index, expr] : llvm::enumerate(out.getResults())) {
    std::optional<unsigned> position = in.getResultPosition(expr);
    result[index] = type.getDimSize(index) == 1 ||
                    (position && (roles[*position] == DimRole::OutputChannel ||
                                  roles[*position] == DimRole::Batch));
  }
  return result;
}

/// Whether a constant varies only where `allowed` says.
static bool variesWithin(Value constant, const Dims &allowed) {
  Dims varying = getVaryingDims(constant);
  // test(): whether there is a bit here that is not there.
  return varying.size() == allowed.size() && !varying.test(allowed);
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// The operations from `first` to before `last`, where each value on the way is
/// used by the next operation only.
static bool findPath(Operation *last, Operation *first,
                     SmallVectorImpl<Operation *> &path) {
  for (Value value : last->getOperands()) {
    Operation *def = value.getDefiningOp();
    if (!def || !def->hasOneUse())
      continue;
    if (def == first || findPath(def, first, path)) {
      path.push_back(def);
      return true;
    }
  }
  return false;
}

void ActivationGroups::collect(QuantizableOpInterface anchor) {
  ActivationGroup group;
  group.anchor = anchor;
  group.ops = {anchor};
  group.knownRange = anchor.getKnownOutputRange();
  group.effect = anchor.getValueEffect();
  for (QuantizableOperand &operand : anchor.getQuantizableOperands()) {
    Operation *owner = operand.operand->getOwner();
    bool isWeight = operand.canBeWeight() &&
                    isComputedFromConstants(operand.operand->get());
    bool isTable = anchor.getQuantizableKind() == "embedding";
    if (isWeight)
      group.weights.push_back(operand.operand);
    else if (!isTable)
      group.inputs.push_back(operand.operand);
    // What an average pool divides, and what is on the way.
    SmallVector<Operation *> before;
    if (owner != anchor.getOperation() && !anchor->isProperAncestor(owner) &&
        findPath(anchor, owner, before))
      group.ops.insert(group.ops.begin(), before.begin(), before.end());
  }
  // What a contraction adds to: a bias, another activation, or nothing.
  auto linalgOp = dyn_cast<linalg::LinalgOp>(anchor.getOperation());
  if (linalgOp && linalgOp.getNumReductionLoops() > 0 &&
      linalgOp.getNumDpsInits() == 1 && group.isQuantizable()) {
    OpOperand *init = linalgOp.getDpsInitOperand(0);
    std::optional<Dims> channels = getChannelDims(group);
    std::optional<double> splat = getSplatValue(init->get());
    if (init->get().getDefiningOp<tensor::EmptyOp>() ||
        (splat && *splat == 0)) {
      // Nothing is added.
    } else if (splat || init->get().getDefiningOp<linalg::FillOp>()) {
      // The same for all.
      group.bias = init;
    } else if (isComputedFromConstants(init->get()) && channels &&
               variesWithin(init->get(), *channels)) {
      group.bias = init;
    } else {
      group.inputs.push_back(init);
      group.residual = init;
    }
  }
  group.output = anchor->getResult(0);
  extend(group);
  groups.push_back(std::move(group));
  for (Operation *op : groups.back().ops)
    groupOf[op] = &groups.back();
}

/// Whether `other` has been computed where `op` stands, wherever it is
/// quantized and dequantized.
static bool isComputedBefore(Value other, Operation *op) {
  Operation *def = other.getDefiningOp();
  while (isa_and_nonnull<ObserveOp, QuantizeOp, DequantizeOp>(def)) {
    other = def->getOperand(0);
    def = other.getDefiningOp();
  }
  return !def || def->getBlock() != op->getBlock() || def->isBeforeInBlock(op);
}

/// The other one of two tensors that an operation reads; it may be the same for
/// all elements along dimensions of the result.
static OpOperand *findOtherInput(Operation *op, OpOperand *use) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInputs() != 2)
    return nullptr;
  OpOperand *other =
      linalgOp.getDpsInputOperand(linalgOp.getDpsInputOperand(0) == use);
  return isa<RankedTensorType>(other->get().getType()) ? other : nullptr;
}

void ActivationGroups::extend(ActivationGroup &group) {
  // A known range is of the operation alone, an average keeps its input's.
  if (!group.isQuantizable() || group.effect != ValueEffect::Computes)
    return;
  std::optional<Dims> channels = getChannelDims(group);
  bool isContraction =
      !group.weights.empty() ||
      (isa<linalg::LinalgOp>(group.anchor) &&
       cast<linalg::LinalgOp>(group.anchor).getNumReductionLoops() > 0);
  while (group.output.hasOneUse()) {
    // Reshapes go along only where an epilogue follows.
    OpOperand *use = &*group.output.use_begin();
    SmallVector<Operation *> moves;
    std::optional<Dims> dims = channels;
    while (isElementwiseMove(use->getOwner()) &&
           use->getOwner()->getResult(0).hasOneUse()) {
      Operation *move = use->getOwner();
      if (dims) {
        if (auto linalgOp = dyn_cast<linalg::LinalgOp>(move))
          dims = mapMove(linalgOp, use, *dims);
        else if (!isa<tensor::CastOp>(move))
          dims = mapReshape(move, *dims);
      }
      moves.push_back(move);
      use = &*move->getResult(0).use_begin();
    }
    auto next = dyn_cast<QuantizableOpInterface>(use->getOwner());
    std::optional<Epilogue> epilogue =
        next && next->getNumResults() == 1 ? next.getEpilogue() : std::nullopt;
    if (!epilogue || !llvm::is_contained(epilogue->inputs, use) ||
        next->getBlock() != group.anchor->getBlock())
      return;
    switch (epilogue->kind) {
    case Epilogue::Kind::Bias:
      if (!isContraction || group.bias || group.residual || !dims ||
          !isComputedFromConstants(epilogue->bias->get()))
        return;
      {
        // The constant's own dimensions, seen in the result.
        auto linalgOp = dyn_cast<linalg::LinalgOp>(next.getOperation());
        Dims varying =
            linalgOp
                ? mapMove(linalgOp, epilogue->bias,
                          isa<RankedTensorType>(epilogue->bias->get().getType())
                              ? getVaryingDims(epilogue->bias->get())
                              : Dims())
                : getVaryingDims(epilogue->bias->get());
        if (varying.size() != dims->size() || varying.test(*dims))
          return;
      }
      group.bias = epilogue->bias;
      break;
    case Epilogue::Kind::Add: {
      OpOperand *other = epilogue->inputs.size() == 2
                             ? epilogue->inputs[epilogue->inputs[0] == use]
                             : findOtherInput(next, use);
      if (!isContraction || group.residual || !other)
        return;
      if (!isComputedBefore(other->get(), group.ops.back()))
        return;
      group.inputs.push_back(other);
      group.residual = other;
      break;
    }
    case Epilogue::Kind::Clamp:
      group.bounds = epilogue->bounds;
      break;
    }
    group.ops.append(moves);
    group.ops.push_back(next);
    group.output = next->getResult(0);
    channels = dims;
    if (epilogue->kind == Epilogue::Kind::Clamp)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

void ActivationGroups::uniteValues(
    FunctionOpInterface function,
    function_ref<bool(const ActivationGroup &)> shares) {
  auto unite = [&](Value a, Value b) {
    classes.unionSets(a.getAsOpaquePointer(), b.getAsOpaquePointer());
  };
  function->walk([&](Operation *op) {
    if (isa<ObserveOp, QuantizeOp, DequantizeOp>(op))
      return unite(op->getResult(0), op->getOperand(0));
    auto quantizable = dyn_cast<QuantizableOpInterface>(op);
    if (!quantizable || op->getNumResults() != 1)
      return;
    ValueEffect effect = quantizable.getValueEffect();
    if (effect == ValueEffect::Computes)
      return;
    const ActivationGroup *group = getGroup(op);
    if (effect == ValueEffect::Averages && group && shares && !shares(*group))
      return;
    for (OpOperand *source : quantizable.getValueSources())
      if (isa<ShapedType>(source->get().getType()))
        unite(op->getResult(0), source->get());
  });
}

ActivationGroups::ActivationGroups(
    FunctionOpInterface function,
    function_ref<bool(const ActivationGroup &)> sharesRange) {
  function->walk([&](QuantizableOpInterface op) {
    if (!op.getQuantizableKind().empty() && !groupOf.contains(op) &&
        op->getNumResults() == 1)
      collect(op);
  });
  uniteValues(function, sharesRange);
}

const ActivationGroup *ActivationGroups::getProducer(Value value) const {
  Operation *def = value.getDefiningOp();
  const ActivationGroup *group = def ? getGroup(def) : nullptr;
  return group && group->output == value ? group : nullptr;
}

Value ActivationGroups::getClass(Value value) const {
  auto leader = classes.findLeader(value.getAsOpaquePointer());
  return leader == classes.member_end() ? value
                                        : Value::getFromOpaquePointer(*leader);
}
