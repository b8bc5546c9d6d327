//===- Samples.h - The data to calibrate on ---------------------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANTCALIBRATE_SAMPLES_H
#define QUANT_MLIR_TOOLS_QUANTCALIBRATE_SAMPLES_H

#include "Options.h"

#include "quant-mlir/Execution/Batches.h"

namespace quant_mlir {

/// Files of samples, read batch by batch: memory is that of a batch, however
/// many there are.
class Samples {
public:
  /// Reads the files' headers: what is wrong with them is found before a model
  /// is compiled.
  static llvm::Expected<Samples> open(const CalibrateOptions &options);
  /// Cuts them into batches, and reads what every batch uses whole.
  llvm::Error cut(const CompiledFunction &function);

  int64_t size() const { return plan.count; }
  /// The arguments of a batch, into `arrays`, which is for one thread.
  llvm::Error read(int64_t batch, std::vector<NdArray> &arrays) const;

private:
  explicit Samples(const CalibrateOptions &options) : options(&options) {}

  const CalibrateOptions *options;
  std::vector<NpyFile> files;
  BatchPlan plan;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTCALIBRATE_SAMPLES_H
