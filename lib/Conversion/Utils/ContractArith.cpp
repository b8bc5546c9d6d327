//===- ContractArith.cpp - What every kernel of a contraction has ---------===//

#include "quant-mlir/Conversion/Utils/ContractArith.h"

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"
#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

std::optional<float> quant_mlir::getResultScale(ContractOp op) {
  if (std::optional<AffineAttr> init = op.getInitParams())
    return getTensorScale(*init);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Units of weights
//===----------------------------------------------------------------------===//

RhsUnits::RhsUnits(ContractOp op)
    : params(op.getRhsParamsAttr().getTensorParams()),
      leastCode(op.getRhsParamsAttr().getQuantMin()),
      shape(op.getRhsCodesType().getShape()) {
  if (!op.isDynamic() && op.hasIntegerSum()) {
    lhsScale = getTensorScale(*op.getLhsParams());
    resultScale = ::getResultScale(op);
  }
  GranularityAttrInterface granularity = op.getRhsParamsAttr().getGranularity();
  blocks = *granularity.getBlockSizes(shape, [&] { return op.emitOpError(); });
  strides.assign(shape.size(), 0);
  int64_t stride = 1;
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
    strides[dim] = stride;
    // Where parameters do not vary there is one, whatever the size.
    if (ShapedType::isDynamic(shape[dim]))
      continue;
    if (blocks[dim] == -1 || blocks[dim] > shape[dim])
      blocks[dim] = std::max<int64_t>(shape[dim], 1);
    stride *= llvm::divideCeil(shape[dim], blocks[dim]);
  }
  if (isa<PerTensorAttr>(granularity))
    llvm::fill(strides, 0);
}

std::vector<int64_t> RhsUnits::along(ArrayRef<int64_t> dims) const {
  std::vector<int64_t> units{0};
  for (int64_t dim : dims) {
    if (ShapedType::isDynamic(shape[dim]))
      continue;
    std::vector<int64_t> next;
    next.reserve(units.size() * shape[dim]);
    for (int64_t unit : units)
      for (int64_t i = 0; i < shape[dim]; ++i)
        next.push_back(unit + i / blocks[dim] * strides[dim]);
    units = std::move(next);
  }
  return units;
}

float RhsUnits::scaled(float value) const {
  if (!lhsScale)
    return value;
  return resultScale
             ? numerics::requantMultiplier(*lhsScale, value, *resultScale)
             : numerics::outputMultiplier(*lhsScale, value);
}

float RhsUnits::getMultiplier(int64_t unit) const {
  return scaled(params.scales[unit]);
}

float RhsUnits::getMinval(int64_t unit) const {
  return scaled(params.minvals[unit]);
}

float RhsUnits::getZeroPoint(int64_t unit) const {
  if (hasMinval())
    return leastCode;
  return params.zeroPoints.empty() ? 0 : params.zeroPoints[unit];
}

//===----------------------------------------------------------------------===//
// What follows the sum
//===----------------------------------------------------------------------===//

/// float32(wide / double(sy)); `wide` is f64.
static Value divideByResultScale(const ElementArith &arith, Value wide,
                                 float resultScale) {
  Type f64 = arith.getBuilder().getF64Type();
  return arith.cast<arith::TruncFOp>(
      arith.f32(), arith.divf(wide, arith.floatConstant(resultScale, f64)));
}

Value quant_mlir::buildResultBias(const ElementArith &arith, Value bias,
                                  ContractOp op) {
  std::optional<float> resultScale = ::getResultScale(op);
  if (!resultScale)
    return bias;
  Type f64 = arith.getBuilder().getF64Type();
  return divideByResultScale(arith, arith.cast<arith::ExtFOp>(f64, bias),
                             *resultScale);
}

Value quant_mlir::buildRowMultiplier(const ElementArith &arith, Value lhsScale,
                                     Value factor, ContractOp op) {
  // Of two binary32 the product rounded once is the same in binary32.
  std::optional<float> resultScale = ::getResultScale(op);
  if (!resultScale)
    return arith.mulf(lhsScale, factor);
  Type f64 = arith.getBuilder().getF64Type();
  Value wide = arith.mulf(arith.cast<arith::ExtFOp>(f64, lhsScale),
                          arith.cast<arith::ExtFOp>(f64, factor));
  return divideByResultScale(arith, wide, *resultScale);
}

Value quant_mlir::buildResidualTerm(const ElementArith &arith, Value residual,
                                    ContractOp op) {
  if (std::optional<AffineAttr> params = op.getResidualParams()) {
    float factor = getTensorScale(*params);
    if (std::optional<float> resultScale = ::getResultScale(op))
      factor = numerics::addMultiplier(factor, *resultScale);
    return arith.mulf(buildCentredFloat(arith, residual, *params),
                      arith.floatConstant(factor));
  }
  if (!getElementTypeOrSelf(residual.getType()).isF32())
    residual = arith.cast<arith::ExtFOp>(arith.f32(), residual);
  return buildResultBias(arith, residual, op);
}

Value quant_mlir::buildContractResult(const ElementArith &arith, Value value,
                                      ContractOp op) {
  if (std::optional<AffineAttr> params = op.getInitParams())
    return buildRequantize(arith, value, getTensorZeroPoint(*params),
                           getBoundedRange(*params, op.getLow(), op.getHigh()));
  value = buildBounds(arith, value, op.getLow(), op.getHigh());
  Type element = op.getInitType().getElementType();
  return element.isF32() ? value : arith.cast<arith::TruncFOp>(element, value);
}
