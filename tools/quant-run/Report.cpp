//===- Report.cpp - What quant-run prints ---------------------------------===//

#include "Report.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace quant_mlir;
namespace json = llvm::json;

/// {"<kind>":{…}} in the order written.
static void addObject(std::string &text, llvm::StringRef kind,
                      llvm::function_ref<void(json::OStream &)> attributes) {
  llvm::raw_string_ostream os(text);
  json::OStream stream(os);
  stream.object(
      [&] { stream.attributeObject(kind, [&] { attributes(stream); }); });
  os << '\n';
}

void Report::add(const Comparison &comparison) {
  if (json) {
    addObject(text, "compare", [&](json::OStream &stream) {
      stream.attribute("max_abs_error", comparison.maxAbsError);
      if (comparison.sqnrDb)
        stream.attribute("sqnr_db", *comparison.sqnrDb);
      else
        stream.attribute("sqnr_db", nullptr);
    });
    return;
  }
  llvm::raw_string_ostream os(text);
  os << "max abs error " << llvm::format("%g", comparison.maxAbsError);
  if (comparison.sqnrDb)
    os << ", SQNR " << llvm::format("%.2f", *comparison.sqnrDb) << " dB\n";
  else
    os << ", exact match\n";
}

void Report::add(const Top1 &top1) {
  if (json) {
    addObject(text, "labels", [&](json::OStream &stream) {
      stream.attribute("top1", 100 * top1.fraction());
      stream.attribute("count", top1.count);
    });
    return;
  }
  llvm::raw_string_ostream os(text);
  os << "top-1 " << llvm::format("%.2f", 100 * top1.fraction()) << " % ("
     << top1.correct << " of " << top1.count << ")\n";
}

void Report::add(std::vector<std::chrono::nanoseconds> times,
                 unsigned threads) {
  std::sort(times.begin(), times.end());
  size_t runs = times.size();
  double min = times.front().count() / 1000.0;
  double median =
      (times[(runs - 1) / 2].count() + times[runs / 2].count()) / 2000.0;
  if (json) {
    addObject(text, "bench", [&](json::OStream &stream) {
      stream.attribute("min_us", min);
      stream.attribute("median_us", median);
      stream.attribute("runs", static_cast<int64_t>(runs));
      stream.attribute("threads", static_cast<int64_t>(threads));
    });
    return;
  }
  llvm::raw_string_ostream os(text);
  os << "latency min " << llvm::format("%.2f", min) << " us, median "
     << llvm::format("%.2f", median) << " us (" << runs << " runs, " << threads
     << (threads == 1 ? " thread)\n" : " threads)\n");
}

void Report::add(const ErrorReport &errors) {
  llvm::raw_string_ostream os(text);
  if (!json)
    return writeText(os, errors);
  std::string object;
  llvm::raw_string_ostream line(object);
  writeJson(line, errors, /*pretty=*/false);
  os << "{\"report\":" << llvm::StringRef(object).rtrim() << "}\n";
}
