//===- FitWeights.h - Weights as kernels of GPUs have them ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FITWEIGHTS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FITWEIGHTS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "llvm/ADT/SetVector.h"

namespace quant_mlir {

/// Gives contractions the weights that kernels of GPUs have. What several
/// operations share is made once.
class WeightFitter {
public:
  /// Where weights are no constant they stay. `replaced`: what has made those
  /// that did not.
  void fit(ContractOp op, llvm::SetVector<mlir::Operation *> &replaced);

private:
  using Weights = std::pair<mlir::Value, AffineAttr>;
  using Key = std::tuple<mlir::Value, mlir::Attribute, int64_t>;

  void widen(ContractOp op);
  void splitBlocks(ContractOp op);

  /// By what they were, and the width or the dimension.
  llvm::DenseMap<Key, Weights> widened, split;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FITWEIGHTS_H
