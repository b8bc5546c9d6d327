//===- Observers.h - What a model is observed for ---------------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANTCALIBRATE_OBSERVERS_H
#define QUANT_MLIR_TOOLS_QUANTCALIBRATE_OBSERVERS_H

#include "Options.h"

#include "quant-mlir/Calibration/RangesFile.h"
#include "quant-mlir/Execution/CompiledFunction.h"
#include "quant-mlir/Numerics/Calibrator.h"

namespace quant_mlir {

/// One observer, in order of the numbers that compiled code gives.
struct Observer {
  RangeEntry entry; ///< without statistics
  bool perChannel;
  const numerics::Calibrator *calibrator;
};

/// A model, compiled so that it calls the calibration run time.
struct ObservedModel {
  std::unique_ptr<CompiledFunction> function;
  std::vector<Observer> observers;
  RangeRequest request; ///< of most observers: the file's own
};

/// Reads the model, puts in observers where it has none, and compiles it.
llvm::Expected<ObservedModel> loadObserved(const CalibrateOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTCALIBRATE_OBSERVERS_H
