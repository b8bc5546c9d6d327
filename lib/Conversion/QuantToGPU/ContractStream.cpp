//===- ContractStream.cpp - Few rows, and weights at the speed of memory --===//
//
// With up to eight rows a contraction takes as long as its weights take to be
// read. A lane has a column: it loads 16 bytes of it at once, as they lie in a
// panel, and multiplies them with the same codes of every row, which all lanes
// of a group load from one address. Nothing goes through shared memory, and
// nobody waits for anybody:
//
//   chunks of the first round            from global memory to registers
//   rounds of the reduction, groups of lanes beside each other
//     chunks of the next round
//     rows: codes of lhs, products
//     ends of blocks: from sums to values
//   sums of groups added in shared memory
//   epilogue of the first group
//
// Values of lhs take more bytes than codes, and more loads: beside them a lane
// has several columns. It decodes four codes of each, once for all rows.
//
//===----------------------------------------------------------------------===//

#include "CodeFloats.h"
#include "ContractKernel.h"

#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

/// Chunks of rhs that a lane loads at once: what is on its way to the lanes of
/// a machine has to cover the time that memory takes.
static constexpr int64_t mostChunks = 8;

bool quant_mlir::streamsValues(ContractOp op, const ContractLoops &loops) {
  int64_t rows = loops.getSize(loops.rows);
  return !loops.isDepthwise && op.hasFloatLhs() && !op.hasFloatRhs() &&
         numerics::isInteger(op.getRhsParams()->getStorage()) && rows > 0 &&
         rows <= 8;
}

/// Columns of a lane beside values: fewer where a wave would not have values in
/// common then, or cores would be idle.
int64_t GPUContractKernel::chooseStreamColumns() {
  int64_t count = target.getStreamColumns(), wave = target.getWaveSize();
  auto ofGroup = [&](int64_t count) {
    return count * std::min(wave, tileColumns / count);
  };
  auto isTooMany = [&] {
    if (target.sharesInWaves() && tileColumns / count < wave)
      return true;
    return ofGroup(count / 2) < ofGroup(count) &&
           int64_t(llvm::divideCeil(guessSize(columns), ofGroup(count))) *
                   guessBatches(numBatches) <
               target.getNumCores();
  };
  while (count > 1 && isTooMany())
    count /= 2;
  return count;
}

std::unique_ptr<MatrixUnit> GPUContractKernel::chooseValueStream() {
  MatrixShape shape;
  shape.isOfValues = true;
  shape.laneRows = known(numRows);
  shape.laneColumns = chooseStreamColumns();
  int64_t all =
      outerSize * llvm::divideCeil(guessSize(runSize), rhsChunkCodes());
  int64_t groups =
      target.getGroupSize() /
      std::min(target.getWaveSize(), tileColumns / shape.laneColumns);
  int64_t chunks = 1;
  while (2 * chunks * shape.laneColumns <= mostChunks &&
         2 * chunks * groups <= all)
    chunks *= 2;
  shape.stagePlanes = chunks * rhsChunkCodes() / lhsChunkCodes();
  return createStreamUnit(kernel.body, target, tileColumns, shape);
}

/// 0 where the contraction does not stream.
int64_t GPUContractKernel::chooseStreamChunks() {
  std::optional<int64_t> known = getConstantIntValue(numRows);
  if (!known || *known == 0 || *known > 8 || findLhsPiece(/*isWhole=*/true) < 4)
    return 0;
  int64_t chunks = 1;
  int64_t all =
      outerSize * llvm::divideCeil(guessSize(runSize), rhsChunkCodes());
  int64_t groups = target.getGroupSize() / 32;
  while (chunks < mostChunks && 2 * chunks * groups <= all)
    chunks *= 2;
  if (std::optional<int64_t> block = countBlockCodes(op)) {
    // Blocks end with the chunks of a lane.
    while (chunks < mostChunks && chunks * rhsChunkCodes() < *block)
      chunks *= 2;
    if (chunks * rhsChunkCodes() % *block != 0)
      return 0;
  }
  return chunks;
}

/// Rows of a panel and columns of it are those of groups and lanes.
void GPUContractKernel::prepareStream() {
  thread = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
  lane = rem(thread, shape().lanes);
  group = div(thread, shape().lanes);
  if (target.sharesInWaves() && shape().lanes % target.getWaveSize() == 0)
    group = unit->shareInWave(group);
  int64_t parts = tileColumns / shape().columns;
  Value number = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::y);
  panel = div(number, parts);
  Value column = add(mul(rem(number, parts), shape().columns),
                     mul(lane, shape().laneColumns));
  firstColumn = add(mul(panel, tileColumns), column);
  firstRow = groupRow = index(attr(0));
  placeBatch();

  int64_t rhsChunk = chunkBytes / rhsElement;
  Value panelNumber = add(mul(batch, numPanels), panel);
  Value panelStart =
      add(rhs.start,
          mul(panelNumber,
              kernel.host.mul(columnChunks, attr(tileColumns * rhsChunk))));
  int64_t chunks = rhsPlanes() / shape().groups;
  for (int64_t i = 0; i < chunks; ++i) {
    RhsChunk part;
    part.plane = add(mul(group, chunks), attr(i));
    part.panel = add(panelStart,
                     mul(add(mul(part.plane, tileColumns), column), rhsChunk));
    for (int64_t of = 0; of < shape().laneColumns; ++of) {
      rhsChunks.push_back(part);
      part.panel = add(part.panel, attr(rhsChunk));
    }
  }
  int64_t lhsChunksOfLane = lhsPlanes() / shape().groups;
  for (int64_t row = 0; row < tileRows; ++row) {
    Value start = kernel.body.address(lhs, placeRow(index(attr(row))));
    for (int64_t i = 0; i < lhsChunksOfLane; ++i) {
      LhsChunk part;
      part.row = start;
      part.plane = add(mul(group, lhsChunksOfLane), attr(i));
      lhsChunks.push_back(part);
    }
  }
}

/// Adds what a round has; `words`: chunks of rhs.
void GPUContractKernel::multiplyRound(Value step, ArrayRef<Value> words,
                                      MutableArrayRef<Value> carried) {
  int64_t rows = tileRows, chunks = words.size();
  int64_t ofChunk = isNibbles ? 2 : 1; // chunks of lhs
  // Words of rhs, in the order of codes.
  SmallVector<Values> factors;
  for (Value chunk : words) {
    Values parts;
    for (int64_t i = 0; i < chunkBytes / 4; ++i)
      parts.push_back(vector::ExtractOp::create(builder, loc, chunk, i));
    factors.push_back(isNibbles ? unit->unpackNibbles(parts) : parts);
  }
  // Chunks of lhs.
  int64_t all = chunks * ofChunk;
  int64_t perBlock =
      blockCodes != 0 ? std::min(all, blockCodes / lhsChunkCodes()) : all;
  int64_t blocks = all / perBlock;
  Value ones = kernel.body.constantI32(0x01010101);
  for (int64_t block = 0; block < blocks; ++block) {
    BlockColumns columns;
    Values sums, rowSums;
    if (blockCodes != 0) {
      Value inRound = add(mul(group, blocks), attr(block));
      columns = loadBlock(add(mul(step, shape().groups * blocks), inRound));
      sums = startSums();
      rowSums.assign(needsRowSums ? rows : 0, kernel.body.constantI32(0));
    } else {
      sums.append(carried.begin(), carried.begin() + rows);
      rowSums.append(carried.begin() + rows, carried.end());
    }
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = block * perBlock; i < (block + 1) * perBlock; ++i) {
        Value codes = fetchLhs(lhsChunks[row * all + i], step);
        ArrayRef<Value> words(factors[i / ofChunk]);
        words = words.slice(i % ofChunk * chunkBytes / 4, chunkBytes / 4);
        for (auto [word, factor] : llvm::enumerate(words)) {
          Value lhsWord = vector::ExtractOp::create(builder, loc, codes, word);
          sums[row] = unit->dot(lhsWord, factor, sums[row], isLhsSigned);
          if (needsRowSums)
            rowSums[row] = unit->dot(lhsWord, ones, rowSums[row], isLhsSigned);
        }
      }
    if (blockCodes != 0) {
      addProduct(columns, /*product=*/0, sums, rowSums, carried);
    } else {
      llvm::copy(sums, carried.begin());
      llvm::copy(rowSums, carried.begin() + rows);
    }
  }
}

/// The same of values; `words`: chunks of all columns of rhs, one after the
/// other. Of blocks that do not end with a round parts are scaled.
void GPUContractKernel::multiplyValueRound(Value step, ArrayRef<Value> words,
                                           MutableArrayRef<Value> carried) {
  int64_t rows = tileRows, columns = shape().laneColumns;
  CodeFloats codes(builder, loc, rhsWidth);
  SmallVector<CodeFloats::Words> factors; // of all columns
  for (; !words.empty(); words = words.drop_front(columns))
    for (int64_t i = 0; i < chunkBytes / 4; ++i) {
      Values parts;
      for (Value chunk : words.take_front(columns))
        parts.push_back(vector::ExtractOp::create(builder, loc, chunk, i));
      auto type = VectorType::get({columns}, builder.getI32Type());
      factors.push_back(codes.prepare(
          vector::FromElementsOp::create(builder, loc, type, parts)));
    }
  // Chunks of lhs, and their parts of four values.
  int64_t all = lhsPlanes() / shape().groups, fours = lhsChunkCodes() / 4;
  int64_t perBlock =
      blockCodes != 0 ? std::gcd(all, blockCodes / lhsChunkCodes()) : all;
  for (int64_t first = 0; first < all; first += perBlock) {
    Value block;
    BlockColumns ofBlock;
    Values sums, rowSums;
    if (blockCodes != 0) {
      Value chunk =
          add(add(mul(step, lhsPlanes()), mul(group, all)), attr(first));
      block = div(chunk, blockCodes / lhsChunkCodes());
      ofBlock = loadBlock(block);
      sums = startSums();
      rowSums = startRowSums(rows);
    } else {
      sums.append(carried.begin(), carried.begin() + rows);
      rowSums.append(carried.begin() + rows, carried.end());
    }
    Values subtracted = codes.getSubtracted(
        loadNumbers(rhsOffsetData, numbers.rhsOffset, block));
    for (int64_t i = first * fours; i < (first + perBlock) * fours; ++i) {
      // The words of a chunk have all low nibbles before the high ones.
      int64_t ofChunk = rhsChunkCodes() / 4, number = i % ofChunk;
      int64_t word = i / ofChunk * (chunkBytes / 4) + number % (chunkBytes / 4);
      Values floats =
          codes.decode(factors[word], number / (chunkBytes / 4), subtracted);
      for (int64_t row = 0; row < rows; ++row) {
        const LhsChunk &part = lhsChunks[row * all + i / fours];
        Value from, exists;
        Value source = locateLhs(part, step, from, exists);
        Values four =
            loadFloats(part, source, add(from, attr(i % fours * 4)), exists);
        for (auto [value, code] : llvm::zip_equal(four, floats))
          sums[row] = vector::FMAOp::create(builder, loc, splat(value), code,
                                            sums[row]);
        for (Value value : four)
          if (needsRowSums)
            rowSums[row] =
                arith::AddFOp::create(builder, loc, rowSums[row], value);
      }
    }
    if (blockCodes != 0) {
      addProduct(ofBlock, /*product=*/0, sums, rowSums, carried);
    } else {
      llvm::copy(sums, carried.begin());
      llvm::copy(rowSums, carried.begin() + rows);
    }
  }
}

/// The sums, or values, of all groups, for the first one.
GPUContractKernel::Values GPUContractKernel::addGroups(ArrayRef<Value> values) {
  bool isInteger = blockCodes == 0 && !isOfValues;
  Type element =
      isInteger ? Type(builder.getI32Type()) : Type(builder.getF32Type());
  int64_t lanes = shape().lanes, groups = shape().groups;
  Values scalars;
  for (Value value : values) {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type)
      scalars.push_back(value);
    for (int64_t i = 0; type && i < type.getNumElements(); ++i)
      scalars.push_back(vector::ExtractOp::create(builder, loc, value, i));
  }
  int64_t count = scalars.size();
  Value memory = kernel.allocateShared(groups * count * lanes, element,
                                       /*alignment=*/16);
  auto locate = [&](Value of, int64_t i) -> Value {
    return add(mul(add(mul(of, count), attr(i)), lanes), lane);
  };
  for (auto [i, scalar] : llvm::enumerate(scalars))
    memref::StoreOp::create(builder, loc, scalar, memory,
                            ValueRange(locate(group, i)));
  gpu::BarrierOp::create(builder, loc);
  Values totals;
  for (int64_t i = 0; i < count; ++i) {
    Value total;
    for (int64_t other = 0; other < groups; ++other) {
      Value part = memref::LoadOp::create(
          builder, loc, memory, ValueRange(locate(index(attr(other)), i)));
      if (!total)
        total = part;
      else if (isInteger)
        total = arith::AddIOp::create(builder, loc, total, part);
      else
        total = arith::AddFOp::create(builder, loc, total, part);
    }
    totals.push_back(total);
  }
  Values results;
  ArrayRef<Value> rest(totals);
  for (Value value : values) {
    auto type = dyn_cast<VectorType>(value.getType());
    int64_t size = type ? type.getNumElements() : 1;
    Value total = rest.front();
    if (type)
      total = vector::FromElementsOp::create(builder, loc, type,
                                             rest.take_front(size));
    results.push_back(total);
    rest = rest.drop_front(size);
  }
  return results;
}

GPUContractKernel::Values GPUContractKernel::streamRounds(
    Values sums, llvm::function_ref<Values(Value)> fetch,
    llvm::function_ref<void(Value, ArrayRef<Value>, MutableArrayRef<Value>)>
        multiply) {
  size_t count = sums.size();
  sums.append(fetch(index(attr(0))));
  Values results = kernel.body.forCarry(
      attr(0), kernel.import(numSteps), sums,
      [&](Value step, ValueRange carried) {
        Values values(carried);
        Values words(ArrayRef(values).drop_front(count));
        values.truncate(count);
        // Behind the last round, the last one once more.
        Value next = add(step, attr(1));
        next = kernel.body.select(isBelow(next, numSteps), next, step);
        Values ahead = fetch(next);
        multiply(step, words, values);
        values.append(ahead);
        return values;
      });
  results.truncate(count);
  return results;
}

void GPUContractKernel::buildStream() {
  prepareStream();
  Values results = streamRounds(
      blockCodes != 0 ? startBlocks() : startAllSums(),
      [&](Value step) {
        Values words;
        for (const RhsChunk &part : rhsChunks)
          words.push_back(fetchRhs(part, step));
        return words;
      },
      [&](Value step, ArrayRef<Value> words, MutableArrayRef<Value> sums) {
        if (isOfValues)
          multiplyValueRound(step, words, sums);
        else
          multiplyRound(step, words, sums);
      });
  Values sums = addGroups(results);
  Value isFirst = kernel.body.isLess(thread, attr(shape().lanes));
  kernel.body.inBranch(isFirst, [&] { finish(sums); });
  int64_t parts = tileColumns / shape().columns;
  kernel.launch({attr(1), kernel.host.mul(numPanels, attr(parts)), numBatches});
}
