//===- ContractOp.cpp - Contractions of codes -----------------------------===//
//
// Verifier and accessors of quant.contract.
//
//===----------------------------------------------------------------------===//

#include "IntegerOpsVerify.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

SmallVector<OpOperand *> ContractOp::getMappedOperands() {
  SmallVector<OpOperand *> operands{&getLhsMutable(), &getRhsMutable()};
  for (MutableOperandRange range : {getBiasMutable(), getResidualMutable()})
    if (!range.empty())
      operands.push_back(&range[0]);
  operands.push_back(&getInitMutable());
  return operands;
}

SmallVector<ShapedType> ContractOp::getMappedTypes() {
  SmallVector<ShapedType> types;
  for (OpOperand *operand : getMappedOperands())
    types.push_back(operand == &getRhsMutable()
                        ? ShapedType(getRhsCodesType())
                        : cast<ShapedType>(operand->get().getType()));
  return types;
}

ArrayRef<int64_t> ContractOp::getInputPadding() {
  return getPadding().value_or(ArrayRef<int64_t>());
}

AffineMap ContractOp::getLhsMap() { return getOperandMaps().front(); }
AffineMap ContractOp::getRhsMap() { return getOperandMaps()[1]; }
AffineMap ContractOp::getBiasMap() {
  return getBias() ? getOperandMaps()[2] : AffineMap();
}
AffineMap ContractOp::getResidualMap() {
  return getResidual() ? getOperandMaps()[getBias() ? 3 : 2] : AffineMap();
}
AffineMap ContractOp::getInitMap() { return getOperandMaps().back(); }

RankedTensorType ContractOp::getRhsCodesType() {
  if (LayoutAttr layout = getLayoutAttr())
    if (RankedTensorType codes = layout.getCodesType())
      return codes;
  auto type = cast<ShapedType>(getRhs().getType());
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

bool ContractOp::hasIntegerSum() {
  return getLhsParams() && numerics::isInteger(getLhsParams()->getStorage()) &&
         getRhsParams() && numerics::isInteger(getRhsParams()->getStorage());
}

std::optional<std::pair<unsigned, int64_t>> ContractOp::getReductionBlock() {
  if (hasFloatRhs())
    return std::nullopt;
  RankedTensorType codes = getRhsCodesType();
  FailureOr<SmallVector<int64_t>> sizes =
      getRhsParams()->getGranularity().getBlockSizes(
          codes.getShape(), [&] { return emitOpError(); });
  if (failed(sizes))
    return std::nullopt;
  AffineMap rhs = getRhsMap();
  for (auto [dim, size] : llvm::enumerate(*sizes)) {
    unsigned loop = rhs.getDimPosition(dim);
    if (!isParallelLoop(loop) && size != -1 && size < codes.getDimSize(dim))
      return std::pair<unsigned, int64_t>(dim, size);
  }
  return std::nullopt;
}

SmallVector<int64_t> ContractOp::getSumsShape() {
  RankedTensorType codes = getRhsCodesType();
  SmallVector<int64_t> shape;
  if (std::optional<std::pair<unsigned, int64_t>> block = getReductionBlock())
    shape.push_back(
        llvm::divideCeil(codes.getDimSize(block->first), block->second));
  LayoutAttr layout = getLayoutAttr();
  for (ArrayRef<int64_t> dims : {layout.getBatch(), layout.getColumns()})
    for (int64_t dim : dims)
      shape.push_back(codes.getDimSize(dim));
  return shape;
}

/// Roles of loops and types of what is added.
static LogicalResult verifyOperands(ContractOp op) {
  AffineMap lhs = op.getLhsMap(), rhs = op.getRhsMap(), init = op.getInitMap();
  for (unsigned loop = 0, e = op.getNumLoops(); loop != e; ++loop) {
    bool isLhs = lhs.isFunctionOfDim(loop), isRhs = rhs.isFunctionOfDim(loop);
    if (!init.isFunctionOfDim(loop) && !(isLhs && isRhs))
      return op.emitOpError()
             << "expected loop " << loop
             << ", a reduction, in lhs and in rhs, found it in "
             << (isLhs   ? "lhs"
                 : isRhs ? "rhs"
                         : "neither")
             << " only";
    if (!isLhs && !isRhs)
      return op.emitOpError() << "expected loop " << loop
                              << " in lhs or rhs, found it in neither";
  }
  if (!rhs.isProjectedPermutation())
    return op.emitOpError() << "expected each dimension of rhs to be a loop of "
                               "its own, found "
                            << AffineMapAttr::get(rhs);
  for (AffineMap map : {op.getBiasMap(), op.getResidualMap()})
    for (unsigned loop = 0, e = op.getNumLoops(); map && loop != e; ++loop)
      if (map.isFunctionOfDim(loop) && !op.isParallelLoop(loop))
        return op.emitOpError() << "expected bias and residual to have loops "
                                   "of the result, found "
                                   "reduction "
                                << loop << " in " << AffineMapAttr::get(map);
  return success();
}

static bool isValue(Type element) {
  return isa<Float32Type, Float16Type, BFloat16Type>(element);
}

/// Scale and zero point of one side are in its parameters or operands: one
/// number, or one for each row of lhs (column or batch of rhs): where there are
/// several, loops of that side that are not summed over.
static LogicalResult verifyDynamic(ContractOp op, StringRef side,
                                   ShapedType type, AffineAttr params,
                                   AffineMap map, ArrayRef<Value> operands) {
  Value scale = operands[0], zeroPoint = operands[1];
  if (params.isDynamic() != bool(scale))
    return op.emitOpError() << "expected the scale of " << side
                            << " in its parameters or as an operand, found "
                            << (scale ? "both" : "neither");
  if (zeroPoint && !scale)
    return op.emitOpError() << "expected a scale operand beside the zero point "
                               "operand, found none";
  StringRef each = side == "lhs" ? "row" : "column";
  for (Value operand : operands) {
    if (!operand)
      continue;
    auto shape = cast<ShapedType>(operand.getType());
    if (shape.getRank() != 0 && shape.getRank() != type.getRank())
      return op.emitOpError()
             << "expected scale and zero point of rank 0 or " << type.getRank()
             << ", that of " << side << ", found " << shape;
    for (int64_t dim = 0; dim < shape.getRank(); ++dim) {
      auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
      bool isUnit = loop && op.isParallelLoop(loop.getPosition());
      if (shape.getDimSize(dim) != 1 &&
          (!isUnit || shape.getDimSize(dim) != type.getDimSize(dim)))
        return op.emitOpError()
               << "expected one scale for all of dimension " << dim << " of "
               << side << ", or one for each " << each << ", found " << shape;
    }
  }
  return success();
}

static LogicalResult verifyLhs(ContractOp op) {
  auto type = cast<ShapedType>(op.getLhs().getType());
  if (op.hasFloatLhs()) {
    if (!isValue(type.getElementType()))
      return op.emitOpError()
             << "expected parameters for lhs, found codes of "
             << type.getElementType() << " without: write 'as'";
    if (op.getScale() || op.getZeroPoint())
      return op.emitOpError()
             << "expected scale and zero point operands for lhs "
                "of codes only, found lhs of values";
    return success();
  }
  AffineAttr params = *op.getLhsParams();
  // Behind quant-widen-storage codes of fp8 are bytes, too.
  if (op.getLayout() && type.getElementType().isSignlessInteger(8) &&
      numerics::isFloat(params.getStorage()))
    type = type.clone(params.getStorageElementType());
  if (failed(verifyCodes(op, "lhs", type, params)))
    return failure();
  if (params.getMinval())
    return op.emitOpError()
           << "minval is for weights: expected lhs with a zero "
              "point, found "
           << params;
  if (!params.isDynamic() && !isa<PerTensorAttr>(params.getGranularity()))
    return op.emitOpError() << "expected one scale for lhs, found " << params
                            << ": one for each row is dynamic, an operand";
  return verifyDynamic(op, "lhs", type, params, op.getLhsMap(),
                       {op.getScale(), op.getZeroPoint()});
}

/// Packed rhs: bytes, in a layout whose lists are the roles of the loops.
static LogicalResult verifyLayout(ContractOp op) {
  LayoutAttr layout = *op.getLayout();
  auto type = cast<ShapedType>(op.getRhs().getType());
  if (!layout.isPanels() || type.getRank() != 1 ||
      !type.getElementType().isInteger(8))
    return op.emitOpError() << "expected packed rhs to be bytes of rank 1 in a "
                               "layout of panels, found "
                            << type << " in " << layout;
  int64_t size = layout.getPackedSize(op.getRhsCodesType());
  if (failed(verifyCompatibleShape(type.getShape(), size)))
    return op.emitOpError() << "expected packed rhs of " << size
                            << " bytes in its layout, found " << type;
  for (int64_t dim = 0, e = layout.getCodesType().getRank(); dim != e; ++dim) {
    unsigned loop = op.getRhsMap().getDimPosition(dim);
    bool isReduction = llvm::is_contained(layout.getReduction(), dim);
    if (isReduction == op.isParallelLoop(loop))
      return op.emitOpError()
             << "expected the layout to list dimension " << dim << " of rhs, a "
             << (isReduction ? "loop of the result" : "reduction") << ", in "
             << (isReduction ? "batch or columns" : "reduction") << ", found "
             << layout;
  }
  return success();
}

/// Scales of codes; values have none, and are multiplied with values only.
static LogicalResult verifyRhsParams(ContractOp op) {
  RankedTensorType codes = op.getRhsCodesType();
  if (op.hasFloatRhs()) {
    if (op.getRhsScale() || op.getRhsZeroPoint())
      return op.emitOpError()
             << "expected scale and zero point operands for rhs of codes only, "
                "found rhs of values";
    if (!isValue(codes.getElementType()))
      return op.emitOpError()
             << "expected parameters for rhs, found codes of "
             << codes.getElementType() << " without: write 'as'";
    if (!op.hasFloatLhs())
      return op.emitOpError()
             << "expected lhs of values beside rhs of values, "
                "found codes "
             << *op.getLhsParams() << ": dequantize them, or quantize rhs";
    return success();
  }
  AffineAttr params = *op.getRhsParams();
  if (failed(verifyCodes(op, "rhs", codes, params)))
    return failure();
  if (failed(verifyDynamic(op, "rhs", codes, params, op.getRhsMap(),
                           {op.getRhsScale(), op.getRhsZeroPoint()})))
    return failure();
  if (op.isRhsDynamic() && !op.hasIntegerSum())
    return op.emitOpError()
           << "expected a scale operand of rhs beside integer codes on both "
              "sides, found other ones: dequantize them first";
  FailureOr<SmallVector<int64_t>> sizes = params.getGranularity().getBlockSizes(
      codes.getShape(), [&] { return op.emitOpError(); });
  if (failed(sizes))
    return failure();
  unsigned blocks = 0;
  for (auto [dim, size] : llvm::enumerate(*sizes))
    blocks += size != -1 && size < codes.getDimSize(dim) &&
              !op.isParallelLoop(op.getRhsMap().getDimPosition(dim));
  if (blocks != 0 && op.isRhsDynamic())
    return op.emitOpError() << "expected scale operands of rhs for all of a "
                               "reduction, found "
                            << params.getGranularity();
  if (blocks > 1)
    return op.emitOpError() << "expected rhs split into blocks along one "
                               "reduction, found "
                            << params.getGranularity();
  return success();
}

/// Blocks along a reduction, batches, columns.
static LogicalResult verifySums(ContractOp op) {
  auto type = cast<ShapedType>(op.getSums().getType());
  SmallVector<int64_t> shape = op.getSumsShape();
  if (succeeded(verifyCompatibleShape(type.getShape(), shape)))
    return success();
  return op.emitOpError()
         << "expected sums of "
         << RankedTensorType::get(shape, type.getElementType())
         << ", that is, of blocks along a reduction, batches and "
            "columns, found "
         << type;
}

static LogicalResult verifyRhs(ContractOp op) {
  if (failed(verifyRhsParams(op)))
    return failure();
  if (op.getLayout() && failed(verifyLayout(op)))
    return failure();
  if (bool(op.getSums()) != bool(op.getLayout()) && op.hasIntegerSum())
    return op.emitOpError()
           << "expected sums beside packed rhs, and only there";
  return op.getSums() && op.getLayout() ? verifySums(op) : success();
}

static LogicalResult verifyResult(ContractOp op) {
  ShapedType init = op.getInitType();
  std::optional<AffineAttr> params = op.getInitParams();
  if (params) {
    if (failed(verifyCodes(op, "outs", init, *params)) ||
        failed(verifyPerTensor(op, "outs", *params)))
      return failure();
  } else if (!isValue(init.getElementType())) {
    return op.emitOpError() << "expected parameters for outs, found codes of "
                            << init.getElementType() << " without: write 'as'";
  }
  if (Value residual = op.getResidual()) {
    auto type = cast<ShapedType>(residual.getType());
    if (std::optional<AffineAttr> params = op.getResidualParams()) {
      if (failed(verifyCodes(op, "residual", type, *params)) ||
          failed(verifyPerTensor(op, "residual", *params)))
        return failure();
    } else if (op.getInitParams()
                   ? !isValue(type.getElementType())
                   : type.getElementType() != init.getElementType()) {
      return op.emitOpError()
             << "expected a residual of codes, or of values "
             << (op.getInitParams() ? "of f32, f16 or bf16" : "like outs")
             << ", found " << type;
    }
  }
  if (Value bias = op.getBias()) {
    bool isInteger =
        cast<ShapedType>(bias.getType()).getElementType().isInteger();
    if (isInteger &&
        (!op.hasIntegerSum() || op.isDynamic() || op.isRhsDynamic() ||
         op.getReductionBlock() || op.getRhsParams()->getMinval()))
      return op.emitOpError()
             << "expected an f32 bias where a scale is an operand, rhs has "
                "blocks or minval, or sums are not of integers, found "
             << bias.getType();
  }
  return verifyBounds(op, op.getLow(), op.getHigh());
}

LogicalResult ContractOp::verify() {
  if (getMapsAttr().size() != getMappedOperands().size())
    return success(); // The interface's verifier says so.
  if (failed(verifyOperands(*this)))
    return failure();
  if (getLhsMap().getNumResults() !=
          cast<ShapedType>(getLhs().getType()).getRank() ||
      getRhsMap().getNumResults() != getRhsCodesType().getRank())
    return success(); // Here too.
  if (failed(verifyLhs(*this)) || failed(verifyRhs(*this)))
    return failure();
  if (getWide() && !hasIntegerSum())
    return emitOpError()
           << "expected a wide sum to be of integers, found codes "
              "or values in floating point: drop 'wide'";
  return verifyResult(*this);
}
