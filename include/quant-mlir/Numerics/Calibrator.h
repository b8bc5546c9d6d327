//===- Calibrator.h - From observed data to a range -------------*- C++ -*-===//
//
// docs/numerics.md section 5. A calibrator takes either the range of each
// batch, in sample order, or the histogram of all values. A new one is a
// subclass, registered by name; the name is then known to `quant.observe`, to
// the tools and to ranges.json.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_CALIBRATOR_H
#define QUANT_MLIR_NUMERICS_CALIBRATOR_H

#include "quant-mlir/Numerics/Histogram.h"
#include "quant-mlir/Numerics/Params.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quant_mlir::numerics {

/// What a range is wanted for.
struct CalibrationRequest {
  QuantSpec spec;             ///< must have passed checkSpec
  double percentile = 99.999; ///< in percent, above 50 and up to 100
};

/// Stateless, and used by several threads at once.
class Calibrator {
public:
  explicit Calibrator(std::string name) : ownName(std::move(name)) {}
  virtual ~Calibrator();
  const std::string &name() const { return ownName; }

  /// Whether the range is that of `resolve`; of `addBatch` otherwise.
  virtual bool usesHistogram() const { return false; }
  /// Whether the order of batches matters: statistics of two runs then do not
  /// merge. Without, and without a histogram, `addBatch` of two running ranges
  /// gives that of both runs.
  virtual bool dependsOnOrder() const { return false; }
  /// Whether the range is meant for one storage type and scheme only.
  virtual bool dependsOnStorage() const { return false; }

  /// Takes the range of one unit in the next batch (not empty) into the running
  /// range, which is empty before the first batch.
  virtual void addBatch(FloatRange &running, FloatRange batch) const {
    running.include(batch);
  }
  /// The range of one unit; empty for an empty histogram.
  virtual FloatRange resolve(const Histogram &histogram,
                             const CalibrationRequest &request) const {
    return {};
  }

private:
  std::string ownName;
};

/// False, and nothing is registered, where the name is taken.
bool registerCalibrator(std::unique_ptr<Calibrator> calibrator);
/// Null where there is none of that name. Those of section 5 are there from the
/// beginning; `static`, which is for weights, is not one.
const Calibrator *findCalibrator(std::string_view name);
/// All names, comma separated, for error messages.
std::string calibratorNames();

//===----------------------------------------------------------------------===//
// What the searching calibrators search: for tests and for calibrators of an
// embedder's own.
//===----------------------------------------------------------------------===//

/// The ranges among which `mse` and `entropy` choose, widest first. The ends of
/// the data are the outer edges of the outermost bins with a count, and 0. With
/// one end to choose (symmetric; data on one side of 0; the other end fixed by
/// the request) that end takes i/2048 of the data's, i = 2048 to 1; with two
/// each takes i/128, i = 128 to 0, but not both 0. A symmetric range is cut to
/// the ends of the data.
std::vector<FloatRange> candidateRanges(const Histogram &histogram,
                                        const QuantSpec &spec);

/// sum over bins of count * (x' - x)^2 in binary64, x the middle of a bin and
/// x' what becomes of it with the parameters that `spec` gives for the range;
/// infinity where it gives none.
double meanSquareObjective(const Histogram &histogram, const QuantSpec &spec,
                           FloatRange range);

/// KL divergence (in nats) of the clipped distribution P from the quantized one
/// Q, over the bins whose middle is in the range. P: counts, with those outside
/// added to the outermost such bins with a count, divided by all. Q: the counts
/// (without those outside) of all bins that quantize to one value, spread
/// evenly over those of them with a count, divided by all in the range.
/// Infinity where no parameters follow from the range, or no count is in it.
double divergenceObjective(const Histogram &histogram, const QuantSpec &spec,
                           FloatRange range);

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_CALIBRATOR_H
