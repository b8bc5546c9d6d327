//===- ColumnNumbers.h - Numbers that columns have --------------*- C++ -*-===//
//
// Multipliers, zero points and the like of the columns of a contraction with
// packed weights, which are known when a kernel is made.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_COLUMNNUMBERS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_COLUMNNUMBERS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir {

/// One number for all columns, or one for each, in the order of panels:
/// batches, blocks of the reduction, panels, columns of a panel, of which those
/// beyond the last have 0.
struct ColumnNumbers {
  std::vector<float> values;
  bool isInteger = false;

  bool isZero() const {
    return llvm::all_of(values, [](float value) { return value == 0; });
  }
  bool isOne() const { return values.size() == 1; }
};

struct ContractColumnNumbers {
  ColumnNumbers multiplier; ///< float32(double(sx) * double(sw) / double(sy))
  ColumnNumbers minval;     ///< the same of minval; empty without; what is
                            ///< left of it by rhsZero beside values
  ColumnNumbers rhsZero;    ///< zw, or what minval counts codes from
  ColumnNumbers rhsOffset;  ///< zw and what is added to codes
};

/// Of `op`, which is packed. With dynamic lhs, scales are those of rhs alone.
/// `subtracted`: what the kernel takes from packed codes before it multiplies
/// them. `numBlocks`: rows of numbers for blocks along the reduction, of which
/// those beyond the last are zeros; 0 where there are no blocks.
ContractColumnNumbers computeColumnNumbers(ContractOp op, int64_t subtracted,
                                           int64_t numBlocks = 0);

/// A constant of `numbers` in the module of `builder`, as memref<?xelement>,
/// which holds them exactly; one for equal numbers.
mlir::Value buildColumnNumbers(const ColumnNumbers &numbers, mlir::Type element,
                               mlir::OpBuilder &builder, mlir::Location loc);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_COLUMNNUMBERS_H
