//===- BiasChannels.h - A bias as one number per channel --------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_BIASCHANNELS_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_BIASCHANNELS_H

#include "ChannelChain.h"

#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"

namespace quant_mlir {
class DequantizeOp;

namespace detail {

/// What the dimensions of the bias operand are in loops of the anchor; nullopt
/// where something between the two cannot be followed.
std::optional<DimPieces> findBiasPieces(const ActivationGroup &group);

/// The int32 constant that a bias is dequantized from, through moves; null
/// where there is none.
DequantizeOp findQuantizedBias(mlir::Value bias);

/// The bias of a group in one of three ways, one number for all channels or one
/// for each; nullopt where it is not made of constants, or varies along
/// anything else.
enum class BiasView {
  Values, ///< in binary32
  Codes,  ///< of findQuantizedBias
  Scales, ///< of findQuantizedBias
};
std::optional<Channels> readBias(const ActivationGroup &group,
                                 const ChannelSpace &channels, BiasView view);

/// Sizes of a value from the buffer that it was written to, so that the value
/// itself can go.
llvm::SmallVector<mlir::OpFoldResult> getBufferSizes(mlir::OpBuilder &builder,
                                                     mlir::Value value);

} // namespace detail
} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_BIASCHANNELS_H
