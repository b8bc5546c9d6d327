//===- RangeSearch.h - Calibrators that search ------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_NUMERICS_RANGESEARCH_H
#define QUANT_MLIR_LIB_NUMERICS_RANGESEARCH_H

#include "quant-mlir/Numerics/Calibrator.h"

namespace quant_mlir::numerics::detail {

std::unique_ptr<Calibrator> makeMseCalibrator();
std::unique_ptr<Calibrator> makeEntropyCalibrator();

/// The nearest finite binary32 number: the outer edge of the last bin may be
/// 2^128.
float toFloatRange(double value);

} // namespace quant_mlir::numerics::detail

#endif // QUANT_MLIR_LIB_NUMERICS_RANGESEARCH_H
