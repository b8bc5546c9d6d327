//===- GenericLoops.h - How a linalg.generic runs on vectors ----*- C++ -*-===//
//
// Which loop of a linalg.generic on buffers becomes one over vectors, in which
// order the others stand around it, and how its results are reduced along it.
// No IR is built here.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_GENERICLOOPS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_GENERICLOOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>
#include <string>

namespace quant_mlir {

class CPUTarget;

/// Operations of math are calls of functions of one element, but for what
/// processors have instructions for.
bool isFunctionCall(mlir::Operation *op);

/// How a body picks its result out of an element and what has been seen: one of
/// the two, by an order. So any grouping of elements gives the same result, and
/// an element may be taken twice.
struct ChoiceReduction {
  mlir::Operation *compare = nullptr; ///< arith.cmpf of (element, seen)
  mlir::Operation *choose = nullptr;  ///< arith.select, or a minimum or maximum
};

/// `loop` floordiv `divisor`, which maps of parameters in blocks have.
struct LoopBlock {
  unsigned loop;
  int64_t divisor;
};

struct GenericLoops {
  /// By operand: its map on the loops and, behind them, on `blocks`.
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<LoopBlock> blocks;
  /// The loop that runs over vectors: every operand moves with it by one
  /// element, or not at all.
  unsigned vectorLoop = 0;
  /// The others, outermost first: parallel ones, then reductions in order.
  llvm::SmallVector<unsigned> outer;
  /// By result, where the loop over vectors is a reduction.
  llvm::SmallVector<ChoiceReduction> reductions;
  /// Bytes of the widest type that is computed with.
  int64_t widestBytes = 1;
  /// Why there is no such loop; empty where there is.
  std::string reason;
};

GenericLoops analyzeGeneric(mlir::linalg::GenericOp op,
                            const CPUTarget &target);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_GENERICLOOPS_H
