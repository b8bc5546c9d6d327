//===- ContractValueStream.cpp - Few rows of values, weights of codes -----===//
//
// With up to eight rows of values a contraction takes as long as its weights
// take to be read. Columns are the rows of the matrix instruction then, and
// rows its columns, of which there are eight: whatever their number, a code is
// decoded once. A warp multiplies 32 columns; a lane has a word of a chunk of
// four of them, and lanes beside each other the other words, straight from
// global memory as they lie in the panel:
//
//   words of the first round             from global memory to registers
//   rounds of the reduction, warps beside each other
//     words of the next round
//     chunks: values of lhs, codes decoded, products
//     ends of blocks: from sums to values
//   sums of warps added in shared memory
//   epilogue                             of all lanes: a column, and its rows
//
// Nobody waits for anybody before the end, and the warps of a workgroup share
// the reduction, so that few columns keep many of them busy.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

/// Columns of a warp, and of a lane.
static constexpr int64_t warpColumns = 32, slots = 4;
/// Chunks of a warp in a round: with the next ones on their way, 64 words of a
/// lane.
static constexpr int64_t mostChunks = 8;

int64_t GPUContractKernel::chooseValueChunks(int64_t warps) {
  std::optional<int64_t> known = getConstantIntValue(numRows);
  if (!target.streamsOnMatrixUnits() || !known || *known == 0 || *known > 8 ||
      op.hasFloatRhs() || !op.hasFloatLhs() || !numbers.minval.values.empty())
    return 0;
  int64_t all =
      outerSize * llvm::divideCeil(guessSize(runSize), rhsChunkCodes());
  int64_t chunks = 1;
  while (chunks < mostChunks && 2 * chunks * warps <= all)
    chunks *= 2;
  // A chunk is of one block.
  if (countBlockCodes(op).value_or(0) % rhsChunkCodes() != 0)
    return 0;
  return chunks;
}

/// More warps share the reduction where there are few columns.
int64_t GPUContractKernel::chooseValueWarps() {
  int64_t groups = llvm::divideCeil(guessSize(columns), warpColumns) *
                   guessBatches(numBatches);
  int64_t all =
      outerSize * llvm::divideCeil(guessSize(runSize), rhsChunkCodes());
  return groups < 4 * target.getNumCores() && all >= 16 ? 8 : 4;
}

namespace {
/// Where a lane reads, fixed before the loop.
struct StreamPlace {
  Value word;                      ///< of the four of a chunk that it has
  Value panelStart;                ///< in words
  SmallVector<Value> panelColumns; ///< in the panel
  Value row;                       ///< index of the row's first value
};
} // namespace

void GPUContractKernel::buildValueStream() {
  GPUBuilder &body = kernel.body;
  int64_t warps = shape().lanes / 32, chunks = rhsPlanes() / warps;
  thread = lane = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
  Value inWarp = rem(thread, 32), warp = div(thread, 32);
  int64_t parts = tileColumns / warpColumns;
  Value number = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::y);
  panel = div(number, parts);
  Value inPanel = mul(rem(number, parts), warpColumns);
  firstColumn = add(add(mul(panel, tileColumns), inPanel), inWarp);
  firstRow = groupRow = groupColumn = index(attr(0));
  placeBatch();

  StreamPlace place;
  place.word = rem(inWarp, 4);
  Value panelNumber = add(mul(batch, numPanels), panel);
  place.panelStart = add(
      add(rhs.start, mul(panelNumber,
                         kernel.host.mul(columnChunks,
                                         attr(tileColumns * chunkBytes / 4)))),
      place.word);
  Value ofLane = div(inWarp, 4);
  for (int64_t slot = 0; slot < slots; ++slot)
    place.panelColumns.push_back(add(add(inPanel, ofLane), attr(8 * slot)));
  Value row = ofLane;
  // A row that does not exist is the first one: nobody asks for its sums.
  if (hasRaggedRows)
    row = kernel.body.select(kernel.body.isLess(row, kernel.import(numRows)),
                             row, index(attr(0)));
  place.row = body.address(lhs, placeRow(row));

  // Of a round, the number of a warp's chunk, and whether it exists.
  auto numberOf = [&](Value step, int64_t chunk) {
    return add(mul(add(mul(step, warps), warp), chunks), attr(chunk));
  };
  bool isRagged = !isWhole(columnChunks, warps * chunks);
  auto existsOf = [&](Value number) {
    return isRagged ? isBelow(number, columnChunks) : Value();
  };
  bool mayBeInfinite = isa<FloatType>(op.getRhsCodesType().getElementType());
  auto fetch = [&](Value step) {
    Values words;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      Value number = numberOf(step, chunk), exists = existsOf(number);
      if (exists)
        number = body.select(exists, number, index(attr(0)));
      for (Value column : place.panelColumns) {
        Value at = mul(add(mul(number, tileColumns), column), chunkBytes / 4);
        Value word = memref::LoadOp::create(
            builder, loc, rhs.base, ValueRange(add(place.panelStart, at)));
        // lhs is 0 there, and infinity times that is not.
        if (exists && mayBeInfinite)
          word = body.select(exists, word, body.constantI32(0));
        words.push_back(word);
      }
    }
    return words;
  };
  int64_t runRhsChunks = known(columnChunks) / outerSize;
  auto loadRow = [&](Value number, int64_t part) {
    LhsChunk chunk;
    chunk.row = place.row;
    Value exists = existsOf(number);
    Value outerNumber = div(number, runRhsChunks),
          inRun = rem(number, runRhsChunks);
    if (outerSize == 1) {
      outerNumber = index(attr(0));
      inRun = number;
    }
    Value source = place.row;
    SmallVector<OpFoldResult> outerSizes;
    for (unsigned loop : outer)
      outerSizes.push_back(sizes[loop]);
    for (auto [loop, position] :
         llvm::zip_equal(outer, kernel.delinearize(outerNumber, outerSizes)))
      source = add(source, body.mul(position, lhs.strides[loop]));
    Value from = add(add(mul(inRun, rhsChunkCodes()), attr(part * 16)),
                     mul(place.word, 4));
    return loadFour(chunk, source, from, exists);
  };

  auto f32 = VectorType::get({1}, builder.getF32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  int64_t perBlock =
      blockCodes != 0 ? std::gcd(chunks, blockCodes / rhsChunkCodes()) : chunks;
  // Columns of a workgroup among the numbers of all.
  Value panelFirst = mul(panel, tileColumns);
  auto multiply = [&](Value step, ArrayRef<Value> words,
                      MutableArrayRef<Value> carried) {
    for (int64_t first = 0; first < chunks; first += perBlock) {
      Value block;
      Values sums(carried);
      if (blockCodes != 0) {
        block = div(numberOf(step, first), blockCodes / rhsChunkCodes());
        sums.assign(carried.size(), zero);
      }
      Values offsets = loadSlotNumbers(rhsOffsetData, numbers.rhsOffset, block,
                                       panelFirst, place.panelColumns);
      for (int64_t chunk = first; chunk < first + perBlock; ++chunk)
        unit->multiplyWords(
            words.slice(chunk * slots, slots), offsets,
            [&](int64_t part) { return loadRow(numberOf(step, chunk), part); },
            sums);
      if (blockCodes == 0) {
        llvm::copy(sums, carried.begin());
        continue;
      }
      Values scales = loadSlotNumbers(multiplierData, numbers.multiplier, block,
                                      panelFirst, place.panelColumns);
      for (auto [i, value] : llvm::enumerate(carried))
        value =
            LLVM::FMAOp::create(builder, loc, sums[i], scales[i / 2], value);
    }
  };

  Values results = streamRounds(Values(2 * slots, zero), fetch, multiply);

  // [warp][row][column], and between rows as much as keeps those that lanes
  // have, of two rows each, in banks of their own.
  constexpr int64_t rowSize = warpColumns + 4;
  Value memory = kernel.allocateShared(warps * 8 * rowSize,
                                       builder.getF32Type(), /*alignment=*/16);
  auto locate = [&](Value warp, Value row, Value column) {
    return add(mul(add(mul(warp, 8), row), rowSize), column);
  };
  for (auto [i, sum] : llvm::enumerate(results)) {
    Value at = locate(warp, add(mul(place.word, 2), attr(i % 2)),
                      add(ofLane, attr(8 * (i / 2))));
    memref::StoreOp::create(builder, loc, sum, memory, ValueRange(at));
  }
  gpu::BarrierOp::create(builder, loc);
  Values totals;
  for (int64_t i = 0; i < shape().laneRows; ++i) {
    Value row = add(warp, attr(i * shape().rowStride)), total;
    for (int64_t other = 0; other < warps; ++other) {
      Value part = memref::LoadOp::create(
          builder, loc, memory,
          ValueRange(locate(index(attr(other)), row, inWarp)));
      total = total ? Value(arith::AddFOp::create(builder, loc, total, part))
                    : part;
    }
    if (blockCodes != 0)
      total = vector::BroadcastOp::create(builder, loc, f32, total);
    totals.push_back(total);
  }
  finish(totals);
  kernel.launch({attr(1), kernel.host.mul(numPanels, attr(parts)), numBatches});
}

/// One number for each of a lane's columns; none where all are 0.
GPUContractKernel::Values GPUContractKernel::loadSlotNumbers(
    const FlatOperand &operand, const ColumnNumbers &numbers, Value block,
    Value panelFirst, ArrayRef<Value> panelColumns) {
  if (numbers.isZero())
    return {};
  Values result;
  for (Value column : panelColumns)
    result.push_back(vector::ExtractOp::create(
        builder, loc,
        loadNumbers(operand, numbers, block, add(panelFirst, column)), 0));
  return result;
}

/// Four values of lhs that follow each other from `from` on, zeros where there
/// are none.
Value GPUContractKernel::loadFour(const LhsChunk &part, Value source,
                                  Value from, Value exists) {
  auto type = VectorType::get({4}, lhs.element);
  Value zeros =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  bool isRagged = runMultiple % rhsChunkCodes() != 0;
  if (lhsPiece >= 4) {
    if (isRagged)
      exists = kernel.body.both(exists, isBelow(from, runSize));
    Value at = add(source, from);
    if (exists)
      at = kernel.body.select(exists, at, part.row);
    Value values = unit->load(type, lhs.base, at);
    return exists ? kernel.body.select(exists, values, zeros) : values;
  }
  return vector::FromElementsOp::create(
      builder, loc, type, gatherCodes(part, source, from, exists, 4));
}

GPUContractKernel::Values GPUContractKernel::loadFloats(const LhsChunk &part,
                                                        Value source,
                                                        Value from,
                                                        Value exists) {
  Value four = loadFour(part, source, from, exists);
  ElementArith arith(builder, loc, four);
  if (!lhs.element.isF32())
    four = arith.cast<arith::ExtFOp>(arith.f32(), four);
  Values floats;
  for (int64_t i = 0; i < 4; ++i)
    floats.push_back(vector::ExtractOp::create(builder, loc, four, i));
  return floats;
}
