//===- OpClass.h - What an upstream operation is to the passes --*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_IR_OPCLASS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_IR_OPCLASS_H

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quant_mlir {

/// The answers of QuantizableOpInterface for one operation.
struct OpClass {
  llvm::StringRef kind;
  llvm::SmallVector<QuantizableOperand> operands;
  ValueEffect effect = ValueEffect::Computes;
  llvm::SmallVector<mlir::OpOperand *> sources;
  std::optional<Epilogue> epilogue;
  std::optional<FloatRange> knownRange;
};

/// Matrix multiplications, convolutions and lookups; no kind for the rest.
OpClass classifyWeighted(mlir::linalg::LinalgOp op);

/// Everything else: elementwise operations, pools, moves.
OpClass classifyUnweighted(mlir::linalg::LinalgOp op);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_IR_OPCLASS_H
