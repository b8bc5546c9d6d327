//===- UnweightedOps.cpp - Elementwise operations, pools and moves --------===//
//
// What has no weight, classified from the body:
//
//   yield x                        moves (transpose, broadcast, copy)
//   yield max(x, out), max(x, y)   moves (maximum over a window; of two)
//   yield x + y, x * y             add, mul of two activations
//   yield x + constant             the bias of whatever gives x
//   yield clamp(x)                 relu, relu6, clamp: the end of whatever gives x
//   yield sum(x) / n               average_pool, with the sum that is divided
//   yield 1 / (1 + exp(-x)), tanh  known ranges; softmax where exp(x) is divided
//                                  by its own sum
//
//===----------------------------------------------------------------------===//

#include "OpClass.h"

#include "quant-mlir/Dialect/Quant/IR/ElementwiseBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
/// out = combine(out, in) over a window or whole dimensions.
struct Reduction {
  OpOperand *input;
  OpOperand *init;
  Operation *combine;
};
} // namespace

static std::optional<Reduction> matchReduction(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op->getNumRegions() != 1 ||
      op.getNumReductionLoops() == 0)
    return std::nullopt;
  Block *body = op.getBlock();
  if (!body || body->empty() || body->getTerminator()->getNumOperands() != 1)
    return std::nullopt;
  Operation *combine =
      stripCasts(body->getTerminator()->getOperand(0)).getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 ||
      combine->getNumRegions() != 0)
    return std::nullopt;
  OpOperand *init = op.getDpsInitOperand(0);
  BlockArgument out = op.getMatchingBlockArgument(init);
  Value a = stripCasts(combine->getOperand(0));
  Value b = stripCasts(combine->getOperand(1));
  if (a == out)
    std::swap(a, b);
  auto in = dyn_cast<BlockArgument>(a);
  if (b != out || !in || in == out || in.getOwner() != body)
    return std::nullopt;
  return Reduction{op.getMatchingOpOperand(in), init, combine};
}

static bool isMaximum(Operation *op) {
  return isa<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp,
             arith::MaxUIOp>(op);
}
static bool isMinimum(Operation *op) {
  return isa<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp,
             arith::MinUIOp>(op);
}

/// Whether `init` is what the reduction begins with where nothing has been
/// reduced yet, so that it adds no value of its own.
static bool isNeutral(Operation *combine, Value init) {
  std::optional<double> value = getSplatValue(init);
  Type type = getElementTypeOrSelf(init.getType());
  if (!value)
    return false;
  if (isMaximum(combine))
    return isLowest(*value, type);
  if (isMinimum(combine))
    return isHighest(*value, type);
  return isa<arith::AddFOp>(combine) && *value == 0;
}

/// Elements that each result of a reduction is made of; nullopt where dynamic.
static std::optional<int64_t> getReducedSize(linalg::LinalgOp op) {
  int64_t size = 1;
  for (auto [range, type] :
       llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray())) {
    if (type != utils::IteratorType::reduction)
      continue;
    if (ShapedType::isDynamic(range))
      return std::nullopt;
    size *= range;
  }
  return size;
}

/// Through reshapes that have no other user.
static Operation *getSoleProducer(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!op->hasOneUse())
      return nullptr;
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
      return op;
    value = op->getOperand(0);
  }
  return nullptr;
}

/// The sum that `scaling` makes an average of; of several, one after the other
/// over different dimensions, the first.
static std::optional<Reduction>
matchAverage(const ElementwiseBody::Scaling &scaling) {
  Value value = scaling.input->get();
  double count = 1;
  while (auto sum = dyn_cast_or_null<linalg::LinalgOp>(getSoleProducer(value))) {
    std::optional<Reduction> reduction = matchReduction(sum);
    if (!reduction || !isa<arith::AddFOp>(reduction->combine) ||
        !isNeutral(reduction->combine, reduction->init->get()))
      return std::nullopt;
    // A divisor computed from indices counts the elements inside the borders.
    if (!scaling.divisor)
      return reduction;
    std::optional<int64_t> size = getReducedSize(sum);
    if (!size)
      return std::nullopt;
    count *= static_cast<double>(*size);
    // 1 / n is rounded where the average is a multiplication.
    if (std::abs(*scaling.divisor - count) <= 1e-6 * count)
      return reduction;
    value = reduction->input->get();
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Looks through reshapes and broadcasts.
static Operation *getMovedProducer(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    bool isReshape = isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
    bool isMove = linalgOp && classifyUnweighted(linalgOp).effect ==
                                  ValueEffect::Moves &&
                  linalgOp.getNumReductionLoops() == 0 &&
                  linalgOp.getNumDpsInputs() == 1;
    if (!isReshape && !isMove)
      return op;
    value = op->getOperand(0);
  }
  return nullptr;
}

static bool isExp(Value value) {
  Operation *op = value.getDefiningOp();
  std::optional<ElementwiseBody> body =
      op ? ElementwiseBody::get(op) : std::nullopt;
  return body && body->matchExp();
}

/// Whether `value` is the sum of the elements of `terms` over some dimensions.
static bool isSumOf(Value value, Value terms) {
  auto sum = dyn_cast_or_null<linalg::LinalgOp>(getMovedProducer(value));
  std::optional<Reduction> reduction =
      sum ? matchReduction(sum) : std::nullopt;
  return reduction && isa<arith::AddFOp>(reduction->combine) &&
         reduction->input->get() == terms;
}

static bool isSoftmax(const ElementwiseBody &body) {
  if (std::optional<ElementwiseBody::Pair> div = body.matchDiv())
    return isExp(div->first->get()) &&
           isSumOf(div->second->get(), div->first->get());
  std::optional<ElementwiseBody::Pair> mul = body.matchMul();
  if (!mul)
    return false;
  for (auto [terms, factor] :
       {std::pair(mul->first, mul->second), std::pair(mul->second, mul->first)}) {
    if (!isExp(terms->get()))
      continue;
    Operation *producer = getMovedProducer(factor->get());
    std::optional<ElementwiseBody> inverse =
        producer ? ElementwiseBody::get(producer) : std::nullopt;
    OpOperand *inverted = inverse ? inverse->matchReciprocal() : nullptr;
    if (inverted && isSumOf(inverted->get(), terms->get()))
      return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// Whether the result has an element for each of the operand's, at the place
/// that the operand's map says, so that a kernel can end with this operation.
static bool isElementForElement(linalg::LinalgOp op, OpOperand *operand) {
  return op.getMatchingIndexingMap(operand) ==
         op.getMatchingIndexingMap(op.getDpsInitOperand(0));
}

/// hard-sigmoid: clamp(c * x + d, 0, 1), in one operation or in several.
static bool isHardSigmoid(const ElementwiseBody::Clamp &clamp) {
  if (clamp.bounds.lo != 0 || clamp.bounds.hi != 1)
    return false;
  Operation *producer = clamp.input->get().getDefiningOp();
  std::optional<ElementwiseBody> body =
      producer ? ElementwiseBody::get(producer) : std::nullopt;
  return body && body->matchAffine();
}

static OpClass classifyElementwise(linalg::LinalgOp op,
                                   const ElementwiseBody &body) {
  OpClass result;
  auto setPair = [&](StringRef kind, ElementwiseBody::Pair pair) {
    result.kind = kind;
    result.operands = {{pair.first, {}}, {pair.second, {}}};
  };
  if (OpOperand *input = body.getInput(body.getYielded())) {
    Value terminated = op.getBlock()->getTerminator()->getOperand(0);
    // A conversion moves values, but not between tensors of one type.
    if (op.isDpsInput(input) && isa<ShapedType>(input->get().getType()) &&
        terminated == op.getMatchingBlockArgument(input)) {
      result.effect = ValueEffect::Moves;
      result.sources = {input};
    }
    return result;
  }
  if (std::optional<ElementwiseBody::Clamp> clamp = body.matchClamp()) {
    if (isHardSigmoid(*clamp)) {
      result.kind = "hard_sigmoid";
      result.knownRange = FloatRange{0, 1};
      return result;
    }
    if (isElementForElement(op, clamp->input))
      result.epilogue =
          Epilogue{Epilogue::Kind::Clamp, {clamp->input}, nullptr, clamp->bounds};
    return result;
  }
  if (std::optional<ElementwiseBody::Pair> add = body.matchAdd()) {
    bool isFirstConstant = isConstantTensor(add->first->get());
    if (isFirstConstant || isConstantTensor(add->second->get())) {
      OpOperand *data = isFirstConstant ? add->second : add->first;
      OpOperand *bias = isFirstConstant ? add->first : add->second;
      if (isElementForElement(op, data))
        result.epilogue = Epilogue{Epilogue::Kind::Bias, {data}, bias, {0, 0}};
      return result;
    }
    setPair("add", *add);
    Epilogue epilogue{Epilogue::Kind::Add, {}, nullptr, {0, 0}};
    for (OpOperand *operand : {add->first, add->second})
      if (isElementForElement(op, operand))
        epilogue.inputs.push_back(operand);
    if (!epilogue.inputs.empty())
      result.epilogue = std::move(epilogue);
    return result;
  }
  if (isSoftmax(body)) {
    result.kind = "softmax";
    result.knownRange = FloatRange{0, 1};
    return result;
  }
  if (std::optional<ElementwiseBody::Scaling> scaling = body.matchScaling()) {
    if (std::optional<Reduction> sum = matchAverage(*scaling)) {
      result.kind = "average_pool";
      result.operands = {{sum->input, {}}};
      result.effect = ValueEffect::Averages;
      result.sources = {sum->input};
    }
    return result;
  }
  if (std::optional<ElementwiseBody::Pair> mul = body.matchMul()) {
    if (!isConstantTensor(mul->first->get()) &&
        !isConstantTensor(mul->second->get()))
      setPair("mul", *mul);
    return result;
  }
  if (body.matchSigmoid()) {
    result.kind = "sigmoid";
    result.knownRange = FloatRange{0, 1};
  } else if (body.matchTanh()) {
    result.kind = "tanh";
    result.knownRange = FloatRange{-1, 1};
  } else if (Operation *choice = body.getYielded().getDefiningOp();
             choice && (isMaximum(choice) || isMinimum(choice))) {
    OpOperand *a = body.getInput(choice->getOperand(0));
    OpOperand *b = body.getInput(choice->getOperand(1));
    if (a && b) {
      result.effect = ValueEffect::Moves;
      result.sources = {a, b};
    }
  }
  return result;
}

OpClass quant_mlir::classifyUnweighted(linalg::LinalgOp op) {
  if (std::optional<ElementwiseBody> body = ElementwiseBody::get(op))
    return classifyElementwise(op, *body);
  OpClass result;
  std::optional<Reduction> reduction = matchReduction(op);
  if (reduction &&
      (isMaximum(reduction->combine) || isMinimum(reduction->combine))) {
    result.effect = ValueEffect::Moves;
    result.sources = {reduction->input};
    if (!isNeutral(reduction->combine, reduction->init->get()))
      result.sources.push_back(reduction->init);
  }
  return result;
}
