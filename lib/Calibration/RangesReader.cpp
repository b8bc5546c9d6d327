//===- RangesReader.cpp - Reading ranges.json -----------------------------===//
//
// Strict: the file decides about accuracy, so that whatever does not add up
// (edited, cut off, of another version) is an error and not a guess.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Calibration/RangesFile.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace quant_mlir;
namespace json = llvm::json;
using numerics::FloatRange;
using numerics::Histogram;

static constexpr llvm::StringLiteral fileKeys[] = {
    "version", "calibrator", "dtype", "qscheme", "percentile", "observers"};
static constexpr llvm::StringLiteral entryKeys[] = {
    "id",          "calibrator", "dtype",    "qscheme", "scale_dtype",
    "float_range", "count",      "batches",  "nan",     "inf",
    "min",         "max",        "histogram"};
static constexpr llvm::StringLiteral histogramKeys[] = {"width_log2", "first",
                                                        "counts"};

namespace {
/// Reads an object's members; the first error stays.
class Reader {
public:
  Reader(const json::Object &object, std::string what, std::string &error)
      : object(object), what(std::move(what)), error(error) {}

  bool failed() const { return !error.empty(); }
  void fail(const llvm::Twine &message) {
    if (error.empty())
      error = (what.empty() ? message : what + ": " + message).str();
  }
  void checkKeys(llvm::ArrayRef<llvm::StringLiteral> known);

  const json::Value *get(llvm::StringRef key) {
    const json::Value *value = object.get(key);
    if (!value)
      fail("expected the key '" + key + "', which is missing");
    return value;
  }
  bool has(llvm::StringRef key) const { return object.get(key); }

  std::string string(llvm::StringRef key);
  int64_t number(llvm::StringRef key, int64_t least);
  const json::Array *array(llvm::StringRef key);
  /// null where `value` is.
  std::optional<float> end(llvm::StringRef key, const json::Value &value);

  template <typename T>
  T named(llvm::StringRef key, std::optional<T> (*parse)(std::string_view),
          std::string names) {
    std::string text = string(key);
    std::optional<T> value = parse(text);
    if (!value)
      fail("'" + key + "' expects one of " + names + ", found " +
           quoteForMessage(text));
    return value.value_or(T());
  }

  std::string describe(const json::Value &value) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << value;
    return quoteForMessage(text);
  }

private:
  const json::Object &object;
  std::string what;
  std::string &error;
};
} // namespace

void Reader::checkKeys(llvm::ArrayRef<llvm::StringLiteral> known) {
  for (const auto &member : object)
    if (!llvm::is_contained(known, llvm::StringRef(member.first)))
      fail("the key " + quoteForMessage(member.first) +
           " is not one of version 1");
}

std::string Reader::string(llvm::StringRef key) {
  const json::Value *value = get(key);
  if (!value)
    return {};
  std::optional<llvm::StringRef> text = value->getAsString();
  if (!text || text->empty())
    fail("'" + key + "' expects a string, found " + describe(*value));
  return text.value_or("").str();
}

int64_t Reader::number(llvm::StringRef key, int64_t least) {
  const json::Value *value = get(key);
  if (!value)
    return 0;
  std::optional<int64_t> number = value->getAsInteger();
  if (!number || *number < least)
    fail("'" + key + "' expects an integer" +
         (least == 0 ? " of 0 or more" : "") + ", found " + describe(*value));
  return number.value_or(0);
}

const json::Array *Reader::array(llvm::StringRef key) {
  const json::Value *value = get(key);
  if (!value)
    return nullptr;
  if (!value->getAsArray())
    fail("'" + key + "' expects an array, found " + describe(*value));
  return value->getAsArray();
}

std::optional<float> Reader::end(llvm::StringRef key,
                                 const json::Value &value) {
  if (value.getAsNull())
    return std::nullopt;
  std::optional<double> number = value.getAsNumber();
  float result = number ? static_cast<float>(*number) : 0.0f;
  if (!number || !std::isfinite(result))
    fail("'" + key +
         "' expects finite binary32 numbers, or null where nothing "
         "was observed, found " +
         describe(value));
  return result;
}

static Histogram readHistogram(const json::Value &value,
                               const std::string &what, std::string &error) {
  const json::Object *object = value.getAsObject();
  if (!object) {
    if (error.empty())
      error = what + ": 'histogram' expects an object, or one per channel";
    return {};
  }
  Reader reader(*object, what + ": histogram", error);
  reader.checkKeys(histogramKeys);
  int64_t width = reader.number("width_log2", INT64_MIN);
  int64_t first = reader.number("first", INT64_MIN);
  std::vector<uint64_t> counts;
  if (const json::Array *array = reader.array("counts"))
    for (const json::Value &count : *array) {
      std::optional<int64_t> number = count.getAsInteger();
      if (!number || *number < 0)
        reader.fail("'counts' expects integers of 0 or more, found " +
                    reader.describe(count));
      counts.push_back(number.value_or(0));
    }
  if (reader.failed())
    return {};
  if (auto reason = Histogram::checkParts(width, first, counts)) {
    reader.fail(*reason);
    return {};
  }
  return Histogram(static_cast<int>(width), static_cast<int>(first),
                   std::move(counts));
}

/// One value, or the values of an array.
static llvm::ArrayRef<json::Value> perUnit(const json::Value &value) {
  if (const json::Array *array = value.getAsArray())
    return llvm::ArrayRef<json::Value>(array->data(), array->size());
  return value;
}

static void readUnits(RangeEntry &entry, Reader &reader,
                      const std::string &what, std::string &error) {
  const json::Value *min = reader.get("min"), *max = reader.get("max");
  if (!min || !max)
    return;
  entry.perChannel = min->getAsArray() != nullptr;
  llvm::ArrayRef<json::Value> mins = perUnit(*min), maxs = perUnit(*max);
  if (mins.size() != maxs.size() ||
      entry.perChannel != (max->getAsArray() != nullptr))
    return reader.fail("expected 'min' and 'max' to be one number each, or "
                       "arrays of equal length");
  if (mins.empty())
    return reader.fail("'min' and 'max' expect at least one channel");
  for (auto [low, high] : llvm::zip(mins, maxs)) {
    std::optional<float> lowEnd = reader.end("min", low);
    std::optional<float> highEnd = reader.end("max", high);
    FloatRange range;
    if (lowEnd && highEnd)
      range = {*lowEnd, *highEnd};
    if (lowEnd.has_value() != highEnd.has_value() ||
        (lowEnd && range.isEmpty()))
      reader.fail("expected min <= max, or null for both, found " +
                  reader.describe(low) + " and " + reader.describe(high));
    entry.ranges.push_back(range);
  }

  if (!reader.has("histogram"))
    return;
  const json::Value *histogram = reader.get("histogram");
  llvm::ArrayRef<json::Value> histograms = perUnit(*histogram);
  if (histograms.size() != mins.size() ||
      entry.perChannel != (histogram->getAsArray() != nullptr))
    return reader.fail("expected one histogram per range, found " +
                       llvm::Twine(histograms.size()) + " for " +
                       llvm::Twine(mins.size()));
  uint64_t total = 0;
  for (const json::Value &value : histograms) {
    entry.histograms.push_back(readHistogram(value, what, error));
    total += entry.histograms.back().total();
  }
  if (!reader.failed() && total != static_cast<uint64_t>(entry.count))
    reader.fail("expected counts of the histogram that add up to 'count', " +
                llvm::Twine(entry.count) + ", found " + llvm::Twine(total));
}

/// Members that may repeat or override those of the file.
static void readRequest(RangeRequest &request, Reader &reader, bool required) {
  if (required || reader.has("calibrator"))
    request.calibrator = reader.string("calibrator");
  if (required || reader.has("dtype"))
    request.dtype = reader.named("dtype", &numerics::parseStorageType,
                                 numerics::storageTypeNames());
  if (required || reader.has("qscheme"))
    request.scheme = reader.named("qscheme", &numerics::parseScheme,
                                  numerics::schemeNames());
}

static void readFloatRange(RangeEntry &entry, Reader &reader) {
  if (!reader.has("float_range"))
    return;
  const json::Array *array = reader.array("float_range");
  if (!array)
    return;
  if (array->size() != 2)
    return reader.fail("'float_range' expects two ends, found " +
                       llvm::Twine(array->size()));
  entry.floatLo = reader.end("float_range", (*array)[0]);
  entry.floatHi = reader.end("float_range", (*array)[1]);
}

static RangeEntry readEntry(const json::Value &value, size_t index,
                            const RangeRequest &defaults, std::string &error) {
  RangeEntry entry;
  std::string what = ("observer " + llvm::Twine(index)).str();
  const json::Object *object = value.getAsObject();
  if (!object) {
    error = what + ": expected an object";
    return entry;
  }
  {
    Reader reader(*object, what, error);
    entry.id = reader.string("id");
  }
  if (!error.empty())
    return entry;
  what = "observer " + quoteForMessage(entry.id);
  Reader reader(*object, what, error);
  reader.checkKeys(entryKeys);
  entry.request = defaults;
  readRequest(entry.request, reader, /*required=*/false);
  if (reader.has("scale_dtype"))
    entry.scaleType = reader.named("scale_dtype", &numerics::parseScaleType,
                                   numerics::scaleTypeNames());
  readFloatRange(entry, reader);
  entry.count = reader.number("count", 0);
  entry.batches = reader.number("batches", 0);
  entry.nan = reader.number("nan", 0);
  entry.inf = reader.number("inf", 0);
  readUnits(entry, reader, what, error);
  return entry;
}

static RangesFile readFile(const json::Value &value, std::string &error) {
  RangesFile file;
  const json::Object *object = value.getAsObject();
  if (!object) {
    error = "expected an object with the ranges of observers";
    return file;
  }
  Reader reader(*object, "", error);
  int64_t version = reader.number("version", 0);
  if (!reader.failed() && version != 1)
    reader.fail("is of version " + llvm::Twine(version) +
                ", expected 1; write it again with quant-calibrate");
  if (reader.failed())
    return file;
  reader.checkKeys(fileKeys);
  readRequest(file.request, reader, /*required=*/true);
  if (reader.has("percentile")) {
    std::optional<double> percentile = reader.get("percentile")->getAsNumber();
    if (!percentile || !(*percentile > 50 && *percentile <= 100))
      reader.fail(
          "'percentile' expects a number above 50 and up to 100, found " +
          reader.describe(*reader.get("percentile")));
    file.percentile = percentile;
  }
  const json::Array *observers = reader.array("observers");
  if (reader.failed())
    return file;
  llvm::StringSet<> ids;
  for (const auto &[index, observer] : llvm::enumerate(*observers)) {
    file.observers.push_back(readEntry(observer, index, file.request, error));
    if (reader.failed())
      break;
    const std::string &id = file.observers.back().id;
    if (!ids.insert(id).second)
      reader.fail("observer " + quoteForMessage(id) + " is there twice");
  }
  return file;
}

/// The format has five levels; LLVM's parser recurses as deep as its input.
static bool isTooDeep(llvm::StringRef text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
      continue;
    }
    if (c == '"')
      inString = true;
    else if (c == '[' || c == '{')
      ++depth;
    else if (c == ']' || c == '}')
      --depth;
    if (depth > 16)
      return true;
  }
  return false;
}

llvm::Expected<RangesFile>
quant_mlir::parseRanges(llvm::MemoryBufferRef buffer) {
  llvm::StringRef path = buffer.getBufferIdentifier();
  if (isTooDeep(buffer.getBuffer()))
    return makeFileError(path, "is not a ranges file: it is nested too deeply");
  llvm::Expected<json::Value> value = json::parse(buffer.getBuffer());
  if (!value)
    return makeFileError(path,
                         "is not JSON: " + llvm::toString(value.takeError()));
  std::string error;
  RangesFile file = readFile(*value, error);
  if (!error.empty())
    return makeFileError(path, error);
  return file;
}

llvm::Expected<RangesFile> quant_mlir::readRanges(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeFileError(path,
                         "cannot be read: " + buffer.getError().message());
  return parseRanges((*buffer)->getMemBufferRef());
}
