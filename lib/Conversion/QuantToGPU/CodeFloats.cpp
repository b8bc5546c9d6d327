//===- CodeFloats.cpp - f32 of codes in words -----------------------------===//

#include "CodeFloats.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"

using namespace mlir;
using namespace quant_mlir;

/// 2^(23 - place), whose last bit is worth 2^-place.
static float getBase(int64_t place) { return float(1 << (23 - place)); }

CodeFloats::Words CodeFloats::prepare(Value words) const {
  ElementArith arith(builder, loc, words);
  if (width == 8)
    words = arith::XOrIOp::create(builder, loc, words,
                                  arith.intConstant(int32_t(0x80808080)));
  return {words, arith.shr(words, 16)};
}

CodeFloats::Values CodeFloats::getSubtracted(Value offset) const {
  ElementArith arith(builder, loc, offset);
  float unsignedZero = width == 8 ? 128 : 0;
  Values result;
  for (int64_t place = 0; place < 16; place += width)
    result.push_back(
        arith.addf(offset, arith.floatConstant(getBase(place) + unsignedZero)));
  return result;
}

CodeFloats::Values CodeFloats::decode(const Words &words, int64_t part,
                                      ArrayRef<Value> subtracted) const {
  ElementArith arith(builder, loc, words.low);
  int64_t mask = (1 << width) - 1;
  Values floats;
  for (int64_t code = 0; code < 4; ++code) {
    int64_t place = code % 2 * 8 + part * 4;
    Value bits = arith.bitAnd(code < 2 ? words.low : words.high, mask << place);
    int32_t base = llvm::bit_cast<int32_t>(getBase(place));
    Value number = arith.bitcast(
        arith.f32(),
        arith::OrIOp::create(builder, loc, bits, arith.intConstant(base)));
    floats.push_back(arith.subf(number, subtracted[place / width]));
  }
  return floats;
}
