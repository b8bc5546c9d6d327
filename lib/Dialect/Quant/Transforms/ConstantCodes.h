//===- ConstantCodes.h - The codes of constant weights ----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CONSTANTCODES_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CONSTANTCODES_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Quant/IR/Quant.h"

namespace quant_mlir {

/// Codes of a constant, one per byte, or values in their bytes.
struct ConstantCodes {
  llvm::ArrayRef<uint8_t> codes;
  std::vector<uint8_t> storage; ///< where they are not as they lie in the IR
  std::string name;             ///< of the resource
};

/// The name of a resource, or one for what is none.
std::string getResourceName(mlir::ElementsAttr elements);

/// Of an arith.constant, or quant.unpack of one. Otherwise the reason, or none
/// where it is no constant.
std::optional<ConstantCodes> readCodes(mlir::Value rhs, std::string &reason);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CONSTANTCODES_H
