//===- ContractKernel.h - One contraction as a kernel -----------*- C++ -*-===//
//
// Loops, micro-kernel and epilogue of quant.contract on buffers. The loops:
//
//   batches
//     panels of columns                     whole ones in a loop, then the last
//       values of the panel's columns       bias, sums, multipliers
//         tiles of rows                     whole ones in a loop, then the rest
//           reduction                       accumulators in registers throughout
//           epilogue                        from them to codes or values
//
// A panel of weights is read from L2 for every tile of rows, at a few bytes per
// cycle; the rows of a tile stay in L1.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTKERNEL_H

#include "DotProduct.h"

#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

namespace quant_mlir {

/// Numbers of columns that are known at compile time: one for all, or a global of
/// as many as all panels have columns, batch by batch.
struct ColumnConstants {
  std::vector<float> values; ///< one, or one for each column of each batch
  bool isInteger = false;
  mlir::Value global;        ///< memref, where there are several

  bool isZero() const {
    return llvm::all_of(values, [](float value) { return value == 0; });
  }
};

class ContractKernel {
public:
  ContractKernel(ContractOp op, const CPUTarget &target,
                 mlir::OpBuilder &builder);

  /// Makes the kernel before `op`, which is left.
  void build();

private:
  //===--------------------------------------------------------------------===//
  // Parts
  //===--------------------------------------------------------------------===//

  /// What belongs to the columns of a panel: for each register of columns.
  struct Panel {
    mlir::Value rhs;         ///< index of the panel's first byte
    mlir::Value firstColumn; ///< of the result
    int64_t columns;         ///< that are in the result
    llvm::SmallVector<mlir::Value> start;      ///< of the accumulators
    llvm::SmallVector<mlir::Value> sums;       ///< sum(w - zw); dynamic lhs only
    llvm::SmallVector<mlir::Value> rhsOffset;  ///< where rows are summed
    llvm::SmallVector<mlir::Value> multiplier, minval, bias;

    int64_t getRegisters(int64_t lanes) const {
      return llvm::divideCeil(columns, lanes);
    }
  };
  /// What belongs to a row of a tile.
  struct Row {
    mlir::Value lhs;  ///< index of its first code
    mlir::Value init, residual;
    mlir::Value scale;     ///< f32; dynamic lhs only
    mlir::Value zeroPoint; ///< i32, of codes moved as the instruction does
    mlir::Value sum;       ///< i32, of codes moved as the instruction does
  };

  void analyze();
  void analyzeColumns();
  /// Loops of rows that are one: the loop whose strides count, and the size.
  void mergeRows();

  void buildPanels(llvm::SmallVector<mlir::Value> &ivs, mlir::Value batch);
  void buildPanel(llvm::SmallVector<mlir::Value> &ivs, mlir::Value batch,
                  mlir::Value index, int64_t columns);
  void buildRows(llvm::SmallVector<mlir::Value> &ivs, const Panel &panel);
  void buildTile(llvm::SmallVector<mlir::Value> &ivs, const Panel &panel,
                 mlir::Value first, int64_t count);
  /// Addresses and numbers of `count` rows from `first` on.
  llvm::SmallVector<Row> buildRowValues(llvm::SmallVector<mlir::Value> &ivs,
                                        const Panel &panel, mlir::Value first,
                                        int64_t count);

  /// Adds the whole reduction to `sums`, row by row the registers of a row.
  llvm::SmallVector<mlir::Value> reduce(mlir::ArrayRef<Row> rows,
                                        const Panel &panel,
                                        llvm::SmallVector<mlir::Value> sums);
  /// Groups [from, from + count) of a run that begins at `lhs` and `rhs` behind
  /// the rows' and the panel's beginning.
  void addGroup(mlir::ArrayRef<Row> rows, const Panel &panel, mlir::Value lhs,
                mlir::Value rhs, mlir::OpFoldResult group, int64_t count,
                int64_t before,
                llvm::MutableArrayRef<mlir::Value> sums);
  /// The codes of one row, summed.
  mlir::Value sumRow(mlir::Value lhs);

  void finish(mlir::ArrayRef<Row> rows, const Panel &panel,
              mlir::ArrayRef<mlir::Value> sums);
  mlir::Value finishRegister(const Row &row, const Panel &panel,
                             int64_t reg, mlir::Value sum);

  //===--------------------------------------------------------------------===//
  // Columns in registers
  //===--------------------------------------------------------------------===//

  /// `lanes` elements, of which the first `valid` exist.
  mlir::Value loadColumns(const FlatOperand &operand, mlir::Value index,
                          int64_t valid);
  void storeColumns(const FlatOperand &operand, mlir::Value index,
                    mlir::Value vector, int64_t valid);
  void placeConstants(ColumnConstants &constants, llvm::StringRef name);
  mlir::Value loadConstants(const ColumnConstants &constants, mlir::Value at);
  mlir::Value splat(mlir::Value scalar);
  ElementArith arith(mlir::Value like);

  ContractOp op;
  const CPUTarget &target;
  KernelBuilder kernel;
  ContractLoops loops;
  DotProduct dot;

  FlatOperand lhs, bias, residual, init, sums, scale, zeroPoint;
  mlir::Value rhs;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  struct MergedLoop {
    unsigned loop;
    mlir::OpFoldResult size;
  };
  llvm::SmallVector<MergedLoop> rowLoops; ///< from the outermost

  int64_t columns = 1, panelColumns = 1;
  llvm::SmallVector<unsigned> outer; ///< reductions around a run
  int64_t runSize = 1, reductionSize = 1;
  int32_t rhsStorageOffset = 0;
  /// Moved as the instruction does: what is subtracted from codes of lhs.
  int32_t lhsZero = 0;
  bool needsRowSums = false;
  ColumnConstants rhsOffset, rhsZero, multiplier, minval;
  std::optional<float> resultScale;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CONTRACTKERNEL_H
