//===- DepthwiseRegisters.cpp - Channels in registers ---------------------===//
//
// Where the dot instruction sums four codes, there are four registers of
// accumulators, and the codes of four rows of the window are interleaved within
// lanes of 16 bytes, by two steps of unpacking. What comes out has channels in
// another order: register j holds channels 16 * k + 4 * j of lane k. Weights,
// bias and multipliers are loaded in that order, once, and making codes undoes
// it. Where it sums fewer, codes are widened, and one register is enough.
//
//===----------------------------------------------------------------------===//

#include "DepthwiseKernel.h"

using namespace mlir;
using namespace quant_mlir;

DotProduct DepthwiseKernel::chooseDot(int64_t left) const {
  int64_t lanes = dot.getLanes();
  while (getRegisters() > 1 && lanes > 4 && left < getRegisters() * lanes)
    lanes /= 2;
  return dot.withLanes(lanes);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Value DepthwiseKernel::recast(Value vector, int64_t count, unsigned width) {
  return vector::BitCastOp::create(
      kernel.builder, kernel.loc,
      VectorType::get({count}, kernel.builder.getIntegerType(width)), vector);
}

/// Calls `body` for powers of two that add up to `count`: place and size.
static void forPowers(int64_t count,
                      llvm::function_ref<void(int64_t, int64_t)> body) {
  for (int64_t done = 0; done < count;) {
    int64_t size = llvm::bit_floor(uint64_t(count - done));
    body(done, size);
    done += size;
  }
}

Value DepthwiseKernel::loadPart(const FlatOperand &operand, Value index,
                                int64_t count, int64_t valid) {
  if (valid >= count)
    return kernel.load(operand, index, count);
  OpBuilder &builder = kernel.builder;
  if (target.getDotKind() == DotKind::AVX512VNNI)
    return kernel.loadFirst(operand, index, count, builder.getIndexAttr(valid));
  auto type = VectorType::get({count}, operand.element);
  Value result =
      arith::ConstantOp::create(builder, kernel.loc, builder.getZeroAttr(type));
  forPowers(valid, [&](int64_t place, int64_t size) {
    Value piece = kernel.load(operand, at(index, place), size);
    result = vector::InsertStridedSliceOp::create(
        builder, kernel.loc, piece, result, ArrayRef<int64_t>(place),
        ArrayRef<int64_t>(1));
  });
  return result;
}

void DepthwiseKernel::storePart(const FlatOperand &operand, Value index,
                                Value vector, int64_t valid) {
  auto type = cast<VectorType>(vector.getType());
  if (valid >= type.getNumElements())
    return kernel.store(operand, index, vector);
  OpBuilder &builder = kernel.builder;
  if (target.getDotKind() == DotKind::AVX512VNNI)
    return kernel.storeFirst(operand, index, vector,
                             builder.getIndexAttr(valid));
  forPowers(valid, [&](int64_t place, int64_t size) {
    Value piece = vector::ExtractStridedSliceOp::create(
        builder, kernel.loc, vector, ArrayRef<int64_t>(place),
        ArrayRef<int64_t>(size), ArrayRef<int64_t>(1));
    kernel.store(operand, at(index, place), piece);
  });
}

Value DepthwiseKernel::loadRegister(const Channels &channels,
                                    const FlatOperand &operand, Value first,
                                    int64_t j, int64_t unit, int64_t valid) {
  int64_t lanes = channels.dot.getLanes();
  if (channels.registers == 1)
    return loadPart(operand, first, lanes * unit, valid * unit);
  // Pieces of four channels, one of each lane of 16 bytes of codes.
  OpBuilder &builder = kernel.builder;
  auto type = VectorType::get({lanes * unit}, operand.element);
  Value result =
      arith::ConstantOp::create(builder, kernel.loc, builder.getZeroAttr(type));
  for (int64_t lane = 0; lane < lanes / 4; ++lane) {
    int64_t from = 16 * lane + 4 * j;
    int64_t exist = std::min<int64_t>(valid - from, 4);
    if (exist <= 0)
      continue;
    Value piece =
        loadPart(operand, at(first, from * unit), 4 * unit, exist * unit);
    result = vector::InsertStridedSliceOp::create(
        builder, kernel.loc, piece, result, ArrayRef<int64_t>(4 * unit * lane),
        ArrayRef<int64_t>(1));
  }
  return result;
}

Value DepthwiseKernel::loadElements(const Channels &channels,
                                    const FlatOperand &operand, Value index,
                                    int64_t j) {
  if (operand.getStride(channel) != 0)
    return loadRegister(channels, operand, index, j, 1, channels.valid);
  return splat(channels,
               memref::LoadOp::create(kernel.builder, kernel.loc, operand.base,
                                      ValueRange(index)));
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

void DepthwiseKernel::interleaveGroup(const Channels &channels,
                                      ArrayRef<Value> taps, Values &result) {
  OpBuilder &builder = kernel.builder;
  int64_t count = channels.count();
  // Weights of taps that do not exist are 0: any codes will do.
  auto tap = [&](unsigned i) {
    return taps[std::min<size_t>(i, taps.size() - 1)];
  };
  if (group < 4) {
    // Widened: i32, or pairs of i16.
    Type wide = builder.getIntegerType(group == 1 ? 32 : 16);
    auto widen = [&](Value codes) {
      ElementArith arith(builder, kernel.loc, codes);
      return isSigned ? arith.cast<arith::ExtSIOp>(wide, codes)
                      : arith.cast<arith::ExtUIOp>(wide, codes);
    };
    if (group == 1) {
      result.push_back(widen(taps.front()));
      return;
    }
    SmallVector<int64_t> zip;
    for (int64_t i = 0; i < count; ++i)
      zip.append({i, count + i});
    result.push_back(shuffle(widen(tap(0)), widen(tap(1)), zip));
    return;
  }
  // The lower or upper half of every lane of 16 bytes, `width` elements.
  auto unpack = [&](Value a, Value b, int64_t size, int64_t width, int half) {
    SmallVector<int64_t> mask;
    for (int64_t base = 0; base < size; base += width)
      for (int64_t i = 0; i < width / 2; ++i) {
        int64_t from = base + half * width / 2 + i;
        mask.append({from, size + from});
      }
    return shuffle(a, b, mask);
  };
  for (int half : {0, 1}) {
    Value low = unpack(tap(0), tap(1), count, 16, half);
    Value high = unpack(tap(2), tap(3), count, 16, half);
    low = recast(low, count / 2, 16);
    high = recast(high, count / 2, 16);
    for (int part : {0, 1})
      result.push_back(recast(unpack(low, high, count / 2, 8, part), count, 8));
  }
}

DepthwiseKernel::Values DepthwiseKernel::interleave(const Channels &channels,
                                                    ArrayRef<Value> taps) {
  Values moved(taps);
  if (dot.getLhsOffset() != 0)
    for (Value &codes : moved) {
      Value flip = arith::ConstantOp::create(
          kernel.builder, kernel.loc,
          DenseElementsAttr::get(cast<VectorType>(codes.getType()),
                                 APInt(8, 128)));
      codes = arith::XOrIOp::create(kernel.builder, kernel.loc, codes, flip);
    }
  Values result;
  ArrayRef<Value> left = moved;
  for (; !left.empty();
       left = left.drop_front(std::min<size_t>(group, left.size())))
    interleaveGroup(channels, left.take_front(group), result);
  return result;
}
