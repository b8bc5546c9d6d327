//===- ValueCore.cpp - Products of values on NVIDIA's tensor cores --------===//
//
// mma.sync m16n8k16 on f16 or bf16, with sums in f32: sm_80 and later. What one
// side has of codes becomes such values in registers.
//
// Weights of codes are loaded by ldmatrix as they lie in shared memory: a lane
// gets four codes of a column that follow each other, k = 4t to 4t + 3 of a
// step of 16. A fragment of lhs has two values of each half of a step, so
// halves are chosen so that a lane has the same four values of a row, which it
// loads at once:
//
//   first half   k = 4t, 4t + 1 of every t        second half   4t + 2, 4t + 3
//
// Integer codes become values by a mantissa in which they are the low bits:
//
//   f16   0x6400 | u = 1024 + u, u < 1024        bf16   0x4300 | u = 128 + u,
//                                                       u < 128
//
// from which one subtraction takes what is too much, the zero point included.
// The high nibbles of two bytes of a word are 16 u there, in f16: a
// multiply-add takes the place of the subtraction.
//
//===----------------------------------------------------------------------===//

#include "ValueCore.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Codes to values
//===----------------------------------------------------------------------===//

MatrixUnit::Values ValueCore::getZeros() {
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  return Values(4, zero);
}

Value ValueCore::constantPair(float number) {
  return arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(getPair(), builder.getFloatAttr(value, number)));
}

Value ValueCore::toPair(Value word) {
  return LLVM::BitcastOp::create(builder, loc, getPair(), word);
}

Value ValueCore::toWord(Value pair) {
  return LLVM::BitcastOp::create(builder, loc, builder.getI32Type(), pair);
}

Value ValueCore::adjust(Value pair, float factor, float number, Value offset) {
  // The sum of both is exact: an integer of up to 11 bits, or of 8 in bf16.
  Value subtracted = constantPair(-number);
  if (offset) {
    Value both = vector::BroadcastOp::create(builder, loc, getPair(), offset);
    subtracted =
        vector::FMAOp::create(builder, loc, both, constantPair(-1), subtracted);
  }
  return vector::FMAOp::create(builder, loc, pair, constantPair(factor),
                               subtracted);
}

MatrixUnit::Values ValueCore::convertBytes(Value word, Type from) {
  auto bytes = VectorType::get({4}, builder.getIntegerType(8));
  Value all = LLVM::BitcastOp::create(builder, loc, bytes, word);
  Values pairs;
  for (int64_t first : {0, 2}) {
    Value two = vector::ShuffleOp::create(builder, loc, all, all,
                                          ArrayRef<int64_t>{first, first + 1});
    pairs.push_back(NVVM::ConvertF8x2ToF16x2Op::create(
        builder, loc, getPair(), two, builder.getBoolAttr(false),
        TypeAttr::get(from)));
  }
  return pairs;
}

MatrixUnit::Values ValueCore::decodeBytes(Value word, Value offset) {
  Values pairs;
  if (value.isF16()) {
    Value moved = body.bitXor(word, body.constantI32(0x80808080));
    for (int64_t first : {0, 2})
      pairs.push_back(adjust(toPair(permute(moved, body.constantI32(0x64),
                                            {first, 4, first + 1, 4})),
                             1, 1024 + 128, offset));
    return pairs;
  }
  // The low seven bits, less 128 where the top bit is there.
  for (int64_t first : {0, 2}) {
    Value both =
        permute(word, body.constantI32(0x43), {first, 4, first + 1, 4});
    auto keep = [&](uint32_t mask) {
      return toPair(
          arith::AndIOp::create(builder, loc, both, body.constantI32(mask)));
    };
    Value code = vector::FMAOp::create(builder, loc, keep(0xFF80FF80),
                                       constantPair(-1), keep(0xFF7FFF7F));
    pairs.push_back(offset ? adjust(code, 1, 0, offset) : code);
  }
  return pairs;
}

MatrixUnit::Values ValueCore::decodeNibbles(Value word, int64_t part,
                                            Value offset) {
  // Bytes 0 and 1 in the low halves of a word's halves.
  Value bytes = permute(word, word, {0, 2, 1, 3});
  bool isHalf = value.isF16();
  int64_t high = part * 4;
  // bf16 has no room for 16 u.
  bool isScaled = isHalf && part == 1;
  uint32_t mask = isScaled ? 0x00F000F0 : 0x000F000F;
  Values pairs;
  for (int64_t i = 0; i < 2; ++i) {
    Value nibbles = bytes;
    if (int64_t shift = 8 * i + (isScaled ? 0 : high))
      nibbles =
          arith::ShRUIOp::create(builder, loc, bytes, body.constantI32(shift));
    nibbles =
        arith::AndIOp::create(builder, loc, nibbles, body.constantI32(mask));
    nibbles = arith::OrIOp::create(
        builder, loc, nibbles,
        body.constantI32(isHalf ? 0x64006400 : 0x43004300));
    float base = isHalf ? 1024 : 128;
    pairs.push_back(isScaled
                        ? adjust(toPair(nibbles), 0.0625, base / 16, offset)
                        : adjust(toPair(nibbles), 1, base, offset));
  }
  return pairs;
}

MatrixUnit::Values ValueCore::decode(Value word, int64_t part, Value offset) {
  if (rhsType.isInteger(4))
    return decodeNibbles(word, part, offset);
  if (isa<FloatType>(rhsType))
    return convertBytes(word, rhsType);
  return decodeBytes(word, offset);
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

/// Pairs of the first halves of rows, and of rows 8 further, then of the second
/// ones: one or two fragments.
MatrixUnit::Values ValueCore::loadLhs(const GroupStage &stage, int64_t step,
                                      int64_t product) {
  if (!decodesRhs()) {
    Values words = TensorCore::loadLhs(stage, step, product), pairs;
    if (lhsType == value) {
      for (Value word : words)
        pairs.push_back(toPair(word));
      return pairs;
    }
    for (int64_t plane = 0; plane < 2; ++plane) {
      Values low = convertBytes(words[2 * plane], lhsType),
             high = convertBytes(words[2 * plane + 1], lhsType);
      pairs.append({low[0], high[0], low[1], high[1]});
    }
    return pairs;
  }
  // Rows l / 4 and 8 more, four values of each.
  Value inRow = body.rem(stage.lane, 4);
  Value plane = body.sum(body.div(inRow, 2), body.attr(2 * step));
  Value at = stage.lhsChunk(plane, product, body.div(stage.lane, 4));
  at = body.sum(at, body.times(body.rem(inRow, 2), 4));
  Values halves[2];
  for (int64_t row : {0, 8}) {
    Value four = load(VectorType::get({4}, value), stage.shared,
                      body.sum(at, body.attr(row * chunkBytes / 2)));
    for (int64_t half : {0, 1})
      halves[half].push_back(vector::ShuffleOp::create(
          builder, loc, four, four, ArrayRef<int64_t>{2 * half, 2 * half + 1}));
  }
  halves[0].append(halves[1]);
  return halves[0];
}

SmallVector<MatrixUnit::Values> ValueCore::loadRhs(const GroupStage &stage,
                                                   int64_t step) {
  SmallVector<Values> factors;
  if (!decodesRhs()) {
    for (Values &words : TensorCore::loadRhs(stage, step)) {
      Values pairs;
      for (Value word : words) {
        if (rhsType == value)
          pairs.push_back(toPair(word));
        else
          pairs.append(convertBytes(word, rhsType));
      }
      factors.push_back(pairs);
    }
    return factors;
  }
  // A plane has the codes of a step, or of two steps.
  bool isSecond = stage.isNibbles && step % 2 == 1;
  Value plane = body.index(stage.isNibbles ? step / 2 : step);
  int64_t atOnce = std::min<int64_t>(stage.columnProducts, 4);
  if (!isSecond) {
    nibbles.clear();
    for (int64_t j = 0; j < stage.columnProducts; j += atOnce) {
      Value ahead = body.rem(body.div(stage.lane, 8), atOnce);
      Value at = stage.rhsChunk(plane, body.sum(ahead, body.attr(j)),
                                body.rem(stage.lane, 8));
      nibbles.append(loadMatrices(stage.shared, at, atOnce));
    }
  }
  for (auto [j, word] : llvm::enumerate(nibbles)) {
    Value offset = stage.rhsOffsets.empty() ? Value() : stage.rhsOffsets[j];
    factors.push_back(decode(word, isSecond, offset));
  }
  return factors;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void ValueCore::multiply(const GroupStage &, ArrayRef<Value> lhs,
                         ArrayRef<Value> rhs, MutableArrayRef<Value> sums) {
  multiplyPairs(lhs, rhs, sums);
}

/// A product with ones: all of its columns are sums of rows.
void ValueCore::addCodes(const GroupStage &, ArrayRef<Value> lhs,
                         MutableArrayRef<Value> rowSums) {
  Values sums{rowSums[0], rowSums[0], rowSums[1], rowSums[1]};
  multiplyPairs(lhs, Values(lhs.size() / 2, constantPair(1)), sums);
  rowSums[0] = sums[0];
  rowSums[1] = sums[2];
}

void ValueCore::multiplyPairs(ArrayRef<Value> lhs, ArrayRef<Value> rhs,
                              MutableArrayRef<Value> sums) {
  Type f32 = builder.getF32Type();
  auto resultType = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                     {f32, f32, f32, f32});
  std::optional<std::array<NVVM::MMATypes, 2>> types;
  if (value.isBF16())
    types = {NVVM::MMATypes::bf16, NVVM::MMATypes::bf16};
  else
    types = {NVVM::MMATypes::f16, NVVM::MMATypes::f16};
  auto toOperands = [&](ArrayRef<Value> pairs) {
    Values operands(pairs);
    if (value.isBF16())
      for (Value &operand : operands)
        operand = toWord(operand);
    return operands;
  };
  for (; !lhs.empty(); lhs = lhs.drop_front(4), rhs = rhs.drop_front(2)) {
    Value result = NVVM::MmaOp::create(
        builder, loc, resultType, toOperands(lhs.take_front(4)),
        toOperands(rhs.take_front(2)), ValueRange(ArrayRef<Value>(sums)),
        ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt, types,
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      sums[i] = LLVM::ExtractValueOp::create(builder, loc, result, i);
  }
}

std::unique_ptr<MatrixUnit>
quant_mlir::createValueCore(GPUBuilder &body, Type lhs, Type rhs, bool isLong) {
  return std::make_unique<ValueCore>(body, lhs, rhs, isLong);
}
