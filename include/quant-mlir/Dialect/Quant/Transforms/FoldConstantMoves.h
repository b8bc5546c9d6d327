//===- FoldConstantMoves.h - Rearranged constants as constants --*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_FOLDCONSTANTMOVES_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_FOLDCONSTANTMOVES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace quant_mlir {

/// Replaces `value` by a constant, for many codes of less than a byte a packed
/// one with its quant.unpack, where it is a constant whose elements have only
/// been moved: reshaped, transposed, broadcast, sliced, reversed, padded with a
/// constant, concatenated. Operations that are dead thereafter, the original
/// constant included, are erased. Returns null, and changes nothing, where
/// `value` is anything else or much larger than the constants it is made of.
mlir::Value foldConstantMoves(mlir::Value value);

/// Erases `op` where nobody uses it, and then what only it used. `erased`:
/// where they have been, for those who still know them.
void eraseDead(mlir::Operation *op,
               llvm::SmallPtrSetImpl<mlir::Operation *> *erased = nullptr);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_FOLDCONSTANTMOVES_H
