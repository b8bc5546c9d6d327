//===- IntegerSum.h - What a kernel would sum in integers -------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_INTEGERSUM_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_INTEGERSUM_H

#include "ChannelChain.h"

#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"

#include <string>

namespace quant_mlir::detail {

/// acc[c] = sum((qx - zx) * (qw - zw)) of a multiply-accumulate whose operands
/// are both dequantized: docs/numerics.md, section 6. The channels are those of
/// the weight; per-channel numbers are one for all or one for each.
struct IntegerSum {
  ChannelSpace channels;
  float inputScale = 1;
  int64_t maxAbsInput = 0; ///< max |qx - zx|
  Channels weightScales;   ///< exact: binary32 at most
  Channels maxAbsWeights;  ///< max |qw - zw|, of the codes where they are known
  int64_t reductionSize = 1;
};

/// nullopt, with the reason, where the sum of a group cannot be an int32 one
/// with one scale per channel.
std::optional<IntegerSum> readIntegerSum(const ActivationGroup &group,
                                         std::string &reason);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_INTEGERSUM_H
