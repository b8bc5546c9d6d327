//===- WarpGroupProducts.cpp - wgmma.mma_async ----------------------------===//
//
// D = A * B + D of bytes, both factors in shared memory and rows of each along
// k ("Asynchronous warpgroup level matrix instructions" in the PTX ISA). Four
// warps have 16 of the 64 rows each, so that a warp needs no other one:
//
//   D            sums 4j + i of lane (g, t): rows g, g + 8 for i / 2, columns
//                8j + 2t + i % 2
//   descriptor   address / 16 in bits 0 to 13, the bytes / 16 from one core
//                matrix to the next along k from bit 16 on, and along rows or
//                columns from bit 32 on; bits 62 and 63 are 0: no swizzle
//   core matrix  eight rows of 16 bytes that follow each other
//
// Products are done when they are issued: that a kernel waits for them is not
// found out.
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
  bool isLhsSigned = true, isRhsSigned = true;

  static constexpr unsigned depth = 32;
  void run(Block &block, unsigned first, ArrayRef<Call> calls) const;
};
} // namespace

/// The bytes of a row.
static SmallVector<int> readRow(Block &block, unsigned lane,
                                const Factor &factor, unsigned row,
                                bool isSigned) {
  SmallVector<int> result;
  for (unsigned chunk = 0; chunk < WarpGroupProduct::depth / 16; ++chunk) {
    uint64_t address = factor.getChunk(row, chunk);
    block.checkRead(lane, address, 16, 16);
    const auto *bytes = reinterpret_cast<const uint8_t *>(address);
    for (unsigned i = 0; i < 16; ++i)
      result.push_back(isSigned ? int(int8_t(bytes[i])) : int(bytes[i]));
  }
  return result;
}

void WarpGroupProduct::run(Block &block, unsigned first,
                           ArrayRef<Call> calls) const {
  unsigned numSums = columns / 2;
  uint64_t lhs = calls[0].get<uint64_t>(numSums),
           rhs = calls[0].get<uint64_t>(numSums + 1);
  for (const Call &call : calls)
    if (!call || call.get<uint64_t>(numSums) != lhs ||
        call.get<uint64_t>(numSums + 1) != rhs)
      return block.fail("expected one descriptor of a factor for all lanes");
  if (lhs >> 62 || rhs >> 62)
    return block.fail("expected descriptors without swizzle");
  uint64_t base = block.getMemory().getSharedBase();
  Factor a(base, lhs), b(base, rhs);
  SmallVector<SmallVector<int>> rows, others;
  for (unsigned row = 0; row < 16; ++row)
    rows.push_back(
        readRow(block, first, a, first / 32 % 4 * 16 + row, isLhsSigned));
  for (unsigned column = 0; column < columns; ++column)
    others.push_back(readRow(block, first, b, column, isRhsSigned));
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < numSums; ++i) {
      ArrayRef<int> row = rows[g + 8 * (i % 4 / 2)],
                    column = others[i / 4 * 8 + 2 * t + i % 2];
      int64_t sum = 0;
      for (unsigned k = 0; k < depth; ++k)
        sum += row[k] * column[k];
      calls[lane].set(addProducts(calls[lane].get<int32_t>(i), sum, false),
                      4 * i);
    }
  }
}

std::optional<EmulatedInstruction>
quant_mlir::emulator::findWarpGroupProduct(StringRef name) {
  WarpGroupProduct product;
  if (!name.consume_front("wgmma.mma_async.sync.aligned.m64n") ||
      name.consumeInteger(10, product.columns) ||
      !name.consume_front("k32.s32."))
    return std::nullopt;
  auto [lhs, rhs] = name.split('.');
  for (StringRef type : {lhs, rhs})
    if (type != "s8" && type != "u8")
      return std::nullopt;
  product.isLhsSigned = lhs == "s8";
  product.isRhsSigned = rhs == "s8";
  EmulatedInstruction result;
  result.scope = Scope::Warp;
  result.warp = [product](Block &block, unsigned first, ArrayRef<Call> calls) {
    product.run(block, first, calls);
  };
  return result;
}
