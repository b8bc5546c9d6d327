//===- ContractOverlap.cpp - Blocks beside products under way -------------===//
//
// Where products overlap, sums of a row of products of a block are added to
// values when the next row is under way. Those of the last row of a stage are
// added in the next stage: they are waited for alone before its first products,
// since the assembler counts only those of one turn of a loop, and makes all
// wait for each other where sums are read that may still change.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

using namespace mlir;
using namespace quant_mlir;

Value GPUContractKernel::getBlockOf(Value step, int64_t part) {
  Value number = add(mul(step, stageCodes() / partCodes()), attr(part));
  return div(number, blockCodes / partCodes());
}

/// `carried`: values of the lane's rows, and the last sums of the stage before,
/// which are under way. Before the first stage those are zeros of no block.
void GPUContractKernel::overlapBlocks(Value step, const GroupStage &stage,
                                      MutableArrayRef<Value> carried,
                                      llvm::function_ref<void()> copyAhead) {
  GroupStage part(stage);
  MutableArrayRef<Value> values = carried.take_front(numLaneRows()),
                         sums = carried.drop_front(numLaneRows());
  int64_t parts = stageCodes() / partCodes(), steps = stageSteps() / parts;
  SmallVector<BlockColumns> columns;
  for (int64_t i = 0; i < parts; ++i)
    columns.push_back(loadBlock(getBlockOf(step, i)));
  Value isFirst = kernel.body.isLess(step, attr(1));
  Value before = kernel.body.select(
      isFirst, step, arith::SubIOp::create(builder, loc, step, index(attr(1))));
  BlockColumns last = loadBlock(getBlockOf(before, parts - 1));
  Value none = arith::ConstantOp::create(
      builder, loc,
      builder.getZeroAttr(cast<VectorType>(last.multiplier.getType())));
  last.multiplier =
      arith::SelectOp::create(builder, loc, isFirst, none, last.multiplier);
  int64_t lastProduct = rowProducts() - 1;
  for (int64_t i = 0; i < parts; ++i) {
    if (subtractsOffsets())
      part.rhsOffsets = loadOffsets(getBlockOf(step, i));
    // Not those of products under way, which are of the last part.
    unit->loadFactors(part, i * steps, steps);
    for (int64_t product = 0; product < rowProducts(); ++product) {
      bool isFirstOfStage = i == 0 && product == 0;
      if (isFirstOfStage)
        unit->waitForProducts(0);
      Values next(sums.size());
      unit->beginProducts();
      for (int64_t of = 0; of < steps; ++of)
        unit->multiplyFromShared(part, i * steps + of, product, next);
      unit->endProducts();
      if (isFirstOfStage)
        copyAhead();
      else
        unit->waitForProducts(1);
      addProduct(last, lastProduct, sums, {}, values);
      llvm::copy(next, sums.begin());
      last = columns[i];
      lastProduct = product;
    }
  }
}

void GPUContractKernel::addLastBlock(MutableArrayRef<Value> carried) {
  BlockColumns columns = loadBlock(getBlockOf(index(attr(known(numSteps) - 1)),
                                              stageCodes() / partCodes() - 1));
  addProduct(columns, rowProducts() - 1, carried.drop_front(numLaneRows()), {},
             carried.take_front(numLaneRows()));
}
