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
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

/// Chunks of rhs that a lane loads at once: what is on its way to the lanes of
/// a machine has to cover the time that memory takes.
static constexpr int64_t mostChunks = 8;

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
  if (std::optional<std::pair<unsigned, int64_t>> block =
          op.getReductionBlock()) {
    // Blocks end with the chunks of a lane.
    while (chunks < mostChunks && chunks * rhsChunkCodes() < block->second)
      chunks *= 2;
    if (chunks * rhsChunkCodes() % block->second != 0)
      return 0;
  }
  return chunks;
}

/// Rows of a panel and columns of it are those of groups and lanes.
void GPUContractKernel::prepareStream() {
  thread = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
  lane = rem(thread, shape().lanes);
  Value group = div(thread, shape().lanes);
  int64_t parts = tileColumns / shape().columns;
  Value number = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::y);
  panel = div(number, parts);
  Value column = add(mul(rem(number, parts), shape().columns), lane);
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
    rhsChunks.push_back(part);
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
  Value group = div(thread, shape().lanes);
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

/// The sums, or values, of all groups, for the first one.
GPUContractKernel::Values GPUContractKernel::addGroups(ArrayRef<Value> values) {
  Type element =
      blockCodes != 0 ? Type(builder.getF32Type()) : Type(builder.getI32Type());
  int64_t lanes = shape().lanes, groups = shape().groups;
  int64_t count = values.size();
  Value memory = kernel.allocateShared(groups * count * lanes, element,
                                       /*alignment=*/16);
  Value group = div(thread, lanes);
  auto locate = [&](Value group, int64_t i) -> Value {
    return add(mul(add(mul(group, count), attr(i)), lanes), lane);
  };
  auto type = VectorType::get({1}, element);
  for (auto [i, value] : llvm::enumerate(values)) {
    Value scalar = value;
    if (isa<VectorType>(value.getType()))
      scalar = vector::ExtractOp::create(builder, loc, value, 0);
    memref::StoreOp::create(builder, loc, scalar, memory,
                            ValueRange(locate(group, i)));
  }
  gpu::BarrierOp::create(builder, loc);
  Values results;
  for (int64_t i = 0; i < count; ++i) {
    Value total;
    for (int64_t other = 0; other < groups; ++other) {
      Value part = memref::LoadOp::create(
          builder, loc, memory, ValueRange(locate(index(attr(other)), i)));
      if (!total)
        total = part;
      else if (blockCodes != 0)
        total = arith::AddFOp::create(builder, loc, total, part);
      else
        total = arith::AddIOp::create(builder, loc, total, part);
    }
    if (blockCodes != 0)
      total = vector::BroadcastOp::create(builder, loc, type, total);
    results.push_back(total);
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
        multiplyRound(step, words, sums);
      });
  Values sums = addGroups(results);
  Value isFirst = kernel.body.isLess(thread, attr(shape().lanes));
  kernel.body.inBranch(isFirst, [&] { finish(sums); });
  int64_t parts = tileColumns / shape().columns;
  kernel.launch({attr(1), kernel.host.mul(numPanels, attr(parts)), numBatches});
}
