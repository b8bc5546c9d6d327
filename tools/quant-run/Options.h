//===- Options.h - The command line of quant-run ----------------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANTRUN_OPTIONS_H
#define QUANT_MLIR_TOOLS_QUANTRUN_OPTIONS_H

#include "quant-mlir/Pipelines/LowerToLLVM.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quant_mlir {

struct RunOptions {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> compare;
  std::optional<std::string> labels;
  std::string entry = "main";
  LoweringTarget target = LoweringTarget::CPU;
  std::string targetFeatures;
  std::string gpuArch; ///< empty: the target's own
  unsigned threads = 1;
  std::optional<int64_t> batch;
  std::optional<unsigned> bench;
  std::optional<std::string> reference;
  std::vector<std::string> reports;
  bool json = false;

  /// Whether the model has to be run on its own.
  bool needsOutputs() const {
    return !outputs.empty() || !compare.empty() || labels;
  }
  bool printsReference() const { return reference && reports.empty(); }
};

/// Parses the command line; nullopt where --help or --version has been
/// answered.
llvm::Expected<std::optional<RunOptions>> parseOptions(int argc, char **argv);

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTRUN_OPTIONS_H
