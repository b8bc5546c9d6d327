//===- Cases.h - What is measured -------------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_BENCHMARKS_CASES_H
#define QUANT_MLIR_BENCHMARKS_CASES_H

#include "Ggml.h"
#include "Limits.h"
#include "OnnxRuntime.h"
#include "Problem.h"
#include "Report.h"

#include "quant-mlir/Execution/Lowering.h"

namespace quant_mlir::bench {

/// What cases are made with.
struct Context {
  Limit int8Limit, floatLimit;
  std::unique_ptr<StreamRead> stream;
  /// Null where it is not there: `onnxRuntimeAbsent` says why.
  std::unique_ptr<OnnxRuntime> onnxRuntime;
  std::string onnxRuntimeAbsent;
  /// The same of ggml.
  std::unique_ptr<Ggml> ggml;
  std::string ggmlAbsent;
  /// Folder of the whole models; empty: none.
  std::string models;
  /// For files that are made on the way.
  std::string scratch;
  /// quant-calibrate.
  std::string calibrateTool;
  /// Of this processor, that ours uses or does without.
  std::string targetFeatures;
  /// Nothing of ours, only peers and limits.
  bool peersOnly = false;

  CompileOptions getCompileOptions(unsigned threads) const {
    CompileOptions options;
    options.threads = threads;
    options.features = targetFeatures;
    return options;
  }
};

struct Case {
  std::string work;
  std::string shape;
  /// Is also run on more threads than one.
  bool scales = false;
  /// Prepares all subjects.
  std::function<Row(Context &, unsigned threads)> make;
  /// Too small to say anything: only where `--filter` names it.
  bool isTest = false;

  std::string name() const { return work + " " + shape; }
};

/// All of them; `models` as in the context.
std::vector<Case> getCases(const std::string &models);

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_CASES_H
