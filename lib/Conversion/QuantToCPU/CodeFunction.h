//===- CodeFunction.h - What a body computes from one code ------*- C++ -*-===//
//
// A part of a body of linalg.generic that depends on one argument of 8 bits,
// and its results for all codes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CODEFUNCTION_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CODEFUNCTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>
#include <string>

namespace quant_mlir {

struct CodeFunction {
  mlir::BlockArgument code;
  /// What the result is computed by, in order.
  llvm::SmallVector<mlir::Operation *> ops;
  mlir::Value result;

  /// Instructions for one code, or for a register of codes: for an operation
  /// as many as its elements have bytes.
  int64_t countInstructions(bool onVectors) const;
  /// Whether it calls a function for each element.
  bool hasCall() const;
};

/// The function that a result of `op` is; none where it depends on anything but
/// one input of i8 and constants.
std::optional<CodeFunction> matchCodeFunction(mlir::linalg::GenericOp op,
                                              mlir::Value result);

/// Results by the bits of the code: tensor<256xT>. Null where an operation does
/// not fold: `reason` says which.
mlir::DenseElementsAttr evaluate(const CodeFunction &function,
                                 std::string &reason);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CODEFUNCTION_H
