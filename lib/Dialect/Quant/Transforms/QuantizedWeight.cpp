//===- QuantizedWeight.cpp - What becomes of one weight -------------------===//
//
// From the constant in memory to codes, parameters and a line of the report.
// The arithmetic is in Numerics.
//
//===----------------------------------------------------------------------===//

#include "QuantizedWeight.h"

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

static StringRef toStringRef(std::string_view text) {
  return {text.data(), text.size()};
}

SmallVector<int64_t>
quant_mlir::detail::getEffectiveSizes(ArrayRef<int64_t> sizes,
                                      ArrayRef<int64_t> shape) {
  SmallVector<int64_t> result;
  for (auto [size, dim] : llvm::zip_equal(sizes, shape))
    result.push_back(size == -1 ? dim : std::min(size, dim));
  return result;
}

FailureOr<QuantizedWeight>
quant_mlir::detail::computeWeight(const WeightDecision &decision,
                                  StringRef name) {
  arith::ConstantOp constant = decision.weight->constant;
  RankedTensorType type = decision.weight->getType();
  bool isSplat;
  std::optional<ArrayRef<char>> bytes =
      getRawBytes(cast<ElementsAttr>(constant.getValue()), isSplat);
  if (!bytes)
    return emitError(constant.getLoc())
           << "the weight of '" << name
           << "' is not in memory, or a resource of the wrong size: expected "
              "dense or dense_resource elements of "
           << type << "; print the model with its resources";
  // One element of a splat stands for all: all units get its parameters, all
  // elements its code, and a splat of any size costs what it stores.
  numerics::BlockGeometry whole(
      type.getShape().vec(), std::vector<int64_t>(decision.blockSizes.begin(),
                                                  decision.blockSizes.end()));
  numerics::BlockGeometry geometry =
      isSplat ? numerics::BlockGeometry({1}, {1}) : whole;
  int64_t repeats = isSplat ? type.getNumElements() : 1;
  numerics::FloatData source{bytes->data(),
                             *getExpressedType(type.getElementType())};
  numerics::NonFinite bad =
      numerics::findNonFinite(source, geometry.numElements());
  if (bad.count)
    return emitError(constant.getLoc())
           << "the weight of '" << name << "' has " << bad.count * repeats
           << " NaN or infinite elements, the first at linear index "
           << bad.firstIndex
           << ": expected finite values; mend the model or leave the "
              "operation out with a rule";
  numerics::TensorParams params;
  if (numerics::TensorError error =
          computeParams(decision.settings.spec, geometry, source, params))
    return emitError(constant.getLoc())
           << "the weight of '" << name
           << "': " << toStringRef(numerics::message(error.error))
           << " in block " << error.unit
           << ": use a wider scale-dtype or mend the weight";
  QuantizedWeight quantized;
  quantized.codes.resize(geometry.numElements());
  quantizeTensor(params, geometry, source, quantized.codes.data(),
                 &quantized.error);
  quantized.error.signalPower *= repeats;
  quantized.error.noisePower *= repeats;
  quantized.error.clipped *= repeats;
  GranularityAttrInterface granularity =
      getGranularity(type.getContext(), type.getShape(), decision.blockSizes);
  quantized.params = makeAffine(decision.settings.spec, granularity,
                                whole.paramShape(), params, name);
  return quantized;
}

QuantReport::WeightEntry
quant_mlir::detail::describeWeight(const WeightDecision &decision,
                                   const QuantizedWeight &quantized,
                                   StringRef name) {
  AffineAttr params = quantized.params;
  RankedTensorType type = decision.weight->getType();
  auto byteSize = [](ElementsAttr elements) -> int64_t {
    return elements ? elements.getNumElements() *
                          elements.getElementType().getIntOrFloatBitWidth() / 8
                    : 0;
  };
  QuantReport::WeightEntry entry;
  entry.op = name.str();
  entry.loc = describeLoc(decision.weight->constant.getLoc());
  entry.shape = type.getShape().vec();
  entry.dtype = toStringRef(numerics::name(params.getStorage())).str();
  entry.granularity = stringify(decision.settings.granularity).str();
  SmallVector<int64_t> sizes =
      getEffectiveSizes(decision.blockSizes, type.getShape());
  entry.blockSizes.assign(sizes.begin(), sizes.end());
  entry.sqnrDb = quantized.error.sqnrDb();
  entry.maxAbsError = quantized.error.maxAbsError;
  entry.clipped = quantized.error.clipped;
  entry.bytesBefore = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  entry.bytesAfter =
      numerics::packedSize(type.getNumElements(),
                           numerics::bitWidth(params.getStorage())) +
      byteSize(params.getScale()) + byteSize(params.getZeroPoint()) +
      byteSize(params.getMinval());
  return entry;
}
