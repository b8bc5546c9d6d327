//===- ContractSums.cpp - Sums of products of a contraction ---------------===//
//
// Lhs less its zero points, padded with zeros; sums of products over the loops
// of the operation; blocks, each times its multiplier, added one after another
// by an scf.for.
//
// A sum that is not of integers takes `x * dequantize(w)`: the scale of lhs
// alone is left to the multiplier then.
//
//===----------------------------------------------------------------------===//

#include "ContractLowering.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;

Value ContractLowering::fill(Type element) {
  TypedAttr zero = rewriter.getZeroAttr(element);
  Value constant = arith::ConstantOp::create(rewriter, loc, zero);
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getInit()),
      element);
  return linalg::FillOp::create(rewriter, loc, constant, empty).getResult(0);
}

/// %x -> %c = %x - zx, i32 or binary32, and 0 where %x is padding: the zero
/// point.
Value ContractLowering::centreLhs() {
  Value lhs = op.getLhs();
  auto type = cast<RankedTensorType>(lhs.getType());
  Type element =
      isInteger ? rewriter.getI32Type() : Type(rewriter.getF32Type());
  if (type.getElementType() != element) {
    GenericInputs inputs;
    inputs.add(lhs, rewriter.getMultiDimIdentityMap(type.getRank()));
    unsigned zeroPoint = 0;
    if (Value operand = op.getZeroPoint()) {
      auto operandType = cast<RankedTensorType>(operand.getType());
      SmallVector<AffineExpr> exprs;
      for (int64_t dim = 0; dim < operandType.getRank(); ++dim)
        exprs.push_back(operandType.getDimSize(dim) == 1
                            ? rewriter.getAffineConstantExpr(0)
                            : rewriter.getAffineDimExpr(dim));
      zeroPoint = inputs.add(operand, AffineMap::get(type.getRank(), 0, exprs,
                                                     rewriter.getContext()));
    }
    Value empty = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, lhs), element);
    lhs = buildElementwise(
        rewriter, loc, inputs, empty,
        [&](const ElementArith &arith, ValueRange args) {
          if (op.hasFloatLhs())
            return buildWiden(arith.getBuilder(), loc, args[0]);
          AffineAttr params = *op.getLhsParams();
          Value value;
          if (!op.isDynamic()) {
            value = buildCentredCode(arith, args[0], params);
          } else if (numerics::isFloat(params.getStorage())) {
            value = buildWiden(arith.getBuilder(), loc, args[0]);
          } else {
            value = buildExtendCode(arith, args[0], params.getStorage());
            if (zeroPoint)
              value = arith.sub(value, args[zeroPoint]);
          }
          if (!isInteger && value.getType().isInteger())
            value = arith.cast<arith::SIToFPOp>(arith.f32(), value);
          return value;
        });
  }
  Value zero =
      arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(element));
  return buildPadded(rewriter, loc, lhs, op.getInputPadding(), zero);
}

/// linalg.generic over all loops: products += x * (w - zw), and lhs += x for
/// minval. In a block the parameters are those of its own.
ContractLowering::Sums
ContractLowering::sum(Value lhs, Value rhs, std::optional<int64_t> block,
                      const Parameter<int32_t> &zeroPoint) {
  AffineMap unitMap = getUnitMap();
  if (block && unitMap.getNumResults() != 0) {
    SmallVector<AffineExpr> exprs(unitMap.getResults());
    exprs[*block] = rewriter.getAffineConstantExpr(0);
    unitMap = AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext());
  }
  GenericInputs inputs;
  inputs.add(lhs, op.getLhsMap());
  inputs.add(rhs, op.getRhsMap());
  unsigned zeroPointIndex =
      op.getRhsZeroPoint() ? inputs.add(op.getRhsZeroPoint(),
                                        getColumnsMap(op, op.getRhsZeroPoint()))
                           : inputs.add(zeroPoint.input, unitMap);
  unsigned scaleIndex = inputs.add(rhsScale.input, unitMap);
  unsigned minvalIndex = inputs.add(rhsMinval.input, unitMap);
  numerics::CodeFormat format;
  if (rhsParams)
    format = rhsParams.getCodeFormat();
  bool isMinval = isInteger && rhsParams.getMinval();

  Type element = getSumType();
  SmallVector<Value> outputs(isMinval ? 2 : 1, fill(element));
  SmallVector<AffineMap> maps(inputs.maps);
  maps.append(outputs.size(), op.getInitMap());
  SmallVector<utils::IteratorType> iterators;
  for (unsigned loop = 0, e = op.getNumLoops(); loop != e; ++loop)
    iterators.push_back(op.isParallelLoop(loop)
                            ? utils::IteratorType::parallel
                            : utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      rewriter, loc, TypeRange(ValueRange(outputs)), inputs.values, outputs,
      maps, iterators, [&](OpBuilder &builder, Location loc, ValueRange args) {
        ElementArith arith(builder, loc, args[0]);
        Value x = args[0], sum = args[inputs.values.size()];
        SmallVector<Value> results;
        if (isInteger) {
          Value w = buildExtendCode(arith, args[1], format.storage);
          if (isMinval)
            w = arith.sub(w, static_cast<int64_t>(format.range.min));
          else if (zeroPointIndex)
            w = arith.sub(w, args[zeroPointIndex]);
          else if (zeroPoint.constant)
            w = arith.sub(w, zeroPoint.constant);
          Value product = arith::MulIOp::create(builder, loc, x, w);
          results.push_back(arith.add(sum, arith.extend(product, element)));
          if (isMinval)
            results.push_back(arith.add(args.back(), arith.extend(x, element)));
        } else if (!rhsParams) {
          Value w = buildWiden(builder, loc, args[1]);
          results.push_back(arith.addf(sum, arith.mulf(x, w)));
        } else {
          ElementParams element;
          element.scale = scaleIndex ? args[scaleIndex]
                                     : arith.floatConstant(rhsScale.constant);
          if (rhsMinval.present)
            element.minval = minvalIndex
                                 ? args[minvalIndex]
                                 : arith.floatConstant(rhsMinval.constant);
          if (zeroPointIndex)
            element.zeroPoint = args[zeroPointIndex];
          element.constantZeroPoint = zeroPoint.constant;
          Value w = buildDequantize(builder, loc, args[1], format, element,
                                    builder.getF32Type());
          results.push_back(arith.addf(sum, arith.mulf(x, w)));
        }
        linalg::YieldOp::create(builder, loc, results);
      });
  Sums sums;
  sums.products = generic.getResult(0);
  if (isMinval)
    sums.lhs = generic.getResult(1);
  return sums;
}

/// %total = scf.for over whole blocks { total += scaled sum of the block },
/// and once more for a last one that is shorter.
Value ContractLowering::addBlocks(Value lhs, Value rhs, unsigned dim,
                                  int64_t size) {
  int64_t length = op.getRhsCodesType().getDimSize(dim);
  Value total = fill(rewriter.getF32Type());
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  auto loop = scf::ForOp::create(
      rewriter, loc, index(0), index(length / size), index(1), total,
      [&](OpBuilder &, Location, Value block, ValueRange args) {
        Value next = addBlock(lhs, rhs, dim, size, size, block, args.front());
        scf::YieldOp::create(rewriter, loc, next);
      });
  total = loop.getResult(0);
  if (int64_t rest = length % size)
    total = addBlock(lhs, rhs, dim, size, rest, index(length / size), total);
  return total;
}

/// One unit of `parameter` along `dim`.
template <typename T>
static Parameter<T> sliceParameter(OpBuilder &builder, Location loc,
                                   const Parameter<T> &parameter, unsigned dim,
                                   Value block) {
  if (!parameter.input)
    return parameter;
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, parameter.input);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  offsets[dim] = block;
  sizes[dim] = builder.getIndexAttr(1);
  Parameter<T> slice = parameter;
  slice.input = tensor::ExtractSliceOp::create(builder, loc, parameter.input,
                                               offsets, sizes, strides);
  return slice;
}

/// The part of `operand` in which dimension d moves by factors[d] for each of
/// `skipped` + `dropped` iterations that the loop is shortened by, `skipped` of
/// them in front.
static Value sliceOperand(OpBuilder &builder, Location loc, Value operand,
                          ArrayRef<int64_t> factors, Value skipped,
                          int64_t shorter) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, operand);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  AffineExpr d0 = builder.getAffineDimExpr(0);
  for (auto [dim, factor] : llvm::enumerate(factors)) {
    if (factor == 0)
      continue;
    offsets[dim] = affine::makeComposedFoldedAffineApply(
        builder, loc, d0 * factor, {OpFoldResult(skipped)});
    sizes[dim] = affine::makeComposedFoldedAffineApply(
        builder, loc, d0 - factor * shorter, {sizes[dim]});
  }
  return tensor::ExtractSliceOp::create(builder, loc, operand, offsets, sizes,
                                        strides);
}

/// %sums = linalg.generic over slices of lhs and rhs
/// %next = linalg.generic { %total + float(sum) * m[block] }
Value ContractLowering::addBlock(Value lhs, Value rhs, unsigned dim,
                                 int64_t size, int64_t length, Value block,
                                 Value total) {
  unsigned loop = op.getRhsMap().getDimPosition(dim);
  int64_t shorter = op.getRhsCodesType().getDimSize(dim) - length;
  Value start = affine::AffineApplyOp::create(
      rewriter, loc, rewriter.getAffineDimExpr(0) * size, block);
  SmallVector<int64_t> lhsFactors, rhsFactors;
  for (AffineExpr expr : op.getLhsMap().getResults())
    lhsFactors.push_back(getLinearExpr(expr, op.getNumLoops())->factors[loop]);
  rhsFactors.assign(op.getRhsMap().getNumResults(), 0);
  rhsFactors[dim] = 1;
  Value lhsPart = sliceOperand(rewriter, loc, lhs, lhsFactors, start, shorter);
  Value rhsPart = sliceOperand(rewriter, loc, rhs, rhsFactors, start, shorter);
  Sums sums = sum(lhsPart, rhsPart, dim,
                  sliceParameter(rewriter, loc, rhsZeroPoint, dim, block));

  GenericInputs inputs;
  Multiplier factor = multiplier, minval = minvalMultiplier;
  factor.value = sliceParameter(rewriter, loc, factor.value, dim, block);
  minval.value = sliceParameter(rewriter, loc, minval.value, dim, block);
  ScaledInputs scaled = addScaled(inputs, sums, factor, minval);
  return buildElementwise(rewriter, loc, inputs, total,
                          [&](const ElementArith &arith, ValueRange args) {
                            Value value = buildScaled(arith, args, scaled);
                            return arith.addf(args.back(), value);
                          });
}
