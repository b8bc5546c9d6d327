//===- Panels.cpp - Weights laid out for micro-kernels --------------------===//

#include "quant-mlir/Numerics/Panels.h"

#include "Kernels.h"

#include <algorithm>
#include <cassert>
#include <cstring>

using namespace quant_mlir::numerics;

namespace {

int64_t divideCeil(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Where the codes of a list of dimensions lie: row-major over the list,
/// offsets in elements of the whole tensor.
std::vector<int64_t> offsetsOf(const std::vector<int64_t> &shape,
                               const int64_t *begin, const int64_t *end) {
  std::vector<int64_t> offsets{0};
  for (; begin != end; ++begin) {
    int64_t stride = 1;
    for (size_t dim = *begin + 1; dim < shape.size(); ++dim)
      stride *= shape[dim];
    std::vector<int64_t> next;
    next.reserve(offsets.size() * shape[*begin]);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < shape[*begin]; ++i)
        next.push_back(offset + i * stride);
    offsets = std::move(next);
  }
  return offsets;
}

std::vector<int64_t> offsetsOf(const PanelLayout &layout,
                               const std::vector<int64_t> &dims) {
  return offsetsOf(layout.shape, dims.data(), dims.data() + dims.size());
}

/// Calls `visit(code, byte, shift, column, count)` for each element of a run of
/// the columns of a panel: `count` columns, whose codes lie at `code` plus the
/// offsets of columns from `column` on, and whose bytes from `byte` on, `group`
/// apart. Of wide elements all of these count elements.
template <typename Visit>
QUANT_ALWAYS_INLINE void forEachElement(const PanelLayout &layout,
                                        Visit &&visit) {
  const int64_t *reduction = layout.reduction.data();
  const int64_t outerRank = int64_t(layout.reduction.size()) - layout.run;
  const std::vector<int64_t> batches = offsetsOf(layout, layout.batch),
                             outers = offsetsOf(layout.shape, reduction,
                                                reduction + outerRank),
                             runs =
                                 offsetsOf(layout.shape, reduction + outerRank,
                                           reduction + layout.reduction.size());
  const int64_t numColumns = layout.numColumns(), panel = layout.panel,
                group = layout.group, perTuple = layout.groupsPerTuple(),
                tupleBytes = panel * group;
  const int64_t runSize = int64_t(runs.size()), block = layout.blockSize(),
                tuplesPerBlock = layout.tuplesPerBlock(),
                runBytes = layout.tuplesPerRun() * tupleBytes;
  // Of each element of a run, its byte in the run and its place in the byte.
  std::vector<int64_t> bytes(runSize);
  std::vector<unsigned> shifts(runSize);
  for (int64_t i = 0; i < runSize; ++i) {
    const int64_t within = i % block, inTuple = within % (group * perTuple);
    const int64_t tuple =
        i / block * tuplesPerBlock + within / (group * perTuple);
    bytes[i] = tuple * tupleBytes + inTuple % group;
    shifts[i] = unsigned(inTuple / group) * layout.width;
  }
  int64_t base = 0;
  for (int64_t batch : batches)
    for (int64_t column = 0; column < numColumns; column += panel) {
      const int64_t count = std::min(panel, numColumns - column);
      for (int64_t outer : outers) {
        for (int64_t i = 0; i < runSize; ++i)
          visit(batch + outer + runs[i], base + bytes[i], shifts[i], column,
                count);
        base += runBytes;
      }
    }
}

} // namespace

int64_t PanelLayout::product(const std::vector<int64_t> &dims, size_t begin,
                             size_t end) const {
  int64_t result = 1;
  for (; begin != end; ++begin)
    result *= shape[dims[begin]];
  return result;
}

int64_t PanelLayout::blockSize() const {
  const int64_t size = std::max<int64_t>(runSize(), 1);
  return block ? std::min(block, size) : size;
}

int64_t PanelLayout::tuplesPerBlock() const {
  return divideCeil(blockSize(), tupleSize());
}

int64_t PanelLayout::tuplesPerRun() const {
  const int64_t size = runSize(), step = blockSize();
  // A last block that is shorter takes only what it needs.
  return size / step * tuplesPerBlock() + divideCeil(size % step, tupleSize());
}

int64_t PanelLayout::size() const {
  return numBatches() * numPanels() * numOuter() * tuplesPerRun() * panel *
         group * elementBytes();
}

QUANT_HOT void quant_mlir::numerics::packPanels(const PanelLayout &layout,
                                                const uint8_t *codes,
                                                uint8_t *packed) {
  assert((layout.width == 2 || layout.width == 4 || layout.width % 8 == 0) &&
         "a packed width divides 8, or is of whole bytes");
  std::fill_n(packed, layout.size(), uint8_t(0));
  const std::vector<int64_t> columns = offsetsOf(layout, layout.columns);
  const int64_t group = layout.group, bytes = layout.elementBytes();
  if (bytes > 1)
    return forEachElement(layout, [&](int64_t code, int64_t first, unsigned,
                                      int64_t column, int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        std::memcpy(packed + (first + i * group) * bytes,
                    codes + (code + columns[column + i]) * bytes, bytes);
    });
  const unsigned mask = (1u << layout.width) - 1,
                 offset = unsigned(layout.offset);
  forEachElement(layout, [&](int64_t code, int64_t byte, unsigned shift,
                             int64_t column, int64_t count) {
    const uint8_t *source = codes + code;
    uint8_t *dest = packed + byte;
    const int64_t *offsets = columns.data() + column;
    for (int64_t i = 0; i < count; ++i)
      dest[i * group] |=
          uint8_t(((source[offsets[i]] + offset) & mask) << shift);
  });
}

QUANT_HOT void quant_mlir::numerics::unpackPanels(const PanelLayout &layout,
                                                  const uint8_t *packed,
                                                  bool isSigned,
                                                  uint8_t *codes) {
  const std::vector<int64_t> columns = offsetsOf(layout, layout.columns);
  const int64_t group = layout.group, bytes = layout.elementBytes();
  if (bytes > 1)
    return forEachElement(layout, [&](int64_t code, int64_t first, unsigned,
                                      int64_t column, int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        std::memcpy(codes + (code + columns[column + i]) * bytes,
                    packed + (first + i * group) * bytes, bytes);
    });
  const unsigned mask = (1u << layout.width) - 1,
                 offset = unsigned(layout.offset),
                 signBit = isSigned ? 1u << (layout.width - 1) : 0;
  forEachElement(layout, [&](int64_t code, int64_t byte, unsigned shift,
                             int64_t column, int64_t count) {
    uint8_t *dest = codes + code;
    const uint8_t *source = packed + byte;
    const int64_t *offsets = columns.data() + column;
    for (int64_t i = 0; i < count; ++i)
      dest[offsets[i]] = uint8_t(
          (((((source[i * group] >> shift) - offset) & mask) ^ signBit) -
           signBit));
  });
}

std::vector<int32_t> quant_mlir::numerics::sumColumns(const PanelLayout &layout,
                                                      const uint8_t *codes,
                                                      bool isSigned,
                                                      int64_t blockDim,
                                                      int64_t blockSize) {
  const unsigned mask = (1u << layout.width) - 1,
                 signBit = isSigned ? 1u << (layout.width - 1) : 0;
  const std::vector<int64_t> batches = offsetsOf(layout, layout.batch),
                             columns = offsetsOf(layout, layout.columns),
                             reductions = offsetsOf(layout, layout.reduction);
  // Which block each reduction belongs to, in the order of `reductions`.
  std::vector<int64_t> blocks(reductions.size(), 0);
  int64_t numBlocks = 1;
  if (blockDim != -1) {
    int64_t stride = 1;
    for (size_t dim = blockDim + 1; dim < layout.shape.size(); ++dim)
      stride *= layout.shape[dim];
    const int64_t dimSize = layout.shape[blockDim];
    numBlocks = divideCeil(dimSize, blockSize);
    for (size_t i = 0; i < reductions.size(); ++i)
      blocks[i] = reductions[i] / stride % dimSize / blockSize;
  }
  std::vector<int32_t> sums(numBlocks * batches.size() * columns.size(), 0);
  for (size_t i = 0; i < reductions.size(); ++i) {
    int32_t *row = sums.data() + blocks[i] * batches.size() * columns.size();
    for (int64_t batch : batches)
      for (int64_t column : columns) {
        const unsigned bits = codes[reductions[i] + batch + column] & mask;
        *row++ += int32_t((bits ^ signBit) - signBit);
      }
  }
  return sums;
}
