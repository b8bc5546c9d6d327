//===- ChannelChain.h - What is affine per channel --------------*- C++ -*-===//
//
// The operations behind a multiply-accumulate that together compute
// a * y + b with one a and one b per channel, for FoldBatchNorm.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CHANNELCHAIN_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CHANNELCHAIN_H

#include "ChannelArith.h"
#include "DimPieces.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quant_mlir::detail {

/// The loops that index channels, as one row-major space.
struct ChannelSpace {
  /// Per loop of the operation: its stride in the space; 0 where it is none.
  llvm::SmallVector<int64_t> strides;
  llvm::SmallVector<int64_t> sizes; ///< per loop, 1 where it is none
  int64_t count = 1;

  int64_t getStride(const Piece &piece) const {
    return piece.loop < 0 ? 0 : piece.stride * strides[piece.loop];
  }
  /// Whether some of `pieces` index channels.
  bool hasChannel(llvm::ArrayRef<Piece> pieces) const {
    return llvm::any_of(
        pieces, [&](const Piece &piece) { return getStride(piece) != 0; });
  }
};

/// The loops of `op` that both `weight` and the result use as a plain
/// dimension; nullopt where they are dynamic, or more than any weight in memory
/// has.
std::optional<ChannelSpace> getChannels(mlir::linalg::LinalgOp op,
                                        mlir::OpOperand *weight);

/// A constant as one number per channel, read through a tensor whose dimensions
/// are `pieces` and in which it has `strides`; nullopt where it varies along
/// anything else.
std::optional<Channels> getPerChannel(llvm::ArrayRef<double> data,
                                      llvm::ArrayRef<int64_t> strides,
                                      const DimPieces &pieces,
                                      const ChannelSpace &channels);

bool isUniform(const Channels &values);

/// Updates `pieces` where the owner of `data` only moves its elements, each to
/// one place, or converts them; otherwise returns false.
bool followMove(mlir::OpOperand &data, DimPieces &pieces);

/// One operation behind the multiply-accumulate.
struct Step {
  mlir::Operation *op;
  mlir::OpOperand *data; ///< its operand in the chain
  bool isMove;
};

struct Chain {
  llvm::SmallVector<Step> steps;
  /// Of the result, as a function of the result before the first step.
  AffineValue value{{1.0}, {0.0}};
  /// Pieces of the data of the first step that is no move.
  std::optional<DimPieces> biasPieces;

  /// A multiplication by per-channel constants that ends the chain, and why.
  mlir::Operation *missed = nullptr;
  llvm::StringRef missedReason;

  /// Whether it multiplies, and its result is used.
  bool isFoldable() const {
    return value.isScaled && !steps.back().op->use_empty();
  }
};

/// Follows the result of `op` as far as it is affine per channel.
Chain readChain(mlir::linalg::LinalgOp op, const ChannelSpace &channels,
                ConstantEvaluator &constants);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CHANNELCHAIN_H
