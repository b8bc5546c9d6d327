//===- QuantizeBiases.cpp - Biases to int32 constants ---------------------===//
//
// A bias between a quantized input and a quantized weight is a number of units
// of their accumulator. Which value is a bias is ActivationGroups' to say, what
// scales and bounds there are IntegerSum's, the arithmetic Numerics'.
//
//===----------------------------------------------------------------------===//

#include "BiasChannels.h"
#include "IntegerSum.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Dialect/Quant/Transforms/QuantReport.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace quant_mlir {
#define GEN_PASS_DEF_QUANTIZEBIASESPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-quantize-biases"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

namespace {

/// A bias in units of the accumulator: one code and scale for each channel that
/// the dimensions of the operand index, row-major over those dimensions.
struct QuantizedBias {
  SmallVector<int64_t> dims;  ///< of the operand
  SmallVector<int64_t> shape; ///< their sizes
  std::vector<int32_t> codes;
  std::vector<float> scales; ///< one, or one for each code
};

double at(const Channels &values, int64_t channel) {
  return values[values.size() == 1 ? 0 : channel];
}

} // namespace

/// The channel of each element of the bias, dimensions without channels left
/// out of `bias`. Fails where a dimension is not of channels alone.
static LogicalResult findChannels(const DimPieces &pieces,
                                  const ChannelSpace &channels,
                                  ArrayRef<int64_t> operandShape,
                                  QuantizedBias &bias,
                                  std::vector<int64_t> &channelOf) {
  SmallVector<OffsetLoop> loops;
  int64_t count = 1;
  for (unsigned dim = 0; dim < pieces.rank(); ++dim) {
    if (!channels.hasChannel(pieces[dim]))
      continue;
    if (ShapedType::isDynamic(operandShape[dim]))
      return failure();
    bias.dims.push_back(dim);
    bias.shape.push_back(operandShape[dim]);
    count *= operandShape[dim];
    for (const Piece &piece : pieces[dim])
      loops.push_back({piece.size, 0, channels.getStride(piece)});
  }
  channelOf.reserve(count);
  forEachOffset(
      loops, [&](int64_t, int64_t channel) { channelOf.push_back(channel); });
  return success();
}

/// Codes and scales, or the reason why the bias has none.
static std::string quantize(const IntegerSum &sum, const Channels &values,
                            ArrayRef<int64_t> channelOf, QuantizedBias &bias) {
  bool isPerTensor = isUniform(sum.weightScales);
  // An element that is added to several channels has one scale only where they
  // have, and has to suit all of them.
  Channels maxAbsWeights = sum.maxAbsWeights;
  if (int64_t(channelOf.size()) < sum.channels.count) {
    if (!isPerTensor)
      return "one element of it belongs to channels of several scales";
    maxAbsWeights = {
        *std::max_element(maxAbsWeights.begin(), maxAbsWeights.end())};
  }
  for (int64_t channel : channelOf) {
    auto weightScale = static_cast<float>(at(sum.weightScales, channel));
    auto value = static_cast<float>(at(values, channel));
    std::string where =
        ("channel " + Twine(channel) + " of " + Twine(sum.channels.count))
            .str();
    float scale = numerics::outputMultiplier(sum.inputScale, weightScale);
    if (!(scale > 0) || std::isinf(scale))
      return "the scale of the accumulator of " + where +
             " is not a positive finite f32";
    std::optional<int32_t> code =
        numerics::quantizeBias(value, sum.inputScale, weightScale);
    if (!code)
      return "in " + where +
             " it is no int32 number of units of the accumulator";
    auto maxAbsWeight = static_cast<int64_t>(at(maxAbsWeights, channel));
    numerics::AccumulatorProof proof =
        numerics::proveAccumulator(sum.reductionSize, sum.maxAbsInput,
                                   maxAbsWeight, std::abs(int64_t(*code)));
    if (!proof.holds)
      return ("the sum of " + Twine(where) +
              " may overflow an int32: " + Twine(sum.reductionSize) + " * " +
              Twine(sum.maxAbsInput) + " * " + Twine(maxAbsWeight) + " + " +
              Twine(std::abs(int64_t(*code))) + " is not below 2^31")
          .str();
    bias.codes.push_back(*code);
    if (!isPerTensor || bias.scales.empty())
      bias.scales.push_back(scale);
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// Whether a bias is behind a dequantize already.
static bool isQuantized(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<DequantizeOp>(op))
      return true;
    auto move = dyn_cast<QuantizableOpInterface>(op);
    if (!move || move.getValueEffect() != ValueEffect::Moves ||
        move.getValueSources().size() != 1)
      return false;
    value = move.getValueSources().front()->get();
  }
  return false;
}

namespace {

class QuantizeBiasesPass
    : public quant_mlir::impl::QuantizeBiasesPassBase<QuantizeBiasesPass> {
public:
  using QuantizeBiasesPassBase::QuantizeBiasesPassBase;

  void runOnOperation() override {
    skipped.clear();
    made.clear();
    assignQuantNames(getOperation(), [](Operation *op) {
      return llvm::any_of(
          cast<QuantizableOpInterface>(op).getQuantizableOperands(),
          [](const QuantizableOperand &operand) {
            return operand.canBeWeight();
          });
    });
    getOperation()->walk(
        [&](FunctionOpInterface function) { runOnFunction(function); });
    if (failed(appendSkipped(getOperation(), report, skipped)))
      signalPassFailure();
  }

private:
  void runOnFunction(FunctionOpInterface function) {
    ActivationGroups groups(function);
    for (const ActivationGroup &group : groups.getGroups()) {
      if (!group.bias || isQuantized(group.bias->get()))
        continue;
      std::string reason = run(group);
      if (reason.empty()) {
        ++numQuantized;
        continue;
      }
      ++numSkipped;
      StringRef name = getQuantName(group.anchor);
      Location loc = group.bias->getOwner()->getLoc();
      emitRemark(loc) << "the bias of '" << name
                      << "' stays in floating point: " << reason;
      skipped.push_back({name.str(), describeLoc(loc), "its bias: " + reason});
    }
  }

  /// Quantizes the bias of a group, or gives the reason why not.
  std::string run(const ActivationGroup &group) {
    std::string reason;
    std::optional<IntegerSum> sum = readIntegerSum(group, reason);
    if (!sum)
      return reason;
    Value value = group.bias->get();
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !getExpressedType(type.getElementType()))
      return "it is no tensor of f32, f16 or bf16";
    ConstantEvaluator constants;
    const BroadcastConstant *constant = constants.evaluate(value);
    if (!constant)
      return "it is computed from constants: fold it into one first";
    std::optional<DimPieces> pieces = findBiasPieces(group);
    std::optional<Channels> values =
        pieces ? getPerChannel(constant->data, constant->strides, *pieces,
                               sum->channels)
               : std::nullopt;
    QuantizedBias bias;
    std::vector<int64_t> channelOf;
    if (!values || failed(findChannels(*pieces, sum->channels, type.getShape(),
                                       bias, channelOf)))
      return "it varies along other dimensions than the channels of the weight";
    reason = quantize(*sum, *values, channelOf, bias);
    if (reason.empty())
      rewrite(group, type, bias);
    return reason;
  }

  void rewrite(const ActivationGroup &group, RankedTensorType type,
               const QuantizedBias &bias) {
    Operation *user = group.bias->getOwner();
    OpBuilder builder(user);
    Location loc = group.bias->get().getLoc();
    Value old = group.bias->get();
    Value value = getDequantized(builder, group, bias, type.getElementType());
    if (value.getType() != type) {
      SmallVector<int64_t> added;
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (!llvm::is_contained(bias.dims, dim))
          added.push_back(dim);
      Value empty = tensor::EmptyOp::create(
          builder, loc, getBufferSizes(builder, old), type.getElementType());
      value = linalg::BroadcastOp::create(builder, loc, value, empty, added)
                  ->getResult(0);
      // Sizes that are constants in the IR may be dynamic in the type.
      if (value.getType() != type)
        value = tensor::CastOp::create(builder, loc, type, value);
    }
    group.bias->set(value);
    if (Operation *def = old.getDefiningOp())
      eraseDead(def);
  }

  /// The constant with its dequantize; one for all biases that are the same.
  Value getDequantized(OpBuilder &builder, const ActivationGroup &group,
                       const QuantizedBias &bias, Type element) {
    Operation *user = group.bias->getOwner();
    auto expressed = RankedTensorType::get(bias.shape, element);
    DominanceInfo dominance;
    for (Made &other : made)
      if (other.value.getType() == expressed &&
          other.bias.codes == bias.codes && other.bias.scales == bias.scales &&
          dominance.properlyDominates(other.value, user))
        return other.value;

    Location loc = group.bias->get().getLoc();
    std::string name = (getQuantName(group.anchor) + ".bias").str();
    RankedTensorType type = expressed.clone(builder.getI32Type());
    ElementsAttr codes = makeElements(
        type,
        ArrayRef<char>(reinterpret_cast<const char *>(bias.codes.data()),
                       bias.codes.size() * sizeof(int32_t)),
        name);
    bool isPerTensor = bias.scales.size() == 1;
    GranularityAttrInterface granularity =
        isPerTensor
            ? GranularityAttrInterface(PerTensorAttr::get(builder.getContext()))
            : getGranularity(builder.getContext(), bias.shape,
                             SmallVector<int64_t>(bias.shape.size(), 1));
    auto scaleType = RankedTensorType::get(
        isPerTensor ? ArrayRef<int64_t>() : ArrayRef<int64_t>(bias.shape),
        builder.getF32Type());
    numerics::CodeRange range =
        numerics::fullRange(numerics::StorageType::Int32);
    auto params = AffineAttr::get(
        builder.getContext(), numerics::StorageType::Int32, int64_t(range.min),
        int64_t(range.max), granularity,
        makeFloatElements(scaleType, bias.scales, name + ".scale"),
        ElementsAttr(), ElementsAttr());
    Value constant = arith::ConstantOp::create(builder, loc, codes);
    Value value = DequantizeOp::create(builder, loc, expressed, constant,
                                       Value(), Value(), params);
    made.push_back({bias, value});
    return value;
  }

  struct Made {
    QuantizedBias bias;
    Value value;
  };
  std::vector<Made> made;
  std::vector<QuantReport::SkippedEntry> skipped;
};

} // namespace
