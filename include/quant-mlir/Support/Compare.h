//===- Compare.h - How far two arrays are apart, and top-1 ------*- C++ -*-===//

#ifndef QUANT_MLIR_SUPPORT_COMPARE_H
#define QUANT_MLIR_SUPPORT_COMPARE_H

#include "quant-mlir/Support/Npy.h"

#include <optional>

namespace quant_mlir {

struct Comparison {
  double maxAbsError = 0;
  /// 10 log10(sum ref^2 / sum (found - ref)^2); nullopt for an exact match.
  std::optional<double> sqnrDb;
};

/// Compares in binary64, or exactly where both arrays hold integers. NaN agrees
/// with NaN and an infinity with itself; such elements count as exact and are
/// left out of the powers.
///
/// Whatever has no finite answer is an error, so that results can be written as
/// JSON, which knows neither NaN nor infinity: shapes that differ, a NaN or an
/// infinity on one side only, and a difference from a reference of zeros only
/// (SQNR is undefined). `foundName` and `referenceName` are for the message.
llvm::Expected<Comparison> compare(const NdArray &found,
                                   const NdArray &reference,
                                   llvm::StringRef foundName,
                                   llvm::StringRef referenceName);

struct Top1 {
  int64_t correct = 0;
  int64_t count = 0;
  /// In [0, 1].
  double fraction() const { return static_cast<double>(correct) / count; }
};

/// How many rows of `scores` (N x classes; sizes after the first are taken
/// together) have their largest element, the first of equal ones, at the index
/// in `labels` (N integers, or N x 1). A row with a NaN counts as wrong.
llvm::Expected<Top1> top1(const NdArray &scores, const NdArray &labels,
                          llvm::StringRef scoresName,
                          llvm::StringRef labelsName);

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_COMPARE_H
