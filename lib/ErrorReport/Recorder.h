//===- Recorder.h - What the taps hand over ---------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_ERRORREPORT_RECORDER_H
#define QUANT_MLIR_LIB_ERRORREPORT_RECORDER_H

#include "PairModels.h"
#include "TapModule.h"

#include <utility>
#include <vector>

namespace quant_mlir {

/// Adds what compiled code hands over to the entries of a report, which must
/// stay in place as long as this lives.
class Recorder {
public:
  /// Makes an entry in `report.ops` for each pair.
  Recorder(const ModelPairs &pairs, ErrorReport &report);

  /// Name and address of the function that compiled code calls.
  static std::pair<std::string, void *> getTap();
  /// What went wrong in the calls so far.
  llvm::Error takeError();

  /// A tensor of f32 with its elements in order.
  struct Data {
    llvm::SmallVector<int64_t, 4> shape;
    llvm::ArrayRef<float> values;
  };
  void record(TapKind kind, int64_t index, const Data &a, const Data &b,
              const Data &c);
  void finishBatch() { isFirst = false; }

private:
  void recordCodes(int64_t index, const Data &values, const Data &scale,
                   const Data &zeroPoint);
  void recordWeight(int64_t index, const Data &reference, const Data &quantized,
                    const Data &codes);
  void recordOutput(int64_t index, const Data &reference,
                    const Data &quantized);
  void checkShapes(llvm::StringRef what, const Data &reference,
                   const Data &quantized);

  const ModelPairs &pairs;
  ErrorReport &report;
  std::vector<WeightErrors *> weights; ///< of all pairs, in order
  std::string error;
  bool isFirst = true;
};

/// Taps of this thread go to `recorder` while this lives: one batch.
class RecorderScope {
public:
  explicit RecorderScope(Recorder &recorder);
  ~RecorderScope();

private:
  Recorder &recorder;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_ERRORREPORT_RECORDER_H
