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
// multiply-add takes the place of the subtraction.
//
//===----------------------------------------------------------------------===//

#include "CodeValues.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

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

CodeValues::Values CodeValues::decodeBytes(Value word, Value offset) {
  Values pairs;
  if (value.isF16()) {
    Value moved = body.bitXor(word, body.constantI32(0x80808080));
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
