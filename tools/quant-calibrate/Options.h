//===- Options.h - The command line of quant-calibrate ----------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANTCALIBRATE_OPTIONS_H
#define QUANT_MLIR_TOOLS_QUANTCALIBRATE_OPTIONS_H

#include "quant-mlir/Calibration/RangesFile.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace quant_mlir {

struct CalibrateOptions {
  std::string output;
  /// With --merge, and nothing else then.
  std::vector<std::string> merge;

  std::string model;
  std::vector<std::string> inputs;
  std::string entry = "main";
  unsigned threads = 1;
  std::optional<int64_t> batch;
  bool ignoreNonFinite = false;
  std::optional<double> percentile;
  /// For observers that are inserted here.
  RangeRequest request;
  std::string config;
  /// The first option that only matters where observers are inserted.
  std::optional<std::string> insertOption;
};

/// Parses the command line; nullopt where --help or --version was asked for,
/// whose answer is in `answer`.
llvm::Expected<std::optional<CalibrateOptions>>
parseOptions(int argc, char **argv, std::string &answer);

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTCALIBRATE_OPTIONS_H
