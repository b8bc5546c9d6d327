//===- RequantizeArith.h - Codes of the integer form as arith ---*- C++ -*-===//
//
// docs/numerics.md section 6 on one element, or on a vector of them: how codes
// become integers, and values of a result codes again.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_REQUANTIZEARITH_H
#define QUANT_MLIR_CONVERSION_UTILS_REQUANTIZEARITH_H

#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include <optional>

namespace quant_mlir {

/// An integer code, of its storage element type, as i32.
mlir::Value buildExtendCode(const ElementArith &arith, mlir::Value code,
                            numerics::StorageType storage);

/// code - zero_point of per_tensor parameters, as i32; 0 for floats is no zero
/// point, so these are widened to binary32.
mlir::Value buildCentredCode(const ElementArith &arith, mlir::Value code,
                             AffineAttr params);
/// The same as binary32.
mlir::Value buildCentredFloat(const ElementArith &arith, mlir::Value code,
                              AffineAttr params);

/// Scale and zero point of static per_tensor parameters.
float getTensorScale(AffineAttr params);
int32_t getTensorZeroPoint(AffineAttr params);

/// The range in use of per_tensor parameters, made narrower by bounds on
/// values: integers z + R(float32(bound / double(scale))), floats without the
/// rounding.
numerics::CodeRange getBoundedRange(AffineAttr params,
                                    std::optional<llvm::APFloat> low,
                                    std::optional<llvm::APFloat> high);

/// clamp(R(value) + z, range) for integer storage, cast(clamp(value, range))
/// for floats; of the storage element type. `value` is binary32, divided by the
/// scale already; NaN gives the code of 0.0.
mlir::Value buildResultCode(const ElementArith &arith, mlir::Value value,
                            AffineAttr params, numerics::CodeRange range);

/// min(max(value, low), high); NaN stays.
mlir::Value buildBounds(const ElementArith &arith, mlir::Value value,
                        std::optional<llvm::APFloat> low,
                        std::optional<llvm::APFloat> high);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_REQUANTIZEARITH_H
