//===- ContractParts.h - What code of a contraction is about ----*- C++ -*-===//
//
// Panels of columns, rows, tiles of them, and constants: values of the code
// that ContractKernel makes, by what they belong to.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTPARTS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTPARTS_H

#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

#include <optional>
#include <vector>

namespace quant_mlir {

using ContractValues = llvm::SmallVector<mlir::Value>;

/// Numbers of columns (and blocks of them) that are known at compile time: one
/// for all, or a global in the order of panels: batches, panels, blocks,
/// columns.
struct ColumnConstants {
  std::vector<float> values;
  mlir::Type element; ///< in memory
  mlir::Value global; ///< memref, where there are several
  /// Operands, which only the run time knows.
  bool isOperand = false;

  bool isZero() const {
    return !isOperand &&
           llvm::all_of(values, [](float value) { return value == 0; });
  }
  bool isOne() const { return !isOperand && values.size() == 1; }
};

/// What belongs to the columns of a panel: for each register of columns.
struct ContractPanel {
  mlir::Value index;            ///< in its batch
  mlir::OpFoldResult number;    ///< of all panels, batch after batch
  mlir::Value rhs;              ///< index of the panel's first byte
  mlir::Value firstColumn;      ///< of the result
  mlir::OpFoldResult sums;      ///< index of the first column's sum, block 0
  mlir::OpFoldResult constants; ///< index of the first column's, block 0
  int64_t columns;              ///< that are in the result
  /// Where only the run time knows them: how many there are, of `columns`
  /// that would fill the same registers.
  mlir::Value count;
  ContractValues bias; ///< f32
  // Without blocks, the same for all tiles:
  ContractValues start;      ///< of the accumulators
  ContractValues columnSums; ///< sum(w - zw); zero points of rows only
  ContractValues rhsOffset;  ///< where rows are summed, or codes decoded
  ContractValues multiplier, minval;

  int64_t getRegisters(int64_t lanes) const {
    return llvm::divideCeil(columns, lanes);
  }
};

/// What belongs to a row of a tile.
struct ContractRow {
  mlir::Value lhs; ///< index of its first code
  mlir::Value init, residual;
  // Where rhs gives the rows, what columns have otherwise:
  mlir::Value start, rhsOffset, multiplier, bias;
  mlir::Value scale;     ///< f32; dynamic lhs only
  mlir::Value zeroPoint; ///< i32, moved as the codes are; dynamic lhs only
  mlir::Value sums;      ///< index of the sum of its first block
  mlir::Value tail;      ///< index of the end of its first run, for tiles
};

/// Rows that tile registers hold: those of two, or of one.
struct ContractRowTile {
  mlir::OpFoldResult first; ///< number in its block
  mlir::OpFoldResult done;  ///< how many are in tiles before it
  ContractValues at;        ///< the first one's place in the loops
  ContractRow row;          ///< its addresses
};

/// A block of a register of columns, and the accumulator that it takes.
struct ContractTileBlock {
  unsigned tile;
  int64_t reg;
  mlir::OpFoldResult number;
  int64_t size; ///< codes
  bool isLast;  ///< of the reduction
};

/// A tap of a depthwise window: its place in the loops, and its distance from
/// the first one in lhs.
struct DepthwiseTap {
  llvm::SmallVector<int64_t> place;
  int64_t offset;
};

/// Padded dimensions of lhs: which rows of pixels walk, and which one pixels.
struct DepthwisePadding {
  llvm::SmallVector<unsigned> rowDims;
  std::optional<unsigned> pixelDim;
};

/// A register of channels, and their weights as f32, tap by tap.
struct DepthwiseChannels {
  ContractPanel panel;
  ContractValues weights;
};

/// Where a tap's pixels are: from `index` on, of a row's first pixel, `step`
/// apart, and `offset` behind that.
struct DepthwiseTapRow {
  mlir::Value base, index;
  mlir::OpFoldResult step;
  int64_t offset;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTPARTS_H
