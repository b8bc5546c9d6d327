//===- CodeRegisters.h - Four registers as one of codes ---------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CODEREGISTERS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CODEREGISTERS_H

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"
#include "quant-mlir/Target/CPU.h"

namespace quant_mlir {

/// clamp(R(value) + z, range) of four registers of f32 as one of i8, four
/// values of each register in turn: v0[0..3] v1[0..3] v2[0..3] v3[0..3]
/// v0[4..7] …. `areSmall`: values are numbers, which an i32 holds.
mlir::Value buildInterleavedCodes(KernelBuilder &kernel,
                                  const CPUTarget &target,
                                  llvm::ArrayRef<mlir::Value> values,
                                  int32_t zeroPoint, numerics::CodeRange range,
                                  bool isSigned, bool areSmall = false);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_CODEREGISTERS_H
