//===- IntegerSum.cpp - What a kernel would sum in integers ---------------===//
//
// Reads the two dequantize operations before a multiply-accumulate. The bound
// on the codes of a weight comes from the constant where that is in memory,
// else from the range in use.
//
//===----------------------------------------------------------------------===//

#include "IntegerSum.h"

#include "AccumulatorBound.h"
#include "ScaledWeight.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstdlib>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// What stands between a group and an operand, in the words of a reason.
static std::string describe(StringRef what, StringRef why) {
  return (what + " " + why).str();
}

/// Why codes with these parameters cannot be summed as integers; empty where
/// they can.
static std::string checkParams(DequantizeOp op, StringRef what) {
  AffineAttr params = op.getParams();
  StringRef storage(numerics::name(params.getStorage()).data(),
                    numerics::name(params.getStorage()).size());
  if (numerics::isFloat(params.getStorage()))
    return describe(what,
                    ("is " + storage + ", which has no integer sum").str());
  if (params.getStorage() == numerics::StorageType::Int32)
    return describe(what, "is int32, which is for biases");
  if (params.isDynamic())
    return describe(what, "has a scale that is known at run time only");
  if (params.getMinval())
    return describe(what, "has a minval in place of a zero point");
  return "";
}

/// The dequantize behind operations that leave every value what it is.
static DequantizeOp findDequantize(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      return dequantize;
    auto move = dyn_cast<QuantizableOpInterface>(op);
    if (!move || move.getValueEffect() != ValueEffect::Moves)
      break;
    SmallVector<OpOperand *> sources = move.getValueSources();
    if (sources.size() != 1)
      break;
    value = sources.front()->get();
  }
  return {};
}

//===----------------------------------------------------------------------===//
// The weight
//===----------------------------------------------------------------------===//

/// max |q - z| of every unit; `strides` say where the unit of an element is.
static std::vector<double> getMaxAbsCodes(DequantizeOp op,
                                          const numerics::TensorParams &params,
                                          ArrayRef<int64_t> strides) {
  auto zeroPoint = [&](int64_t unit) {
    return params.zeroPoints.empty() ? 0 : params.zeroPoints[unit];
  };
  std::vector<double> result(params.scales.size(), 0.0);
  std::optional<std::vector<int32_t>> codes =
      readCodes(op.getInput(), op.getParams().getStorage());
  auto shape = cast<RankedTensorType>(op.getInput().getType()).getShape();
  if (codes && codes->size() != 1) {
    SmallVector<OffsetLoop> loops;
    int64_t stride = codes->size();
    for (auto [size, unitStride] : llvm::zip_equal(shape, strides)) {
      stride /= std::max<int64_t>(size, 1);
      loops.push_back({size, stride, unitStride});
    }
    forEachOffset(loops, [&](int64_t element, int64_t unit) {
      double code = std::abs((*codes)[element] - zeroPoint(unit));
      result[unit] = std::max(result[unit], code);
    });
    return result;
  }
  for (size_t unit = 0; unit < result.size(); ++unit)
    result[unit] =
        codes ? std::abs(codes->front() - zeroPoint(unit))
              : numerics::maxAbsCode(params.format.range, zeroPoint(unit));
  return result;
}

/// Scales and bounds of a weight per channel.
static bool readWeight(linalg::LinalgOp op, OpOperand *weight, IntegerSum &sum,
                       std::string &reason) {
  WeightSource source = findSource(op, weight, sum.channels);
  Value end = source.path.back()->get();
  auto dequantize = end.getDefiningOp<DequantizeOp>();
  if (!dequantize) {
    reason =
        findDequantize(end)
            ? "its weight is moved in a way that scales per channel cannot "
              "follow"
            : "its weight is in floating point";
    return false;
  }
  reason = checkParams(dequantize, "its weight");
  if (!reason.empty())
    return false;
  AffineAttr params = dequantize.getParams();
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(dequantize.getType()).getShape();
  FailureOr<SmallVector<int64_t>> sizes = params.getGranularity().getBlockSizes(
      shape, [&] { return dequantize.emitOpError(); });
  numerics::TensorParams values = params.getTensorParams();
  if (failed(sizes) || values.scales.empty()) {
    reason = "the scales of its weight are not in memory";
    return false;
  }
  SmallVector<int64_t> strides(shape.size(), 0);
  int64_t stride = 1;
  for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0; --dim) {
    int64_t size = (*sizes)[dim];
    if (size == -1 || size >= shape[dim])
      continue;
    if (size != 1) {
      reason = "its weight has a scale per block";
      return false;
    }
    strides[dim] = stride;
    stride *= shape[dim];
  }
  auto perChannel = [&](ArrayRef<double> units, Channels &result) {
    std::optional<Channels> channels =
        getPerChannel(units, strides, source.pieces, sum.channels);
    if (channels)
      result = std::move(*channels);
    return channels.has_value();
  };
  std::vector<double> scales(values.scales.begin(), values.scales.end());
  // A bound that varies within a channel is that of all units.
  std::vector<double> bounds = getMaxAbsCodes(dequantize, values, strides);
  if (!perChannel(scales, sum.weightScales)) {
    reason = "the scales of its weight vary along what is summed";
    return false;
  }
  if (!perChannel(bounds, sum.maxAbsWeights))
    sum.maxAbsWeights = {*std::max_element(bounds.begin(), bounds.end())};
  return true;
}

/// The number of products in one sum: dimensions of the weight that no output
/// has an index for. Of a transposed convolution, those of all outputs
/// together.
static std::optional<int64_t> getReductionSize(QuantizableOpInterface op,
                                               OpOperand *weight) {
  auto type = cast<RankedTensorType>(weight->get().getType());
  for (const QuantizableOperand &operand : op.getQuantizableOperands()) {
    if (operand.operand != weight)
      continue;
    int64_t size = 1;
    for (auto [role, dim] : llvm::zip_equal(operand.roles, type.getShape()))
      if (role == DimRole::Reduction || role == DimRole::Kernel)
        if (ShapedType::isDynamic(dim) || llvm::MulOverflow(size, dim, size))
          return std::nullopt;
    return size;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Both operands
//===----------------------------------------------------------------------===//

std::optional<IntegerSum>
quant_mlir::detail::readIntegerSum(const ActivationGroup &group,
                                   std::string &reason) {
  auto decline = [&](const Twine &why) {
    reason = why.str();
    return std::nullopt;
  };
  auto op = dyn_cast<linalg::LinalgOp>(group.anchor);
  if (!op)
    return decline("it is no structured operation, and its channels are not "
                   "known");
  if (group.weights.size() != 1 || group.inputs.empty())
    return decline("it has no constant weight beside its input");
  OpOperand *weight = group.weights.front();
  if (!isa<RankedTensorType>(weight->get().getType()))
    return decline("its weight has no rank");

  DequantizeOp input = findDequantize(group.inputs.front()->get());
  if (!input)
    return decline("its input is in floating point");
  reason = checkParams(input, "its input");
  if (!reason.empty())
    return std::nullopt;
  AffineAttr params = input.getParams();
  numerics::TensorParams values = params.getTensorParams();
  if (!isa<PerTensorAttr>(params.getGranularity()) || values.scales.size() != 1)
    return decline("its input has more than one scale");
  std::optional<ChannelSpace> channels = getChannels(op, weight);
  if (!channels)
    return decline("the channels of its weight are not known");
  if (channels->count == 0)
    return decline("its weight has no channels");
  std::optional<int64_t> reductionSize =
      getReductionSize(cast<QuantizableOpInterface>(group.anchor), weight);
  if (!reductionSize)
    return decline("the number of products in a sum is not known");

  IntegerSum sum;
  sum.channels = std::move(*channels);
  sum.reductionSize = *reductionSize;
  sum.inputScale = values.scales.front();
  sum.maxAbsInput = numerics::maxAbsCode(
      params.getRange(),
      values.zeroPoints.empty() ? 0 : values.zeroPoints.front());
  if (!readWeight(op, weight, sum, reason))
    return std::nullopt;
  return sum;
}
