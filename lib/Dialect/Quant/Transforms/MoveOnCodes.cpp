//===- MoveOnCodes.cpp - Operations that move values, on codes ------------===//
//
// An operation whose elements are all its operands' is rebuilt on the storage
// type, by its structure: operands and results change their element type,
// values that are added on the way (padding, what a maximum begins with) become
// the codes that stand for them, and a maximum in a body compares codes in the
// order of the values. Everything is planned before anything is built.
//
//   %d = quant.dequantize %q <P>            %m = move(%q, code of 0.0)
//   %m = move(%d, 0.0)               ->     %d = quant.dequantize %m <P>
//
// Exact: a value that is added must be that of its code, bit for bit. What a
// maximum begins with, and its own padding, is quant_min: it is below every
// code that it is compared with.
//
//===----------------------------------------------------------------------===//

#include "MoveOnCodes.h"

#include "CodeMove.h"

#include "quant-mlir/Dialect/Quant/IR/ElementwiseBody.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

bool quant_mlir::detail::areConstantCodes(Value codes) {
  SetVector<Value> origins;
  origins.insert(codes);
  for (unsigned i = 0; i < origins.size(); ++i) {
    Operation *op = origins[i].getDefiningOp();
    if (!op)
      return false;
    if (op->hasTrait<OpTrait::ConstantLike>())
      continue;
    if (auto unpack = dyn_cast<UnpackOp>(op)) {
      origins.insert(unpack.getInput());
      continue;
    }
    auto move = dyn_cast<QuantizableOpInterface>(op);
    if (!move || move.getValueEffect() != ValueEffect::Moves)
      return false;
    for (OpOperand *source : move.getValueSources())
      origins.insert(source->get());
  }
  return true;
}

Order quant_mlir::detail::getOrder(Operation *op) {
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return Order::Maximum;
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op))
    return Order::Minimum;
  return Order::None;
}

/// The order of a structured op that reduces by choosing.
static Order getReductionOrder(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || !linalgOp.getBlock() || linalgOp.getBlock()->empty())
    return Order::None;
  Operation *terminator = linalgOp.getBlock()->getTerminator();
  Operation *choice =
      terminator->getNumOperands() == 1
          ? stripCasts(terminator->getOperand(0)).getDefiningOp()
          : nullptr;
  return choice ? getOrder(choice) : Order::None;
}

/// Whether `value` is what `order` begins with.
static bool isNeutral(double value, Order order, Type type) {
  return (order == Order::Maximum && isLowest(value, type)) ||
         (order == Order::Minimum && isHighest(value, type));
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

TypedAttr CodeMove::makeCode(int32_t code) {
  APInt bits(storage.getIntOrFloatBitWidth(), uint64_t(int64_t(code)),
             /*isSigned=*/false, /*implicitTrunc=*/true);
  if (auto floating = dyn_cast<FloatType>(storage))
    return FloatAttr::get(floating,
                          APFloat(floating.getFloatSemantics(), bits));
  return IntegerAttr::get(storage, bits);
}

/// The code of `value`, or of what `order` begins with; nullopt where no code
/// stands for exactly this value in every unit.
std::optional<Code> CodeMove::encode(double value, Order order) {
  numerics::CodeFormat format = params.getCodeFormat();
  bool isInteger = numerics::isInteger(params.getStorage());
  if (isNeutral(value, order, expressed)) {
    double end = order == Order::Maximum ? format.range.min : format.range.max;
    format.formulation = numerics::Formulation::ZeroPoint;
    return Code{makeCode(
        isInteger ? int32_t(end) : numerics::quantize(float(end), format, {}))};
  }
  float number = static_cast<float>(value);
  if (params.isDynamic()) {
    // Only zero has a code that does not depend on the scale.
    if (number != 0 || (isInteger && std::signbit(number)))
      return std::nullopt;
    if (!isInteger)
      return Code{makeCode(numerics::quantize(number, format, {}))};
    return dequantize.getZeroPoint() ? Code{} : Code{makeCode(0)};
  }
  numerics::TensorParams values = params.getTensorParams();
  std::optional<int32_t> code;
  for (auto [unit, scale] : llvm::enumerate(values.scales)) {
    numerics::UnitParams unitParams{
        scale, values.zeroPoints.empty() ? 0 : values.zeroPoints[unit],
        values.minvals.empty() ? 0.0f : values.minvals[unit]};
    int32_t unitCode = numerics::quantize(number, format, unitParams);
    float back = numerics::dequantize(unitCode, format, unitParams);
    if (back != number || std::signbit(back) != std::signbit(number) ||
        (code && *code != unitCode))
      return std::nullopt;
    code = unitCode;
  }
  if (!code)
    return std::nullopt;
  return Code{makeCode(*code)};
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

LogicalResult CodeMove::planSources() {
  SmallVector<OpOperand *> sources = op.getValueSources();
  SmallVector<std::pair<OpOperand *, DequantizeOp>> dequantized;
  bool isConstant = true;
  for (OpOperand *source : sources)
    if (auto producer = source->get().getDefiningOp<DequantizeOp>()) {
      dequantized.emplace_back(source, producer);
      isConstant &= areConstantCodes(producer.getInput());
    }
  // Weights stay where whoever consumes them finds them.
  if (dequantized.empty() || isConstant)
    return failure();
  dequantize = dequantized.front().second;
  expressed = cast<RankedTensorType>(dequantize.getType()).getElementType();
  storage =
      cast<RankedTensorType>(dequantize.getInput().getType()).getElementType();
  for (auto &[source, producer] : dequantized) {
    if (source->getOwner() != op)
      return decline("its values come from another operation");
    if (producer.getScale() != dequantize.getScale() ||
        producer.getZeroPoint() != dequantize.getZeroPoint() ||
        producer.getType().getElementType() != expressed)
      return decline("its operands have different parameters");
    AffineAttr moved = moveParams(producer.getParams(), *source);
    if (!moved)
      return decline(
          producer.getScale()
              ? Twine("its parameters are operands and not per_tensor")
              : Twine("it takes the units of its parameters apart or joins "
                      "them"));
    if (params && !haveEqualContents(params, moved))
      return decline("its operands have different parameters");
    params = moved;
    operandPlans[source] = {OperandPlan::Codes, producer.getInput(), {}};
  }
  return success();
}

/// What is no code yet: an element that is added, or a place to write to.
LogicalResult CodeMove::planOperand(OpOperand &operand) {
  if (operandPlans.count(&operand) || !isExpressed(operand.get().getType()))
    return success();
  auto type = dyn_cast<RankedTensorType>(operand.get().getType());
  auto style = dyn_cast<DestinationStyleOpInterface>(op.getOperation());
  if (!isUsed(operand)) {
    if (style && style.isDpsInit(&operand))
      operandPlans[&operand] = {OperandPlan::Empty, {}, {}};
    return success();
  }
  if (type && operand.get().getDefiningOp<tensor::EmptyOp>()) {
    operandPlans[&operand] = {OperandPlan::Empty, {}, {}};
    return success();
  }
  std::string which = ("operand #" + Twine(operand.getOperandNumber())).str();
  std::optional<double> value =
      type ? getSplatValue(operand.get()) : std::nullopt;
  if (!value)
    return decline(which + " is in floating point");
  bool isInit = style && style.isDpsInit(&operand);
  std::optional<Code> code =
      encode(*value, isInit ? getReductionOrder(op) : Order::None);
  if (!code)
    return decline("no code stands for the elements of " + which);
  operandPlans[&operand] = {OperandPlan::Splat, {}, *code};
  return success();
}

/// Of a pad whose only users choose by one order that order, else none.
Order CodeMove::getOrderOfPadding() {
  Order order = Order::None;
  for (Operation *user : op->getUsers()) {
    Order next = getReductionOrder(user);
    auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
    if (next == Order::None || (order != Order::None && order != next) ||
        !linalgOp || linalgOp.getNumReductionLoops() == 0)
      return Order::None;
    order = next;
  }
  return order;
}

LogicalResult CodeMove::planBody(Block &body) {
  auto isFloat = [](Type type) {
    return isa<FloatType>(getElementTypeOrSelf(type));
  };
  auto isElement = [&](Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getOwner() == &body && argument.getType() == expressed;
    return value.getParentBlock() == &body &&
           getOrder(value.getDefiningOp()) != Order::None;
  };
  for (Operation &inner : body.without_terminator()) {
    if (getOrder(&inner) != Order::None &&
        llvm::all_of(inner.getOperands(), isElement)) {
      chooses = true;
      continue;
    }
    bool computes = llvm::any_of(inner.getOperandTypes(), isFloat) ||
                    llvm::any_of(inner.getResultTypes(), isFloat);
    if ((computes && !inner.hasTrait<OpTrait::ConstantLike>()) ||
        inner.getNumRegions() != 0)
      return decline("'" + inner.getName().getStringRef() +
                     "' in its body computes");
  }
  for (OpOperand &operand : body.getTerminator()->getOpOperands()) {
    Attribute constant;
    if (!isFloat(operand.get().getType()))
      continue;
    if (!matchPattern(operand.get(), m_Constant(&constant))) {
      if (operand.get().getParentBlock() != &body)
        return decline("it adds a value that is not constant");
      continue;
    }
    std::optional<Code> code = encode(
        cast<FloatAttr>(constant).getValueAsDouble(), getOrderOfPadding());
    if (!code)
      return decline("no code stands for the value that it adds");
    yieldedCodes[&operand] = *code;
  }
  return success();
}

/// An operation that is no structured one and not known from here is only tried
/// on codes.
LogicalResult CodeMove::checkOpaque(RankedTensorType type) {
  IRMapping mapping;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isExpressed(operand.get().getType()))
      continue;
    OperandPlan plan = operandPlans.lookup(&operand);
    if (plan.kind != OperandPlan::Codes)
      return decline("operand #" + Twine(operand.getOperandNumber()) +
                     " is in floating point");
    mapping.map(operand.get(), plan.codes);
  }
  if (op->getNumRegions() != 0)
    return decline("it has a region and is no structured operation");
  Operation *trial = op->cloneWithoutRegions(mapping);
  trial->getResult(0).setType(type);
  std::string message;
  ScopedDiagnosticHandler handler(op->getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    message += diagnostic.str();
                                    return success();
                                  });
  bool isValid = succeeded(verify(trial));
  trial->destroy();
  return isValid ? success()
                 : decline("it does not work on codes: " + Twine(message));
}

LogicalResult CodeMove::plan() {
  if (op.getValueEffect() != ValueEffect::Moves || op->getNumResults() != 1 ||
      failed(planSources()))
    return failure();
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type)
    return decline("its result has no rank");
  if (type.getElementType() != expressed)
    return decline("it converts its elements");
  bool isStructured = isa<linalg::LinalgOp>(op.getOperation());
  if (!isStructured &&
      !isa_and_nonnull<tensor::TensorDialect>(op->getDialect()))
    return checkOpaque(type.clone(storage));
  for (OpOperand &operand : op->getOpOperands())
    if (failed(planOperand(operand)))
      return failure();
  for (Region &region : op->getRegions()) {
    if (!region.hasOneBlock())
      return decline("its region has several blocks");
    if (failed(planBody(region.front())))
      return failure();
  }
  return success();
}

LogicalResult quant_mlir::detail::moveOntoCodes(QuantizableOpInterface op,
                                                RewriterBase &rewriter,
                                                std::string &reason) {
  CodeMove move(op, rewriter, reason);
  if (failed(move.plan()))
    return failure();
  return move.build();
}
