//===- CodeValues.cpp - Values of codes in registers ----------------------===//
//
// What f16 or bf16 is multiplied with where one side has codes. Integer codes
// become values by a mantissa in which they are the low bits:
//
//   f16   0x6400 | u = 1024 + u, u < 1024        bf16   0x4300 | u = 128 + u,
//                                                       u < 128
//
// from which one subtraction takes what is too much, the zero point included.
// The high nibbles of two bytes of a word are 16 u there, in f16: a
// multiply-add takes the place of the subtraction. Where pairs of bf16 are not
// added, bytes become f32 instead, of which the upper halves are what is left
// when the zero point is subtracted.
//
// Codes of fp8 are the upper bits of f16: of e5m2 the upper byte, of e4m3fn, at
// an exponent that is 8 too small, the bits below the sign, where its denormal
// numbers are such as well.
//
//===----------------------------------------------------------------------===//

#include "CodeValues.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

CodeValues::~CodeValues() = default;

Type CodeValues::getValue(Type lhs) {
  if (lhs.isF32() || lhs.isBF16())
    return BFloat16Type::get(lhs.getContext());
  return Float16Type::get(lhs.getContext());
}

Value CodeValues::constantPair(float number) {
  return arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(getPair(), builder.getFloatAttr(value, number)));
}

Value CodeValues::toPair(Value word) {
  return LLVM::BitcastOp::create(builder, loc, getPair(), word);
}

Value CodeValues::toWord(Value pair) {
  return LLVM::BitcastOp::create(builder, loc, builder.getI32Type(), pair);
}

Value CodeValues::adjust(Value pair, float factor, float number, Value offset) {
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

CodeValues::Values CodeValues::convertBytes(Value word, Type from) {
  auto constant = [&](int64_t number) { return body.constantI32(number); };
  auto keep = [&](Value bits, int64_t mask) -> Value {
    return arith::AndIOp::create(builder, loc, bits, constant(mask));
  };
  Values pairs;
  for (int64_t first : {0, 2}) {
    // Upper bytes of the halves of a word; what is below them is 0.
    Value codes = unit.permute(word, constant(0), {4, first, 4, first + 1});
    if (isa<Float8E5M2Type>(from)) {
      pairs.push_back(toPair(codes));
      continue;
    }
    Value sign = keep(codes, 0x80008000);
    Value bits = arith::ShRUIOp::create(builder, loc, keep(codes, 0x7F007F00),
                                        constant(1));
    Value scaled = toWord(
        arith::MulFOp::create(builder, loc, toPair(bits), constantPair(256)));
    // The code of all bits is no number. The one behind it has a bit that no
    // other has, of which all bits of the exponent are made.
    Value next =
        keep(arith::AddIOp::create(builder, loc, bits, constant(0x00800080)),
             0x40004000);
    Value isNaN = arith::SubIOp::create(
        builder, loc, arith::ShLIOp::create(builder, loc, next, constant(1)),
        arith::ShRUIOp::create(builder, loc, next, constant(4)));
    scaled = arith::OrIOp::create(builder, loc, scaled, isNaN);
    pairs.push_back(toPair(arith::OrIOp::create(builder, loc, scaled, sign)));
  }
  return pairs;
}

CodeValues::Values CodeValues::convertNumbers(Value word, float number,
                                              Value offset) {
  Type f32 = builder.getF32Type();
  auto pairType = VectorType::get({2}, f32);
  Value subtracted;
  if (offset) {
    subtracted = arith::ExtFOp::create(builder, loc, f32, offset);
    if (number != 0)
      subtracted = arith::AddFOp::create(
          builder, loc, subtracted,
          arith::ConstantOp::create(builder, loc,
                                    builder.getF32FloatAttr(number)));
    subtracted =
        vector::BroadcastOp::create(builder, loc, pairType, subtracted);
  } else if (number != 0) {
    subtracted = arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(pairType, builder.getF32FloatAttr(number)));
  }
  Values pairs;
  for (int64_t first : {0, 2}) {
    Values floats;
    for (int64_t byte : {first, first + 1}) {
      Value bits = word;
      if (byte != 0)
        bits = arith::ShRUIOp::create(builder, loc, bits,
                                      body.constantI32(8 * byte));
      bits = arith::AndIOp::create(builder, loc, bits, body.constantI32(0xFF));
      floats.push_back(arith::UIToFPOp::create(builder, loc, f32, bits));
    }
    Value pair = vector::FromElementsOp::create(builder, loc, pairType, floats);
    if (subtracted)
      pair = arith::SubFOp::create(builder, loc, pair, subtracted);
    // Integers of eight bits and a sign: nothing is in the lower halves.
    Value halves = vector::BitCastOp::create(builder, loc,
                                             VectorType::get({4}, value), pair);
    pairs.push_back(vector::ShuffleOp::create(builder, loc, halves, halves,
                                              ArrayRef<int64_t>{1, 3}));
  }
  return pairs;
}

CodeValues::Values CodeValues::decodeBytes(Value word, Value offset) {
  auto move = [&] { return body.bitXor(word, body.constantI32(0x80808080)); };
  if (!addsPairs)
    return convertNumbers(move(), 128, offset);
  Values pairs;
  if (value.isF16()) {
    Value moved = move();
    for (int64_t first : {0, 2})
      pairs.push_back(adjust(toPair(unit.permute(moved, body.constantI32(0x64),
                                                 {first, 4, first + 1, 4})),
                             1, 1024 + 128, offset));
    return pairs;
  }
  // The low seven bits, less 128 where the top bit is there.
  for (int64_t first : {0, 2}) {
    Value both =
        unit.permute(word, body.constantI32(0x43), {first, 4, first + 1, 4});
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

CodeValues::Values CodeValues::decodeNibbles(Value word, int64_t part,
                                             Value offset) {
  if (!addsPairs) {
    if (part == 1)
      word = arith::ShRUIOp::create(builder, loc, word, body.constantI32(4));
    return convertNumbers(
        arith::AndIOp::create(builder, loc, word, body.constantI32(0x0F0F0F0F)),
        0, offset);
  }
  // Bytes 0 and 1 in the low halves of a word's halves.
  Value bytes = unit.permute(word, word, {0, 2, 1, 3});
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

CodeValues::Values CodeValues::decode(Value word, int64_t part, Value offset) {
  if (codes.isInteger(4))
    return decodeNibbles(word, part, offset);
  if (isa<FloatType>(codes))
    return convertBytes(word, codes);
  return decodeBytes(word, offset);
}

/// f32 is three times eight bits, of which each is a bf16 by itself: what is
/// cut off from the others is exact.
SmallVector<CodeValues::Values> CodeValues::split(Value four) {
  auto halves = [&](Value values, ArrayRef<int64_t> numbers) -> Value {
    return vector::ShuffleOp::create(builder, loc, values, values, numbers);
  };
  if (cast<VectorType>(four.getType()).getElementType() == value)
    return {{halves(four, {0, 1}), halves(four, {2, 3})}};
  auto floats = cast<VectorType>(four.getType());
  auto words = VectorType::get({4}, builder.getI32Type());
  auto constant = [&](Attribute number, VectorType type) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, number));
  };
  Value mask = constant(builder.getI32IntegerAttr(0xFFFF0000), words);
  Value zero = constant(builder.getF32FloatAttr(0), floats);
  SmallVector<Values> parts;
  for (int64_t part = 0; part < 3; ++part) {
    Value pieces = vector::BitCastOp::create(builder, loc,
                                             VectorType::get({8}, value), four);
    parts.push_back({halves(pieces, {1, 3}), halves(pieces, {5, 7})});
    if (part == 2)
      break;
    Value bits = vector::BitCastOp::create(builder, loc, words, four);
    Value high = vector::BitCastOp::create(
        builder, loc, floats, arith::AndIOp::create(builder, loc, bits, mask));
    Value rest = arith::SubFOp::create(builder, loc, four, high);
    // Of infinity nothing is left.
    Value isWhole = arith::CmpFOp::create(
        builder, loc, arith::CmpFPredicate::OEQ, four, high);
    four = arith::SelectOp::create(builder, loc, isWhole, zero, rest);
  }
  return parts;
}
