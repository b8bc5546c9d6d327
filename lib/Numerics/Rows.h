//===- Rows.h - Walking a blocked tensor row by row -------------*- C++ -*-===//
//
// Any shape with any block sizes is brought to its least number of dimensions,
// in which a weight's per-channel or per-block geometry is nearly always two or
// three, and visited in memory order, each element once. Private to this
// library.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_NUMERICS_ROWS_H
#define QUANT_MLIR_LIB_NUMERICS_ROWS_H

#include "Kernels.h"

#include <algorithm>

namespace quant_mlir::numerics::detail {

struct BlockedDim {
  int64_t size;
  int64_t block;
  int64_t units() const { return (size + block - 1) / block; }
};

/// The geometry without dimensions of size 1 and with neighbours merged where
/// elements and parameters keep their row-major order: (b, whole) becomes one
/// dimension, and so does (1, 1). At least one dimension, the innermost last.
/// The tensor must not be empty.
std::vector<BlockedDim> mergeDims(const BlockGeometry &geometry);

/// Calls `body(offset, unit, run)` for runs that together cover the tensor in
/// memory order, none longer than `maxCount` nor than a row. `offset` is the
/// linear index of the run's first element, `unit` that of the row's first
/// unit.
template <typename Body>
void forEachRun(const std::vector<BlockedDim> &dims, int64_t maxCount,
                Body body) {
  const size_t outer = dims.size() - 1;
  const BlockedDim inner = dims[outer];
  std::vector<int64_t> index(outer, 0), strides(outer);
  int64_t stride = inner.units(), rows = 1;
  for (size_t d = outer; d-- > 0;) {
    strides[d] = stride;
    stride *= dims[d].units();
    rows *= dims[d].size;
  }
  int64_t offset = 0, unit = 0;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < inner.size; column += maxCount)
      body(offset + column, unit,
           Run{std::min(maxCount, inner.size - column), column, inner.block});
    offset += inner.size;
    for (size_t d = outer; d-- > 0;) {
      if (++index[d] < dims[d].size) {
        // Entering the next block moves to the next units.
        if (index[d] % dims[d].block == 0)
          unit += strides[d];
        break;
      }
      index[d] = 0;
      unit -= (dims[d].units() - 1) * strides[d];
    }
  }
}

/// Elements widened or measured at a time: two such buffers stay in the first
/// cache level.
constexpr int64_t bufferSize = 2048;

/// Where element `index` of `source` lies.
inline const void *elementAt(FloatData source, int64_t index) {
  const int64_t width = source.type == ExpressedType::F32 ? 4 : 2;
  return static_cast<const char *>(source.data) + index * width;
}

} // namespace quant_mlir::numerics::detail

#endif // QUANT_MLIR_LIB_NUMERICS_ROWS_H
