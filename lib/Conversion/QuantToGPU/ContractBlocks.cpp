//===- ContractBlocks.cpp - Blocks that have scales of their own ----------===//
//
// docs/numerics.md section 6: every block of the reduction is an exact sum of
// integers, and the blocks, each times its scale, are added in binary32:
//
//   value = fma(float(acc of block b), scale[b][c], value)
//
// Panels have the codes of a block one behind the other, also where it spans
// several reductions. Where stages are whole blocks, each ends within a stage.
// Sums of others go from stage to stage, beside the values.
//
// Where products overlap: ContractOverlap.cpp.
//
// Where nothing but products is in a sum, and it has fewer than 23 bits, it
// begins with the bits of 1.5 * 2^23 instead of 0: as a float it then is that
// number and the sum, and what is left to do is to subtract. Nibbles are
// multiplied as 16 times the code, which goes into the scale.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

static constexpr int32_t biasedStart = 0x4B400000;
static constexpr double biasValue = 12582912.0;

std::optional<int64_t> quant_mlir::countBlockCodes(ContractOp op) {
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  if (!block)
    return std::nullopt;
  ArrayRef<int64_t> reduction = op.getLayout()->getReduction();
  const int64_t *split = llvm::find(reduction, int64_t(block->first));
  int64_t codes = block->second;
  for (const int64_t *dim = split + 1; dim != reduction.end(); ++dim)
    codes *= op.getRhsCodesType().getDimSize(*dim);
  return codes;
}

std::string quant_mlir::findNoBlocksReason(ContractOp op) {
  std::optional<int64_t> codes = countBlockCodes(op);
  if (!codes)
    return "";
  numerics::PanelLayout layout = op.getLayout()->getPanelLayout();
  for (int64_t dim : layout.reduction) {
    if (dim == op.getReductionBlock()->first)
      break;
    if (layout.shape[dim] != 1)
      return "its layout has blocks of its right-hand side in pieces";
  }
  if (layout.numOuter() != 1 && layout.runSize() % layout.tupleSize() != 0)
    return "its layout fills up parts of a block";
  if (layout.block != 0 || !GPUTarget::hasBlocksOf(*codes))
    return "blocks of its right-hand side are not of 16 or a multiple of 32 "
           "codes";
  return "";
}

void GPUContractKernel::chooseBlocks() {
  std::optional<int64_t> codes = countBlockCodes(op);
  if (!codes)
    return;
  blockCodes = std::min(
      *codes, int64_t(llvm::alignTo(known(reductionSize), stageCodes())));
  numBlocks = llvm::divideCeil(known(reductionSize), blockCodes);
}

int64_t GPUContractKernel::numBlockRows() const {
  // Also of what a stage has beyond the last block.
  return std::max<int64_t>(
      numBlocks, llvm::divideCeil(known(numSteps) * stageCodes(), blockCodes));
}

/// After the numbers of columns are known.
void GPUContractKernel::chooseSums() {
  correctsSums = zeroPoint.base || lhsZero != 0 ||
                 (!subtractsOffsets() && !numbers.rhsOffset.isZero());
  int64_t mostLhs = isLhsSigned ? 128 : 255;
  // Sums that are 16 times as much stay so, beside scales of a 16th, unless
  // something would be rounded.
  std::vector<float> &scales = numbers.multiplier.values;
  float factor = float(1 << sumShift());
  scalesSums =
      factor != 1 && blockCodes <= 4096 &&
      llvm::all_of(scales, [&](float x) { return x / factor * factor == x; });
  if (scalesSums) {
    for (float &scale : scales)
      scale /= factor;
    for (float &offset : numbers.rhsOffset.values)
      offset *= factor;
  }
  // Where nothing is added to at first there is no start either.
  isBiased = !correctsSums && !unit->overlapsProducts() &&
             (scalesSums || factor == 1) &&
             blockCodes * mostLhs * 128 <= 1 << 22;
}

GPUContractKernel::Values GPUContractKernel::startSums() {
  Values sums = unit->getZeros();
  if (!isBiased)
    return sums;
  for (Value &sum : sums) {
    Type type = sum.getType();
    Attribute start = builder.getI32IntegerAttr(biasedStart);
    if (auto vector = dyn_cast<VectorType>(type))
      start = DenseElementsAttr::get(vector, start);
    sum = arith::ConstantOp::create(builder, loc, cast<TypedAttr>(start));
  }
  return sums;
}

GPUContractKernel::Values GPUContractKernel::startRowOfSums() {
  Values sums;
  for (int64_t j = 0; j < columnProducts(); ++j)
    sums.append(startSums());
  return sums;
}

/// What is carried from stage to stage: values of the lane's rows, and behind
/// them the sums of a block that is longer than a stage, or of a row of
/// products that is under way.
GPUContractKernel::Values GPUContractKernel::startBlocks() {
  auto type = VectorType::get({laneColumns()}, builder.getF32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  Values carried(numLaneRows(), zero);
  if (unit->overlapsProducts())
    carried.append(startRowOfSums());
  else if (!endsBlocksInStage() && !unit->isStreaming())
    carried.append(startAllSums());
  if (!zeroPoint.base)
    return carried;
  // Rows that do not exist have the first one's.
  forLaneRows([&](int64_t, const LaneRow &row) {
    Value number = row.number;
    if (row.exists)
      number = kernel.body.select(row.exists, number, index(attr(0)));
    Value at = kernel.body.address(zeroPoint, placeRow(number));
    Value zero =
        memref::LoadOp::create(builder, loc, zeroPoint.base, ValueRange(at));
    if (lhsOffset() != 0)
      zero = arith::SubIOp::create(builder, loc, zero,
                                   kernel.body.constantI32(lhsOffset()));
    rowZeros.push_back(zero);
  });
  return carried;
}

//===----------------------------------------------------------------------===//
// A block
//===----------------------------------------------------------------------===//

GPUContractKernel::BlockColumns GPUContractKernel::loadBlock(Value block) {
  BlockColumns result;
  result.multiplier = loadNumbers(multiplierData, numbers.multiplier, block);
  if (!numbers.minval.values.empty())
    result.minval = loadNumbers(minvalData, numbers.minval, block);
  if (isOfValues)
    return result;
  if (!subtractsOffsets() && !numbers.rhsOffset.isZero())
    result.rhsOffset = loadNumbers(rhsOffsetData, numbers.rhsOffset, block);
  if (!zeroPoint.base && lhsZero == 0)
    return result;
  // Beyond the last block scales are zeros.
  Value last = index(attr(numBlocks - 1));
  if (numBlockRows() != numBlocks)
    block = arith::MinUIOp::create(builder, loc, block, last);
  int64_t rest = known(reductionSize) - (numBlocks - 1) * blockCodes;
  result.length = kernel.body.constantI32(blockCodes);
  if (rest != blockCodes)
    result.length = kernel.body.select(
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, block,
                              last),
        kernel.body.constantI32(rest), result.length);
  Value number = add(mul(block, numBatches), batch);
  result.sums = loadSums(add(sums.start, mul(number, columns)));
  ElementArith arith(builder, loc, result.sums);
  if (!numbers.rhsZero.isZero()) {
    Value zeros = arith::MulIOp::create(
        builder, loc, loadNumbers(rhsZeroData, numbers.rhsZero, block),
        splat(result.length));
    result.sums = arith.sub(result.sums, zeros);
  }
  if (scalesSums)
    result.sums = arith::ShLIOp::create(builder, loc, result.sums,
                                        arith.intConstant(int32_t(sumShift())));
  return result;
}

Value GPUContractKernel::addBlock(const BlockColumns &columns, Value sum,
                                  Value rowSum, Value rowZero, Value value) {
  ElementArith arith(builder, loc, sum);
  auto fma = [&](Value a, Value b) -> Value {
    return vector::FMAOp::create(builder, loc, a, b, value);
  };
  auto subtractProduct = [&](Value scalar, Value vector) {
    sum = arith.sub(sum,
                    arith::MulIOp::create(builder, loc, splat(scalar), vector));
  };
  Value factor;
  if (isOfValues) {
    factor = sum;
  } else if (isBiased) {
    factor = arith.subf(arith.bitcast(arith.f32(), sum),
                        arith.floatConstant(biasValue));
  } else {
    if (int64_t bits = scalesSums ? 0 : sumShift())
      sum = arith::ShRSIOp::create(builder, loc, sum, arith.intConstant(bits));
    if (columns.sums)
      subtractProduct(rowZero, columns.sums);
    if (columns.rhsOffset)
      subtractProduct(rowSum, columns.rhsOffset);
    factor = arith.cast<arith::SIToFPOp>(arith.f32(), sum);
  }
  value = fma(factor, columns.multiplier);
  if (!columns.minval)
    return value;
  Value centred = rowSum;
  if (columns.length)
    centred = arith::SubIOp::create(
        builder, loc, centred,
        arith::MulIOp::create(builder, loc, rowZero, columns.length));
  if (!isOfValues)
    centred =
        arith::SIToFPOp::create(builder, loc, builder.getF32Type(), centred);
  return fma(splat(centred), columns.minval);
}

/// Adds a block of row product `product`.
void GPUContractKernel::addProduct(const BlockColumns &columns, int64_t product,
                                   ArrayRef<Value> sums,
                                   ArrayRef<Value> rowSums,
                                   MutableArrayRef<Value> values) {
  for (int64_t part = 0; part < shape().laneRows; ++part) {
    int64_t row = product * shape().laneRows + part;
    Value rowSum, rowZero;
    if (needsRowSums)
      rowSum = unit->addAcrossLanes(rowSums[part]);
    if (zeroPoint.base)
      rowZero = rowZeros[row];
    else if (lhsZero != 0)
      rowZero = kernel.body.constantI32(lhsZero);
    values[row] = addBlock(columns, getRowOfSums(sums, part), rowSum, rowZero,
                           values[row]);
  }
}

void GPUContractKernel::addProducts(const BlockColumns &columns,
                                    ArrayRef<Value> sums,
                                    MutableArrayRef<Value> values) {
  int64_t ofLane = needsRowSums ? shape().laneRows : 0;
  ArrayRef<Value> rowSums = sums.take_back(rowProducts() * ofLane);
  sums = sums.drop_back(rowSums.size());
  int64_t ofRow = sums.size() / rowProducts();
  for (int64_t product = 0; product < rowProducts(); ++product)
    addProduct(columns, product, sums.slice(product * ofRow, ofRow),
               rowSums.slice(product * ofLane, ofLane), values);
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

void GPUContractKernel::multiplyBlocks(Value step, const GroupStage &stage,
                                       MutableArrayRef<Value> carried) {
  GroupStage part(stage);
  MutableArrayRef<Value> values = carried.take_front(numLaneRows());
  if (!endsBlocksInStage())
    return addAtEndOfBlocks(step, part, carried);
  if (unit->multipliesBySteps())
    return multiplyBySteps(step, part, values);
  int64_t down = rowProducts(), across = columnProducts();
  // Blocks of a stage, and of a step; steps of a block.
  int64_t blocks = stageCodes() / blockCodes,
          parts = std::max<int64_t>(stepCodes() / blockCodes, 1),
          steps = std::max<int64_t>(blockCodes / stepCodes(), 1);
  SmallVector<BlockColumns> columns;
  for (int64_t block = 0; block < blocks; ++block)
    columns.push_back(loadBlock(add(mul(step, blocks), attr(block))));
  SmallVector<SmallVector<Values>> ofLhs(steps), ofRhs(steps);
  for (int64_t block = 0; block < blocks; ++block) {
    if (isOfValues)
      part.rhsOffsets = loadOffsets(add(mul(step, blocks), attr(block)));
    bool isFirst = block % parts == 0;
    for (int64_t i = 0; i < steps; ++i) {
      int64_t number = block / parts * steps + i;
      // Codes of a step are decoded with what belongs to their block.
      if (isFirst || !part.rhsOffsets.empty())
        ofRhs[i] = unit->loadRhs(part, number);
      if (!isFirst)
        continue;
      ofLhs[i].clear();
      for (int64_t product = 0; product < down; ++product)
        ofLhs[i].push_back(unit->loadLhs(part, number, product));
    }
    // Factors of a step have those of its blocks one behind the other.
    auto takeBlock = [&](ArrayRef<Value> factors) {
      int64_t size = factors.size() / parts;
      return factors.slice(block % parts * size, size);
    };
    for (int64_t product = 0; product < down; ++product) {
      Values sums = startRowOfSums();
      int64_t ofProduct = sums.size() / across;
      Values rowSums = startRowSums(shape().laneRows);
      for (int64_t i = 0; i < steps; ++i) {
        for (int64_t j = 0; j < across; ++j)
          unit->multiply(part, takeBlock(ofLhs[i][product]),
                         takeBlock(ofRhs[i][j]),
                         MutableArrayRef(sums).slice(j * ofProduct, ofProduct));
        if (needsRowSums)
          unit->addCodes(part, takeBlock(ofLhs[i][product]), rowSums);
      }
      addProduct(columns[block], product, sums, rowSums, values);
    }
  }
}

/// With the sums of all products at once, for units that are done with the
/// factors of a step before they load others.
void GPUContractKernel::multiplyBySteps(Value step, const GroupStage &stage,
                                        MutableArrayRef<Value> values) {
  GroupStage part(stage);
  int64_t blocks = stageCodes() / blockCodes, steps = stageSteps() / blocks;
  for (int64_t i = 0; i < blocks; ++i) {
    Value block = add(mul(step, blocks), attr(i));
    part.rhsOffsets = loadOffsets(block);
    Values sums = startAllSums();
    multiplyRange(part, sums, i * steps, (i + 1) * steps);
    addProducts(loadBlock(block), sums, values);
  }
}

/// By the largest parts of a stage that blocks are whole numbers of.
void GPUContractKernel::addAtEndOfBlocks(Value step, const GroupStage &stage,
                                         MutableArrayRef<Value> carried) {
  int64_t codes = std::gcd(blockCodes, stageCodes()),
          parts = stageCodes() / codes, ofBlock = blockCodes / codes,
          steps = stageSteps() / parts;
  auto isZero = [&](Value a, int64_t b) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a,
                                 index(attr(b)));
  };
  for (int64_t i = 0; i < parts; ++i) {
    GroupStage part(stage);
    Value number = add(mul(step, parts), attr(i));
    if (isOfValues)
      part.rhsOffsets = loadOffsets(div(number, ofBlock));
    MutableArrayRef<Value> sums = carried.drop_front(numLaneRows());
    if (parts == 1)
      multiplySteps(part, sums);
    else
      multiplyRange(part, sums, i * steps, (i + 1) * steps);
    Value ends = isZero(rem(add(number, attr(1)), ofBlock), 0);
    if (i == parts - 1)
      ends = arith::OrIOp::create(builder, loc, ends,
                                  isZero(add(step, attr(1)), known(numSteps)));
    auto branch = scf::IfOp::create(
        builder, loc, ValueRange(ArrayRef<Value>(carried)).getTypes(), ends,
        /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(builder, loc, ArrayRef<Value>(carried));
    builder.setInsertionPointToStart(branch.thenBlock());
    BlockColumns columns = loadBlock(div(number, ofBlock));
    Values values(carried.take_front(numLaneRows()));
    addProducts(columns, sums, values);
    values.append(startAllSums());
    scf::YieldOp::create(builder, loc, values);
    llvm::copy(branch.getResults(), carried.begin());
  }
}
