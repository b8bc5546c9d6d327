//===- MergeRanges.cpp - Statistics of parts of the data ------------------===//

#include "quant-mlir/Calibration/MergeRanges.h"

#include "quant-mlir/Numerics/Calibrator.h"
#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/ThreadPool.h"

using namespace quant_mlir;
using numerics::Calibrator;
using numerics::FloatRange;
using numerics::Histogram;

static std::string describe(const RangeEntry &entry) {
  return "observer " + quoteForMessage(entry.id);
}

llvm::Error quant_mlir::addStatistics(RangeEntry &entry,
                                      const RangeEntry &other) {
  if (llvm::AddOverflow(entry.count, other.count, entry.count) ||
      llvm::AddOverflow(entry.batches, other.batches, entry.batches) ||
      llvm::AddOverflow(entry.nan, other.nan, entry.nan) ||
      llvm::AddOverflow(entry.inf, other.inf, entry.inf))
    return makeError(describe(entry) + " has counts whose sum overflows");
  // One without any data does not know its channels.
  if (other.histograms.empty())
    return llvm::Error::success();
  bool isUnseen =
      llvm::all_of(entry.histograms, [](const Histogram &histogram) {
        return histogram.isEmpty();
      });
  if (isUnseen && !entry.perChannel) {
    entry.histograms = other.histograms;
    return llvm::Error::success();
  }
  if (!other.perChannel && entry.perChannel && other.count == 0)
    return llvm::Error::success();
  if (entry.histograms.size() != other.histograms.size())
    return makeError(describe(entry) + " has " +
                     llvm::Twine(entry.histograms.size()) + " channels and " +
                     llvm::Twine(other.histograms.size()));
  for (auto [histogram, part] : llvm::zip(entry.histograms, other.histograms))
    histogram.merge(part);
  return llvm::Error::success();
}

llvm::Error quant_mlir::resolveRanges(RangesFile &file, unsigned threads) {
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(threads));
  for (RangeEntry &entry : file.observers) {
    const Calibrator *calibrator =
        numerics::findCalibrator(entry.request.calibrator);
    if (!calibrator)
      return makeError(describe(entry) + " has the calibrator " +
                       quoteForMessage(entry.request.calibrator) +
                       "; expected one of " + numerics::calibratorNames());
    if (!calibrator->usesHistogram())
      continue;
    if (entry.histograms.empty())
      return makeError(describe(entry) + " has no histogram, which " +
                       entry.request.calibrator + " needs");
    numerics::CalibrationRequest request;
    request.spec.storage = entry.request.dtype;
    request.spec.scheme = entry.request.scheme;
    request.spec.scaleType = entry.scaleType;
    request.spec.floatLo = entry.floatLo;
    request.spec.floatHi = entry.floatHi;
    if (std::optional<std::string> reason = checkSpec(request.spec))
      return makeError(describe(entry) + ": " + *reason);
    if (file.percentile)
      request.percentile = *file.percentile;
    entry.ranges.resize(entry.histograms.size());
    for (auto [range, histogram] : llvm::zip(entry.ranges, entry.histograms))
      pool.async([calibrator, request, range = &range, histogram = &histogram] {
        *range = calibrator->resolve(*histogram, request);
      });
  }
  pool.wait();
  return llvm::Error::success();
}

/// The error of what two files say differently about one thing.
static llvm::Error disagree(const llvm::Twine &what, llvm::StringRef first,
                            llvm::StringRef second, const llvm::Twine &values) {
  return makeError(what + " differs between '" + first + "' and '" + second +
                   "'" + values +
                   "; only runs of one model with one request can be merged");
}

static llvm::Error isMissing(const RangeEntry &entry, llvm::StringRef in,
                             llvm::StringRef from) {
  return makeError(describe(entry) + " is in '" + in + "' and not in '" + from +
                   "'; only runs of one model can be merged");
}

static std::string describe(const RangeRequest &request) {
  return request.calibrator + ", " + std::string(name(request.dtype)) + ", " +
         std::string(name(request.scheme));
}

static llvm::Error mergeEntry(RangeEntry &entry, const RangeEntry &other,
                              const Calibrator &calibrator,
                              llvm::StringRef firstPath,
                              llvm::StringRef otherPath) {
  if (entry.request != other.request)
    return disagree("the request of " + describe(entry), firstPath, otherPath,
                    " (" + describe(entry.request) + " and " +
                        describe(other.request) + ")");
  if (entry.floatLo != other.floatLo || entry.floatHi != other.floatHi ||
      entry.scaleType != other.scaleType)
    return disagree("the request of " + describe(entry), firstPath, otherPath,
                    "");
  bool isUnseen = entry.count == 0 && !entry.perChannel;
  bool otherIsUnseen = other.count == 0 && !other.perChannel;
  if (!isUnseen && !otherIsUnseen &&
      (entry.perChannel != other.perChannel ||
       entry.ranges.size() != other.ranges.size()))
    return disagree("the number of channels of " + describe(entry), firstPath,
                    otherPath, "");
  // Where only one of them has seen anything there is no order.
  if (calibrator.dependsOnOrder() && entry.count != 0 && other.count != 0)
    return makeFileError(
        firstPath,
        describe(entry) + " is calibrated by " + calibrator.name() +
            ", which depends on the order of the samples and does not merge; "
            "calibrate all data in one run, or with global_minmax, percentile, "
            "mse or entropy");
  if (llvm::Error error = addStatistics(entry, other))
    return error;
  if (isUnseen) {
    entry.ranges = other.ranges;
  } else if (!otherIsUnseen && !calibrator.usesHistogram()) {
    for (auto [range, part] : llvm::zip(entry.ranges, other.ranges))
      if (!part.isEmpty())
        calibrator.addBatch(range, part);
  }
  entry.perChannel |= other.perChannel;
  return llvm::Error::success();
}

llvm::Expected<RangesFile>
quant_mlir::mergeRanges(llvm::ArrayRef<RangesFile> files,
                        llvm::ArrayRef<std::string> paths) {
  RangesFile merged = files.front();
  for (const RangeEntry &entry : merged.observers) {
    const Calibrator *calibrator =
        numerics::findCalibrator(entry.request.calibrator);
    if (!calibrator)
      return makeFileError(
          paths[0], describe(entry) + " has the calibrator " +
                        quoteForMessage(entry.request.calibrator) +
                        "; expected one of " + numerics::calibratorNames());
  }
  for (auto [file, path] : llvm::zip(files.drop_front(), paths.drop_front())) {
    if (file.request != merged.request)
      return disagree("the request", paths[0], path,
                      " (" + describe(merged.request) + " and " +
                          describe(file.request) + ")");
    if (file.percentile != merged.percentile)
      return disagree("the percentile", paths[0], path, "");
    for (const RangeEntry &entry : file.observers)
      if (!merged.find(entry.id))
        return isMissing(entry, path, paths[0]);
    for (RangeEntry &entry : merged.observers) {
      const RangeEntry *other = file.find(entry.id);
      if (!other)
        return isMissing(entry, paths[0], path);
      if (llvm::Error error =
              mergeEntry(entry, *other,
                         *numerics::findCalibrator(entry.request.calibrator),
                         paths[0], path))
        return std::move(error);
    }
  }
  if (llvm::Error error = resolveRanges(merged, /*threads=*/1))
    return makeFileError(paths[0], llvm::toString(std::move(error)));
  return merged;
}
