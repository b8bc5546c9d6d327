//===- Report.h - What quant-run prints -------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANTRUN_REPORT_H
#define QUANT_MLIR_TOOLS_QUANTRUN_REPORT_H

#include "quant-mlir/ErrorReport/ErrorReport.h"
#include "quant-mlir/Support/Compare.h"

#include <chrono>
#include <string>
#include <vector>

namespace quant_mlir {

/// Collects lines for people or, with `json`, one JSON object per line, to be
/// printed once everything has succeeded.
class Report {
public:
  explicit Report(bool json) : json(json) {}

  void add(const Comparison &comparison);
  void add(const Top1 &top1);
  /// Times of the runs, at least one, in any order.
  void add(std::vector<std::chrono::nanoseconds> times, unsigned threads);
  void add(const ErrorReport &errors);

  const std::string &getText() const { return text; }

private:
  bool json;
  std::string text;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTRUN_REPORT_H
