//===- Staging.h - The host's memory where a device reaches it --*- C++ -*-===//
//
// What run times of GPUs share. A `Block` is a piece of memory that a device
// reaches; it has a member `bytes`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_STAGING_H
#define QUANT_MLIR_RUNTIME_STAGING_H

#include "quant-mlir-runtime/GPU.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

namespace quant_mlir {

/// Blocks that are not in use, by size.
template <typename Block> class BlockPool {
public:
  /// One of at least `bytes` bytes, made by `allocate(size)` where none fits.
  template <typename Allocate> Block take(int64_t bytes, Allocate allocate) {
    int64_t size = 4096;
    while (size < bytes)
      size *= 2;
    auto found = spare.lower_bound(size);
    if (found == spare.end() || found->first > 2 * size)
      return allocate(size);
    Block block = found->second;
    spare.erase(found);
    return block;
  }
  void giveBack(Block block) { spare.emplace(block.bytes, block); }
  /// Hands every block to `free`.
  template <typename Free> void clear(Free free) {
    for (auto &[bytes, block] : spare)
      free(block);
    spare.clear();
  }

private:
  std::multimap<int64_t, Block> spare;
};

/// Pieces of the host's memory that a launch uses. Buffers that overlap are one
/// piece, so that the kernel sees one and the same memory.
template <typename Block> struct HostPieces {
  struct Piece {
    char *begin, *end;
    bool isWritten;
    Block block;

    int64_t bytes() const { return end - begin; }
  };

  void add(const QuantGpuBuffer &buffer) {
    char *begin = static_cast<char *>(buffer.data);
    Piece merged{begin, begin + buffer.bytes,
                 (buffer.access & QUANT_GPU_WRITE) != 0, Block()};
    for (size_t i = 0; i < pieces.size();)
      if (pieces[i].begin < merged.end && merged.begin < pieces[i].end) {
        merged.begin = std::min(merged.begin, pieces[i].begin);
        merged.end = std::max(merged.end, pieces[i].end);
        merged.isWritten |= pieces[i].isWritten;
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
        i = 0;
      } else {
        ++i;
      }
    pieces.push_back(merged);
  }

  /// The piece that `buffer`, which was added, lies in.
  const Piece &find(const QuantGpuBuffer &buffer) const {
    char *data = static_cast<char *>(buffer.data);
    return *std::find_if(pieces.begin(), pieces.end(), [&](const Piece &piece) {
      return piece.begin <= data && data + buffer.bytes <= piece.end;
    });
  }

  std::vector<Piece> pieces;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_RUNTIME_STAGING_H
