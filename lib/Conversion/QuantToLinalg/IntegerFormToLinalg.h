//===- IntegerFormToLinalg.h - What its lowerings share ---------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_INTEGERFORMTOLINALG_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_INTEGERFORMTOLINALG_H

#include "quant-mlir/Conversion/Utils/ElementArith.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/PatternMatch.h"

#include <optional>

namespace quant_mlir {

/// Inputs of a linalg.generic, collected before its body is built.
struct GenericInputs {
  llvm::SmallVector<mlir::Value> values;
  llvm::SmallVector<mlir::AffineMap> maps;

  /// Position among the block arguments; 0 and nothing added for a null value,
  /// so that only the first input is at 0.
  unsigned add(mlir::Value value, mlir::AffineMap map) {
    if (!value)
      return 0;
    values.push_back(value);
    maps.push_back(map);
    return values.size() - 1;
  }
};

/// A linalg.generic over the elements of `init` with one result.
mlir::Value buildElementwise(
    mlir::OpBuilder &builder, mlir::Location loc, const GenericInputs &inputs,
    mlir::Value init,
    llvm::function_ref<mlir::Value(const ElementArith &, mlir::ValueRange)>
        body);

/// `input` with low and high padding, pairwise by dimension; itself where there
/// is none.
mlir::Value buildPadded(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value input, llvm::ArrayRef<int64_t> padding,
                        mlir::Value value);

/// Whether an operation of the integer form is on tensors: the reference is.
llvm::LogicalResult checkLowerable(mlir::Operation *op,
                                   mlir::PatternRewriter &rewriter);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_INTEGERFORMTOLINALG_H
