//===- Compare.cpp --------------------------------------------------------===//

#include "quant-mlir/Support/Compare.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace quant_mlir;

/// |a - b| of integers, without the rounding of a detour through binary64.
static double integerDistance(const NdArray &a, const NdArray &b, int64_t i) {
  auto widen = [i](const NdArray &array) {
    int64_t value = array.asInt64(i);
    return array.dtype == DType::UInt64
               ? static_cast<__int128>(static_cast<uint64_t>(value))
               : static_cast<__int128>(value);
  };
  __int128 difference = widen(a) - widen(b);
  return static_cast<double>(difference < 0 ? -difference : difference);
}

static std::string format(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

llvm::Expected<Comparison> quant_mlir::compare(const NdArray &found,
                                               const NdArray &reference,
                                               llvm::StringRef foundName,
                                               llvm::StringRef referenceName) {
  if (found.shape != reference.shape)
    return makeError("cannot compare: " + foundName + " is " +
                     formatShape(found.shape) + ", '" + referenceName +
                     "' is " + formatShape(reference.shape));
  bool integers = !isFloat(found.dtype) && !isFloat(reference.dtype);
  int64_t count = found.numElements();

  // The largest magnitudes first: squares are taken relative to them, so that
  // neither power overflows or vanishes.
  Comparison result;
  double largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    double a = found.asDouble(i), b = reference.asDouble(i);
    if (std::isfinite(a) && std::isfinite(b)) {
      double error =
          integers ? integerDistance(found, reference, i) : std::abs(a - b);
      result.maxAbsError = std::max(result.maxAbsError, error);
      largest = std::max(largest, std::abs(b));
    } else if (a != b && !(std::isnan(a) && std::isnan(b))) {
      return makeError("cannot compare: element " + llvm::Twine(i) + " of " +
                       foundName + " is " + format(a) + ", of '" +
                       referenceName + "' " + format(b));
    }
  }
  if (result.maxAbsError == 0)
    return result;
  if (!std::isfinite(result.maxAbsError))
    return makeError("cannot compare: the difference of " + foundName +
                     " and '" + referenceName + "' overflows binary64");
  if (largest == 0)
    return makeError("cannot compare: '" + referenceName +
                     "' is zero everywhere, so that SQNR is undefined (max abs "
                     "error " +
                     format(result.maxAbsError) + ")");

  double signal = 0, noise = 0;
  for (int64_t i = 0; i < count; ++i) {
    double a = found.asDouble(i), b = reference.asDouble(i);
    if (!std::isfinite(a) || !std::isfinite(b))
      continue;
    double error = integers ? integerDistance(found, reference, i) : a - b;
    double relativeSignal = b / largest;
    double relativeError = error / result.maxAbsError;
    signal += relativeSignal * relativeSignal;
    noise += relativeError * relativeError;
  }
  result.sqnrDb = 10 * std::log10(signal / noise) +
                  20 * (std::log10(largest) - std::log10(result.maxAbsError));
  return result;
}

llvm::Expected<Top1> quant_mlir::top1(const NdArray &scores,
                                      const NdArray &labels,
                                      llvm::StringRef scoresName,
                                      llvm::StringRef labelsName) {
  if (isFloat(labels.dtype) || labels.dtype == DType::Bool)
    return makeError("'" + labelsName + "' is " + name(labels.dtype) +
                     "; expected labels of an integer type");
  if (scores.shape.size() < 2 || scores.numElements() == 0)
    return makeError("cannot score: " + scoresName + " is " +
                     formatShape(scores.shape) +
                     "; expected samples x classes, neither of them 0");
  int64_t rows = scores.shape.front();
  int64_t classes = scores.numElements() / rows;
  bool oneColumn = labels.shape.size() == 2 && labels.shape[1] == 1;
  if ((labels.shape.size() != 1 && !oneColumn) || labels.shape[0] != rows)
    return makeError("'" + labelsName + "' is " + formatShape(labels.shape) +
                     "; expected " + llvm::Twine(rows) +
                     " labels, one per row of " + scoresName + " (" +
                     formatShape(scores.shape) + ")");

  Top1 result;
  result.count = rows;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t label = labels.asInt64(row);
    if (label < 0 || label >= classes)
      return makeError("'" + labelsName + "': label " + llvm::Twine(row) +
                       " is " + llvm::Twine(label) + "; expected 0 to " +
                       llvm::Twine(classes - 1) + ", an index into the " +
                       llvm::Twine(classes) + " classes of " + scoresName);
    int64_t best = 0;
    double bestScore = scores.asDouble(row * classes);
    bool hasNaN = std::isnan(bestScore);
    for (int64_t i = 1; i < classes; ++i) {
      double score = scores.asDouble(row * classes + i);
      hasNaN |= std::isnan(score);
      if (score > bestScore) {
        bestScore = score;
        best = i;
      }
    }
    result.correct += !hasNaN && best == label;
  }
  return result;
}
