//===- FitWeights.h - Weights as kernels of GPUs have them ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FITWEIGHTS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FITWEIGHTS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir {

/// Gives contractions the weights that kernels of GPUs have. What several
/// operations share is made once.
class WeightFitter {
public:
  /// The weights that `op` had before; null where those are as they have to be,
  /// or are no constant.
  mlir::Value fit(ContractOp op);

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
