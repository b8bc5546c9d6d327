//===- Report.h - The table and the JSON file -------------------*- C++ -*-===//

#ifndef QUANT_MLIR_BENCHMARKS_REPORT_H
#define QUANT_MLIR_BENCHMARKS_REPORT_H

#include "Measure.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace quant_mlir::bench {

/// Names of subjects; what the columns of the table are.
namespace subject {
inline constexpr const char *ours = "ours";
inline constexpr const char *oursFloat = "ours f32";
inline constexpr const char *oursOneThread = "ours, 1 thread";
inline constexpr const char *oneDnn = "oneDNN";
inline constexpr const char *onnxRuntime = "ONNX Runtime";
inline constexpr const char *onnxRuntimeFloat = "ONNX Runtime f32";
inline constexpr const char *ggml = "ggml";
inline constexpr const char *limit = "limit";
} // namespace subject

enum class Unit {
  GigaOps,      ///< 10^9 operations per second, a product and a sum are two
  GigaBytes,    ///< 10^9 bytes of weights per second
  Microseconds, ///< per call
};

/// One case on a number of threads.
struct Row {
  std::string work;
  std::string shape;
  unsigned threads = 1;
  Unit unit = Unit::GigaOps;
  /// Operations or bytes of one call of everything but the limit.
  double amount = 0;
  /// Of one call of the limit.
  double limitAmount = 0;
  std::vector<Subject> subjects;
  std::vector<Timing> timings;
  /// Who is not there, and why.
  std::vector<std::string> absent;

  void add(Subject subject) { subjects.push_back(std::move(subject)); }
  /// Adds it or says why it is absent.
  void add(llvm::Expected<Subject> subject, llvm::StringRef name);
};

void printHeader(llvm::raw_ostream &os);
void printRow(llvm::raw_ostream &os, const Row &row);
/// Geometric means of the ratios of each kind of work.
void printMeans(llvm::raw_ostream &os, const std::vector<Row> &rows);
/// How long whole models took to compile.
void printCompileTimes(llvm::raw_ostream &os, const std::vector<Row> &rows);

llvm::json::Value toJSON(const Row &row);
/// Processor, versions, date; what else there is to know comes from `more`.
llvm::json::Object describeMachine(llvm::json::Object more);

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_REPORT_H
