//===- ContractBlocks.cpp - Sums of blocks of scales ----------------------===//
//
// Each block begins a sum of its own (ContractReduce.cpp), which is exact, and
// is added to f32 accumulators by a fused multiply-add.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

Value ContractKernel::loadBlockSums(const Panel &panel, OpFoldResult number,
                                    int64_t reg, int64_t size) {
  OpFoldResult at =
      kernel.add(kernel.add(panel.sums, attr(reg * dot.getLanes())),
                 kernel.mul(number, attr(sumsPerBlock)));
  Value sum = loadColumns(sums, kernel.index(at), panel, reg);
  if (rhsZero.isZero())
    return sum;
  return subtractProduct(
      sum, constantI32(size),
      loadConstants(rhsZero, getConstantsAt(panel, number, reg)));
}

Value ContractKernel::joinPairs(Value low, Value high) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto constant = [&](Type type, int64_t value) -> Value {
    Attribute number = builder.getI32IntegerAttr(int32_t(value));
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(builder, loc,
                                       DenseElementsAttr::get(vector, number));
    return constantI32(value);
  };
  if (low)
    low = arith::AndIOp::create(builder, loc, low,
                                constant(low.getType(), 0xffff));
  if (!high)
    return low;
  high =
      arith::ShLIOp::create(builder, loc, high, constant(high.getType(), 16));
  if (!low)
    return high;
  return arith::OrIOp::create(builder, loc, low, high);
}

ContractKernel::Values
ContractKernel::addBlockCodes(ArrayRef<Row> rows, const Panel &panel,
                              OpFoldResult number, int64_t size, Values sums) {
  int64_t blockBytes = llvm::divideCeil(blockSize, tupleSize) * tupleBytes;
  OpFoldResult inLhs = kernel.mul(number, attr(blockSize));
  OpFoldResult inRhs =
      kernel.add(panel.rhs, kernel.mul(number, attr(blockBytes)));
  return forRuns(
      lhs, sums, [&](OpFoldResult at, OpFoldResult run, ValueRange carried) {
        return addCodes(rows, panel, kernel.add(getRunInRow(at, run), inLhs),
                        kernel.add(inRhs, kernel.mul(run, attr(runBytes))),
                        attr(size), Values(carried), 1);
      });
}

ContractKernel::Values ContractKernel::addBlock(ArrayRef<Row> rows,
                                                const Panel &panel,
                                                OpFoldResult number,
                                                int64_t size, Values totals) {
  if (isOfValues)
    return addDecodedBlock(rows, panel, number, size, totals);
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes(), registers = panel.getRegisters(lanes);
  Value zero = buildZero(dot.getSumType(builder));

  int64_t products = size * getNumRuns();
  // What zero points of lhs are multiplied with.
  Values columnSums;
  bool hasLhsZero = lhsZero != 0 || op.getZeroPoint();
  for (int64_t reg = 0; hasLhsZero && reg < registers; ++reg)
    columnSums.push_back(loadBlockSums(panel, number, reg, products));
  // Products of zero points with sums: two of 16 bits in one instruction, or of
  // 32 bits.
  Values corrections;
  if (hasPairs && (hasLhsZero || !rhsOffset.isZero()))
    for (int64_t reg = 0; reg < registers; ++reg) {
      Value offset;
      if (!rhsOffset.isZero())
        offset = loadConstants(rhsOffset, getConstantsAt(panel, number, reg));
      corrections.push_back(
          joinPairs(offset, hasLhsZero ? columnSums[reg] : Value()));
    }
  Values start, rowSum;
  for (const Row &row : rows) {
    rowSum.push_back(needsRowSums ? loadRowSum(row, number) : Value());
    Value factors;
    if (!corrections.empty()) {
      Value zeroPoint;
      if (row.zeroPoint)
        zeroPoint = arith::SubIOp::create(builder, kernel.loc, constantI32(0),
                                          row.zeroPoint);
      else if (hasLhsZero)
        zeroPoint = constantI32(-lhsZero);
      // What is above 16 bits is multiplied with 0 where there is one product.
      factors = splat(zeroPoint ? joinPairs(rowSum.back(), zeroPoint)
                                : rowSum.back());
    }
    for (int64_t reg = 0; reg < registers; ++reg) {
      Value sum = zero;
      if (factors) {
        start.push_back(dot.multiplyPairs(kernel, factors, corrections[reg]));
        continue;
      }
      if (!rhsOffset.isZero()) {
        if (rowSumFactor != 1)
          sum = splat(rowSum.back());
        else
          sum = subtractProduct(
              sum, rowSum.back(),
              loadConstants(rhsOffset, getConstantsAt(panel, number, reg)));
      }
      if (hasLhsZero)
        sum = subtractProduct(
            sum, row.zeroPoint ? row.zeroPoint : constantI32(lhsZero),
            columnSums[reg]);
      start.push_back(sum);
    }
  }
  Values sums = addBlockCodes(rows, panel, number, size,
                              dot.toAccumulators(kernel, start, rows.size()));
  sums = dot.toRows(kernel, sums, rows.size());

  Type f32 = builder.getF32Type();
  // As many blocks ahead as codes.
  int64_t constantsAhead =
      llvm::divideCeil(bytesAhead,
                       llvm::divideCeil(blockSize, tupleSize) * tupleBytes) *
      panelColumns;
  for (int64_t reg = 0; reg < registers; ++reg) {
    OpFoldResult constantsAt = getConstantsAt(panel, number, reg);
    if (asksAhead(rows.size()) && multiplier.global)
      prefetch(multiplier.global,
               kernel.add(constantsAt, attr(constantsAhead)));
    Value factor = loadConstants(multiplier, constantsAt);
    Value least =
        minval.values.empty() ? Value() : loadConstants(minval, constantsAt);
    for (auto [i, row] : llvm::enumerate(rows)) {
      Value &total = totals[i * registers + reg];
      Value sum = sums[i * registers + reg];
      total = dot.multiplyAdd(
          kernel, arith(sum).cast<arith::SIToFPOp>(f32, sum), factor, total);
      if (least)
        total = dot.multiplyAdd(
            kernel, splat(buildCentredSum(row, rowSum[i], products)), least,
            total);
    }
  }
  return totals;
}

ContractKernel::Values ContractKernel::reduceBlocks(ArrayRef<Row> rows,
                                                    const Panel &panel) {
  Value zero =
      buildZero(VectorType::get({dot.getLanes()}, kernel.builder.getF32Type()));
  Values totals(rows.size() * panel.getRegisters(dot.getLanes()), zero);
  int64_t whole = runSize / blockSize, rest = runSize % blockSize;
  if (whole > 0)
    totals = kernel.forCarry(
        attr(0), attr(whole), totals, [&](Value iv, ValueRange inits) {
          return addBlock(rows, panel, iv, blockSize, Values(inits));
        });
  if (rest > 0)
    totals = addBlock(rows, panel, attr(whole), rest, totals);
  return totals;
}
