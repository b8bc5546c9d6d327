//===- QuantConfig.h - Per-op rules from a YAML file ------------*- C++ -*-===//
//
// The `--quant-config` file:
//
//   global:  {weight: …, input: …, output: …}
//   op_type: {"<regex on op names or kinds>": rule, …}
//   op_name: {"<regex on names of operations>": rule, …}
//
// A rule is null (leave the operation alone) or a mapping with any of weight,
// input and output, each null or a mapping. For each of the three the most
// specific rule that mentions it wins: op_name over op_type over global; of
// several at one level the first in the file.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTCONFIG_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTCONFIG_H

#include "quant-mlir/Dialect/Quant/Transforms/WeightSettings.h"

#include "llvm/Support/Regex.h"
#include <memory>
#include <vector>

namespace llvm {
class MemoryBuffer;
} // namespace llvm

namespace quant_mlir {

/// What a rule says of one tensor of an operation.
struct TensorRule {
  bool disabled = false; ///< `null`
  WeightRequest request;
  std::optional<std::string> calibrator;
};

struct OpRule {
  std::optional<TensorRule> weight, input, output;
};

class QuantConfig {
public:
  /// Reads a file; errors name it, with line and column.
  static llvm::Expected<QuantConfig> load(llvm::StringRef path);
  static llvm::Expected<QuantConfig> parse(llvm::StringRef text,
                                           llvm::StringRef path);

  /// The winning rule for one tensor of an operation, with where it stands
  /// (`op_name "conv1"`); nullptr where no rule speaks of it. Marks every rule
  /// that matches as used.
  struct Match {
    const TensorRule *rule = nullptr;
    std::string where;
    unsigned specificity = 0; ///< op_name 3, op_type 2, global 1
  };
  enum class Tensor { Weight, Input, Output };
  Match match(Tensor tensor, llvm::StringRef opName, llvm::StringRef opType,
              llvm::StringRef kind);

  /// Fails where a rule of op_type or op_name has matched no operation.
  llvm::Error checkAllUsed() const;

private:
  struct Pattern {
    std::string text;
    std::shared_ptr<llvm::Regex> regex;
    OpRule rule;
    bool used = false;
  };
  std::string path;
  OpRule global;
  std::vector<Pattern> byType;
  std::vector<Pattern> byName;

  friend class ConfigReader;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_QUANTCONFIG_H
