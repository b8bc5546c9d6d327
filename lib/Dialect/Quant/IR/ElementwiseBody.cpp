//===- ElementwiseBody.cpp - What an elementwise body computes ------------===//
//
// Recognition by the expression in the body, whatever the operation is called:
// linalg.add, linalg.generic and linalg.map of one body are one case. Arithmetic
// on whole tensors (arith.addf on tensors) is not looked into: upstream's
// convert-elementwise-to-linalg makes it linalg.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/ElementwiseBody.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;
using namespace quant_mlir;

Value quant_mlir::stripCasts(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Looks through operations of one tensor operand that only move elements.
static Value stripMoves(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp || isa<linalg::FillOp>(op) ||
        linalgOp.getNumDpsInputs() != 1 || linalgOp.getNumDpsInits() != 1 ||
        !linalgOp.getBlock() || linalgOp.getBlock()->empty())
      break;
    Operation *terminator = linalgOp.getBlock()->getTerminator();
    OpOperand *input = linalgOp.getDpsInputOperand(0);
    if (terminator->getNumOperands() != 1 ||
        stripCasts(terminator->getOperand(0)) !=
            linalgOp.getMatchingBlockArgument(input) ||
        linalgOp.getNumReductionLoops() != 0)
      break;
    value = input->get();
  }
  return value;
}

static std::optional<double> getScalar(Value value) {
  FloatAttr attr;
  if (matchPattern(stripCasts(value), m_Constant(&attr)))
    return attr.getValueAsDouble();
  return std::nullopt;
}

std::optional<double> quant_mlir::getSplatValue(Value value) {
  if (!isa<ShapedType>(value.getType()))
    return getScalar(value);
  value = stripMoves(value);
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    return getScalar(fill.getInputs().front());
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat() ||
      !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  return elements.getSplatValue<FloatAttr>().getValueAsDouble();
}

bool quant_mlir::isHighest(double value, Type type) {
  auto floating = dyn_cast<FloatType>(type);
  return floating && floating.getWidth() > 8 &&
         value >= APFloat::getLargest(floating.getFloatSemantics())
                      .convertToDouble();
}

bool quant_mlir::isLowest(double value, Type type) {
  return isHighest(-value, type);
}

bool quant_mlir::isConstantTensor(Value value) {
  if (getSplatValue(value))
    return true;
  while (true) {
    Operation *op = stripMoves(value).getDefiningOp();
    // A quantized constant: a bias, a weight.
    if (isa_and_nonnull<UnpackOp>(op) ||
        (isa_and_nonnull<DequantizeOp>(op) &&
         !cast<DequantizeOp>(op).getScale())) {
      value = op->getOperand(0);
      continue;
    }
    return op && op->hasTrait<OpTrait::ConstantLike>();
  }
}

//===----------------------------------------------------------------------===//
// The body as an expression
//===----------------------------------------------------------------------===//

std::optional<ElementwiseBody> ElementwiseBody::get(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInits() != 1 ||
      op->getNumResults() != 1 || op->getNumRegions() != 1 ||
      linalgOp.getNumReductionLoops() != 0)
    return std::nullopt;
  Block *body = linalgOp.getBlock();
  if (!body || body->empty() || body->getTerminator()->getNumOperands() != 1)
    return std::nullopt;
  if (linalgOp.payloadUsesValueFromOperand(linalgOp.getDpsInitOperand(0)))
    return std::nullopt;
  return ElementwiseBody(linalgOp,
                         stripCasts(body->getTerminator()->getOperand(0)));
}

OpOperand *ElementwiseBody::getInput(Value value) const {
  auto argument = dyn_cast<BlockArgument>(stripCasts(value));
  if (!argument || argument.getOwner() != op.getBlock())
    return nullptr;
  return op.getMatchingOpOperand(argument);
}

std::optional<double> ElementwiseBody::getConstant(Value value) const {
  if (std::optional<double> scalar = getScalar(value))
    return scalar;
  if (OpOperand *input = getInput(value))
    return getSplatValue(input->get());
  return std::nullopt;
}

template <typename OpTy>
std::optional<ElementwiseBody::Pair> ElementwiseBody::matchBinary() const {
  auto binary = yielded.getDefiningOp<OpTy>();
  if (!binary)
    return std::nullopt;
  OpOperand *a = getInput(binary.getLhs()), *b = getInput(binary.getRhs());
  if (!a || !b || a == b)
    return std::nullopt;
  return Pair(a, b);
}

template <typename OpTy> OpOperand *ElementwiseBody::matchUnary() const {
  auto unary = yielded.getDefiningOp<OpTy>();
  return unary ? getInput(unary->getOperand(0)) : nullptr;
}

std::optional<ElementwiseBody::Pair> ElementwiseBody::matchAdd() const {
  return matchBinary<arith::AddFOp>();
}
std::optional<ElementwiseBody::Pair> ElementwiseBody::matchMul() const {
  return matchBinary<arith::MulFOp>();
}
std::optional<ElementwiseBody::Pair> ElementwiseBody::matchDiv() const {
  return matchBinary<arith::DivFOp>();
}
OpOperand *ElementwiseBody::matchTanh() const {
  return matchUnary<math::TanhOp>();
}
OpOperand *ElementwiseBody::matchExp() const { return matchUnary<math::ExpOp>(); }

OpOperand *ElementwiseBody::matchReciprocal() const {
  auto div = yielded.getDefiningOp<arith::DivFOp>();
  if (!div || getConstant(div.getLhs()) != 1.0 || getConstant(div.getRhs()))
    return nullptr;
  return getInput(div.getRhs());
}

OpOperand *ElementwiseBody::matchSigmoid() const {
  auto div = yielded.getDefiningOp<arith::DivFOp>();
  if (!div || getConstant(div.getLhs()) != 1.0)
    return nullptr;
  auto add = stripCasts(div.getRhs()).getDefiningOp<arith::AddFOp>();
  if (!add)
    return nullptr;
  Value exponential = add.getLhs();
  if (getConstant(exponential) == 1.0)
    exponential = add.getRhs();
  else if (getConstant(add.getRhs()) != 1.0)
    return nullptr;
  auto exp = stripCasts(exponential).getDefiningOp<math::ExpOp>();
  auto neg =
      exp ? stripCasts(exp.getOperand()).getDefiningOp<arith::NegFOp>() : nullptr;
  return neg ? getInput(neg.getOperand()) : nullptr;
}

std::optional<ElementwiseBody::Clamp> ElementwiseBody::matchClamp() const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Clamp clamp{nullptr, {-infinity, infinity}};
  // From the outermost bound inwards: an outer bound limits the inner ones.
  auto atLeast = [&](double bound) {
    clamp.bounds.lo = std::max(clamp.bounds.lo, std::min(bound, clamp.bounds.hi));
  };
  auto atMost = [&](double bound) {
    clamp.bounds.hi = std::min(clamp.bounds.hi, std::max(bound, clamp.bounds.lo));
  };
  Value value = yielded;
  bool isClamp = false;
  while (!getInput(value) || getConstant(value)) {
    Operation *def = stripCasts(value).getDefiningOp();
    if (!def)
      return std::nullopt;
    if (isa<arith::MaximumFOp, arith::MaxNumFOp, arith::MinimumFOp,
            arith::MinNumFOp>(def)) {
      Value inner = def->getOperand(0);
      std::optional<double> bound = getConstant(def->getOperand(1));
      if (!bound) {
        bound = getConstant(inner);
        inner = def->getOperand(1);
      }
      if (!bound)
        return std::nullopt;
      isa<arith::MaximumFOp, arith::MaxNumFOp>(def) ? atLeast(*bound)
                                                    : atMost(*bound);
      value = inner;
    } else if (auto select = dyn_cast<arith::SelectOp>(def)) {
      // select(x > c, x, c) is max(x, c), select(x < c, x, c) is min(x, c), and
      // each with comparison or cases exchanged.
      auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
      if (!compare)
        return std::nullopt;
      auto predicate = compare.getPredicate();
      bool greater = llvm::is_contained(
          {arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE,
           arith::CmpFPredicate::UGT, arith::CmpFPredicate::UGE},
          predicate);
      bool less = llvm::is_contained(
          {arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
           arith::CmpFPredicate::ULT, arith::CmpFPredicate::ULE},
          predicate);
      if (!greater && !less)
        return std::nullopt;
      Value x = compare.getLhs(), c = compare.getRhs();
      if (getConstant(x)) {
        std::swap(x, c);
        std::swap(greater, less);
      }
      std::optional<double> bound = getConstant(c);
      bool keeps = select.getTrueValue() == x &&
                   getConstant(select.getFalseValue()) == bound;
      bool replaces = select.getFalseValue() == x &&
                      getConstant(select.getTrueValue()) == bound;
      if (!bound || (!keeps && !replaces))
        return std::nullopt;
      greater == keeps ? atLeast(*bound) : atMost(*bound);
      value = x;
    } else {
      return std::nullopt;
    }
    isClamp = true;
  }
  clamp.input = getInput(value);
  if (!isClamp)
    return std::nullopt;
  constexpr double largest = std::numeric_limits<float>::max();
  if (clamp.bounds.lo <= -largest)
    clamp.bounds.lo = -infinity;
  if (clamp.bounds.hi >= largest)
    clamp.bounds.hi = infinity;
  return clamp;
}

/// Whether `value`, defined in `body`, depends on none of its arguments.
static bool isIndependentOfInputs(Value value, Block *body) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() != body;
  Operation *def = value.getDefiningOp();
  if (def->getBlock() != body)
    return true;
  return def->getNumRegions() == 0 &&
         llvm::all_of(def->getOperands(), [&](Value operand) {
           return isIndependentOfInputs(operand, body);
         });
}

std::optional<ElementwiseBody::Scaling> ElementwiseBody::matchScaling() const {
  Block *body = op.getBlock();
  if (auto div = yielded.getDefiningOp<arith::DivFOp>()) {
    OpOperand *input = getInput(div.getLhs());
    if (!input)
      return std::nullopt;
    if (std::optional<double> divisor = getConstant(div.getRhs()))
      return Scaling{input, divisor};
    if (isIndependentOfInputs(div.getRhs(), body))
      return Scaling{input, std::nullopt};
    return std::nullopt;
  }
  if (auto mul = yielded.getDefiningOp<arith::MulFOp>()) {
    Value x = mul.getLhs(), c = mul.getRhs();
    if (getConstant(x))
      std::swap(x, c);
    OpOperand *input = getInput(x);
    std::optional<double> factor = getConstant(c);
    if (input && factor && *factor != 0)
      return Scaling{input, 1.0 / *factor};
  }
  return std::nullopt;
}

OpOperand *ElementwiseBody::matchAffine() const {
  Value value = yielded;
  while (!getInput(value) || getConstant(value)) {
    Operation *def = stripCasts(value).getDefiningOp();
    if (!def || !isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp>(
                    def))
      return nullptr;
    if (getConstant(def->getOperand(1)))
      value = def->getOperand(0);
    else if (getConstant(def->getOperand(0)) && !isa<arith::DivFOp>(def))
      value = def->getOperand(1);
    else
      return nullptr;
  }
  return getInput(value) && value != yielded ? getInput(value) : nullptr;
}
