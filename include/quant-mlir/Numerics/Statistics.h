//===- Statistics.h - What an observer sees ---------------------*- C++ -*-===//
//
// The ends, the counts and the histograms of the tensors that pass an observer.
// One look at each element, whatever the layout. NaN and infinities are counted
// and otherwise left out.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_STATISTICS_H
#define QUANT_MLIR_NUMERICS_STATISTICS_H

#include "quant-mlir/Numerics/Histogram.h"
#include "quant-mlir/Numerics/Types.h"

namespace quant_mlir::numerics {

/// A tensor in memory, of any rank and strides (in elements).
struct StridedTensor {
  const void *data; ///< the element with index 0 in every dimension
  ExpressedType type;
  int64_t rank;
  const int64_t *sizes;
  const int64_t *strides;
  /// Bit i: each index of dimension i is a unit of its own. 0: one unit.
  uint64_t channelDims;
};

/// Statistics of one observer, of one thread.
class Statistics {
public:
  explicit Statistics(bool withHistograms) : withHistograms(withHistograms) {}

  /// Forgets the range of the batch before; counts and histograms go on.
  void beginBatch();
  /// Adds a tensor to the current batch. False, and nothing is added, where it
  /// has another number of units than those before; tensors without elements
  /// are no part of this.
  bool add(const StridedTensor &tensor);

  /// Units, row-major over the channel dimensions; 0 before the first tensor.
  int64_t numUnits() const { return static_cast<int64_t>(lows.size()); }
  /// What is finite in the current batch; empty where nothing is.
  FloatRange batchRange(int64_t unit) const;
  /// Over all batches; empty without `withHistograms`.
  const std::vector<Histogram> &histograms() const { return bins; }
  int64_t count() const { return finite; } ///< finite elements
  int64_t nan() const { return numNaN; }
  int64_t inf() const { return numInf; }
  int64_t batches() const { return numBatches; } ///< with elements

private:
  struct Dim;
  void addRow(const char *data, ExpressedType type, const Dim &row,
              int64_t unit);
  void addToUnit(const float *values, int64_t count, int64_t unit);
  void addAcrossUnits(const float *values, int64_t count, int64_t unit,
                      int64_t step);

  bool withHistograms;
  bool inBatch = false;
  /// Ends of the batch as integers that order as the floats do.
  std::vector<int32_t> lows, highs;
  std::vector<Histogram> bins;
  int64_t finite = 0, numNaN = 0, numInf = 0, numBatches = 0;
};

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_STATISTICS_H
