//===- RangesFile.h - Ranges of activations, as a file ----------*- C++ -*-===//
//
// ranges.json, version 1 (docs/reference/formats.md): what calibration has seen
// at every observer, and the range that follows. `quant-calibrate` writes it,
// `quant-fold-ranges` reads it.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CALIBRATION_RANGESFILE_H
#define QUANT_MLIR_CALIBRATION_RANGESFILE_H

#include "quant-mlir/Numerics/Histogram.h"
#include "quant-mlir/Numerics/Types.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quant_mlir {

/// How a range was chosen.
struct RangeRequest {
  std::string calibrator = "moving_average";
  numerics::StorageType dtype = numerics::StorageType::Int8;
  numerics::Scheme scheme = numerics::Scheme::Symmetric;

  bool operator==(const RangeRequest &o) const {
    return calibrator == o.calibrator && dtype == o.dtype && scheme == o.scheme;
  }
  bool operator!=(const RangeRequest &o) const { return !(*this == o); }
};

/// What one observer has seen.
struct RangeEntry {
  std::string id;
  /// Of this observer; in the file only where it differs from the file's own.
  RangeRequest request;
  /// In which the scale will be stored.
  numerics::ScaleType scaleType = numerics::ScaleType::F32;
  /// Ends that the request fixes; the other one was observed.
  std::optional<float> floatLo, floatHi;
  int64_t count = 0;   ///< finite elements
  int64_t batches = 0; ///< calls of the function in which it saw elements
  int64_t nan = 0, inf = 0;
  /// One range for the tensor, or one per channel, row-major over the channel
  /// dimensions. A range is empty (null in the file) where nothing finite has
  /// been seen; all others are finite.
  bool perChannel = false;
  std::vector<numerics::FloatRange> ranges;
  /// As many as ranges, or none where the calibrator needs none.
  std::vector<numerics::Histogram> histograms;
};

struct RangesFile {
  RangeRequest request;
  /// p of the calibrator `percentile`, where there is one.
  std::optional<double> percentile;
  std::vector<RangeEntry> observers; ///< in order of their first occurrence

  const RangeEntry *find(llvm::StringRef id) const;
};

/// Reads and checks a whole file: version, types, numbers that fit, ranges with
/// min <= max, ids that are there once, histograms that agree with the count.
/// The error names the file and the observer.
llvm::Expected<RangesFile> readRanges(llvm::StringRef path);
/// The same from memory; the buffer's identifier stands for the file's name.
llvm::Expected<RangesFile> parseRanges(llvm::MemoryBufferRef buffer);

/// Numbers are printed so that reading gives the same bits.
void writeRanges(llvm::raw_ostream &os, const RangesFile &ranges);
/// Replaces the file as a whole or leaves it as it was.
llvm::Error writeRanges(llvm::StringRef path, const RangesFile &ranges);

} // namespace quant_mlir

#endif // QUANT_MLIR_CALIBRATION_RANGESFILE_H
