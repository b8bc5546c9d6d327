//===- QParamsElements.h - Parameters as numbers ----------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_IR_QPARAMSELEMENTS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_IR_QPARAMSELEMENTS_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include <vector>

namespace quant_mlir::detail {

/// Scales or minvals, and zero points; empty where they are not in memory.
std::vector<float> readParameters(mlir::ElementsAttr elements);
std::vector<int32_t> readZeroPoints(mlir::ElementsAttr elements);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_IR_QPARAMSELEMENTS_H
