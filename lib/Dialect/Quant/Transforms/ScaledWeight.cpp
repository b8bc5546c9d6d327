//===- ScaledWeight.cpp - Weights times factors per channel ---------------===//

#include "ScaledWeight.h"

#include "quant-mlir/Dialect/Quant/IR/QParams.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cstring>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// A splat that becomes one number per element may take this many bytes.
static constexpr int64_t maxExpandedBytes = int64_t(1) << 30;

/// One step from an operand back towards a constant; the operand of the
/// operation passed, or nullptr.
static OpOperand *stepBack(Operation *op, DimPieces &pieces,
                           const ChannelSpace &channels) {
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return &op->getOpOperand(0);
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    auto source = dyn_cast<RankedTensorType>(cast.getSource().getType());
    return source && source.getRank() == pieces.rank() ? &op->getOpOperand(0)
                                                       : nullptr;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    pieces.collapse(expand.getReassociationIndices());
    return &op->getOpOperand(0);
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return pieces.expand(collapse.getReassociationIndices(),
                         collapse.getSrcType().getShape())
               ? &op->getOpOperand(0)
               : nullptr;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  OpOperand *input = linalgOp ? matchMove(linalgOp) : nullptr;
  if (!input)
    return nullptr;
  AffineMap inMap = linalgOp.getMatchingIndexingMap(input);
  AffineMap outMap =
      linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0));
  if (!outMap.isPermutation())
    return nullptr;
  SmallVector<int64_t> sources;
  for (AffineExpr expr : inMap.getResults()) {
    std::optional<unsigned> dim = outMap.getResultPosition(expr);
    if (!dim && !isa<AffineConstantExpr>(expr))
      return nullptr;
    sources.push_back(dim ? int64_t(*dim) : -1);
  }
  // A weight that is broadcast along a channel has no element for each.
  for (unsigned dim = 0; dim < pieces.rank(); ++dim)
    if (!llvm::is_contained(sources, dim) && channels.hasChannel(pieces[dim]))
      return nullptr;
  pieces.permute(sources);
  return input;
}

WeightSource quant_mlir::detail::findSource(linalg::LinalgOp op,
                                            OpOperand *weight,
                                            const ChannelSpace &channels) {
  auto type = cast<RankedTensorType>(weight->get().getType());
  WeightSource source;
  source.path = {weight};
  source.pieces = DimPieces(op.getMatchingIndexingMap(weight), type.getShape());
  while (Operation *def = source.path.back()->get().getDefiningOp()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(def)) {
      source.constant = constant;
      break;
    }
    DimPieces pieces = source.pieces;
    OpOperand *next = stepBack(def, pieces, channels);
    if (!next)
      break;
    source.pieces = std::move(pieces);
    source.path.push_back(next);
  }
  return source;
}

ElementsAttr quant_mlir::detail::makeRounded(ShapedType type,
                                             ArrayRef<double> numbers,
                                             StringRef name) {
  auto element = cast<FloatType>(type.getElementType());
  unsigned width = element.getWidth() / 8;
  bool isFinite = true;
  ElementsAttr result = makeElements(
      type, numbers.size() * width, name, [&](MutableArrayRef<char> dest) {
        for (auto [i, number] : llvm::enumerate(numbers)) {
          APFloat value(number);
          bool losesInfo;
          value.convert(element.getFloatSemantics(),
                        APFloat::rmNearestTiesToEven, &losesInfo);
          isFinite &= value.isFinite();
          uint64_t bits = value.bitcastToAPInt().getZExtValue();
          std::memcpy(dest.data() + i * width, &bits, width);
        }
      });
  return isFinite ? result : ElementsAttr();
}

ElementsAttr quant_mlir::detail::scaleWeight(const WeightSource &source,
                                             const ChannelSpace &channels,
                                             const Channels &factor,
                                             std::string &reason) {
  arith::ConstantOp constant = source.constant;
  auto type = cast<RankedTensorType>(constant.getType());
  const DimPieces &pieces = source.pieces;
  if (!getExpressedType(type.getElementType())) {
    reason = "the weight is not of f32, f16 or bf16 elements";
    return {};
  }
  std::optional<std::vector<double>> data =
      readFloats(cast<ElementsAttr>(constant.getValue()));
  if (!data) {
    reason = "the weight is not in memory";
    return {};
  }
  std::vector<double> scaled;
  if (factor.size() == 1) {
    scaled = std::move(*data);
    for (double &number : scaled)
      number *= factor.front();
  } else {
    if (isTooLarge(type) ||
        type.getNumElements() * type.getElementTypeBitWidth() / 8 >
            std::max<int64_t>(maxExpandedBytes, data->size() * 4)) {
      reason = "the weight is a splat of more than 2^30 bytes";
      return {};
    }
    SmallVector<OffsetLoop> loops;
    int64_t stride = 1;
    for (unsigned dim = pieces.rank(); dim-- > 0;)
      for (const Piece &piece : llvm::reverse(pieces[dim])) {
        loops.push_back({piece.size, stride, channels.getStride(piece)});
        stride *= piece.size;
      }
    std::reverse(loops.begin(), loops.end());
    bool isSplat = data->size() == 1;
    scaled.resize(type.getNumElements());
    forEachOffset(loops, [&](int64_t element, int64_t channel) {
      scaled[element] = (*data)[isSplat ? 0 : element] * factor[channel];
    });
  }
  ElementsAttr result = makeRounded(type, scaled, "weight");
  if (!result)
    reason = "the scaled weight is not finite in its type";
  return result;
}
