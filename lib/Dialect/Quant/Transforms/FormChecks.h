//===- FormChecks.h - What belongs in a form --------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FORMCHECKS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FORMCHECKS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "llvm/ADT/DenseMap.h"

#include <string>

namespace quant_mlir::detail {

/// The checks that levels 1 and 2 have in common: kinds of operations and
/// types, and that codes only move between the operations that know their
/// parameters.
class FormChecks {
public:
  /// `level` is 1 or 2.
  FormChecks(mlir::Operation *root, unsigned level)
      : root(root), level(level) {}

  /// Each operation on its own, and all codes.
  void check();
  /// The first complaint about an operation counts.
  void complain(mlir::Operation *op, const llvm::Twine &why) {
    complaints.try_emplace(op, why.str());
  }
  /// Emits complaints as errors in the order of the module; returns how many.
  unsigned emitErrors();

private:
  bool isQuantOp(mlir::Operation *op) const;
  void checkOp(mlir::Operation *op);
  void checkQuantize(QuantizeOp op);
  void checkDequantize(DequantizeOp op);
  void checkCodes();

  mlir::Operation *root;
  unsigned level;
  llvm::DenseMap<mlir::Operation *, std::string> complaints;
};

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FORMCHECKS_H
