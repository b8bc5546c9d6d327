//===- ContractProducts.cpp - Stages of products --------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

GroupStage GPUContractKernel::describeStage(Value stage) {
  Value groupRows = mul(groupRow, this->groupRows()),
        groupColumns = mul(groupColumn, this->groupColumns());
  Value rhsStage = add(stage, attr(lhsStageSize()));

  GroupStage part;
  part.shared = shared;
  part.lane = lane;
  part.ones = index(attr(numStages() * stageSize()));
  part.lhsPlaneBytes = tileRows * chunkBytes;
  part.rhsPlaneBytes = tileColumns * chunkBytes;
  part.lhsPartSize = lhsPartSize();
  part.rowProducts = rowProducts();
  part.columnProducts = columnProducts();
  part.isNibbles = isNibbles;
  part.isLhsSigned = isLhsSigned;
  part.lhsChunk = [=](Value plane, int64_t product, Value row) {
    if (Value swizzle = unit->getLhsSwizzle(plane))
      row = kernel.body.bitXor(row, swizzle);
    Value inPlane = add(mul(plane, tileRows), add(groupRows, row));
    return add(stage,
               mul(add(inPlane, attr(product * shape().rows)), sharedChunk()));
  };
  part.rhsChunk = [=](Value plane, Value product, Value column) {
    if (Value swizzle = unit->getSwizzle(product, columnProducts()))
      column = kernel.body.bitXor(column, swizzle);
    Value inGroup = add(mul(product, shape().columns), column);
    Value at = add(mul(plane, tileColumns), add(groupColumns, inGroup));
    return add(rhsStage, mul(at, sharedChunk()));
  };
  return part;
}

/// Of a stage, where products overlap.
int64_t GPUContractKernel::numProductGroups() const {
  int64_t steps = unit->getFactorSteps();
  return steps ? stageSteps() / steps : 1;
}

/// sums, by row product and column product; behind them, where rows are summed,
/// those of a lane for each row product.
void GPUContractKernel::multiplySteps(const GroupStage &part,
                                      MutableArrayRef<Value> sums) {
  int64_t steps = stageSteps();
  if (!unit->multipliesFromShared())
    return multiplyRange(part, sums, 0, steps);
  int64_t down = rowProducts();
  MutableArrayRef<Value> rowSums = sums.take_back(numRowSums());
  sums = sums.drop_back(rowSums.size());
  int64_t rowSumsOf = rowSums.size() / down, ofRow = sums.size() / down;
  int64_t groups = numProductGroups(), count = steps / groups;
  for (int64_t first = 0; first < steps; first += count) {
    // Until the same steps of the stage before have read their factors.
    if (groups > 1)
      unit->waitForProducts(groups - 1);
    unit->loadFactors(part, first, count);
    unit->beginProducts();
    for (int64_t step = first; step < first + count; ++step)
      for (int64_t i = 0; i < down; ++i) {
        unit->multiplyFromShared(part, step, i, sums.slice(i * ofRow, ofRow));
        if (needsRowSums)
          unit->addFromShared(part, step, i,
                              rowSums.slice(i * rowSumsOf, rowSumsOf));
      }
    unit->endProducts();
  }
}

void GPUContractKernel::multiplyRange(const GroupStage &part,
                                      MutableArrayRef<Value> sums,
                                      int64_t first, int64_t end) {
  int64_t down = rowProducts(), across = columnProducts();
  MutableArrayRef<Value> rowSums = sums.take_back(numRowSums());
  int64_t ofRow = rowSums.size() / down,
          ofProduct = (sums.size() - rowSums.size()) / (down * across);
  for (int64_t step = first; step < end; ++step) {
    SmallVector<Values> a;
    for (int64_t i = 0; i < down; ++i)
      a.push_back(unit->loadLhs(part, step, i));
    SmallVector<Values> b = unit->loadRhs(part, step);
    for (int64_t i = 0; i < down; ++i)
      for (int64_t j = 0; j < across; ++j)
        unit->multiply(part, a[i], b[j],
                       sums.slice((i * across + j) * ofProduct, ofProduct));
    if (!needsRowSums)
      continue;
    for (int64_t i = 0; i < down; ++i)
      unit->addCodes(part, a[i], rowSums.slice(i * ofRow, ofRow));
  }
}

void GPUContractKernel::multiplyStage(Value step, const GroupStage &stage,
                                      MutableArrayRef<Value> carried) {
  if (blockCodes != 0)
    return multiplyBlocks(step, stage, carried);
  GroupStage part(stage);
  if (subtractsOffsets())
    part.rhsOffsets = loadOffsets(Value());
  multiplySteps(part, carried);
}

void GPUContractKernel::overlapStage(Value step, const GroupStage &stage,
                                     MutableArrayRef<Value> carried,
                                     llvm::function_ref<void()> copyAhead) {
  if (blockCodes != 0)
    return overlapBlocks(step, stage, carried, copyAhead);
  multiplyStage(step, stage, carried);
  copyAhead();
  unit->waitForProducts(numProductGroups());
}

GPUContractKernel::Values GPUContractKernel::startAllSums() {
  Values sums;
  for (int64_t i = 0; i < rowProducts() * columnProducts(); ++i)
    sums.append(startSums());
  sums.append(startRowSums(numRowSums()));
  return sums;
}

GPUContractKernel::Values GPUContractKernel::startRowSums(int64_t count) {
  if (!needsRowSums)
    return {};
  if (!isOfValues)
    return Values(count, kernel.body.constantI32(0));
  return Values(count, arith::ConstantOp::create(builder, loc,
                                                 builder.getF32FloatAttr(0)));
}

void GPUContractKernel::storeOnes() {
  if (!needsRowSums || unit->getOnesBytes() == 0)
    return;
  auto type = VectorType::get({lhsChunkCodes()}, lhsType);
  Value ones = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, builder.getOneAttr(lhsType)));
  Value isActive =
      kernel.body.isLess(thread, attr(unit->getOnesBytes() / chunkBytes));
  kernel.body.inBranch(isActive, [&] {
    unit->store(
        ones, shared,
        add(attr(numStages() * stageSize()), mul(thread, sharedChunk())));
  });
}

GPUContractKernel::Values GPUContractKernel::reduce() {
  storeOnes();
  Values inits = blockCodes != 0 ? startBlocks() : startAllSums();
  return unit->hasAsyncCopies() ? reduceAsync(inits) : reduceByRegisters(inits);
}

/// Stage s % numStages of shared memory holds stage s of the reduction. When a
/// group of lanes is behind the barrier of a stage, all have finished the one
/// before, whose memory is filled again. Where products overlap, that one may
/// be under way, and the memory is that of the one before it.
GPUContractKernel::Values GPUContractKernel::reduceAsync(Values inits) {
  int64_t size = stageSize(), numStages = this->numStages();
  bool overlaps = unit->overlapsProducts();
  int64_t ahead = numStages - (overlaps ? 2 : 1);
  size_t count = inits.size();
  for (int64_t i = 0; i < ahead; ++i) {
    std::optional<int64_t> known = getConstantIntValue(numSteps);
    if (known && i >= *known) {
      unit->commitCopies();
      continue;
    }
    Value step = index(attr(i));
    copyStage(step, index(attr(i * size)), /*mayBeBeyond=*/!known,
              unit->getDecodedLhs() ? fetchCodes(step) : Values());
  }
  inits.push_back(index(attr(0)));
  inits.push_back(index(attr(ahead * size)));
  Values results = kernel.body.forCarry(
      attr(0), kernel.import(numSteps), inits,
      [&](Value step, ValueRange carried) {
        Values values(carried);
        Value next = values.pop_back_val(), stage = values.pop_back_val();
        // On its way while products are issued.
        Values codes;
        if (unit->getDecodedLhs())
          codes = fetchCodes(add(step, attr(ahead)));
        unit->waitForCopies(ahead - 1);
        gpu::BarrierOp::create(builder, loc);
        auto copyAhead = [&] {
          copyStage(add(step, attr(ahead)), next, /*mayBeBeyond=*/true, codes);
        };
        if (overlaps) {
          overlapStage(step, describeStage(stage), values, copyAhead);
        } else {
          copyAhead();
          multiplyStage(step, describeStage(stage), values);
        }
        auto advance = [&](Value at) -> Value {
          Value after = add(at, attr(size));
          return kernel.body.select(
              kernel.body.isLess(after, attr(numStages * size)), after,
              index(attr(0)));
        };
        values.push_back(advance(stage));
        values.push_back(advance(next));
        return values;
      });
  unit->waitForProducts(0);
  results.truncate(count);
  if (overlaps && blockCodes != 0)
    addLastBlock(results);
  return results;
}

/// A stage is on its way from global memory to registers while the one before
/// is multiplied. Of two stages of shared memory one is stored to while others
/// may still multiply the other one: one barrier for each step.
GPUContractKernel::Values GPUContractKernel::reduceByRegisters(Values inits) {
  int64_t size = stageSize();
  size_t count = inits.size();
  inits.append(fetchStage(index(attr(0))));
  inits.push_back(index(attr(0)));
  Values results = kernel.body.forCarry(
      attr(0), kernel.import(numSteps), inits,
      [&](Value step, ValueRange carried) {
        Values values(carried);
        Value stage = values.pop_back_val();
        storeStage(ArrayRef(values).drop_front(count), stage);
        gpu::BarrierOp::create(builder, loc);
        // Behind the last step, the last stage once more.
        Value next = add(step, attr(1));
        next = kernel.body.select(isBelow(next, numSteps), next, step);
        Values chunks = fetchStage(next);
        values.truncate(count);
        multiplyStage(step, describeStage(stage), values);
        values.append(chunks);
        values.push_back(
            arith::SubIOp::create(builder, loc, index(attr(size)), stage));
        return values;
      });
  results.truncate(count);
  return results;
}
