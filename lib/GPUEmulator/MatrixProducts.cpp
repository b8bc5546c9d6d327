//===- MatrixProducts.cpp - mma.sync --------------------------------------===//
//
// D = A * B + C of a warp, by the layouts of fragments in the PTX ISA ("Matrix
// Fragments for mma"). Lane l is g = l / 4 and t = l % 4. A word of a fragment
// holds elements that follow each other along k:
//
//   A, 16 rows:  words 0, 1: rows g, g + 8 of the first half of k; 2, 3: of the
//                second half. A word begins at element t * (elements of a
//                word).
//   B, 8 columns: word 0: column g of the first half of k; 1: of the second.
//   Where k has half as many elements, there is no second half.
//   C, D:        0, 1: row g, columns 2t, 2t + 1; 2, 3: row g + 8.
//
//===----------------------------------------------------------------------===//

#include "MatrixProducts.h"

#include "Block.h"

#include "llvm/ADT/SmallVector.h"

using namespace llvm;
using namespace quant_mlir;
using namespace quant_mlir::emulator;

int32_t quant_mlir::emulator::addProducts(int32_t sum, int64_t products,
                                          bool saturates) {
  int64_t total = sum + products;
  if (saturates)
    total = std::min<int64_t>(std::max<int64_t>(total, INT32_MIN), INT32_MAX);
  return int32_t(uint64_t(total));
}

std::optional<Element> Element::get(StringRef name) {
  if (name == "f16" || name == "bf16")
    return Element{16, true, true, name == "bf16"};
  if (name == "s8" || name == "u8" || name == "s4" || name == "u4")
    return Element{name.back() == '8' ? 8u : 4u, name.front() == 's', false,
                   false};
  return std::nullopt;
}

int64_t Element::getInteger(uint32_t word, unsigned i) const {
  uint32_t value = word >> bits * i & ((1u << bits) - 1);
  if (isSigned && value >> (bits - 1))
    return int64_t(value) - (int64_t(1) << bits);
  return value;
}

double Element::getFloat(uint32_t word, unsigned i) const {
  uint16_t value = word >> 16 * i;
  if (isBFloat) {
    uint32_t wide = uint32_t(value) << 16;
    float result;
    std::memcpy(&result, &wide, 4);
    return result;
  }
  _Float16 half;
  std::memcpy(&half, &value, 2);
  return static_cast<float>(half);
}

namespace {
/// m16n8k<depth>
struct Product {
  unsigned depth = 0;
  Element lhs, rhs;
  bool saturates = false;

  static constexpr unsigned rows = 16, columns = 8;
  unsigned lhsWords() const { return rows * depth / lhs.perWord() / 32; }
  unsigned rhsWords() const { return columns * depth / rhs.perWord() / 32; }
  void run(ArrayRef<Call> calls) const;
  template <typename Value> void runOn(ArrayRef<Call> calls) const;
};
} // namespace

void Product::run(ArrayRef<Call> calls) const {
  if (lhs.isFloat)
    runOn<double>(calls);
  else
    runOn<int64_t>(calls);
}

template <typename Value> void Product::runOn(ArrayRef<Call> calls) const {
  unsigned perWord = lhs.perWord(), half = depth / 2;
  // Rows of A and columns of B, in the order of k.
  SmallVector<Value> a(rows * depth), b(columns * depth);
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < lhsWords(); ++i) {
      unsigned row = g + 8 * (i % 2), k = half * (i / 2) + t * perWord;
      lhs.decode(calls[lane].get<uint32_t>(i), &a[row * depth + k]);
    }
    for (unsigned i = 0; i < rhsWords(); ++i) {
      unsigned k = half * i + t * perWord;
      rhs.decode(calls[lane].get<uint32_t>(lhsWords() + i), &b[g * depth + k]);
    }
  }
  unsigned firstSum = lhsWords() + rhsWords();
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < 4; ++i) {
      const Value *row = &a[(g + 8 * (i / 2)) * depth],
                  *column = &b[(2 * t + i % 2) * depth];
      Value sum = 0;
      if constexpr (std::is_floating_point_v<Value>)
        sum = calls[lane].get<float>(firstSum + i);
      for (unsigned k = 0; k < depth; ++k)
        sum += row[k] * column[k];
      if constexpr (std::is_floating_point_v<Value>)
        calls[lane].set(float(sum), 4 * i);
      else
        calls[lane].set(
            addProducts(calls[lane].get<int32_t>(firstSum + i), sum, saturates),
            4 * i);
    }
  }
}

std::optional<EmulatedInstruction>
quant_mlir::emulator::findMatrixProduct(StringRef name) {
  if (!name.consume_front("mma.m16n8k"))
    return std::nullopt;
  Product product;
  if (name.consumeInteger(10, product.depth) ||
      !name.consume_front(".row.col."))
    return std::nullopt;
  product.saturates = name.consume_front("satfinite.");
  SmallVector<StringRef> types;
  name.split(types, '.');
  // f16: <type of D>.<type of C>; bf16: the type of factors; integers: one
  // type, or those of A and B.
  std::optional<Element> lhs, rhs;
  if (types.size() == 2 && types[0] == "f32" && types[1] == "f32") {
    lhs = rhs = Element::get("f16");
  } else if (types.size() <= 2) {
    lhs = Element::get(types.front());
    rhs = Element::get(types.back());
    // D and C of f16.
    if (lhs && lhs->isFloat && !lhs->isBFloat)
      return std::nullopt;
  }
  if (!lhs || !rhs || lhs->bits != rhs->bits)
    return std::nullopt;
  product.lhs = *lhs;
  product.rhs = *rhs;
  // A word for each half of k, of 16 rows and 8 columns, by 32 lanes; or one
  // for all of k.
  if (product.depth != 8 * product.lhs.perWord() &&
      product.depth != 4 * product.lhs.perWord())
    return std::nullopt;
  EmulatedInstruction result;
  result.scope = Scope::Warp;
  result.warp = [product](Block &, unsigned, ArrayRef<Call> calls) {
    product.run(calls);
  };
  return result;
}
