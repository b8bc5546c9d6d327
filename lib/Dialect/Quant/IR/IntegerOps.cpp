//===- IntegerOps.cpp - Operations of the integer form --------------------===//
//
// Verifiers and accessors; those of contractions are in ContractOp.cpp. What is
// a matter of maps and shapes alone is in IntegerFormOpInterface.cpp.
//
//===----------------------------------------------------------------------===//

#include "IntegerOpsVerify.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

#include "quant-mlir/Dialect/Quant/IR/IntegerOpsEnums.cpp.inc"

//===----------------------------------------------------------------------===//
// Common
//===----------------------------------------------------------------------===//

void quant_mlir::detail::addEffects(
    DestinationStyleOpInterface op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}

static LogicalResult reifyShape(Operation *op, Value init, OpBuilder &builder,
                                ReifiedRankedShapedTypeDims &shapes) {
  if (op->getNumResults() == 0)
    return failure();
  shapes.push_back(tensor::getMixedSizes(builder, op->getLoc(), init));
  return success();
}

static SmallVector<AffineMap> toMaps(ArrayAttr maps) {
  return llvm::to_vector(maps.getAsValueRange<AffineMapAttr>());
}

LogicalResult quant_mlir::detail::verifyCodes(Operation *op, StringRef name,
                                              ShapedType type,
                                              AffineAttr params) {
  if (type.getElementType() != params.getStorageElementType())
    return op->emitOpError()
           << "expected " << name << " of " << params.getStorageElementType()
           << ", the storage type of its parameters, found "
           << type.getElementType();
  return params.verifyForShape(
      type.getShape(), [&] { return op->emitOpError() << name << ": "; });
}

LogicalResult quant_mlir::detail::verifyPerTensor(Operation *op, StringRef name,
                                                  AffineAttr params) {
  if (!isa<PerTensorAttr>(params.getGranularity()) || params.isDynamic() ||
      params.getMinval())
    return op->emitOpError()
           << "expected per_tensor parameters with a scale and without minval "
              "for "
           << name << ", found " << params;
  return success();
}

LogicalResult quant_mlir::detail::verifyBounds(Operation *op,
                                               std::optional<APFloat> low,
                                               std::optional<APFloat> high) {
  if ((low && low->isNaN()) || (high && high->isNaN()) ||
      (low && high && *low > *high))
    return op->emitOpError() << "expected low <= high, found "
                             << (low ? low->convertToFloat() : 0.0f) << " and "
                             << (high ? high->convertToFloat() : 0.0f);
  return success();
}

#define DEFINE_COMMON_METHODS(Op)                                              \
  void Op::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);    \
  }                                                                            \
  LogicalResult Op::reifyResultShapes(OpBuilder &builder,                      \
                                      ReifiedRankedShapedTypeDims &shapes) {   \
    return reifyShape(*this, getInit(), builder, shapes);                      \
  }                                                                            \
  SmallVector<AffineMap> Op::getOperandMaps() { return toMaps(getMapsAttr()); }

DEFINE_COMMON_METHODS(ContractOp)
DEFINE_COMMON_METHODS(AddOp)
DEFINE_COMMON_METHODS(MulOp)
DEFINE_COMMON_METHODS(PoolOp)
#undef DEFINE_COMMON_METHODS

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult verifyElementwise(OpTy op) {
  auto verifyOperand = [&](StringRef name, Value value,
                           AffineAttr params) -> LogicalResult {
    if (!numerics::isInteger(params.getStorage()))
      return op.emitOpError()
             << "expected integer codes for " << name << ", found " << params;
    auto type = cast<ShapedType>(value.getType());
    if (failed(verifyCodes(op, name, type, params)))
      return failure();
    return verifyPerTensor(op, name, params);
  };
  if (failed(verifyOperand("lhs", op.getLhs(), op.getLhsParams())) ||
      failed(verifyOperand("rhs", op.getRhs(), op.getRhsParams())) ||
      failed(verifyOperand("outs", op.getInit(), op.getInitParams())))
    return failure();
  for (AffineMap map : op.getOperandMaps())
    if (!map.isProjectedPermutation())
      return op.emitOpError() << "expected each dimension to be a loop of its "
                                 "own, found "
                              << AffineMapAttr::get(map);
  AffineMap result = op.getOperandMaps().back();
  if (result.getNumResults() != result.getNumDims())
    return op.emitOpError() << "expected all loops in the result, found "
                            << AffineMapAttr::get(result);
  return verifyBounds(op, op.getLow(), op.getHigh());
}

#define DEFINE_ELEMENTWISE_METHODS(Op)                                         \
  SmallVector<OpOperand *> Op::getMappedOperands() {                           \
    return {&getLhsMutable(), &getRhsMutable(), &getInitMutable()};            \
  }                                                                            \
  ArrayRef<int64_t> Op::getInputPadding() { return {}; }                       \
  LogicalResult Op::verify() { return verifyElementwise(*this); }

DEFINE_ELEMENTWISE_METHODS(AddOp)
DEFINE_ELEMENTWISE_METHODS(MulOp)
#undef DEFINE_ELEMENTWISE_METHODS

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

SmallVector<OpOperand *> PoolOp::getMappedOperands() {
  return {&getInputMutable(), &getInitMutable()};
}

ArrayRef<int64_t> PoolOp::getInputPadding() {
  return getPadding().value_or(ArrayRef<int64_t>());
}

SmallVector<int64_t> PoolOp::getKnownLoopSizes() {
  SmallVector<int64_t> sizes(getOperandMaps().back().getNumDims(),
                             ShapedType::kDynamic);
  const int64_t *size = getWindow().begin();
  for (unsigned loop = 0, e = sizes.size(); loop != e; ++loop)
    if (!getOperandMaps().back().isFunctionOfDim(loop) &&
        size != getWindow().end()) {
      sizes[loop] = *size == -1 ? ShapedType::kDynamic : *size;
      ++size;
    }
  return sizes;
}

LogicalResult PoolOp::verify() {
  AffineMap input = getOperandMaps().front(), result = getOperandMaps().back();
  int64_t reductions = result.getNumDims() - result.getNumResults();
  if (int64_t(getWindow().size()) != reductions ||
      llvm::any_of(getWindow(),
                   [](int64_t size) { return size < 1 && size != -1; }))
    return emitOpError() << "expected a size of at least 1, or -1, for each of "
                         << reductions << " reductions, found " << getWindow();
  for (unsigned loop = 0; loop < input.getNumDims(); ++loop)
    if (!input.isFunctionOfDim(loop))
      return emitOpError() << "expected each loop in the input, found "
                           << AffineMapAttr::get(input);
  auto type = cast<ShapedType>(getInput().getType());
  if (failed(verifyCodes(*this, "ins", type, getParams())) ||
      failed(verifyPerTensor(*this, "ins", getParams())))
    return failure();
  if (getInitType().getElementType() != type.getElementType())
    return emitOpError()
           << "expected input and result of one element type, found " << type
           << " and " << getInitType();
  if (getKind() == PoolKind::Average &&
      !numerics::isInteger(getParams().getStorage()))
    return emitOpError() << "expected integer codes for an average, found "
                         << getParams();
  if (getWide() && getKind() != PoolKind::Average)
    return emitOpError()
           << "expected a wide sum to be that of an average, found "
              "a maximum: drop 'wide'";
  return verifyBounds(*this, getLow(), getHigh());
}
