//===- PoolWindow.h - Windows, and what averages divide by ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_POOLWINDOW_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_POOLWINDOW_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>
#include <string>

namespace quant_mlir::detail {

/// A reduction over windows of one input: that of one operation, or of several,
/// each over what the one before it gives.
struct PoolWindow {
  mlir::AffineMap inputMap, initMap;
  /// Of the reductions, in the order of the loops.
  llvm::SmallVector<int64_t> sizes;
};

PoolWindow getWindow(mlir::linalg::LinalgOp op, mlir::OpOperand *input);
/// `outer` over what `inner` gives, behind `moves`; nullopt where one of them
/// changes more than dimensions of size one.
std::optional<PoolWindow> compose(PoolWindow outer, const PoolWindow &inner,
                                  llvm::ArrayRef<mlir::Operation *> moves);

/// How an average counts.
enum class Counting { Unknown, Inside, Padding };
/// Compares what `scaling` divides by with the elements of the windows.
Counting findCounting(mlir::linalg::LinalgOp scaling, const PoolWindow &window,
                      mlir::RankedTensorType input, mlir::RankedTensorType sum,
                      llvm::ArrayRef<int64_t> padding, bool hasMoves,
                      std::string &reason);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_POOLWINDOW_H
