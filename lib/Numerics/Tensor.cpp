//===- Tensor.cpp - Block geometry ----------------------------------------===//
//
// Section 4 of docs/numerics.md: shapes, block sizes and the units they make.
// Ranges.cpp and QuantizeTensor.cpp do the work on the data, Packing.cpp the
// storage of narrow codes.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Tensor.h"

#include "Rows.h"

#include <cassert>

using namespace quant_mlir::numerics;
using namespace quant_mlir::numerics::detail;

/// A block size as it counts: at least 1 and at most the dimension, of which an
/// empty one has no blocks.
static int64_t effectiveBlock(int64_t dim, int64_t block) {
  assert(dim >= 0 && "a dimension has a size");
  assert((block >= 1 || block == -1) && "a block size is positive or -1");
  return std::max<int64_t>(1, block == -1 ? dim : std::min(block, dim));
}

namespace quant_mlir::numerics {

BlockGeometry::BlockGeometry(std::vector<int64_t> shape,
                             std::vector<int64_t> blockSizes)
    : shape(std::move(shape)), blockSizes(std::move(blockSizes)) {
  assert(this->shape.size() == this->blockSizes.size() &&
         "one block size per dimension");
}

std::vector<int64_t> BlockGeometry::paramShape() const {
  std::vector<int64_t> result;
  result.reserve(shape.size());
  for (size_t d = 0; d < shape.size(); ++d)
    result.push_back(
        BlockedDim{shape[d], effectiveBlock(shape[d], blockSizes[d])}.units());
  return result;
}

int64_t BlockGeometry::numElements() const {
  int64_t product = 1;
  for (int64_t dim : shape)
    product *= dim;
  return product;
}

int64_t BlockGeometry::numUnits() const {
  int64_t product = 1;
  for (int64_t units : paramShape())
    product *= units;
  return product;
}

} // namespace quant_mlir::numerics

std::vector<BlockedDim>
quant_mlir::numerics::detail::mergeDims(const BlockGeometry &geometry) {
  std::vector<BlockedDim> dims;
  for (size_t d = 0; d < geometry.shape.size(); ++d) {
    const int64_t size = geometry.shape[d];
    const int64_t block = effectiveBlock(size, geometry.blockSizes[d]);
    assert(size > 0 && "an empty tensor has no rows");
    if (size == 1)
      continue;
    if (!dims.empty() && block == size) {
      dims.back().size *= size;
      dims.back().block *= size;
    } else if (!dims.empty() && dims.back().block == 1 && block == 1) {
      dims.back().size *= size;
    } else {
      dims.push_back({size, block});
    }
  }
  if (dims.empty())
    dims.push_back({1, 1});
  return dims;
}
