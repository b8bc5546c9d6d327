//===- WholeDim.h - The one dimension of several that counts ----*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WHOLEDIM_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WHOLEDIM_H

#include "mlir/Support/LLVM.h"

#include <optional>

namespace quant_mlir {

/// The one of `group`, dimensions of `shape`, whose size is not one; the first
/// one where all are of size one, nullopt where several are not.
inline std::optional<int64_t> findWholeDim(mlir::ArrayRef<int64_t> group,
                                           mlir::ArrayRef<int64_t> shape) {
  std::optional<int64_t> whole;
  for (int64_t dim : group) {
    if (shape[dim] == 1)
      continue;
    if (whole)
      return std::nullopt;
    whole = dim;
  }
  return whole ? *whole : group.front();
}

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WHOLEDIM_H
