//===- BuildOnCodes.cpp - A planned move on codes -------------------------===//
//
// Creates the operation on codes, with what it adds and compares, and the
// dequantize behind it.
//
//===----------------------------------------------------------------------===//

#include "CodeMove.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

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
