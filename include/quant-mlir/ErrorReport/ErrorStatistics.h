//===- ErrorStatistics.h - How far a quantized model is off -----*- C++ -*-===//
//
// Sums over all elements of all batches, in constant memory. For one value of a
// model, elementwise:
//
//   f  in the float model
//   q  in the quantized model
//   l  what the operation that gives q makes of the float model's inputs
//
//   total error  e = q - f  =  local error  l - f  +  inherited error  q - l
//
// Powers do not add up: sum e^2 = sum (l - f)^2 + sum (q - l)^2 + a mixed term.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_ERRORREPORT_ERRORSTATISTICS_H
#define QUANT_MLIR_ERRORREPORT_ERRORSTATISTICS_H

#include "quant-mlir/Numerics/Histogram.h"
#include "quant-mlir/Numerics/Tensor.h"

#include <array>
#include <cstdint>
#include <optional>

namespace quant_mlir {

/// One of the three errors.
struct Deviation {
  double power = 0;  ///< sum of squares
  double maxAbs = 0; ///< largest magnitude, in the unit of the values

  void add(double error);
};

class ErrorStatistics {
public:
  /// Adds `count` elements. Where one of the three is NaN or infinite, the
  /// element is counted and left out of everything else.
  void add(const float *reference, const float *quantized, const float *local,
           int64_t count);

  uint64_t getCount() const { return count; } ///< finite elements
  uint64_t getNonFinite() const { return nonFinite; }
  const Deviation &getTotal() const { return total; }
  const Deviation &getLocal() const { return local; }
  const Deviation &getInherited() const { return inherited; }

  /// Root mean square of the float model's values.
  double getReferenceRms() const { return rms(signalPower); }
  double getRms(const Deviation &deviation) const {
    return rms(deviation.power);
  }
  /// 10 log10(sum f^2 / sum error^2); nullopt where there is no error, or only
  /// error (the float values are all zero), or no element that is finite.
  std::optional<double> getSqnrDb(const Deviation &deviation) const;
  /// The same for ordering: +infinity where there is no error, -infinity where
  /// there is only error, or no element that is finite.
  double getOrderedSqnrDb(const Deviation &deviation) const;

  const numerics::Histogram &getReferenceValues() const {
    return referenceValues;
  }
  const numerics::Histogram &getQuantizedValues() const {
    return quantizedValues;
  }
  /// Of the total error.
  const numerics::Histogram &getErrors() const { return errors; }

private:
  double rms(double power) const;

  uint64_t count = 0;
  uint64_t nonFinite = 0;
  double signalPower = 0;
  Deviation total, local, inherited;
  numerics::Histogram referenceValues, quantizedValues, errors;
};

/// Which codes of a storage type of at most 8 bits are used, and how often
/// values did not fit.
class CodeStatistics {
public:
  explicit CodeStatistics(numerics::CodeFormat format);

  /// Quantizes `values` (row-major, shape as in `geometry`) again and counts.
  /// NaN counts as 0.0 and an infinity as the largest number: that is how they
  /// are quantized.
  void add(const numerics::TensorParams &params,
           const numerics::BlockGeometry &geometry, const float *values);
  /// Counts codes, one per byte.
  void addCodes(const uint8_t *codes, int64_t count);

  const numerics::CodeFormat &getFormat() const { return format; }
  uint64_t getCount() const { return count; }
  /// Values for which the clamp changed the rounded code.
  uint64_t getClipped() const { return clipped; }
  /// In [0, 1]; 0 without any value.
  double getClippedShare() const;
  /// Codes that occur, of those in the range in use. Both zeros of a float
  /// storage type are one code; its NaNs and infinities are none.
  int getUsedCodes() const;
  int getNumCodes() const { return numCodes; }
  double getUsedShare() const { return double(getUsedCodes()) / numCodes; }

private:
  numerics::CodeFormat format;
  int numCodes = 0;
  uint64_t count = 0;
  uint64_t clipped = 0;
  std::array<uint64_t, 256> counts = {}; ///< by bit pattern
};

/// `histogram` with bins merged in pairs until there are at most `maxBins`,
/// which must be 2 or more: bins that lie on both sides of 0 stay apart.
numerics::Histogram coarsen(const numerics::Histogram &histogram, int maxBins);
/// With bins of width 2^widthLog2, no narrower than its own.
numerics::Histogram coarsenTo(const numerics::Histogram &histogram,
                              int widthLog2);

} // namespace quant_mlir

#endif // QUANT_MLIR_ERRORREPORT_ERRORSTATISTICS_H
