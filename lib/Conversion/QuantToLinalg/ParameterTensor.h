//===- ParameterTensor.h - Constant parameters as inputs --------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_PARAMETERTENSOR_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_PARAMETERTENSOR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace quant_mlir {

/// The parameters of a unit as the body of a linalg.generic reads them: as the
/// block argument of an input, or as a constant of its own.
template <typename T> struct Parameter {
  bool present = false;
  mlir::Value input; ///< tensor; null for a constant
  T constant = 0;
};

/// Values of every unit, row-major over `shape`; equal ones (bit for bit: -0 is
/// not +0) become a scalar. Not present where there are none. `name` is that of
/// the resource, if it becomes one.
Parameter<float> buildParameter(mlir::OpBuilder &builder, mlir::Location loc,
                                llvm::StringRef name,
                                llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<float> values);
Parameter<int32_t> buildParameter(mlir::OpBuilder &builder, mlir::Location loc,
                                  llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> shape,
                                  llvm::ArrayRef<int32_t> values);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOLINALG_PARAMETERTENSOR_H
