//===- ContractRegisters.cpp - From global memory through registers -------===//
//
// Copies to shared memory of what does not get there by itself: all of a stage,
// where a unit has no asynchronous copies, or what becomes other values on its
// way. Lanes read first, and store what they have read behind products.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

Value GPUContractKernel::locatePiece(const LhsChunk &part, Value source,
                                     Value from, int64_t piece, Value &exists) {
  if (runMultiple % rhsChunkCodes() != 0)
    exists = kernel.body.both(exists, isBelow(add(from, attr(piece)), runSize));
  Value at = add(source, add(div(from, lhsElement), attr(piece / lhsElement)));
  // Instead of a branch, the row's first codes are read once more.
  return exists ? kernel.body.select(exists, at, part.row) : at;
}

//===----------------------------------------------------------------------===//
// What becomes other values
//===----------------------------------------------------------------------===//

GPUContractKernel::Values GPUContractKernel::fetchCodes(Value step) {
  Value isStage = isBelow(step, numSteps);
  auto type = VectorType::get({lhsPiece}, lhs.element);
  auto chunkType = VectorType::get({lhsChunkCodes()}, lhs.element);
  Value zeros =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  Values result;
  for (const LhsChunk &part : lhsChunks) {
    Value from, exists;
    Value source = locateLhs(part, step, from, exists);
    exists = kernel.body.both(kernel.body.both(exists, isStage), part.isActive);
    if (lhsCopy == LhsCopy::Gather) {
      result.push_back(vector::FromElementsOp::create(
          builder, loc, chunkType,
          gatherCodes(part, source, from, exists, lhsChunkCodes())));
      continue;
    }
    Values codes;
    for (int64_t piece = 0; piece < lhsChunkCodes(); piece += lhsPiece) {
      Value isThere = exists;
      Value at = locatePiece(part, source, from, piece, isThere);
      Value some = arith::SelectOp::create(
          builder, loc, isThere, unit->load(type, lhs.base, at), zeros);
      for (int64_t i = 0; i < lhsPiece; ++i)
        codes.push_back(vector::ExtractOp::create(builder, loc, some, i));
    }
    result.push_back(
        vector::FromElementsOp::create(builder, loc, chunkType, codes));
  }
  return result;
}

void GPUContractKernel::storeDecoded(const LhsChunk &part, Value codes,
                                     Value stage) {
  for (auto [i, values] : llvm::enumerate(unit->decodeLhs(codes)))
    unit->store(values, shared,
                add(stage, add(part.shared, attr(i * lhsPartSize()))));
}

//===----------------------------------------------------------------------===//
// Whole stages
//===----------------------------------------------------------------------===//

/// Of `codes`, elements of lhs that fill them, the first in the low bits.
GPUContractKernel::Values GPUContractKernel::joinWords(ArrayRef<Value> codes) {
  Type i32 = builder.getI32Type(), element = codes.front().getType();
  int64_t ofWord = 4 / lhsBytes;
  Values words;
  for (; !codes.empty(); codes = codes.drop_front(ofWord)) {
    if (lhsBytes == 1) {
      words.push_back(kernel.body.joinBytes(codes.take_front(ofWord)));
      continue;
    }
    Value values = vector::FromElementsOp::create(
        builder, loc, VectorType::get({ofWord}, element),
        codes.take_front(ofWord));
    Value word = vector::BitCastOp::create(builder, loc,
                                           VectorType::get({1}, i32), values);
    words.push_back(vector::ExtractOp::create(builder, loc, word, 0));
  }
  return words;
}

/// Those of a piece of lhs. Its buffer is of words where `lhsElement` says so,
/// else of its own elements.
GPUContractKernel::Values GPUContractKernel::loadPiece(Value at) {
  int64_t count = lhsPiece * lhsBytes / 4;
  Value piece = unit->load(
      VectorType::get({lhsPiece / lhsElement}, lhs.element), lhs.base, at);
  if (!lhs.element.isInteger(32))
    piece = vector::BitCastOp::create(
        builder, loc, VectorType::get({count}, builder.getI32Type()), piece);
  Values words;
  for (int64_t i = 0; i < count; ++i)
    words.push_back(vector::ExtractOp::create(builder, loc, piece, i));
  return words;
}

Value GPUContractKernel::fetchLhs(const LhsChunk &part, Value step) {
  Value from, exists;
  Value source = locateLhs(part, step, from, exists);
  exists = kernel.body.both(exists, part.isActive);
  Value zero = kernel.body.constantI32(0);
  auto flip = [&](Value word) {
    return isLhsFlipped
               ? kernel.body.bitXor(word, kernel.body.constantI32(0x80808080))
               : word;
  };
  Values words;
  if (lhsCopy == LhsCopy::Gather) {
    for (Value word :
         joinWords(gatherCodes(part, source, from, exists, lhsChunkCodes())))
      words.push_back(flip(word));
  } else {
    for (int64_t piece = 0; piece < lhsChunkCodes(); piece += lhsPiece) {
      Value isThere = exists;
      Value at = locatePiece(part, source, from, piece, isThere);
      for (Value word : loadPiece(at)) {
        word = flip(word);
        words.push_back(isThere ? kernel.body.select(isThere, word, zero)
                                : word);
      }
    }
  }
  return vector::FromElementsOp::create(
      builder, loc, VectorType::get({chunkBytes / 4}, builder.getI32Type()),
      words);
}

Value GPUContractKernel::fetchRhs(const RhsChunk &part, Value step) {
  Value exists;
  Value source = locateRhs(part, step, exists);
  exists = kernel.body.both(exists, part.isActive);
  if (exists)
    source = kernel.body.select(exists, source, index(rhs.start));
  auto type = VectorType::get({chunkBytes / 4}, builder.getI32Type());
  Value words = unit->load(type, rhs.base, source);
  // Codes of lhs that they would be multiplied with are zeros. Of what may be
  // infinite a product with 0 is not.
  if (exists && isa<FloatType>(op.getRhsCodesType().getElementType())) {
    Value zeros =
        arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
    words = kernel.body.select(exists, words, zeros);
  }
  return words;
}

GPUContractKernel::Values GPUContractKernel::fetchStage(Value step) {
  Values chunks;
  for (const LhsChunk &part : lhsChunks)
    chunks.push_back(fetchLhs(part, step));
  for (const RhsChunk &part : rhsChunks)
    chunks.push_back(fetchRhs(part, step));
  return chunks;
}

void GPUContractKernel::storeStage(ArrayRef<Value> chunks, Value stage) {
  auto storeChunk = [&](const auto &part) {
    kernel.body.inBranch(part.isActive, [&] {
      unit->store(chunks.front(), shared, add(stage, part.shared));
    });
    chunks = chunks.drop_front();
  };
  llvm::for_each(lhsChunks, storeChunk);
  llvm::for_each(rhsChunks, storeChunk);
}
