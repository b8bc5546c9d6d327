//===- RangesFile.cpp - Writing ranges.json -------------------------------===//

#include "quant-mlir/Calibration/RangesFile.h"

#include "quant-mlir/Support/OutputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;
namespace json = llvm::json;
using numerics::FloatRange;
using numerics::Histogram;

const RangeEntry *RangesFile::find(llvm::StringRef id) const {
  auto it = llvm::find_if(
      observers, [&](const RangeEntry &entry) { return entry.id == id; });
  return it == observers.end() ? nullptr : &*it;
}

static llvm::StringRef toRef(std::string_view text) {
  return {text.data(), text.size()};
}

/// One line whatever the indentation: thousands of counts.
static void writeCounts(json::OStream &json,
                        const std::vector<uint64_t> &counts) {
  json.rawValue([&](llvm::raw_ostream &os) {
    os << '[';
    llvm::interleave(counts, os, ",");
    os << ']';
  });
}

static void writeHistogram(json::OStream &json, const Histogram &histogram) {
  json.object([&] {
    json.attribute("width_log2", histogram.widthLog2());
    json.attribute("first", histogram.first());
    json.attributeBegin("counts");
    writeCounts(json, histogram.counts());
    json.attributeEnd();
  });
}

static void writeEnd(json::OStream &json, const FloatRange &range, float end) {
  if (range.isEmpty())
    json.value(nullptr);
  else
    json.value(static_cast<double>(end));
}

/// One value, or an array of them.
template <typename Values, typename Write>
static void writePerUnit(json::OStream &json, llvm::StringRef name,
                         bool perChannel, const Values &values, Write write) {
  json.attributeBegin(name);
  if (perChannel)
    json.array([&] {
      for (const auto &value : values)
        write(value);
    });
  else
    write(values.front());
  json.attributeEnd();
}

static void writeEntry(json::OStream &json, const RangeEntry &entry,
                       const RangeRequest &defaults) {
  json.attribute("id", json::fixUTF8(entry.id));
  const RangeRequest &request = entry.request;
  if (request.calibrator != defaults.calibrator)
    json.attribute("calibrator", request.calibrator);
  if (request.dtype != defaults.dtype)
    json.attribute("dtype", toRef(name(request.dtype)));
  if (request.scheme != defaults.scheme)
    json.attribute("qscheme", toRef(name(request.scheme)));
  if (entry.scaleType != numerics::ScaleType::F32)
    json.attribute("scale_dtype", toRef(name(entry.scaleType)));
  if (entry.floatLo || entry.floatHi)
    json.attributeArray("float_range", [&] {
      for (const std::optional<float> &end : {entry.floatLo, entry.floatHi})
        if (end)
          json.value(static_cast<double>(*end));
        else
          json.value(nullptr);
    });
  json.attribute("count", entry.count);
  json.attribute("batches", entry.batches);
  json.attribute("nan", entry.nan);
  json.attribute("inf", entry.inf);
  writePerUnit(
      json, "min", entry.perChannel, entry.ranges,
      [&](const FloatRange &range) { writeEnd(json, range, range.min); });
  writePerUnit(
      json, "max", entry.perChannel, entry.ranges,
      [&](const FloatRange &range) { writeEnd(json, range, range.max); });
  if (!entry.histograms.empty())
    writePerUnit(
        json, "histogram", entry.perChannel, entry.histograms,
        [&](const Histogram &histogram) { writeHistogram(json, histogram); });
}

void quant_mlir::writeRanges(llvm::raw_ostream &os, const RangesFile &ranges) {
  json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("version", 1);
    json.attribute("calibrator", ranges.request.calibrator);
    json.attribute("dtype", toRef(name(ranges.request.dtype)));
    json.attribute("qscheme", toRef(name(ranges.request.scheme)));
    if (ranges.percentile)
      json.attribute("percentile", *ranges.percentile);
    json.attributeArray("observers", [&] {
      for (const RangeEntry &entry : ranges.observers)
        json.object([&] { writeEntry(json, entry, ranges.request); });
    });
  });
  os << '\n';
}

llvm::Error quant_mlir::writeRanges(llvm::StringRef path,
                                    const RangesFile &ranges) {
  return writeFileAtomically(
      path, [&](llvm::raw_ostream &os) { writeRanges(os, ranges); });
}
