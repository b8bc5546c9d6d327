//===- DimPieces.h - Dimensions followed through reshapes -------*- C++ -*-===//
//
// What the dimensions of a tensor are made of, in terms of loops of an
// operation that it goes into or comes from: a reshape joins loops in one
// dimension or splits one over several, a transpose moves them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_DIMPIECES_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_DIMPIECES_H

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/AffineMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace quant_mlir::detail {

/// Part of a loop's index: the loop's index is sum(index of piece * stride)
/// over its pieces.
struct Piece {
  int64_t loop; ///< -1 for an index that is no plain loop, such as 2 * oh + kh
  int64_t size; ///< may be dynamic; then it is the whole loop
  int64_t stride;
};

class DimPieces {
public:
  DimPieces() = default;
  /// The dimensions of a tensor of `shape` that an operation accesses by `map`.
  DimPieces(mlir::AffineMap map, llvm::ArrayRef<int64_t> shape);

  unsigned rank() const { return dims.size(); }
  /// Pieces of one dimension, slowest first; pieces of size one are left out.
  llvm::ArrayRef<Piece> operator[](unsigned dim) const { return dims[dim]; }

  /// Dimension i becomes what dimension sources[i] was, or one of size one
  /// where that is -1.
  void permute(llvm::ArrayRef<int64_t> sources);
  void collapse(llvm::ArrayRef<mlir::ReassociationIndices> groups);
  /// Splits dimension i into the dimensions groups[i] of `shape`; fails, and
  /// leaves *this unspecified, where sizes do not divide each other or are
  /// dynamic in more than one place.
  bool expand(llvm::ArrayRef<mlir::ReassociationIndices> groups,
              llvm::ArrayRef<int64_t> shape);

private:
  llvm::SmallVector<llvm::SmallVector<Piece, 1>> dims;
};

/// A nest of loops that moves two offsets.
struct OffsetLoop {
  int64_t size;
  int64_t strideA, strideB;
};
/// Calls `body` with both offsets for every iteration, the last loop fastest.
void forEachOffset(llvm::ArrayRef<OffsetLoop> loops,
                   llvm::function_ref<void(int64_t, int64_t)> body);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_DIMPIECES_H
