//===- WeightSettings.h - How a weight is to be quantized -------*- C++ -*-===//
//
// The resolved request for one weight: flags and configuration rules end here,
// and block sizes follow from it and from the roles of the weight's dimensions.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTSETTINGS_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTSETTINGS_H

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/Numerics/Params.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>

namespace quant_mlir {

enum class GranularityKind { PerTensor, PerChannel, PerBlock };
llvm::StringRef stringify(GranularityKind kind);
std::optional<GranularityKind> parseGranularityKind(llvm::StringRef text);

/// A request for one weight, complete and allowed.
struct WeightSettings {
  numerics::QuantSpec spec;
  GranularityKind granularity = GranularityKind::PerChannel;
  /// per_block: one size along the reduction dimension, or one per dimension.
  llvm::SmallVector<int64_t> blockSizes = {32};
  /// Dimension that holds channels or blocks, where it was given.
  std::optional<int64_t> axis;

  bool operator==(const WeightSettings &other) const;
  bool operator!=(const WeightSettings &other) const {
    return !(*this == other);
  }
};

/// A request as it was written, every value optional and unparsed; merged from
/// a configuration rule over the flags. `where` says where it was written.
struct WeightRequest {
  std::optional<std::string> dtype, granularity, qscheme, qformulation,
      scaleDtype;
  std::optional<llvm::SmallVector<int64_t>> blockSizes;
  std::optional<int64_t> axis;
  std::optional<float> floatLo, floatHi;

  /// This request with what it leaves open taken from `defaults`. A rule that
  /// names another dtype does not inherit the default's scale type.
  WeightRequest over(const WeightRequest &defaults) const;
};

/// Fails where a value of `request` is none that anybody knows.
llvm::Error checkValues(const WeightRequest &request);

/// Parses and checks a request: every value known, the combination allowed.
/// Errors say expected, found and way out.
llvm::Expected<WeightSettings> resolve(const WeightRequest &request);

/// How the block sizes of a weight came about.
struct ResolvedBlocks {
  llvm::SmallVector<int64_t> sizes; ///< one per dimension, -1: whole
  /// per_block was asked for, but the weight has no reduction dimension.
  bool fellBackToPerChannel = false;
};

/// Block sizes for a weight of `shape` whose dimensions have `roles`. Fails with
/// a reason where axis or sizes do not fit the weight.
llvm::Expected<ResolvedBlocks>
resolveBlocks(const WeightSettings &settings, llvm::ArrayRef<int64_t> shape,
              llvm::ArrayRef<DimRole> roles);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_WEIGHTSETTINGS_H
