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
#include <limits>

using namespace mlir;
using namespace quant_mlir;

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

namespace {

enum class Order { None, Maximum, Minimum };

/// The order by which an operation chooses one of its two operands.
Order getOrder(Operation *op) {
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return Order::Maximum;
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op))
    return Order::Minimum;
  return Order::None;
}

/// The order of a structured op that reduces by choosing.
Order getReductionOrder(Operation *op) {
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

/// Whether `value` is what `order` begins with: no finite value is beyond it.
bool isNeutral(double value, Order order) {
  constexpr double largest = std::numeric_limits<float>::max();
  return (order == Order::Maximum && value <= -largest) ||
         (order == Order::Minimum && value >= largest);
}

/// One code for all elements: a constant, or the zero point that is an operand
/// of the dequantize.
struct Code {
  TypedAttr constant;
};

/// What becomes of an operand.
struct OperandPlan {
  enum Kind { Keep, Codes, Empty, Splat } kind = Keep;
  Value codes; ///< Codes
  Code splat;  ///< Splat
};

class CodeMove {
public:
  CodeMove(QuantizableOpInterface op, RewriterBase &rewriter,
           std::string &reason)
      : op(op), rewriter(rewriter), reason(reason) {}

  LogicalResult plan();
  LogicalResult build();

private:
  LogicalResult decline(const Twine &why) {
    reason = why.str();
    return failure();
  }
  bool isExpressed(Type type) const {
    return getElementTypeOrSelf(type) == expressed;
  }
  /// Whether the values of an operand play a part in the body, if it has one.
  bool isUsed(OpOperand &operand) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op.getOperation());
    return !linalgOp || linalgOp.payloadUsesValueFromOperand(&operand);
  }

  LogicalResult planSources();
  LogicalResult planOperand(OpOperand &operand);
  LogicalResult planBody(Block &body);
  std::optional<Code> encode(double value, Order order);
  TypedAttr makeCode(int32_t code);
  Order getOrderOfPadding();

  Value buildCode(Code code);
  Value buildOperand(OpOperand &operand);
  Value buildChoice(OpBuilder &builder, Operation *choice, Value a, Value b);
  void buildBody(Block &body, Region &region, ArrayRef<Type> argumentTypes);
  Operation *buildStructured(ValueRange operands, RankedTensorType type);
  LogicalResult checkOpaque(RankedTensorType type);

  QuantizableOpInterface op;
  RewriterBase &rewriter;
  std::string &reason;

  DequantizeOp dequantize; ///< of the first source
  AffineAttr params;       ///< of the result
  Type expressed, storage; ///< of elements
  DenseMap<OpOperand *, OperandPlan> operandPlans;
  DenseMap<OpOperand *, Code> yieldedCodes; ///< operands of terminators
  bool chooses = false;                     ///< the body compares elements
};

} // namespace

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
  if (isNeutral(value, order)) {
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
      isConstant &= quant_mlir::detail::areConstantCodes(producer.getInput());
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
    AffineAttr moved =
        quant_mlir::detail::moveParams(producer.getParams(), *source);
    if (!moved)
      return decline(
          producer.getScale()
              ? Twine("its parameters are operands and not per_tensor")
              : Twine("it takes the units of its parameters apart, joins or "
                      "reorders them"));
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

//===----------------------------------------------------------------------===//
// Build
//===----------------------------------------------------------------------===//

Value CodeMove::buildCode(Code code) {
  Location loc = op.getLoc();
  if (code.constant)
    return arith::ConstantOp::create(rewriter, loc, code.constant);
  Value zeroPoint = tensor::ExtractOp::create(
      rewriter, loc, dequantize.getZeroPoint(), ValueRange());
  return arith::TruncIOp::create(rewriter, loc, storage, zeroPoint);
}

Value CodeMove::buildOperand(OpOperand &operand) {
  OperandPlan plan = operandPlans.lookup(&operand);
  Value value = operand.get();
  if (plan.kind == OperandPlan::Keep)
    return value;
  if (plan.kind == OperandPlan::Codes)
    return plan.codes;
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(value.getType()).clone(storage);
  auto fill = value.getDefiningOp<linalg::FillOp>();
  if (plan.kind == OperandPlan::Splat && plan.splat.constant &&
      type.hasStaticShape() && !fill)
    return arith::ConstantOp::create(
        rewriter, loc,
        DenseElementsAttr::get(type, Attribute(plan.splat.constant)));
  // Sizes come from the same place, not from the buffer that goes away.
  if (fill)
    value = fill.getOutputs().front();
  auto buffer = value.getDefiningOp<tensor::EmptyOp>();
  Value empty = tensor::EmptyOp::create(
      rewriter, loc,
      buffer ? buffer.getMixedSizes()
             : tensor::getMixedSizes(rewriter, loc, value),
      storage);
  if (plan.kind == OperandPlan::Empty)
    return empty;
  return linalg::FillOp::create(rewriter, loc, buildCode(plan.splat), empty)
      .result();
}

/// max(a, b) of values as one of codes: integers in the order that their
/// signedness gives, floats as binary32, which holds all of them.
Value CodeMove::buildChoice(OpBuilder &builder, Operation *choice, Value a,
                            Value b) {
  Location loc = choice->getLoc();
  bool isMaximum = getOrder(choice) == Order::Maximum;
  if (numerics::isSignedInteger(params.getStorage()))
    return isMaximum ? arith::MaxSIOp::create(builder, loc, a, b).getResult()
                     : arith::MinSIOp::create(builder, loc, a, b).getResult();
  if (numerics::isInteger(params.getStorage()))
    return isMaximum ? arith::MaxUIOp::create(builder, loc, a, b).getResult()
                     : arith::MinUIOp::create(builder, loc, a, b).getResult();
  Type f32 = builder.getF32Type();
  IRMapping mapping;
  mapping.map(choice->getOperand(0),
              arith::ExtFOp::create(builder, loc, f32, a));
  mapping.map(choice->getOperand(1),
              arith::ExtFOp::create(builder, loc, f32, b));
  Operation *wide = builder.clone(*choice, mapping);
  wide->getResult(0).setType(f32);
  return arith::TruncFOp::create(builder, loc, storage, wide->getResult(0));
}

void CodeMove::buildBody(Block &body, Region &region,
                         ArrayRef<Type> argumentTypes) {
  OpBuilder::InsertionGuard guard(rewriter);
  // Codes are constants of the function, made before the operation.
  DenseMap<OpOperand *, Value> codes;
  for (OpOperand &operand : body.getTerminator()->getOpOperands())
    if (auto it = yieldedCodes.find(&operand); it != yieldedCodes.end())
      codes[&operand] = buildCode(it->second);

  Block *block = rewriter.createBlock(
      &region, region.end(), argumentTypes,
      SmallVector<Location>(argumentTypes.size(), op.getLoc()));
  IRMapping mapping;
  for (BlockArgument argument : body.getArguments())
    mapping.map(argument, block->getArgument(argument.getArgNumber()));
  for (Operation &inner : body.without_terminator()) {
    if (getOrder(&inner) == Order::None)
      rewriter.clone(inner, mapping);
    else
      mapping.map(inner.getResult(0),
                  buildChoice(rewriter, &inner,
                              mapping.lookup(inner.getOperand(0)),
                              mapping.lookup(inner.getOperand(1))));
  }
  Operation *terminator = rewriter.clone(*body.getTerminator(), mapping);
  for (auto [before, after] : llvm::zip_equal(
           body.getTerminator()->getOpOperands(), terminator->getOpOperands()))
    if (Value code = codes.lookup(&before))
      after.set(code);
  for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&inner))
      rewriter.eraseOp(&inner);
}

/// The bodies of named operations follow from their types and say nothing of
/// signedness, so that a maximum becomes a linalg.generic.
Operation *CodeMove::buildStructured(ValueRange operands,
                                     RankedTensorType type) {
  auto structured = cast<linalg::LinalgOp>(op.getOperation());
  unsigned numInputs = structured.getNumDpsInputs();
  auto generic = linalg::GenericOp::create(
      rewriter, op.getLoc(), type, operands.take_front(numInputs),
      operands.drop_front(numInputs), structured.getIndexingMapsArray(),
      structured.getIteratorTypesArray());
  // Those of linalg are notes about the named operation.
  for (NamedAttribute attr : op->getDiscardableAttrs())
    if (!isa_and_nonnull<linalg::LinalgDialect>(attr.getNameDialect()))
      generic->setDiscardableAttr(attr.getName(), attr.getValue());
  return generic;
}

LogicalResult CodeMove::build() {
  rewriter.setInsertionPoint(op);
  auto expressedType = cast<RankedTensorType>(op->getResult(0).getType());
  RankedTensorType type = expressedType.clone(storage);
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(buildOperand(operand));

  bool becomesGeneric = chooses && isa<linalg::LinalgOp>(op.getOperation()) &&
                        !isa<linalg::GenericOp>(op.getOperation());
  Operation *moved;
  if (becomesGeneric) {
    moved = buildStructured(operands, type);
  } else {
    moved = rewriter.insert(op->cloneWithoutRegions());
    moved->setOperands(operands);
    moved->getResult(0).setType(type);
  }
  for (auto [before, after] :
       llvm::zip(op->getRegions(), moved->getRegions())) {
    Block &body = before.front();
    SmallVector<Type> types;
    if (isa<linalg::LinalgOp>(op.getOperation()))
      for (Value operand : operands)
        types.push_back(getElementTypeOrSelf(operand.getType()));
    else
      types = llvm::to_vector(body.getArgumentTypes());
    // Not all structured operations have an argument for what they write to.
    if (!becomesGeneric)
      types.truncate(body.getNumArguments());
    rewriter.setInsertionPoint(moved);
    buildBody(body, after, types);
  }
  rewriter.setInsertionPointAfter(moved);
  Value result = DequantizeOp::create(
      rewriter, dequantize.getLoc(), expressedType, moved->getResult(0),
      dequantize.getScale(), dequantize.getZeroPoint(), params);
  rewriter.replaceOp(op, result);
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
