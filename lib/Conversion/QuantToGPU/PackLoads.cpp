//===- PackLoads.cpp - Codes to registers and panels ----------------------===//

#include "PackKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

Value PackKernel::isInRun(Value number, Value exists) {
  if (isWhole(runSize, chunkCodes))
    return exists;
  return both(exists, isBelow(number, runSize));
}

PackKernel::Values PackKernel::loadRun(Value at, Value first, Value exists) {
  auto type = VectorType::get({piece / 4}, builder.getI32Type());
  Value none = body.constantI32(flip);
  Values words;
  for (int64_t i = 0; i < chunkBytes; i += piece) {
    Value number = body.sum(first, body.attr(i));
    Value isThere = isInRun(number, exists);
    Value from = body.sum(at, body.div(number, 4));
    // Instead of a branch, the first codes are read once more.
    if (isThere)
      from = body.select(isThere, from, at);
    Value loaded = unit->load(type, codes.base, from);
    for (int64_t j = 0; j < piece / 4; ++j) {
      Value word = vector::ExtractOp::create(builder, loc, loaded, j);
      words.push_back(isThere ? body.select(isThere, word, none) : word);
    }
  }
  return words;
}

Value PackKernel::loadOne(Value at, Value number, Value exists, Value none) {
  Value isThere = isInRun(number, exists);
  if (isThere)
    number = body.select(isThere, number, body.index(0));
  Value from = move(at, codes, runLoops, number);
  Value loaded =
      memref::LoadOp::create(builder, loc, codes.base, ValueRange(from));
  return isThere ? body.select(isThere, loaded, none) : loaded;
}

PackKernel::Values PackKernel::loadColumns(Value at, Value first,
                                           Value exists) {
  Value none = body.constantI32(flip);
  Values words(laneColumns * chunkBytes / 4);
  for (int64_t i = 0; i < chunkBytes; i += 4) {
    Values rows;
    for (int64_t j = 0; j < 4; ++j) {
      Value number = body.sum(first, body.attr(i + j));
      rows.push_back(loadOne(at, number, exists, none));
    }
    for (auto [column, word] : llvm::enumerate(unit->transpose(rows)))
      words[column * chunkBytes / 4 + i / 4] = word;
  }
  return words;
}

PackKernel::Values PackKernel::loadBytes(Value at, Value first, Value exists) {
  Value none = arith::ConstantOp::create(
      builder, loc, builder.getI8IntegerAttr(int8_t(flip)));
  Values words, bytes;
  for (int64_t i = 0; i < chunkBytes; ++i) {
    Value number = body.sum(first, body.attr(i));
    bytes.push_back(loadOne(at, number, exists, none));
    if (bytes.size() < 4)
      continue;
    words.push_back(body.joinBytes(bytes));
    bytes.clear();
  }
  return words;
}

PackKernel::Values PackKernel::loadGroup(Value at, Value first, Value exists) {
  Values words = loads == Loads::Run       ? loadRun(at, first, exists)
                 : loads == Loads::Columns ? loadColumns(at, first, exists)
                                           : loadBytes(at, first, exists);
  for (Value &word : words) {
    // Bits above the width are any.
    if (width < 8)
      word = arith::AndIOp::create(
          builder, loc, word,
          body.constantI32(((1 << width) - 1) * 0x01010101));
    if (flip != 0)
      word = body.bitXor(word, body.constantI32(flip));
  }
  return words;
}

PackKernel::Values PackKernel::loadChunk(Value number, Value exists,
                                         MutableArrayRef<Value> columnSums) {
  if (exists)
    number = body.select(exists, number, body.index(0));
  exists = both(exists, isColumn);
  Value at = source, inRun = number;
  if (getConstantIntValue(outerSize) != 1) {
    Values parts = kernel.delinearize(
        number, {kernel.import(outerSize), kernel.import(runChunks)});
    at = move(at, codes, outerLoops, parts[0]);
    inRun = parts[1];
  }
  Value ones = body.constantI32(0x01010101);
  Values packed;
  for (int64_t group = 0; group < chunkCodes / chunkBytes; ++group) {
    Value first =
        body.sum(body.times(inRun, chunkCodes), body.attr(group * chunkBytes));
    Values words = loadGroup(at, first, exists);
    for (auto [i, word] : llvm::enumerate(words)) {
      if (hasSums) {
        Value &sum = columnSums[i / (chunkBytes / 4)];
        sum = unit->dot(word, ones, sum, /*isLhsSigned=*/true);
      }
      if (group == 0) {
        packed.push_back(word);
        continue;
      }
      Value high = arith::ShLIOp::create(builder, loc, word,
                                         body.constantI32(group * width));
      packed[i] = arith::OrIOp::create(builder, loc, packed[i], high);
    }
  }
  return packed;
}

void PackKernel::storeChunk(Value number, Value exists, ArrayRef<Value> words) {
  constexpr int64_t size = chunkBytes / 4;
  int64_t ofPanel = layout.getPanel();
  Value panel = body.sum(mul(batch, numPanels), body.div(firstColumn, ofPanel));
  Value chunk = body.sum(mul(panel, numChunks), number);
  Value column =
      body.sum(body.times(chunk, ofPanel), body.rem(firstColumn, ofPanel));
  Value at = body.sum(panels.start, body.times(column, size));
  body.inBranch(both(exists, hasPanels), [&] {
    for (int64_t i = 0; i < laneColumns; ++i)
      unit->store(vector::FromElementsOp::create(
                      builder, loc,
                      VectorType::get({size}, builder.getI32Type()),
                      words.slice(i * size, size)),
                  panels.base, body.sum(at, body.attr(i * size)));
  });
}
