//===- ContractValues.cpp - Sums of products of values --------------------===//
//
// docs/numerics.md section 6: products of values, and of values and codes, are
// summed in binary32 in any order. What a matrix instruction multiplies is
// exact: a code less its zero point is an integer that f16 and bf16 hold, codes
// of fp8 are f16, and 11 bits times 11 fit into 24. Scales follow the sum of
// all products with one scale.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace quant_mlir;

/// Of codes of fp8; nullopt of anything else.
static std::optional<numerics::StorageType>
getSmallFloat(std::optional<AffineAttr> params) {
  if (!params)
    return std::nullopt;
  numerics::StorageType storage = params->getStorage();
  if (storage == numerics::StorageType::Float8E4M3FN ||
      storage == numerics::StorageType::Float8E5M2)
    return storage;
  return std::nullopt;
}

std::string quant_mlir::findNoValuesReason(ContractOp op,
                                           const GPUTarget &target) {
  Type lhs = getElementTypeOrSelf(op.getLhs().getType());
  Type rhs = op.getRhsCodesType().getElementType();
  bool isHalf = isa<Float16Type, BFloat16Type>(lhs);
  bool hasSmallFloats =
      getSmallFloat(op.getLhsParams()) || getSmallFloat(op.getRhsParams());
  // f32 is a sum of three bf16, beside what is one, or multiplied by lanes.
  bool hasFloats = op.hasFloatRhs() && !target.multipliesFloats();
  if (op.hasFloatLhs() && !isHalf && (hasFloats || hasSmallFloats))
    return "its left-hand side is of f32, and its right-hand side not of "
           "integers";
  if (!op.hasFloatLhs() && !getSmallFloat(op.getLhsParams()))
    return "codes of one side are integers, and of the other they are not";
  if (op.hasFloatRhs() && lhs != rhs)
    return "its sides are of different values";
  if (std::optional<AffineAttr> params = op.getRhsParams()) {
    bool isSmall = getSmallFloat(params).has_value();
    if (!isSmall && !numerics::isInteger(params->getStorage()))
      return "codes of its right-hand side are neither integers nor fp8";
    if (isSmall != hasSmallFloats || (isSmall && lhs.isBF16()))
      return "codes of fp8 are multiplied with such codes, or with f16";
  }
  if (hasSmallFloats && !target.multiplies(ValueKind::SmallFloat))
    return target.getKind() == GPUKind::NVVM
               ? "codes of fp8 are converted to f16 from sm_89 on"
               : "the target has no products of fp8";
  ValueKind kind = lhs.isF32()    ? ValueKind::F32
                   : lhs.isBF16() ? ValueKind::BF16
                                  : ValueKind::F16;
  if (op.hasFloatLhs() && !target.multiplies(kind))
    return llvm::formatv("its left-hand side is of {0}, of which the target "
                         "has no products",
                         lhs);
  return "";
}

Value GPUContractKernel::buildLhsFactor(ArrayRef<Value> ivs) {
  auto type = VectorType::get({laneColumns()}, builder.getF32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  ElementArith arith(builder, loc, zero);
  if (Value rowScale = loadRowScale(ivs))
    return buildRowMultiplier(arith, splat(rowScale), arith.floatConstant(1),
                              op);
  float factor = op.hasFloatLhs() ? 1 : getTensorScale(*op.getLhsParams());
  if (std::optional<float> resultScale = getResultScale(op))
    factor = numerics::requantMultiplier(factor, 1, *resultScale);
  return factor == 1 ? Value() : arith.floatConstant(factor);
}

GPUContractKernel::Values GPUContractKernel::loadOffsets(Value block) {
  if (numbers.rhsOffset.isZero())
    return {};
  Values result;
  Value column = unit->getRhsColumn(lane);
  if (!column) {
    Value all = loadNumbers(rhsOffsetData, numbers.rhsOffset, block);
    for (int64_t i = 0; i < laneColumns(); ++i)
      result.push_back(vector::ExtractOp::create(builder, loc, all, i));
    return result;
  }
  // Columns of a lane's sums follow each other; those whose codes it decodes
  // are of another lane's sums, one of each product.
  auto [ofLane, inLane] = unit->findColumn(column);
  Value first =
      add(mul(panel, tileColumns),
          add(mul(groupColumn, groupColumns()), mul(ofLane, laneColumns())));
  // Of few columns all are loaded at once.
  bool isLoadedAtOnce = shape().laneColumns <= 2;
  Value all;
  if (isLoadedAtOnce)
    all = loadNumbers(rhsOffsetData, numbers.rhsOffset, block, first);
  for (int64_t j = 0; j < columnProducts(); ++j) {
    int64_t ofProduct = j * shape().laneColumns;
    if (!isLoadedAtOnce) {
      Value one = loadNumbers(rhsOffsetData, numbers.rhsOffset, block,
                              add(first, add(inLane, attr(ofProduct))), 1);
      result.push_back(vector::ExtractOp::create(builder, loc, one, 0));
      continue;
    }
    Value offset;
    for (int64_t i = 0; i < shape().laneColumns; ++i) {
      Value next = vector::ExtractOp::create(builder, loc, all, ofProduct + i);
      offset = offset ? kernel.body.select(kernel.body.isLess(inLane, attr(i)),
                                           offset, next)
                      : next;
    }
    result.push_back(offset);
  }
  return result;
}
