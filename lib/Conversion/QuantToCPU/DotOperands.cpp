//===- DotOperands.cpp - Codes in the registers of a dot instruction ------===//
//
// How rows and columns are loaded, unpacked and moved for the instruction, and
// sums of a row's codes.
//
//===----------------------------------------------------------------------===//

#include "DotProduct.h"

#include "UnknownSizes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

/// A splat of `type`.
static Value buildSplat(KernelBuilder &kernel, VectorType type, int64_t value) {
  unsigned width = type.getElementTypeBitWidth();
  return arith::ConstantOp::create(
      kernel.builder, kernel.loc,
      DenseElementsAttr::get(type, APInt(width, value, false, true)));
}

Value DotProduct::flipLhs(KernelBuilder &kernel, Value codes) const {
  return arith::XOrIOp::create(
      kernel.builder, kernel.loc, codes,
      buildSplat(kernel, cast<VectorType>(codes.getType()), -128));
}

/// Codes that are widened first: one or two, as one i32.
static Value loadWidened(KernelBuilder &kernel, const FlatOperand &lhs,
                         Value index, int64_t count, int64_t group,
                         bool isSigned) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type i32 = builder.getI32Type();
  auto widen = [&](Type type, Value value) -> Value {
    if (isSigned)
      return arith::ExtSIOp::create(builder, loc, type, value);
    return arith::ExtUIOp::create(builder, loc, type, value);
  };
  if (group == 2 && count == 2) {
    Value pair = kernel.load(lhs, index, 2);
    Value wide = widen(VectorType::get({2}, builder.getIntegerType(16)), pair);
    Value word = vector::BitCastOp::create(builder, loc,
                                           VectorType::get({1}, i32), wide);
    return vector::ExtractOp::create(builder, loc, word, 0);
  }
  assert(count == 1 && "one code, or a pair");
  Value code = memref::LoadOp::create(builder, loc, lhs.base, index);
  if (group == 1)
    return widen(i32, code);
  Value wide = widen(builder.getIntegerType(16), code);
  return arith::ExtUIOp::create(builder, loc, i32, wide);
}

/// `count` bytes as the low ones of an integer, from powers of two of them.
static Value loadPieces(KernelBuilder &kernel, const FlatOperand &lhs,
                        Value index, Type type, int64_t count) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Value sum;
  for (int64_t done = 0; done < count;) {
    int64_t size = llvm::bit_floor(uint64_t(count - done));
    Type narrow = builder.getIntegerType(8 * size);
    Value bytes = kernel.load(
        lhs, kernel.index(kernel.add(index, builder.getIndexAttr(done))), size);
    Value piece = vector::ExtractOp::create(
        builder, loc,
        vector::BitCastOp::create(builder, loc, VectorType::get({1}, narrow),
                                  bytes),
        0);
    if (narrow != type)
      piece = arith::ExtUIOp::create(builder, loc, type, piece);
    if (done > 0)
      piece = arith::ShLIOp::create(
          builder, loc, piece,
          arith::ConstantIntOp::create(builder, loc, type, 8 * done));
    sum = sum ? Value(arith::OrIOp::create(builder, loc, sum, piece)) : piece;
    done += size;
  }
  return sum;
}

/// The codes of one row, as a vector of a group's width that fills the
/// register.
Value DotProduct::loadCodes(KernelBuilder &kernel, const FlatOperand &lhs,
                            Value index, int64_t count, int64_t before) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type word = builder.getIntegerType(8 * group);
  auto words = VectorType::get({getColumns()}, word);
  auto broadcast = [&](Value word) -> Value {
    return vector::BroadcastOp::create(builder, loc, words, word);
  };
  if (count == group || before < group - count)
    return broadcast(loadPieces(kernel, lhs, index, word, count));
  // The bytes that end where the run ends; those before it are shifted out.
  // Nothing is read beyond the buffer, and a shift can load and broadcast.
  Value from =
      kernel.index(kernel.add(index, builder.getIndexAttr(count - group)));
  return arith::ShRUIOp::create(
      builder, loc, broadcast(loadPieces(kernel, lhs, from, word, group)),
      buildSplat(kernel, words, 8 * (group - count)));
}

Value DotProduct::loadLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                          ValueRange indices, int64_t count,
                          int64_t before) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  if (isOfValues)
    return vector::BroadcastOp::create(
        builder, loc, getSumType(builder),
        memref::LoadOp::create(builder, loc, lhs.base, indices[0]));
  if (group < 4) {
    auto words = VectorType::get({lanes}, builder.getI32Type());
    Value word = vector::BroadcastOp::create(
        builder, loc, words,
        loadWidened(kernel, lhs, indices[0], count, group, isLhsSigned));
    if (group == 1)
      return word;
    return vector::BitCastOp::create(
        builder, loc, VectorType::get({lanes * 2}, builder.getIntegerType(16)),
        word);
  }

  Value words = loadCodes(kernel, lhs, indices[0], count, before);
  if (indices.size() > 1) {
    Value second = loadCodes(kernel, lhs, indices[1], count, before);
    words = vector::ShuffleOp::create(builder, loc, words, second,
                                      ArrayRef<int64_t>{0, getColumns()});
  }
  if (flipsLhs())
    words = arith::XOrIOp::create(
        builder, loc, words,
        buildSplat(kernel, cast<VectorType>(words.getType()),
                   int64_t(0x8080808080808080u >> (8 * (8 - count)))));
  return vector::BitCastOp::create(
      builder, loc,
      VectorType::get({getColumns() * group}, builder.getI8Type()), words);
}

Value DotProduct::loadSome(KernelBuilder &kernel, const FlatOperand &lhs,
                           ValueRange indices, Value count) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  assert(group >= 4 && "fewer codes are whole groups, or one");
  // Code by code: nothing is read beyond the last one.
  auto codes = VectorType::get({group}, builder.getI8Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(codes));
  auto load = [&](Value index) -> Value {
    Value all = kernel.forCarry(
        builder.getIndexAttr(0), count, zero, [&](Value iv, ValueRange inits) {
          Value code = memref::LoadOp::create(
              builder, loc, lhs.base,
              ValueRange(kernel.index(kernel.add(index, iv))));
          return SmallVector<Value>{vector::InsertOp::create(
              builder, loc, code, inits[0], OpFoldResult(iv))};
        })[0];
    if (flipsLhs())
      all = arith::XOrIOp::create(builder, loc, all,
                                  buildFlips(kernel, codes, count));
    auto word = VectorType::get({1}, builder.getIntegerType(8 * group));
    return vector::ExtractOp::create(
        builder, loc, vector::BitCastOp::create(builder, loc, word, all), 0);
  };
  auto words =
      VectorType::get({getColumns()}, builder.getIntegerType(8 * group));
  Value values =
      vector::BroadcastOp::create(builder, loc, words, load(indices[0]));
  if (indices.size() > 1)
    values = vector::ShuffleOp::create(
        builder, loc, values,
        vector::BroadcastOp::create(builder, loc, words, load(indices[1])),
        ArrayRef<int64_t>{0, getColumns()});
  return vector::BitCastOp::create(
      builder, loc,
      VectorType::get({getColumns() * group}, builder.getI8Type()), values);
}

Value DotProduct::buildFlips(KernelBuilder &kernel, VectorType type,
                             OpFoldResult count) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  if (std::optional<int64_t> known = getConstantIntValue(count)) {
    SmallVector<int8_t> flips;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      flips.push_back(i % group < *known ? int8_t(-128) : int8_t(0));
    return arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(type, ArrayRef(flips)));
  }
  // All of a group, shifted by those that are not there.
  Type word = builder.getIntegerType(8 * group);
  Value all = arith::ConstantOp::create(
      builder, loc,
      builder.getIntegerAttr(
          word, int64_t(0x8080808080808080u >> (8 * (8 - group)))));
  Value missing = arith::SubIOp::create(builder, loc, kernel.index(group),
                                        kernel.index(count));
  Value bits = arith::IndexCastOp::create(
      builder, loc, word,
      arith::MulIOp::create(builder, loc, missing, kernel.index(8)));
  Value flips = arith::ShRUIOp::create(builder, loc, all, bits);
  auto words = VectorType::get({type.getNumElements() / group}, word);
  return vector::BitCastOp::create(
      builder, loc, type,
      vector::BroadcastOp::create(builder, loc, words, flips));
}

Value DotProduct::loadRhs(KernelBuilder &kernel, Value rhs, Value index,
                          unsigned width) const {
  OpBuilder &builder = kernel.builder;
  int64_t bytes = getColumns() * group * std::max<int64_t>(width / 8, 1);
  return vector::LoadOp::create(builder, kernel.loc,
                                VectorType::get({bytes}, builder.getI8Type()),
                                rhs, ValueRange(index));
}

Value DotProduct::unpackRhs(KernelBuilder &kernel, Value bytes, unsigned width,
                            int64_t number) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto type = cast<VectorType>(bytes.getType());
  // There is no shift of bytes on x86. Asked for one, LLVM multiplies by a
  // matrix of bits where it can (vgf2p8affineqb), in the unit that multiplies
  // codes.
  bool hasByteShift = kind == DotKind::NeonDotProd || kind == DotKind::NeonI8MM;
  if (number > 0) {
    VectorType words = hasByteShift
                           ? type
                           : VectorType::get({type.getNumElements() / 2},
                                             builder.getIntegerType(16));
    bytes = vector::BitCastOp::create(builder, loc, words, bytes);
    bytes = arith::ShRUIOp::create(builder, loc, bytes,
                                   buildSplat(kernel, words, number * width));
    bytes = vector::BitCastOp::create(builder, loc, type, bytes);
  }
  if (width < 8 && (!hasByteShift || width * (number + 1) < 8))
    bytes = arith::AndIOp::create(builder, loc, bytes,
                                  buildSplat(kernel, type, (1 << width) - 1));
  if (group >= 4 || isOfValues)
    return bytes;
  return arith::ExtSIOp::create(
      builder, loc, type.clone(builder.getIntegerType(group == 2 ? 16 : 32)),
      bytes);
}

Value DotProduct::sumLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                         Value index, OpFoldResult count) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t width = getColumns() * group;
  std::optional<int64_t> known = getConstantIntValue(count);
  auto bytes = VectorType::get({width}, builder.getI8Type());
  unsigned bits = group >= 4 ? 8 : group == 2 ? 16 : 32;
  Value ones = buildSplat(kernel, bytes.clone(builder.getIntegerType(bits)), 1);
  if (rows > 1) {
    // Each of the rows is summed once, in the first column.
    SmallVector<int8_t> first(width, 0);
    std::fill_n(first.begin(), group, int8_t(1));
    ones = arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(bytes, ArrayRef(first)));
  }
  // Codes beyond the last are 0, and stay so where the others are moved: `mask`
  // says where there are some, null everywhere.
  auto add = [&](Value sum, Value codes, Value mask) -> Value {
    if (flipsLhs()) {
      Value flips = buildSplat(kernel, bytes, -128);
      if (mask)
        flips = arith::SelectOp::create(builder, loc, mask, flips,
                                        buildSplat(kernel, bytes, 0));
      codes = arith::XOrIOp::create(builder, loc, codes, flips);
    }
    if (group < 4) {
      auto wide = cast<VectorType>(ones.getType());
      codes = isLhsSigned
                  ? Value(arith::ExtSIOp::create(builder, loc, wide, codes))
                  : Value(arith::ExtUIOp::create(builder, loc, wide, codes));
    }
    return build(kernel, sum, codes, ones);
  };
  Value sum = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(getSumType(builder)));
  OpFoldResult whole = floorDivide(kernel, count, width);
  if (getConstantIntValue(whole) != 0)
    sum = kernel.forCarry(
        builder.getIndexAttr(0), whole, sum, [&](Value iv, ValueRange inits) {
          Value at = kernel.index(
              kernel.add(index, kernel.mul(iv, builder.getIndexAttr(width))));
          return SmallVector<Value>{
              add(inits[0], kernel.load(lhs, at, width), Value())};
        })[0];
  if (!known || *known % width != 0) {
    OpFoldResult done = kernel.mul(whole, builder.getIndexAttr(width));
    Value at = kernel.index(kernel.add(index, done));
    OpFoldResult rest = getRest(kernel, count, width);
    sum = add(sum, kernel.loadFirst(lhs, at, width, rest),
              kernel.maskFirst(width, rest));
  }
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD,
                                     sum);
}
