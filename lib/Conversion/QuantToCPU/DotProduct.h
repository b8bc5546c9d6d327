//===- DotProduct.h - The dot instruction of a target -----------*- C++ -*-===//
//
// What a micro-kernel needs to know of the instruction that multiplies codes
// and adds up the products: how many columns a register has, how many codes of
// a column lie beside each other, how both operands get into registers, and
// what is added to them on the way. The rest of a kernel is the same for all
// targets.
//
// With `lhs` the codes of one row that every column is multiplied with,
// broadcast, and `rhs` those of a register's columns, for all columns c:
//
//   acc[c] += sum_g (lhs[g] + lhsOffset) * rhs[c * group + g]
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
  DotProduct(const CPUTarget &target, bool isLhsSigned, bool isRhsUnsigned);

  /// Columns of a register of accumulators.
  int64_t getLanes() const { return lanes; }
  /// Codes of a column beside each other.
  int64_t getGroup() const { return group; }
  /// What is added to codes of lhs.
  int32_t getLhsOffset() const { return lhsOffset; }
  /// vector<lanes x i32>
  mlir::VectorType getSumType(mlir::Builder &builder) const;

  /// `count` codes, at most a group, from `index` on, broadcast; the others are
  /// 0, so that they add nothing whatever the other operand holds. `before`:
  /// how many codes may be read that lie before them.
  mlir::Value loadLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                      mlir::Value index, int64_t count, int64_t before) const;
  /// The bytes of a register's columns, from `index` on.
  mlir::Value loadRhs(KernelBuilder &kernel, mlir::Value rhs,
                      mlir::Value index) const;
  /// Group `number` of those that share `bytes`, of codes of `width` bits.
  mlir::Value unpackRhs(KernelBuilder &kernel, mlir::Value bytes,
                        unsigned width, int64_t number) const;
  /// The sum of `count` codes from `index` on, as they are moved: i32.
  mlir::Value sumLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                     mlir::Value index, int64_t count) const;
  mlir::Value build(KernelBuilder &kernel, mlir::Value sum, mlir::Value lhs,
                    mlir::Value rhs) const;

private:
  DotKind kind;
  bool isLhsSigned, isSwapped;
  int64_t lanes, group;
  int32_t lhsOffset;
};

/// Whether kernels of contractions know the dot instruction of `target`.
bool hasDotProduct(const CPUTarget &target);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DOTPRODUCT_H
