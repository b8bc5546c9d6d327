//===- MergeRanges.h - Statistics of parts of the data ----------*- C++ -*-===//

#ifndef QUANT_MLIR_CALIBRATION_MERGERANGES_H
#define QUANT_MLIR_CALIBRATION_MERGERANGES_H

#include "quant-mlir/Calibration/RangesFile.h"

#include "llvm/ADT/ArrayRef.h"

namespace quant_mlir {

/// Adds counts and histograms of an entry to those of another one of the same
/// observer. Ranges stay as they are. The error says what does not fit.
llvm::Error addStatistics(RangeEntry &entry, const RangeEntry &other);

/// Chooses the ranges of all entries whose calibrator uses histograms, on
/// `threads` threads. The error names an entry whose calibrator is unknown, or
/// that lacks its histogram.
llvm::Error resolveRanges(RangesFile &file, unsigned threads);

/// What one run over the data of all files would give, exactly. Refuses files
/// of different models or requests, and calibrators that depend on the order of
/// the samples. `paths` are the files' names, for messages.
llvm::Expected<RangesFile> mergeRanges(llvm::ArrayRef<RangesFile> files,
                                       llvm::ArrayRef<std::string> paths);

} // namespace quant_mlir

#endif // QUANT_MLIR_CALIBRATION_MERGERANGES_H
