//===- AccumulatorBound.cpp - What an int32 accumulator holds -------------===//
//
// docs/numerics.md, section 6. First with the largest code of the weight's
// range and the largest bias, which suffices for all but long sums; then with
// the codes as they are, channel by channel. Packed weights are bounded by
// their range.
//
//===----------------------------------------------------------------------===//

#include "AccumulatorBound.h"

#include "DimPieces.h"

#include "quant-mlir/Dialect/Quant/IR/ContractBounds.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstdlib>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

void quant_mlir::detail::remarkWide(Operation *op, StringRef overflow) {
  emitRemark(op->getLoc()) << "'" << getQuantName(op)
                           << "' is summed in 64 bits, which takes longer: "
                           << overflow;
}

std::optional<std::vector<int32_t>>
quant_mlir::detail::readCodes(Value value, numerics::StorageType storage) {
  unsigned width = numerics::bitWidth(storage);
  bool isSigned = numerics::isSignedInteger(storage);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  int64_t count = type.getNumElements();
  auto unpack = value.getDefiningOp<UnpackOp>();
  if (unpack)
    value = unpack.getInput();
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant || count == 0 || (unpack && !unpack.getLayout().isCanonical()))
    return std::nullopt;
  bool isSplat;
  std::optional<ArrayRef<char>> bytes =
      getRawBytes(cast<ElementsAttr>(constant.getValue()), isSplat);
  if (!bytes)
    return std::nullopt;
  if (width == 32) {
    std::vector<int32_t> result(bytes->size() / sizeof(int32_t));
    std::memcpy(result.data(), bytes->data(), bytes->size());
    return result;
  }
  std::vector<uint8_t> codes(bytes->begin(), bytes->end());
  if (unpack) {
    std::vector<uint8_t> packed = std::move(codes);
    if (isSplat)
      packed.resize(numerics::packedSize(count, width), packed.front());
    codes.resize(count);
    numerics::unpackCodes(packed.data(), count, width, isSigned, codes.data());
  }
  std::vector<int32_t> result;
  result.reserve(codes.size());
  for (uint8_t code : codes)
    result.push_back(isSigned ? int32_t(llvm::SignExtend64(code, width))
                              : int32_t(code & ((1u << width) - 1)));
  return result;
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

namespace {
/// max |qw - zw| and max |b| of each channel: of each combination of the loops
/// that bias and rhs have in common.
struct ChannelBounds {
  std::vector<int64_t> rhs, bias;
};
} // namespace

/// Calls `body` with an element of `shape` and its unit.
static void forEachElement(
    ArrayRef<int64_t> shape, ArrayRef<int64_t> blockSizes,
    ArrayRef<int64_t> channelStrides,
    function_ref<void(int64_t element, int64_t unit, int64_t channel)> body) {
  int64_t count = ShapedType::getNumElements(shape);
  SmallVector<int64_t> index(shape.size(), 0), units(shape.size(), 1);
  for (auto [count, size, block] : llvm::zip_equal(units, shape, blockSizes))
    count = block == -1 ? 1 : llvm::divideCeil(size, std::min(block, size));
  for (int64_t element = 0; element < count; ++element) {
    int64_t unit = 0, channel = 0;
    for (auto [i, size, block, dimUnits, stride] :
         llvm::zip_equal(index, shape, blockSizes, units, channelStrides)) {
      unit = unit * dimUnits + (dimUnits == 1 ? 0 : i / std::min(block, size));
      channel += i * stride;
    }
    body(element, unit, channel);
    for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0; --dim) {
      if (++index[dim] < shape[dim])
        break;
      index[dim] = 0;
    }
  }
}

static std::optional<ChannelBounds> getChannelBounds(ContractOp op) {
  AffineAttr params = op.getRhsParamsAttr();
  RankedTensorType type = op.getRhsCodesType();
  if (!type.hasStaticShape() || type.getNumElements() == 0)
    return std::nullopt;
  FailureOr<SmallVector<int64_t>> sizes = params.getGranularity().getBlockSizes(
      type.getShape(), [&] { return op.emitOpError(); });
  numerics::TensorParams values = params.getTensorParams();
  if (failed(sizes) || values.scales.empty())
    return std::nullopt;
  std::optional<std::vector<int32_t>> codes =
      op.getLayout() ? std::nullopt
                     : readCodes(op.getRhs(), params.getStorage());

  // Channels are row-major over the dimensions of the bias that rhs has too.
  AffineMap rhsMap = op.getRhsMap(), biasMap = op.getBiasMap();
  SmallVector<int64_t> rhsStrides(type.getRank(), 0), biasStrides;
  int64_t numChannels = 1;
  SmallVector<int64_t> biasShape;
  bool hasIntegerBias = false;
  if (biasMap) {
    auto biasType = cast<ShapedType>(op.getBias().getType());
    hasIntegerBias = biasType.getElementType().isInteger();
    biasShape = llvm::to_vector(biasType.getShape());
    biasStrides.assign(biasShape.size(), 0);
    for (int64_t dim = int64_t(biasShape.size()) - 1; dim >= 0; --dim) {
      std::optional<unsigned> position =
          rhsMap.getResultPosition(biasMap.getResult(dim));
      if (!position)
        continue;
      rhsStrides[*position] = biasStrides[dim] = numChannels;
      numChannels *= type.getDimSize(*position);
    }
  }

  ChannelBounds bounds;
  bounds.rhs.assign(numChannels, 0);
  bounds.bias.assign(numChannels, 0);
  numerics::CodeRange range = params.getRange();
  bool isMinval = bool(params.getMinval());
  forEachElement(type.getShape(), *sizes, rhsStrides,
                 [&](int64_t element, int64_t unit, int64_t channel) {
                   int64_t zeroPoint = isMinval ? int64_t(range.min)
                                       : values.zeroPoints.empty()
                                           ? 0
                                           : values.zeroPoints[unit];
                   int64_t code =
                       !codes ? numerics::maxAbsCode(range, zeroPoint)
                              : std::abs(
                                    (*codes)[codes->size() == 1 ? 0 : element] -
                                    zeroPoint);
                   bounds.rhs[channel] = std::max(bounds.rhs[channel], code);
                 });
  if (!hasIntegerBias)
    return bounds;
  std::optional<std::vector<int32_t>> bias =
      readCodes(op.getBias(), numerics::StorageType::Int32);
  if (!bias || ShapedType::isDynamicShape(biasShape))
    return std::nullopt;
  forEachElement(biasShape, SmallVector<int64_t>(biasShape.size(), -1),
                 biasStrides, [&](int64_t element, int64_t, int64_t channel) {
                   int64_t code = (*bias)[bias->size() == 1 ? 0 : element];
                   bounds.bias[channel] =
                       std::max(bounds.bias[channel], std::abs(code));
                 });
  return bounds;
}

/// max |b| of an int32 bias, 0 without one; nullopt where it is no constant.
static std::optional<int64_t> getMaxAbsBias(ContractOp op) {
  if (!op.getBias() ||
      !cast<ShapedType>(op.getBias().getType()).getElementType().isInteger())
    return 0;
  std::optional<std::vector<int32_t>> codes =
      readCodes(op.getBias(), numerics::StorageType::Int32);
  if (!codes)
    return std::nullopt;
  int64_t result = 0;
  for (int64_t code : *codes)
    result = std::max(result, std::abs(code));
  return result;
}

std::string quant_mlir::detail::proveAccumulator(ContractOp op) {
  if (!op.hasIntegerSum() || op.getWide())
    return "";
  std::optional<int64_t> numProducts = getNumProducts(op);
  // A number that is not known is checked at run time, against a bound that
  // leaves no room for a bias.
  if (!numProducts && op.getBias() &&
      getElementTypeOrSelf(op.getBias().getType()).isInteger())
    return "the number of products in a sum is known at run time only, so that "
           "with its bias it may overflow an int32";
  if (!numProducts)
    return "";
  std::optional<int64_t> maxAbsBias = getMaxAbsBias(op);
  if (!maxAbsBias)
    return "the int32 bias is no constant, so that the sum may overflow an "
           "int32";
  int64_t maxAbsLhs = getMaxAbsLhs(op);
  int64_t maxAbsOfRange = getMaxAbsRhs(op);
  if (numerics::proveAccumulator(*numProducts, maxAbsLhs, maxAbsOfRange,
                                 *maxAbsBias)
          .holds)
    return "";
  std::optional<ChannelBounds> bounds = getChannelBounds(op);
  if (!bounds)
    bounds = ChannelBounds{{maxAbsOfRange}, {*maxAbsBias}};
  for (auto [channel, maxAbsRhs] : llvm::enumerate(bounds->rhs)) {
    int64_t bias = bounds->bias[channel];
    numerics::AccumulatorProof proof =
        numerics::proveAccumulator(*numProducts, maxAbsLhs, maxAbsRhs, bias);
    if (proof.holds)
      continue;
    std::string where = "the sum";
    if (bounds->rhs.size() > 1)
      where +=
          (" of channel " + Twine(channel) + " of " + Twine(bounds->rhs.size()))
              .str();
    return (Twine(where) + " may overflow an int32: " + Twine(*numProducts) +
            " * " + Twine(maxAbsLhs) + " * " + Twine(maxAbsRhs) + " + " +
            Twine(bias) + " is not below 2^31")
        .str();
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

std::string quant_mlir::detail::proveAccumulator(PoolOp op) {
  if (op.getKind() != PoolKind::Average || op.getWide())
    return "";
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  int64_t count = 1;
  for (auto [loop, size] : llvm::enumerate(form.getStaticLoopSizes())) {
    if (form.isParallelLoop(loop))
      continue;
    if (ShapedType::isDynamic(size) || llvm::MulOverflow(count, size, count))
      return "the number of elements in a window is known at run time only, so "
             "that their sum may overflow an int32";
  }
  numerics::TensorParams values = op.getParams().getTensorParams();
  int64_t maxAbs = numerics::maxAbsCode(
      op.getParams().getRange(),
      values.zeroPoints.empty() ? 0 : values.zeroPoints.front());
  numerics::AccumulatorProof proof =
      numerics::proveAccumulator(count, maxAbs, 1, 0);
  if (proof.holds)
    return "";
  return ("the sum may overflow an int32: " + Twine(count) + " * " +
          Twine(maxAbs) + " is not below 2^31")
      .str();
}
