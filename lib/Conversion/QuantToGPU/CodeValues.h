//===- CodeValues.h - Values of codes in registers --------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CODEVALUES_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CODEVALUES_H

#include "MatrixUnit.h"

namespace quant_mlir {

/// Pairs of values, as matrix units take them, of words of codes: see
/// CodeValues.cpp.
class CodeValues {
public:
  using Values = MatrixUnit::Values;

  /// `codes` are i4, i8 or fp8, or values already; `value` is f16 or bf16, of
  /// which pairs are added by one instruction, those of bf16 where `addsPairs`.
  CodeValues(MatrixUnit &unit, GPUBuilder &body, mlir::Type codes,
             mlir::Type value, bool addsPairs)
      : codes(codes), value(value), addsPairs(addsPairs || value.isF16()),
        unit(unit), body(body), builder(body.builder), loc(body.loc) {}
  virtual ~CodeValues();

  /// What values of type `lhs` are multiplied as.
  static mlir::Type getValue(mlir::Type lhs);

  /// Pairs of four codes of a word: k, k + 1, and k + 2, k + 3; of nibbles of
  /// the low ones (`part` 0) or the high ones. `offset`, an element or null for
  /// 0, is subtracted.
  Values decode(mlir::Value word, int64_t part, mlir::Value offset);
  /// Pairs k, k + 1 and k + 2, k + 3 of four codes of fp8, as f16.
  virtual Values convertBytes(mlir::Value word, mlir::Type from);

  /// Pairs of values whose sums are the four values `four`: one of what is
  /// multiplied, and three of f32.
  llvm::SmallVector<Values> split(mlir::Value four);

  mlir::VectorType getPair() const { return mlir::VectorType::get({2}, value); }
  mlir::Value constantPair(float number);
  mlir::Value toPair(mlir::Value word);
  mlir::Value toWord(mlir::Value pair);

  const mlir::Type codes, value;

protected:
  const bool addsPairs;
  MatrixUnit &unit;
  GPUBuilder &body;
  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  /// The same of four signed bytes, less `offset`: an element, or null.
  Values decodeBytes(mlir::Value word, mlir::Value offset);
  /// The same of the low (`part` 0) or high nibbles of four bytes.
  Values decodeNibbles(mlir::Value word, int64_t part, mlir::Value offset);
  /// factor * pair - number - offset
  mlir::Value adjust(mlir::Value pair, float factor, float number,
                     mlir::Value offset);
  /// bf16 of the bytes of a word, numbers from 0 to 255, less `number` and
  /// `offset`.
  Values convertNumbers(mlir::Value word, float number, mlir::Value offset);
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_CODEVALUES_H
