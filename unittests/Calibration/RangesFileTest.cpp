//===- RangesFileTest.cpp -------------------------------------------------===//

#include "quant-mlir/Calibration/RangesFile.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <limits>

using namespace quant_mlir;
using numerics::FloatRange;
using numerics::Histogram;

namespace {
std::string print(const RangesFile &file) {
  std::string text;
  llvm::raw_string_ostream os(text);
  writeRanges(os, file);
  return text;
}

llvm::Expected<RangesFile> parse(llvm::StringRef text) {
  return parseRanges(llvm::MemoryBufferRef(text, "r.json"));
}

RangesFile makeFile() {
  RangesFile file;
  file.request = {"percentile", numerics::StorageType::UInt8,
                  numerics::Scheme::Asymmetric};
  file.percentile = 99.9;
  RangeEntry plain;
  plain.id = "conv \"1\".in0\n";
  plain.request = file.request;
  plain.count = 4;
  plain.batches = 2;
  plain.nan = 1;
  plain.inf = 3;
  plain.ranges = {{-0.1f, std::numeric_limits<float>::max()}};
  plain.histograms = {Histogram(118, -1, {3, 0, 1})};
  file.observers.push_back(plain);

  RangeEntry channels;
  channels.id = "fc.out0";
  channels.request = {"moving_average", numerics::StorageType::Float8E4M3FN,
                      numerics::Scheme::Symmetric};
  channels.floatHi = 6.0f;
  channels.scaleType = numerics::ScaleType::F8E8M0FNU;
  channels.perChannel = true;
  channels.ranges = {
      {-1, 1}, FloatRange(), {std::numeric_limits<float>::denorm_min(), 0.3f}};
  file.observers.push_back(channels);
  return file;
}

TEST(RangesFile, ReadsWhatItWrites) {
  RangesFile file = makeFile();
  auto read = parse(print(file));
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->request, file.request);
  EXPECT_EQ(read->percentile, file.percentile);
  ASSERT_EQ(read->observers.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    const RangeEntry &found = read->observers[i], &wanted = file.observers[i];
    EXPECT_EQ(found.id, wanted.id);
    EXPECT_EQ(found.request, wanted.request);
    EXPECT_EQ(found.scaleType, wanted.scaleType);
    EXPECT_EQ(found.floatLo, wanted.floatLo);
    EXPECT_EQ(found.floatHi, wanted.floatHi);
    EXPECT_EQ(found.count, wanted.count);
    EXPECT_EQ(found.batches, wanted.batches);
    EXPECT_EQ(found.nan, wanted.nan);
    EXPECT_EQ(found.inf, wanted.inf);
    EXPECT_EQ(found.perChannel, wanted.perChannel);
    EXPECT_EQ(found.ranges, wanted.ranges);
    EXPECT_EQ(found.histograms, wanted.histograms);
  }
  EXPECT_TRUE(read->observers[1].ranges[1].isEmpty());
  EXPECT_EQ(read->find("fc.out0"), &read->observers[1]);
  EXPECT_EQ(read->find("fc"), nullptr);
  EXPECT_EQ(print(*read), print(file));
}

/// What the reader says about the file with one text replaced.
std::string errorWith(llvm::StringRef from, llvm::StringRef to) {
  std::string text = print(makeFile());
  size_t at = text.find(from.str());
  EXPECT_NE(at, std::string::npos) << from.str();
  text.replace(at, from.size(), to.str());
  auto read = parse(text);
  return read ? "no error" : llvm::toString(read.takeError());
}

TEST(RangesFile, RefusesWhatDoesNotAddUp) {
  EXPECT_EQ(errorWith("\"version\": 1", "\"version\": 2"),
            "'r.json': is of version 2, expected 1; write it again with "
            "quant-calibrate");
  EXPECT_EQ(errorWith("\"version\": 1,", ""),
            "'r.json': expected the key 'version', which is missing");
  EXPECT_EQ(errorWith("\"uint8\"", "\"int9\"").substr(0, 46),
            "'r.json': 'dtype' expects one of int8, uint8, ");
  EXPECT_EQ(errorWith("\"asymmetric\"", "7"),
            "'r.json': 'qscheme' expects a string, found '7'");
  EXPECT_EQ(errorWith("99.9", "101").substr(0, 59),
            "'r.json': 'percentile' expects a number above 50 and up to ");
  EXPECT_EQ(errorWith("\"percentile\": 99", "\"percentil\": 99"),
            "'r.json': the key 'percentil' is not one of version 1");
  EXPECT_EQ(errorWith("fc.out0", R"(conv \"1\".in0\n)"),
            "'r.json': observer 'conv \\221\\22.in0\\0A' is there twice");
  EXPECT_EQ(errorWith("\"fc.out0\"", "\"\""),
            "'r.json': observer 1: 'id' expects a string, found '\\22\\22'");
  EXPECT_EQ(errorWith("\"batches\": 2", "\"batches\": -2"),
            "'r.json': observer 'conv \\221\\22.in0\\0A': 'batches' expects an "
            "integer of 0 or more, found '-2'");
  EXPECT_EQ(
      errorWith("\"count\": 4", "\"count\": 5"),
      "'r.json': observer 'conv \\221\\22.in0\\0A': expected counts of the "
      "histogram that add up to 'count', 5, found 4");
  EXPECT_EQ(errorWith("3,0,1", "3,0.5,1"),
            "'r.json': observer 'conv \\221\\22.in0\\0A': histogram: 'counts' "
            "expects integers of 0 or more, found '0.5'");
  EXPECT_EQ(errorWith("\"first\": -1", "\"first\": -3"),
            "'r.json': observer 'conv \\221\\22.in0\\0A': histogram: expected "
            "the bin of 0 among the 3 bins from 'first', found -3");
  EXPECT_EQ(
      errorWith("118", "119"),
      "'r.json': observer 'conv \\221\\22.in0\\0A': histogram: expected a "
      "width_log2 from -149 to 118, found 119");
  EXPECT_EQ(errorWith("3.4028234663852886e+38", "3.5e+38"),
            "'r.json': observer 'conv \\221\\22.in0\\0A': 'max' expects finite "
            "binary32 numbers, or null where nothing was observed, found "
            "'3.5e+38'");
  EXPECT_EQ(errorWith("null", "\"x\"").substr(0, 34),
            "'r.json': observer 'fc.out0': 'flo");
  EXPECT_EQ(errorWith("[\n        -1,", "[\n        1.5,"),
            "'r.json': observer 'fc.out0': expected min <= max, or null for "
            "both, found '1.5' and '1'");
  EXPECT_EQ(errorWith("-0.10000000149011612", "[-1]"),
            "'r.json': observer 'conv \\221\\22.in0\\0A': expected 'min' and "
            "'max' to be one number each, or arrays of equal length");
  EXPECT_EQ(errorWith("\"observers\": [", "\"observers\": [7,"),
            "'r.json': observer 0: expected an object");
}

TEST(RangesFile, RefusesWhatIsNotJson) {
  auto error = [](llvm::StringRef text) {
    auto read = parse(text);
    return read ? "no error" : llvm::toString(read.takeError());
  };
  EXPECT_EQ(error("").substr(0, 22), "'r.json': is not JSON:");
  EXPECT_EQ(error("[1, 2").substr(0, 22), "'r.json': is not JSON:");
  EXPECT_EQ(error("[]"),
            "'r.json': expected an object with the ranges of observers");
  EXPECT_EQ(error(std::string(1000000, '[')),
            "'r.json': is not a ranges file: it is nested too deeply");
}
} // namespace
