//===- DotProduct.h - The dot instruction of a target -----------*- C++ -*-===//
//
// What a micro-kernel needs to know of the instruction that multiplies codes
// and adds up the products: how many columns a register has, how many codes of
// a column lie beside each other, how both operands get into registers, and
// what is added to them on the way. The rest of a kernel is the same for all
// targets.
//
// A register of accumulators is a tile of rows and columns: one row of as many
// columns as there are lanes, or two rows of two columns with smmla. `lhs`
// holds the codes of those rows, broadcast where it is one, and `rhs` those of
// those columns. For all rows r and columns c:
//
//   acc[r * columns + c] +=
//       sum_g (lhs[r * group + g] + lhsOffset) * rhs[c * group + g]
//
// Outside of the reduction registers are rows, whatever they are inside.
//
// Of values (f32) a group is one element and the instruction a fused
// multiply-add; what rhs is stored as becomes f32 before it.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DOTPRODUCT_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DOTPRODUCT_H

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "quant-mlir/Target/CPU.h"

namespace quant_mlir {

class DotProduct {
public:
  /// `isRhsUnsigned`: codes of rhs are stored so. Where the instruction takes
  /// one operand of each signedness, lhs is then the signed one.
  /// `isLhsShared`: columns are multiplied with the same codes. Where they are
  /// not, registers are rows.
  DotProduct(const CPUTarget &target, bool isLhsSigned, bool isRhsUnsigned,
             bool isLhsShared = true);
  /// Of values.
  explicit DotProduct(const CPUTarget &target);

  /// The same instruction on narrower registers.
  DotProduct withLanes(int64_t count) const {
    DotProduct narrow = *this;
    narrow.lanes = count;
    return narrow;
  }

  /// The same instruction for codes of lhs that are stored with
  /// `getLhsOffset()` added, as flipLhs does it.
  DotProduct withMovedLhs() const {
    DotProduct moved = *this;
    moved.isLhsMoved = true;
    return moved;
  }

  /// Columns of a register that is a row.
  int64_t getLanes() const { return lanes; }
  /// Rows and columns of a register of accumulators.
  int64_t getRows() const { return rows; }
  int64_t getColumns() const { return lanes / rows; }
  /// Codes of a column beside each other.
  int64_t getGroup() const { return group; }
  /// What is added to codes of lhs.
  int32_t getLhsOffset() const { return lhsOffset; }
  /// Whether that is done where codes are loaded.
  bool flipsLhs() const { return lhsOffset != 0 && !isLhsMoved; }
  /// Codes of lhs, vector<? x i8>, with `getLhsOffset()` added.
  mlir::Value flipLhs(KernelBuilder &kernel, mlir::Value codes) const;
  /// vector<lanes x i32>, of values f32
  mlir::VectorType getSumType(mlir::Builder &builder) const;

  /// `count` codes of each row, at most a group, from each of `indices` on; the
  /// others are 0, so that they add nothing whatever the other operand holds. A
  /// row alone takes the place of all. `before`: how many codes may be read
  /// that lie before them.
  mlir::Value loadLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                      mlir::ValueRange indices, int64_t count,
                      int64_t before) const;
  /// loadLhs of a number of codes that is not known: at least one, and less
  /// than a group.
  mlir::Value loadSome(KernelBuilder &kernel, const FlatOperand &lhs,
                       mlir::ValueRange indices, mlir::Value count) const;
  /// What flips the top bits of the first `count` codes, at most a group, of
  /// each column in a register of `type`.
  mlir::Value buildFlips(KernelBuilder &kernel, mlir::VectorType type,
                         mlir::OpFoldResult count) const;
  /// The bytes of an accumulator's columns, from `index` on, of `width` bits
  /// each.
  mlir::Value loadRhs(KernelBuilder &kernel, mlir::Value rhs, mlir::Value index,
                      unsigned width) const;
  /// Group `number` of those that share `bytes`, of codes of `width` bits. Of
  /// values: as they are stored, one in a byte or more.
  mlir::Value unpackRhs(KernelBuilder &kernel, mlir::Value bytes,
                        unsigned width, int64_t number) const;
  /// The sum of `count` codes from `index` on, as they are moved: i32.
  mlir::Value sumLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                     mlir::Value index, mlir::OpFoldResult count) const;
  /// `sum`, a register that is a row, with the codes of each of its columns
  /// added, as unpackRhs gives them.
  mlir::Value addRhs(KernelBuilder &kernel, mlir::Value sum,
                     mlir::Value rhs) const;
  mlir::Value build(KernelBuilder &kernel, mlir::Value sum, mlir::Value lhs,
                    mlir::Value rhs) const;
  /// `a` times `b` and `sum`, in floats: rounded once where the processor can.
  mlir::Value multiplyAdd(KernelBuilder &kernel, mlir::Value a, mlir::Value b,
                          mlir::Value sum) const;

  /// Registers of `rows` rows, row by row, as accumulators, those of the first
  /// rows first; and back.
  llvm::SmallVector<mlir::Value> toAccumulators(KernelBuilder &kernel,
                                                mlir::ValueRange registers,
                                                int64_t rows) const;
  llvm::SmallVector<mlir::Value> toRows(KernelBuilder &kernel,
                                        mlir::ValueRange accumulators,
                                        int64_t rows) const;
  /// Whether there is an instruction that multiplies 16 bits as well.
  bool hasPairs() const;
  /// x0 * y0 + x1 * y1, where x is (x1 << 16) | x0, and y too: signed numbers
  /// of 16 bits.
  mlir::Value multiplyPairs(KernelBuilder &kernel, mlir::Value x,
                            mlir::Value y) const;
  /// The sum of two sums.
  mlir::Value addSums(KernelBuilder &kernel, mlir::Value a,
                      mlir::Value b) const;

private:
  mlir::Value loadCodes(KernelBuilder &kernel, const FlatOperand &lhs,
                        mlir::Value index, int64_t count, int64_t before) const;

  DotKind kind;
  bool isOfValues = false, hasFMA = false;
  bool isLhsSigned, isSwapped, isLhsMoved = false;
  int64_t lanes, group, rows;
  int32_t lhsOffset;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DOTPRODUCT_H
