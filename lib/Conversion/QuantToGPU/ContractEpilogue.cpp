//===- ContractEpilogue.cpp - From sums to codes or values ----------------===//
//
// docs/numerics.md section 6 on the columns that a lane has of a row, operation
// by operation and in its order.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "PackKernel.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

Value GPUContractKernel::splat(Value number) {
  if (isa<VectorType>(number.getType()))
    return number;
  auto type = VectorType::get({laneColumns()}, number.getType());
  return vector::BroadcastOp::create(builder, loc, type, number);
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// The largest pieces of a lane's columns that either exist or do not, at
/// addresses that are multiples of them.
int64_t GPUContractKernel::getPieceSize(const FlatOperand &operand) const {
  int64_t bytes = llvm::divideCeil(operand.element.getIntOrFloatBitWidth(), 8);
  int64_t common = std::gcd(columnMultiple, laneColumns());
  common = std::gcd(common, getConstantIntValue(operand.start).value_or(1));
  for (unsigned loop = 0; loop < operand.strides.size(); ++loop)
    if (loops.roles[loop] != LoopRole::Column && loops.sizes[loop] != 1)
      common = std::gcd(common, operand.getMultiple(loop));
  int64_t size = std::max<int64_t>(16 / bytes, 1);
  while (common % size != 0)
    size /= 2;
  return size;
}

void GPUContractKernel::forPieces(
    int64_t size, llvm::function_ref<void(int64_t, Value)> body) {
  for (int64_t first = 0; first < laneColumns(); first += size) {
    Value exists;
    if (columnMultiple % (loops.isDepthwise ? laneColumns() : tileColumns) != 0)
      exists = isBelow(add(firstColumn, attr(first)), columns);
    body(first, exists);
  }
}

Value GPUContractKernel::loadPieces(const FlatOperand &operand, int64_t size,
                                    Value at) {
  auto type = VectorType::get({laneColumns()}, operand.element);
  auto pieceType = VectorType::get({size}, operand.element);
  Values elements;
  forPieces(size, [&](int64_t first, Value exists) {
    auto load = [&]() -> Value {
      return unit->load(pieceType, operand.base, add(at, attr(first)));
    };
    Value piece;
    if (exists) {
      auto branch = scf::IfOp::create(builder, loc, TypeRange(pieceType),
                                      exists, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(builder, loc, load());
      builder.setInsertionPointToStart(branch.elseBlock());
      Value zero = arith::ConstantOp::create(builder, loc,
                                             builder.getZeroAttr(pieceType));
      scf::YieldOp::create(builder, loc, zero);
      piece = branch.getResult(0);
    } else {
      piece = load();
    }
    for (int64_t i = 0; i < size; ++i)
      elements.push_back(vector::ExtractOp::create(builder, loc, piece, i));
  });
  return vector::FromElementsOp::create(builder, loc, type, elements);
}

Value GPUContractKernel::loadOfRow(const FlatOperand &operand,
                                   const LoopStrides &strides,
                                   ArrayRef<Value> ivs) {
  Value at = kernel.body.address(operand, ivs);
  if (isOneOfRow(loops, strides))
    return splat(
        memref::LoadOp::create(builder, loc, operand.base, ValueRange(at)));
  return loadPieces(operand, getPieceSize(operand), add(at, firstColumn));
}

Value GPUContractKernel::loadNumbers(const FlatOperand &operand,
                                     const ColumnNumbers &numbers, Value block,
                                     Value first, int64_t count) {
  Type element = operand.element;
  auto type = VectorType::get({count ? count : laneColumns()}, element);
  if (numbers.isOne()) {
    float number = numbers.values.front();
    Attribute value = builder.getI32IntegerAttr(int32_t(number));
    if (!element.isInteger())
      value = builder.getFloatAttr(element, number);
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, value));
  }
  // In the order of panels, which are whole.
  Value row = batch;
  if (block)
    row = add(mul(batch, numBlockRows()), block);
  Value at = add(mul(row, kernel.host.mul(numPanels, attr(panelColumns))),
                 first ? first : firstColumn);
  return unit->load(type, operand.base, at);
}

Value GPUContractKernel::loadSums(Value at) {
  return loadPieces(
      sums, std::gcd(std::gcd(columnMultiple, laneColumns()), int64_t(4)),
      add(at, firstColumn));
}

Value GPUContractKernel::loadMultiplier(const ElementArith &arith) {
  if (!rhsScale.base)
    return loadNumbers(multiplierData, numbers.multiplier);
  Value factor = loadOfRow(rhsScale, loops.rhsScaleStrides, batchPosition);
  if (!rhsScale.element.isF32())
    factor = arith.cast<arith::ExtFOp>(arith.f32(), factor);
  // Scales of rows follow.
  if (op.isDynamic())
    return factor;
  return buildRowMultiplier(
      arith, arith.floatConstant(getTensorScale(*op.getLhsParams())), factor,
      op);
}

Value GPUContractKernel::countProducts(int32_t factor) {
  if (std::optional<int64_t> count = getConstantIntValue(reductionSize))
    return kernel.body.constantI32(*count * factor);
  return arith::MulIOp::create(builder, loc, kernel.importI32(reductionSize),
                               kernel.body.constantI32(factor));
}

GPUContractKernel::Columns GPUContractKernel::loadColumns() {
  // acc = sum(x w') - zx sum(w - zw) - (zw + offset) sum(x), w' as multiplied.
  Columns result;
  auto type = VectorType::get({laneColumns()}, builder.getI32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  ElementArith arith(builder, loc, zero);
  auto times = [&](Value a, Value b) -> Value {
    return arith::MulIOp::create(builder, loc, a, b);
  };
  if (bias.base) {
    Value values = loadOfRow(bias, loops.biasStrides, batchPosition);
    if (bias.element.isInteger())
      result.start = values;
    else
      result.bias = buildResultBias(arith, values, op);
  }
  // Blocks have the rest.
  if (blockCodes != 0)
    return result;
  if (!numbers.minval.values.empty())
    result.minval = loadNumbers(minvalData, numbers.minval);
  if (isOfValues) {
    result.multiplier = loadNumbers(multiplierData, numbers.multiplier);
    return result;
  }
  Value sum = loadSums(add(sums.start, mul(batch, columns)));
  Value rhsZero;
  if (rhsZeroPoint.base)
    rhsZero = loadOfRow(rhsZeroPoint, loops.rhsZeroPointStrides, batchPosition);
  else if (!numbers.rhsZero.isZero())
    rhsZero = loadNumbers(rhsZeroData, numbers.rhsZero);
  if (rhsZero)
    sum = arith.sub(sum, times(rhsZero, splat(countProducts(1))));
  assert((readsColumnSums(op, target) || (!zeroPoint.base && lhsZero == 0)) &&
         "sums that nobody has made");
  if (zeroPoint.base) {
    result.sums = sum;
  } else if (lhsZero != 0) {
    Value start = result.start ? result.start : arith.intConstant(0);
    result.start = arith.sub(start, times(sum, arith.intConstant(lhsZero)));
  }
  result.multiplier = loadMultiplier(arith);
  if (!subtractsOffsets() && !numbers.rhsOffset.isZero())
    result.rhsOffset = loadNumbers(rhsOffsetData, numbers.rhsOffset);
  if (rhsZeroPoint.base)
    result.rhsOffset =
        result.rhsOffset ? arith.add(rhsZero, result.rhsOffset) : rhsZero;
  return result;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void GPUContractKernel::forLaneRows(
    llvm::function_ref<void(int64_t, const LaneRow &)> body) {
  for (auto [number, row] : llvm::enumerate(laneRows))
    body(number, row);
  if (!laneRows.empty())
    return;
  Value rowInProduct = unit->getRow(lane);
  Value first = add(firstRow, mul(groupRow, groupRows()));
  for (int64_t i = 0; i < rowProducts(); ++i)
    for (int64_t part = 0; part < shape().laneRows; ++part) {
      LaneRow row;
      row.number =
          add(first, add(rowInProduct,
                         attr(i * shape().rows + unit->getRowOffset(part))));
      if (hasRaggedRows)
        row.exists = kernel.body.isLess(row.number, kernel.import(numRows));
      body(i * shape().laneRows + part, row);
    }
}

Value GPUContractKernel::getRowOfSums(ArrayRef<Value> sums, int64_t part) {
  int64_t products = laneColumns() / shape().laneColumns,
          ofProduct = sums.size() / products;
  Values elements;
  for (int64_t j = 0; j < products; ++j)
    for (int64_t column = 0; column < shape().laneColumns; ++column)
      elements.push_back(
          unit->getSum(sums.slice(j * ofProduct, ofProduct), part, column));
  auto type = VectorType::get({laneColumns()}, elements.front().getType());
  return vector::FromElementsOp::create(builder, loc, type, elements);
}

/// `results`: what reduce() has returned.
void GPUContractKernel::finish(ArrayRef<Value> results) {
  int64_t ofLane = shape().laneRows;
  ArrayRef<Value> rowSums =
      results.take_back(blockCodes == 0 ? numRowSums() : 0);
  int64_t rowSumsOf = rowSums.size() / rowProducts();
  ArrayRef<Value> sums = results.drop_back(rowSums.size());
  int64_t spans = groupSpans(), ofSpan = sums.size() / rowProducts() / spans;
  assert((spans == 1 || blockCodes == 0) && "values of one span");
  for (int64_t span = 0; span < spans; ++span) {
    if (span != 0)
      firstColumn = add(firstColumn, attr(spanColumns()));
    Columns columns = loadColumns();
    forLaneRows([&](int64_t row, const LaneRow &where) {
      Value sum, rowSum;
      if (blockCodes == 0)
        sum = getRowOfSums(
            sums.slice((row / ofLane * spans + span) * ofSpan, ofSpan),
            row % ofLane);
      // All lanes take part, whether they have a row of the result or not.
      if (!rowSums.empty())
        rowSum = loops.isDepthwise
                     ? getRowOfSums(rowSums, row)
                     : unit->getRowSum(
                           rowSums.slice(row / ofLane * rowSumsOf, rowSumsOf),
                           row % ofLane);
      kernel.body.inBranch(where.exists, [&] {
        Values ivs = placeLaneRow(where);
        finishRow(columns, ivs,
                  blockCodes != 0 ? scaleBlocks(ivs, results[row])
                                  : scaleSum(columns, ivs, sum, rowSum));
      });
    });
  }
}

/// f32; null where rows have no scales of their own.
Value GPUContractKernel::loadRowScale(ArrayRef<Value> ivs) {
  if (!scale.base)
    return Value();
  Value rowScale = memref::LoadOp::create(
      builder, loc, scale.base, ValueRange(kernel.body.address(scale, ivs)));
  if (!scale.element.isF32())
    rowScale =
        arith::ExtFOp::create(builder, loc, builder.getF32Type(), rowScale);
  return rowScale;
}

Value GPUContractKernel::scaleBlocks(ArrayRef<Value> ivs, Value value) {
  if (isOfValues) {
    Value factor = buildLhsFactor(ivs);
    return factor ? ElementArith(builder, loc, value).mulf(value, factor)
                  : value;
  }
  Value rowScale = loadRowScale(ivs);
  if (!rowScale)
    return value;
  ElementArith arith(builder, loc, value);
  return arith.mulf(value, buildRowMultiplier(arith, splat(rowScale),
                                              arith.floatConstant(1), op));
}

Value GPUContractKernel::scaleSum(const Columns &columns, ArrayRef<Value> ivs,
                                  Value sum, Value rowSum) {
  ElementArith arith(builder, loc, sum);
  if (isOfValues) {
    Value value = arith.mulf(sum, columns.multiplier);
    if (columns.minval)
      value = arith.addf(value, arith.mulf(splat(rowSum), columns.minval));
    return scaleBlocks(ivs, value);
  }
  auto subtractProduct = [&](Value from, Value scalar, Value vector) {
    return arith.sub(
        from, arith::MulIOp::create(builder, loc, splat(scalar), vector));
  };

  if (int64_t bits = sumShift())
    sum = arith::ShRSIOp::create(builder, loc, sum, arith.intConstant(bits));
  Value rowZero;
  if (zeroPoint.base) {
    rowZero =
        memref::LoadOp::create(builder, loc, zeroPoint.base,
                               ValueRange(kernel.body.address(zeroPoint, ivs)));
    if (lhsOffset() != 0)
      rowZero = arith::SubIOp::create(builder, loc, rowZero,
                                      kernel.body.constantI32(lhsOffset()));
    sum = subtractProduct(sum, rowZero, columns.sums);
  }
  if (columns.rhsOffset)
    sum = subtractProduct(sum, rowSum, columns.rhsOffset);
  if (columns.start)
    sum = arith.add(sum, columns.start);
  Value rowScale = loadRowScale(ivs);
  auto scaleByRow = [&](Value factor) -> Value {
    if (!rowScale)
      return factor;
    return buildRowMultiplier(arith, splat(rowScale), factor, op);
  };

  Value value = arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), sum),
                           scaleByRow(columns.multiplier));
  if (!columns.minval)
    return value;
  Value zeros = rowZero ? Value(arith::MulIOp::create(builder, loc, rowZero,
                                                      countProducts(1)))
                        : countProducts(lhsZero);
  // Of a row, or of its channels.
  Value centred;
  if (isa<VectorType>(rowSum.getType()))
    centred = arith.cast<arith::SIToFPOp>(arith.f32(),
                                          arith.sub(rowSum, splat(zeros)));
  else
    centred = splat(arith::SIToFPOp::create(
        builder, loc, builder.getF32Type(),
        arith::SubIOp::create(builder, loc, rowSum, zeros)));
  return arith.addf(value, arith.mulf(centred, scaleByRow(columns.minval)));
}

void GPUContractKernel::finishRow(const Columns &columns, ArrayRef<Value> ivs,
                                  Value value) {
  ElementArith arith(builder, loc, value);
  if (columns.bias)
    value = arith.addf(value, columns.bias);
  if (residual.base) {
    Value other = loadOfRow(residual, loops.residualStrides, ivs);
    value = arith.addf(value, buildResidualTerm(arith, other, op));
  }
  value = buildContractResult(arith, value, op);

  Value at = add(kernel.body.address(init, ivs), firstColumn);
  int64_t size = getPieceSize(init);
  forPieces(size, [&](int64_t first, Value exists) {
    kernel.body.inBranch(exists, [&] {
      SmallVector<int64_t> part(size);
      std::iota(part.begin(), part.end(), first);
      Value piece = vector::ShuffleOp::create(builder, loc, value, value, part);
      unit->store(piece, init.base, add(at, attr(first)));
    });
  });
}
