//===- Calibrate.h - A calibration run --------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANTCALIBRATE_CALIBRATE_H
#define QUANT_MLIR_TOOLS_QUANTCALIBRATE_CALIBRATE_H

#include "Communicator.h"
#include "Options.h"

namespace quant_mlir {

/// Runs the model over all samples, shared between the processes and their
/// threads; the result, which is the first process's, does not depend on how
/// many there are. All processes fail where one does.
llvm::Expected<RangesFile> calibrate(const CalibrateOptions &options,
                                     Communicator &processes);

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTCALIBRATE_CALIBRATE_H
