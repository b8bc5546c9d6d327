//===- BiasChannels.cpp - A bias as one number per channel ----------------===//
//
// Where the channels of a bias are follows from the maps of what adds it and
// from the reshapes between; what it holds is evaluated, not read off one form.
//
//===----------------------------------------------------------------------===//

#include "BiasChannels.h"

#include "StridedCopy.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Numerics/Params.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

std::optional<DimPieces>
quant_mlir::detail::findBiasPieces(const ActivationGroup &group) {
  auto anchor = cast<linalg::LinalgOp>(group.anchor);
  auto type = dyn_cast<RankedTensorType>(group.bias->get().getType());
  if (!type)
    return std::nullopt;
  if (group.bias->getOwner() == group.anchor)
    return DimPieces(anchor.getMatchingIndexingMap(group.bias),
                     type.getShape());

  auto resultType = cast<RankedTensorType>(anchor->getResult(0).getType());
  DimPieces pieces(anchor.getMatchingIndexingMap(anchor.getDpsInitOperand(0)),
                   resultType.getShape());
  auto add = dyn_cast<linalg::LinalgOp>(group.bias->getOwner());
  Value value = anchor->getResult(0);
  if (!add || !value.hasOneUse())
    return std::nullopt;
  OpOperand *use = &*value.use_begin();
  while (use->getOwner() != add) {
    if (!followMove(*use, pieces) || use->getOwner()->getNumResults() != 1 ||
        !use->getOwner()->getResult(0).hasOneUse())
      return std::nullopt;
    use = &*use->getOwner()->getResult(0).use_begin();
  }
  // Dimensions of the bias among those of what it is added to.
  AffineMap dataMap = add.getMatchingIndexingMap(use);
  SmallVector<int64_t> sources;
  for (AffineExpr expr : add.getMatchingIndexingMap(group.bias).getResults()) {
    std::optional<unsigned> dim = dataMap.getResultPosition(expr);
    sources.push_back(dim ? int64_t(*dim) : -1);
  }
  pieces.permute(sources);
  return pieces;
}

DequantizeOp quant_mlir::detail::findQuantizedBias(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto dequantize = dyn_cast<DequantizeOp>(op)) {
      bool isBias =
          dequantize.getParams().getStorage() == numerics::StorageType::Int32;
      return isBias ? dequantize : DequantizeOp();
    }
    auto move = dyn_cast<QuantizableOpInterface>(op);
    if (!move || move.getValueEffect() != ValueEffect::Moves ||
        move.getValueSources().size() != 1)
      return {};
    value = move.getValueSources().front()->get();
  }
  return {};
}

/// A dequantized int32 constant: one scale, or one per index of some
/// dimensions.
static std::optional<BroadcastConstant> readDequantized(DequantizeOp op,
                                                        BiasView view) {
  AffineAttr params = op.getParams();
  auto type = cast<RankedTensorType>(op.getType());
  auto constant = op.getInput().getDefiningOp<arith::ConstantOp>();
  if (params.getStorage() != numerics::StorageType::Int32 ||
      params.isDynamic() || params.getMinval() || !constant ||
      !type.hasStaticShape() || type.getNumElements() == 0)
    return std::nullopt;
  bool isSplat;
  std::optional<ArrayRef<char>> bytes =
      getRawBytes(cast<ElementsAttr>(constant.getValue()), isSplat);
  FailureOr<SmallVector<int64_t>> sizes = params.getGranularity().getBlockSizes(
      type.getShape(), [&] { return op.emitOpError(); });
  numerics::TensorParams values = params.getTensorParams();
  if (!bytes || failed(sizes) || values.scales.empty())
    return std::nullopt;
  SmallVector<int64_t> scaleStrides(type.getRank(), 0);
  int64_t stride = 1;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    int64_t size = (*sizes)[dim];
    if (size == -1 || size >= type.getDimSize(dim))
      continue;
    if (size != 1)
      return std::nullopt;
    scaleStrides[dim] = stride;
    stride *= type.getDimSize(dim);
  }
  ArrayRef<int32_t> codes(reinterpret_cast<const int32_t *>(bytes->data()),
                          bytes->size() / sizeof(int32_t));
  SmallVector<int64_t> strides = rowMajorStrides(type.getShape());
  BroadcastConstant result{llvm::to_vector(type.getShape()), strides, {}};
  if (view == BiasView::Scales) {
    result.strides = scaleStrides;
    result.data.assign(values.scales.begin(), values.scales.end());
    return result;
  }
  SmallVector<OffsetLoop> loops;
  for (auto [size, from, to] :
       llvm::zip_equal(type.getShape(), strides, scaleStrides))
    loops.push_back({size, from, to});
  result.data.resize(type.getNumElements());
  forEachOffset(loops, [&](int64_t element, int64_t unit) {
    int32_t code = codes[isSplat ? 0 : element];
    int32_t zeroPoint = values.zeroPoints.empty() ? 0 : values.zeroPoints[unit];
    result.data[element] =
        view == BiasView::Codes
            ? double(code)
            : double(float(int64_t(code) - zeroPoint) * values.scales[unit]);
  });
  return result;
}

std::optional<Channels>
quant_mlir::detail::readBias(const ActivationGroup &group,
                             const ChannelSpace &channels, BiasView view) {
  if (view != BiasView::Values && !findQuantizedBias(group.bias->get()))
    return std::nullopt;
  ConstantEvaluator constants(
      [&](DequantizeOp op) { return readDequantized(op, view); });
  const BroadcastConstant *constant = constants.evaluate(group.bias->get());
  if (!constant)
    return std::nullopt;
  if (constant->data.size() == 1)
    return Channels{constant->data.front()};
  std::optional<DimPieces> pieces = findBiasPieces(group);
  if (!pieces)
    return std::nullopt;
  return getPerChannel(constant->data, constant->strides, *pieces, channels);
}

SmallVector<OpFoldResult> quant_mlir::detail::getBufferSizes(OpBuilder &builder,
                                                             Value value) {
  while (auto op = value.getDefiningOp<linalg::LinalgOp>())
    value = op.getDpsInits()[cast<OpResult>(value).getResultNumber()];
  if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes();
  return tensor::getMixedSizes(builder, value.getLoc(), value);
}
