//===- WarpGroupProducts.cpp - wgmma.mma_async ----------------------------===//
//
// D = A * B + D, or A * B, A in registers or shared memory, B in shared memory,
// rows of each along k ("Asynchronous warpgroup level matrix instructions" in
// the PTX ISA). Four warps have 16 of the 64 rows each, so that a warp needs no
// other one:
//
//   D            sums 4j + i of lane (g, t): rows g, g + 8 for i / 2, columns
//                8j + 2t + i % 2
//   A            words of a lane as mma.sync has them: rows g, g + 8 of the
//                first 16 bytes along k, then of the second
//   descriptor   address / 16 in bits 0 to 13, the bytes / 16 from one core
//                matrix to the next along k from bit 16 on, and along rows or
//                columns from bit 32 on; bits 62 and 63 are 0: no swizzle
//   core matrix  eight rows of 16 bytes that follow each other
//
// Sums are computed when a product is issued. Block.cpp finds lanes that use
// them, or write over its factors, before they have waited for it.
//
//===----------------------------------------------------------------------===//

#include "MatrixProducts.h"

#include "Block.h"

using namespace llvm;
using namespace quant_mlir;
using namespace quant_mlir::emulator;

namespace {
struct Factor {
  uint64_t start = 0, alongDepth = 0, alongRows = 0;

  Factor(uint64_t base, uint64_t descriptor)
      : start(base + ((descriptor & 0x3FFF) << 4)),
        alongDepth((descriptor >> 16 & 0x3FFF) << 4),
        alongRows((descriptor >> 32 & 0x3FFF) << 4) {}

  /// Sixteen bytes along k of a row.
  uint64_t getChunk(unsigned row, unsigned chunk) const {
    return start + row / 8 * alongRows + chunk * alongDepth + row % 8 * 16;
  }
};

struct WarpGroupProduct {
  unsigned columns = 0;
  Element lhs, rhs;
  bool isOfRegisters = false;
  bool isFirst = false; ///< D = A * B

  static constexpr unsigned words = 8; ///< along k, of a row
  using Row = std::array<uint32_t, words>;
  void run(Block &block, unsigned first, ArrayRef<Call> calls) const;
  template <typename Value>
  void setSums(ArrayRef<Call> calls, ArrayRef<Row> rows,
               ArrayRef<Row> others) const;
};
} // namespace

template <typename Value>
void WarpGroupProduct::setSums(ArrayRef<Call> calls, ArrayRef<Row> rows,
                               ArrayRef<Row> others) const {
  unsigned depth = words * lhs.perWord();
  std::vector<Value> a(rows.size() * depth), b(others.size() * depth);
  for (unsigned i = 0; i < rows.size(); ++i)
    lhs.decode(rows[i], &a[i * depth]);
  for (unsigned i = 0; i < others.size(); ++i)
    rhs.decode(others[i], &b[i * depth]);
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < columns / 2; ++i) {
      const Value *row = &a[(g + 8 * (i % 4 / 2)) * depth],
                  *column = &b[(i / 4 * 8 + 2 * t + i % 2) * depth];
      constexpr bool isFloat = std::is_floating_point_v<Value>;
      Value sum = 0;
      if (isFloat && !isFirst)
        sum = calls[lane].get<float>(i);
      for (unsigned k = 0; k < depth; ++k)
        sum += row[k] * column[k];
      if constexpr (isFloat)
        calls[lane].set(float(sum), 4 * i);
      else
        calls[lane].set(
            addProducts(isFirst ? 0 : calls[lane].get<int32_t>(i), sum, false),
            4 * i);
    }
  }
}

void WarpGroupProduct::run(Block &block, unsigned first,
                           ArrayRef<Call> calls) const {
  unsigned numSums = columns / 2, ofRhs = numSums + (isOfRegisters ? 4 : 1);
  uint64_t base = block.getMemory().getSharedBase();
  AsyncProduct product;
  product.site = calls[0] ? calls[0].getSite().number : 0;
  auto getFactor = [&](unsigned argument) {
    uint64_t descriptor = calls[0].get<uint64_t>(argument);
    for (const Call &call : calls)
      if (!call || call.get<uint64_t>(argument) != descriptor)
        block.fail("expected one descriptor of a factor for all lanes");
    if (descriptor >> 62)
      block.fail("expected descriptors without swizzle");
    return Factor(base, descriptor);
  };
  auto find = [&](const Factor &factor, unsigned row) {
    for (unsigned chunk = 0; chunk < 2; ++chunk)
      product.chunks.push_back(factor.getChunk(row, chunk));
  };
  Factor b = getFactor(ofRhs);
  for (unsigned column = 0; column < columns; ++column)
    find(b, column);
  if (!isOfRegisters) {
    Factor a = getFactor(numSums);
    for (unsigned row = 0; row < 16; ++row)
      find(a, first / 32 % 4 * 16 + row);
  }
  std::vector<uint64_t> chunks = product.chunks;
  // Whether they may be read is found out there.
  block.startProduct(first, std::move(product));
  std::vector<Row> all(columns + 16);
  for (unsigned i = 0; i < chunks.size(); ++i)
    std::memcpy(&all[i / 2][i % 2 * 4],
                reinterpret_cast<const void *>(chunks[i]), 16);
  ArrayRef<Row> others = ArrayRef(all).take_front(columns);
  MutableArrayRef<Row> rows = MutableArrayRef(all).drop_front(columns);
  for (unsigned lane = 0; isOfRegisters && lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      rows[lane / 4 + 8 * (i % 2)][lane % 4 + 4 * (i / 2)] =
          calls[lane].get<uint32_t>(numSums + i);
  if (lhs.isFloat)
    setSums<double>(calls, rows, others);
  else
    setSums<int64_t>(calls, rows, others);
}

std::optional<EmulatedInstruction>
quant_mlir::emulator::findWarpGroupProduct(StringRef name) {
  WarpGroupProduct product;
  product.isFirst = name.consume_back(withoutSums);
  product.isOfRegisters = name.consume_back(ofRegisters);
  unsigned depth;
  if (!name.consume_front("wgmma.mma_async.sync.aligned.m64n") ||
      name.consumeInteger(10, product.columns) || !name.consume_front("k") ||
      name.consumeInteger(10, depth) || !name.consume_front("."))
    return std::nullopt;
  SmallVector<StringRef> types;
  name.split(types, '.');
  if (types.size() != 3)
    return std::nullopt;
  std::optional<Element> lhs = Element::get(types[1]),
                         rhs = Element::get(types[2]);
  if (!lhs || !rhs || lhs->bits != rhs->bits || lhs->bits < 8 ||
      types[0] != (lhs->isFloat ? "f32" : "s32") ||
      depth != WarpGroupProduct::words * lhs->perWord())
    return std::nullopt;
  product.lhs = *lhs;
  product.rhs = *rhs;
  EmulatedInstruction result;
  result.scope = Scope::Warp;
  result.warp = [product](Block &block, unsigned first, ArrayRef<Call> calls) {
    product.run(block, first, calls);
  };
  return result;
}

std::optional<EmulatedInstruction>
quant_mlir::emulator::findWarpGroupOrder(StringRef name) {
  EmulatedInstruction result;
  result.scope = Scope::Warp;
  if (name == "fence.sync.aligned")
    result.warp = [](Block &block, unsigned first, ArrayRef<Call>) {
      block.fenceProducts(first);
    };
  else if (name == "commit_group.sync.aligned")
    result.warp = [](Block &block, unsigned first, ArrayRef<Call>) {
      block.commitProducts(first);
    };
  else if (name == "wait_group.sync.aligned")
    result.warp = [](Block &block, unsigned first, ArrayRef<Call> calls) {
      block.finishProducts(first, calls[0].get<uint64_t>(0));
    };
  else
    return std::nullopt;
  return result;
}
