//===- CodeFloats.h - f32 of codes in words ---------------------*- C++ -*-===//
//
// What f32 is multiplied with by lanes that have no matrix instruction for it.
// A code becomes the low bits of a mantissa whose last bit is worth 2^-p, so
// that bits from p on count as the code does:
//
//   bits of 2^(23 - p) | (word & mask << p)  =  2^(23 - p) + u
//
// from which one subtraction takes what is too much, the zero point included,
// and nothing is rounded. Nibbles are where they are, but for those of the high
// half of a word, which one shift brings down. Bytes, which have signs, are u -
// 128.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CODEFLOATS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CODEFLOATS_H

#include "mlir/IR/Builders.h"

namespace quant_mlir {

class CodeFloats {
public:
  using Values = llvm::SmallVector<mlir::Value>;

  /// `width`: bits of a code, 4 or 8.
  CodeFloats(mlir::OpBuilder &builder, mlir::Location loc, int64_t width)
      : builder(builder), loc(loc), width(width) {}

  /// Words of codes, vectors of one word of each of some columns, as `decode`
  /// takes them.
  struct Words {
    mlir::Value low, high;
  };
  Words prepare(mlir::Value words) const;

  /// What is subtracted where codes are less `offset`, f32 of columns: one for
  /// each place that a code may have.
  Values getSubtracted(mlir::Value offset) const;

  /// Four codes that follow each other, as f32 of columns: bytes, or the low
  /// nibbles (`part` 0) or the high ones.
  Values decode(const Words &words, int64_t part,
                llvm::ArrayRef<mlir::Value> subtracted) const;

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t width;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CODEFLOATS_H
