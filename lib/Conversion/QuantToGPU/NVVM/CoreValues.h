//===- CoreValues.h - Values that tensor cores take -------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_COREVALUES_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_COREVALUES_H

#include "../CodeValues.h"

namespace quant_mlir {

/// Pairs of bf16 are added by one instruction, and codes of fp8 converted by
/// another.
class CoreValues : public CodeValues {
public:
  CoreValues(MatrixUnit &unit, GPUBuilder &body, mlir::Type codes,
             mlir::Type value)
      : CodeValues(unit, body, codes, value, /*addsPairs=*/true) {}

  Values convertBytes(mlir::Value word, mlir::Type from) override;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_COREVALUES_H
