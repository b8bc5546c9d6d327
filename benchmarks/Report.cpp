//===- Report.cpp - The table and the JSON file ---------------------------===//

#include "Report.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Format.h"
#include "llvm/TargetParser/Host.h"

#include <cmath>
#include <ctime>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

using namespace quant_mlir::bench;

void Row::add(llvm::Expected<Subject> subject, llvm::StringRef name) {
  if (subject) {
    subjects.push_back(std::move(*subject));
    return;
  }
  absent.push_back((name + ": " + llvm::toString(subject.takeError())).str());
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// Index of the subject of that name that has been measured.
static std::optional<size_t> find(const Row &row, llvm::StringRef name) {
  for (size_t i = 0; i < row.timings.size(); ++i)
    if (row.subjects[i].name == name)
      return i;
  return std::nullopt;
}

static double amountOf(const Row &row, size_t index) {
  return row.subjects[index].name == subject::limit ? row.limitAmount
                                                    : row.amount;
}

/// How fast: the greater the better, in units of the row; calls per microsecond
/// where that is time.
static double speed(const Row &row, size_t index, bool isMedian) {
  double time =
      isMedian ? row.timings[index].median : row.timings[index].minimum;
  if (row.unit == Unit::Microseconds)
    return 1.0 / time;
  return amountOf(row, index) / time / 1e3;
}

/// The quickest of the peers `names`.
static std::optional<size_t> fastest(const Row &row,
                                     llvm::ArrayRef<const char *> names) {
  std::optional<size_t> best;
  for (const char *name : names) {
    std::optional<size_t> index = find(row, name);
    if (index && (!best || speed(row, *index, true) > speed(row, *best, true)))
      best = index;
  }
  return best;
}

namespace {
/// A column of results, and of what ours is divided by.
struct Column {
  const char *title;
  std::vector<const char *> names;
};
} // namespace

static const std::vector<Column> &getColumns() {
  static const std::vector<Column> columns = {
      {"ours", {subject::ours}},
      {"ours f32", {subject::oursFloat}},
      {"ours, 1 thread", {subject::oursOneThread}},
      {"oneDNN", {subject::oneDnn}},
      {"ONNX Runtime", {subject::onnxRuntime, subject::onnxRuntimeFloat}},
      {"ggml", {subject::ggml}},
      {"limit", {subject::limit}},
  };
  return columns;
}

/// Ours over the column's, by medians.
static std::optional<double> ratio(const Row &row, const Column &column) {
  std::optional<size_t> ours = find(row, subject::ours);
  std::optional<size_t> other = fastest(row, column.names);
  if (!ours || !other)
    return std::nullopt;
  return speed(row, *ours, true) / speed(row, *other, true);
}

static std::string number(double value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::format(value < 0.1   ? "%.2g"
                     : value < 10  ? "%.2f"
                     : value < 100 ? "%.1f"
                                   : "%.0f",
                     value);
  return text;
}

static const char *name(Unit unit) {
  switch (unit) {
  case Unit::GigaOps:
    return "GOP/s";
  case Unit::GigaBytes:
    return "GB/s";
  case Unit::Microseconds:
    return "us";
  }
  llvm_unreachable("unknown unit");
}

void quant_mlir::bench::printHeader(llvm::raw_ostream &os) {
  os << "| work | case | threads | unit |";
  for (const Column &column : getColumns())
    os << ' ' << column.title << " |";
  for (const Column &column : llvm::drop_begin(getColumns()))
    os << " / " << column.title << " |";
  os << " difference |\n|---|---|---|---|";
  for (size_t i = 0; i < 2 * getColumns().size(); ++i)
    os << "---|";
  os << '\n';
}

void quant_mlir::bench::printRow(llvm::raw_ostream &os, const Row &row) {
  os << "| " << row.work << " | " << row.shape << " | " << row.threads << " | "
     << name(row.unit) << " |";
  for (const Column &column : getColumns()) {
    std::optional<size_t> index = fastest(row, column.names);
    if (!index)
      os << " - |";
    else if (row.unit == Unit::Microseconds)
      os << ' ' << number(row.timings[*index].median) << " |";
    else
      os << ' ' << number(speed(row, *index, true)) << " |";
  }
  for (const Column &column : llvm::drop_begin(getColumns())) {
    std::optional<double> value = ratio(row, column);
    os << ' ' << (value ? number(*value) : "-") << " |";
  }
  std::optional<size_t> ours = find(row, subject::ours);
  if (ours && row.subjects[*ours].difference >= 0)
    os << ' ' << llvm::format("%.2g", row.subjects[*ours].difference);
  else
    os << " -";
  os << " |\n";
}

void quant_mlir::bench::printMeans(llvm::raw_ostream &os,
                                   const std::vector<Row> &rows) {
  // Sum of logarithms and count, by work and threads, then by column.
  std::map<std::pair<std::string, unsigned>,
           std::vector<std::pair<double, unsigned>>>
      means;
  for (const Row &row : rows) {
    auto &sums = means[{row.work, row.threads}];
    sums.resize(getColumns().size());
    for (size_t i = 0; i < sums.size(); ++i)
      if (std::optional<double> value = ratio(row, getColumns()[i])) {
        sums[i].first += std::log(*value);
        ++sums[i].second;
      }
  }
  os << "\nGeometric means of the ratios:\n\n| work | threads |";
  for (const Column &column : llvm::drop_begin(getColumns()))
    os << " / " << column.title << " |";
  os << "\n|---|---|";
  for (size_t i = 1; i < getColumns().size(); ++i)
    os << "---|";
  os << '\n';
  for (const auto &[key, sums] : means) {
    if (sums[0].second == 0)
      continue;
    os << "| " << key.first << " | " << key.second << " |";
    for (const auto &[sum, count] : llvm::drop_begin(sums))
      os << ' ' << (count ? number(std::exp(sum / count)) : "-") << " |";
    os << '\n';
  }
}

void quant_mlir::bench::printCompileTimes(llvm::raw_ostream &os,
                                          const std::vector<Row> &rows) {
  bool isFirst = true;
  for (const Row &row : rows) {
    std::optional<size_t> ours = find(row, subject::ours);
    if (row.unit != Unit::Microseconds || row.threads != 1 || !ours)
      continue;
    os << (isFirst ? "\nFrom MLIR to machine code: " : ", ") << row.shape << ' '
       << number(row.subjects[*ours].compileSeconds) << " s";
    isFirst = false;
  }
  if (!isFirst)
    os << '\n';
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

llvm::json::Value quant_mlir::bench::toJSON(const Row &row) {
  llvm::json::Array subjects;
  for (size_t i = 0; i < row.timings.size(); ++i) {
    const Subject &measured = row.subjects[i];
    llvm::json::Object object{{"name", measured.name},
                              {"detail", measured.detail},
                              {"threads", measured.threads},
                              {"min_us", row.timings[i].minimum},
                              {"median_us", row.timings[i].median},
                              {"runs", row.timings[i].runs}};
    if (row.unit != Unit::Microseconds) {
      object["max_rate"] = speed(row, i, false);
      object["median_rate"] = speed(row, i, true);
    }
    if (measured.compileSeconds > 0)
      object["compile_s"] = measured.compileSeconds;
    if (measured.difference >= 0)
      object["difference"] = std::isfinite(measured.difference)
                                 ? llvm::json::Value(measured.difference)
                                 : llvm::json::Value(nullptr);
    subjects.push_back(std::move(object));
  }
  llvm::json::Object ratios;
  for (const Column &column : llvm::drop_begin(getColumns()))
    if (std::optional<double> value = ratio(row, column))
      ratios[column.title] = *value;
  return llvm::json::Object{{"work", row.work},
                            {"case", row.shape},
                            {"threads", row.threads},
                            {"unit", name(row.unit)},
                            {"subjects", std::move(subjects)},
                            {"ours_over", std::move(ratios)},
                            {"absent", llvm::json::Array(row.absent)}};
}

/// The value of the first line "key : value" of /proc/cpuinfo.
static std::string readCpuInfo(llvm::StringRef key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    auto [left, right] = llvm::StringRef(line).split(':');
    if (left.trim() == key)
      return right.trim().str();
  }
  return "";
}

llvm::json::Object quant_mlir::bench::describeMachine(llvm::json::Object more) {
  std::time_t now = std::time(nullptr);
  char date[32];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  more["date"] = std::string(date); // owned: a pointer would be kept
  more["processor"] = readCpuInfo("model name");
  more["family"] = readCpuInfo("cpu family");
  more["model"] = readCpuInfo("model");
  more["llvm_cpu"] = llvm::sys::getHostCPUName();
  std::vector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (feature.second)
      features.push_back(feature.first().str());
  llvm::sort(features);
  more["features"] = llvm::json::Array(features);
  more["cores"] = std::thread::hardware_concurrency();
  more["llvm"] = LLVM_VERSION_STRING;
  std::ifstream load("/proc/loadavg");
  double average;
  if (load >> average)
    more["load_average"] = average;
  return more;
}
