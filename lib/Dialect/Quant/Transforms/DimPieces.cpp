//===- DimPieces.cpp - Dimensions followed through reshapes ---------------===//

#include "DimPieces.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace quant_mlir::detail;

DimPieces::DimPieces(AffineMap map, ArrayRef<int64_t> shape) {
  for (auto [expr, size] : llvm::zip_equal(map.getResults(), shape)) {
    dims.emplace_back();
    if (size == 1)
      continue;
    auto loop = dyn_cast<AffineDimExpr>(expr);
    dims.back().push_back(
        {loop ? int64_t(loop.getPosition()) : int64_t(-1), size, 1});
  }
}

void DimPieces::permute(ArrayRef<int64_t> sources) {
  SmallVector<SmallVector<Piece, 1>> result;
  for (int64_t source : sources) {
    result.emplace_back();
    if (source >= 0)
      result.back() = dims[source];
  }
  dims = std::move(result);
}

void DimPieces::collapse(ArrayRef<ReassociationIndices> groups) {
  SmallVector<SmallVector<Piece, 1>> result;
  for (const ReassociationIndices &group : groups) {
    result.emplace_back();
    for (int64_t dim : group)
      result.back().append(dims[dim]);
  }
  dims = std::move(result);
}

/// Takes pieces whose sizes multiply to `size` from the fast end of `pieces`,
/// splitting the last one where it is larger than what is left.
static bool takePieces(SmallVectorImpl<Piece> &pieces, int64_t size,
                       SmallVectorImpl<Piece> &taken) {
  while (size != 1) {
    if (pieces.empty())
      return false;
    Piece &piece = pieces.back();
    if (piece.size == size ||
        (size > 1 && piece.size > 1 && size % piece.size == 0)) {
      taken.insert(taken.begin(), piece);
      size = piece.size == size ? 1 : size / piece.size;
      pieces.pop_back();
      continue;
    }
    if (size < 1 || piece.size < 1 || piece.size % size != 0)
      return false;
    taken.insert(taken.begin(), {piece.loop, size, piece.stride});
    piece.size /= size;
    piece.stride *= size;
    size = 1;
  }
  return true;
}

bool DimPieces::expand(ArrayRef<ReassociationIndices> groups,
                       ArrayRef<int64_t> shape) {
  SmallVector<SmallVector<Piece, 1>> result(shape.size());
  // From rank 0 there are no groups, and every dimension has size one.
  for (auto [pieces, group] : llvm::zip(dims, groups)) {
    for (int64_t dim : llvm::reverse(group))
      if (!takePieces(pieces, shape[dim], result[dim]))
        return false;
    if (!pieces.empty())
      return false;
  }
  dims = std::move(result);
  return true;
}

void quant_mlir::detail::forEachOffset(
    ArrayRef<OffsetLoop> loops, function_ref<void(int64_t, int64_t)> body) {
  // Loops without iterations call nothing.
  if (llvm::any_of(loops,
                   [](const OffsetLoop &loop) { return loop.size == 0; }))
    return;
  SmallVector<int64_t> index(loops.size(), 0);
  int64_t a = 0, b = 0;
  while (true) {
    body(a, b);
    int64_t level = int64_t(loops.size()) - 1;
    for (; level >= 0; --level) {
      const OffsetLoop &loop = loops[level];
      a += loop.strideA;
      b += loop.strideB;
      if (++index[level] < loop.size)
        break;
      a -= loop.strideA * loop.size;
      b -= loop.strideB * loop.size;
      index[level] = 0;
    }
    if (level < 0)
      return;
  }
}
