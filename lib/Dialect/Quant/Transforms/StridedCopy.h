//===- StridedCopy.h - Elements moved by linear indices ---------*- C++ -*-===//
//
// What FoldConstantMoves.cpp turns every move into: indices that are linear
// functions of loop indices, and copies between them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_STRIDEDCOPY_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_STRIDEDCOPY_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace quant_mlir::detail {

/// A linear function of loop indices.
struct Linear {
  llvm::SmallVector<int64_t> factors;
  int64_t base = 0;
};

/// The function that is `value` for all of `loops` indices.
Linear makeConstant(int64_t value, unsigned loops);
/// `value` where its numbers are those of an index, so that products of two of
/// them do not overflow.
std::optional<Linear> checked(Linear value);

/// An index computed in the body of a structured op with `loops` loops; nullopt
/// where it is not linear.
std::optional<Linear> getLinear(mlir::Value value, unsigned loops);
std::optional<Linear> getLinear(mlir::AffineExpr expr, unsigned loops);

llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Offset into a row-major tensor of `shape` for one linear function per
/// dimension; nullopt where an index leaves the shape for loops of `sizes`,
/// which are all positive.
std::optional<Linear> linearize(llvm::ArrayRef<Linear> indices,
                                llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<int64_t> sizes);

/// Element i of `sizes` goes from source.base + source.factors * i to
/// dest.base + dest.factors * i, both counted in elements.
struct StridedCopy {
  llvm::ArrayRef<int64_t> sizes;
  Linear source, dest;
};
/// Moves elements of `width` bytes.
void copy(const StridedCopy &move, int64_t width, const char *source,
          char *dest);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_STRIDEDCOPY_H
