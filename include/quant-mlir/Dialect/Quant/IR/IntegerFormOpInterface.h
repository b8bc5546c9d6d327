//===- IntegerFormOpInterface.h - Loops of the integer form -----*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_INTEGERFORMOPINTERFACE_H
#define QUANT_MLIR_DIALECT_QUANT_IR_INTEGERFORMOPINTERFACE_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace quant_mlir::detail {

llvm::SmallVector<int64_t> getStaticLoopSizes(mlir::Operation *op);
llvm::SmallVector<mlir::OpFoldResult>
getLoopSizes(mlir::Operation *op, mlir::OpBuilder &builder, mlir::Location loc);
llvm::LogicalResult verifyIntegerForm(mlir::Operation *op);

} // namespace quant_mlir::detail

#include "quant-mlir/Dialect/Quant/IR/IntegerFormOpInterface.h.inc"

namespace quant_mlir {

/// One dimension of an operand as a sum of loops times constants plus a constant.
struct LinearExpr {
  /// By loop; 0 for loops that it does not depend on.
  llvm::SmallVector<int64_t> factors;
  int64_t constant = 0;
};

/// nullopt where `expr` is anything else.
std::optional<LinearExpr> getLinearExpr(mlir::AffineExpr expr, unsigned numLoops);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_INTEGERFORMOPINTERFACE_H
