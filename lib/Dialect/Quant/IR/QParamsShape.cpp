//===- QParamsShape.cpp - Parameters against values and shapes ------------===//
//
// What is wrong with parameters in themselves (AffineAttr::verify), what is
// wrong with them for a tensor (verifyForShape), and their values in the terms
// of the numerics library.
//
//===----------------------------------------------------------------------===//

#include "QParamsElements.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;
using numerics::ScaleType;
using numerics::StorageType;

//===----------------------------------------------------------------------===//
// Granularity and shapes
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<int64_t>>
PerTensorAttr::getBlockSizes(ArrayRef<int64_t> shape,
                             function_ref<InFlightDiagnostic()>) const {
  return SmallVector<int64_t>(shape.size(), -1);
}

FailureOr<SmallVector<int64_t>> PerChannelAttr::getBlockSizes(
    ArrayRef<int64_t> shape,
    function_ref<InFlightDiagnostic()> emitError) const {
  SmallVector<int64_t> sizes(shape.size(), -1);
  for (int64_t axis : getAxes()) {
    if (axis >= int64_t(shape.size()))
      return emitError() << "per_channel expects axes below the rank "
                         << shape.size() << ", found " << axis;
    sizes[axis] = 1;
  }
  return sizes;
}

FailureOr<SmallVector<int64_t>> PerBlockAttr::getBlockSizes(
    ArrayRef<int64_t> shape,
    function_ref<InFlightDiagnostic()> emitError) const {
  if (getSizes().size() != shape.size())
    return emitError() << "per_block expects one block size per dimension ("
                       << shape.size() << "), found " << getSizes().size();
  return SmallVector<int64_t>(getSizes());
}

GranularityAttrInterface quant_mlir::getGranularity(MLIRContext *context,
                                                    ArrayRef<int64_t> shape,
                                                    ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> axes;
  bool blocks = false;
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    if (size == 1)
      axes.push_back(axis);
    else if (size != -1)
      blocks = true;
  }
  if (blocks)
    return PerBlockAttr::get(context, sizes);
  if (axes.empty())
    return PerTensorAttr::get(context);
  return PerChannelAttr::get(context, axes);
}

//===----------------------------------------------------------------------===//
// Affine
//===----------------------------------------------------------------------===//

Type AffineAttr::getStorageElementType() const {
  return getElementType(getContext(), getStorage());
}

numerics::CodeFormat AffineAttr::getCodeFormat() const {
  return {getStorage(),
          getMinval() ? numerics::Formulation::MinVal
                      : numerics::Formulation::ZeroPoint,
          getRange()};
}

numerics::TensorParams AffineAttr::getTensorParams() const {
  numerics::TensorParams params;
  params.format = getCodeFormat();
  if (getScale())
    params.scales = readParameters(getScale());
  if (getZeroPoint())
    params.zeroPoints = readZeroPoints(getZeroPoint());
  if (getMinval())
    params.minvals = readParameters(getMinval());
  return params;
}

/// Checks the numbers themselves. A resource whose data have not been read yet
/// passes: the operation that carries it is verified once they are there.
static LogicalResult verifyValues(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t quantMin, int64_t quantMax,
                                  ElementsAttr scale, ElementsAttr zeroPoint,
                                  ElementsAttr minval) {
  for (auto [index, value] : llvm::enumerate(readParameters(scale))) {
    if (!(value > 0) || std::isinf(value))
      return emitError()
             << "expected scales that are positive and finite, found " << value
             << " at index " << index;
  }
  if (zeroPoint)
    for (auto [index, value] : llvm::enumerate(readZeroPoints(zeroPoint)))
      if (value < quantMin || value > quantMax)
        return emitError() << "expected zero points in the range in use ["
                           << quantMin << ", " << quantMax << "], found "
                           << value << " at index " << index;
  if (minval)
    for (auto [index, value] : llvm::enumerate(readParameters(minval)))
      if (!std::isfinite(value))
        return emitError() << "expected finite minvals, found " << value
                           << " at index " << index;
  return success();
}

static std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "[";
  llvm::interleaveComma(shape, os);
  os << "]";
  return text;
}

LogicalResult AffineAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StorageType storage, int64_t quantMin,
                                 int64_t quantMax,
                                 GranularityAttrInterface granularity,
                                 ElementsAttr scale, ElementsAttr zeroPoint,
                                 ElementsAttr minval) {
  StringRef storageName(numerics::name(storage).data(),
                        numerics::name(storage).size());
  numerics::CodeRange full = numerics::fullRange(storage);
  bool isInteger = numerics::isInteger(storage);
  bool isBias = storage == StorageType::Int32;

  // Range in use.
  if (quantMin < full.min || quantMax > full.max || quantMin >= quantMax)
    return emitError() << "expected a range in use inside ["
                       << int64_t(full.min) << ", " << int64_t(full.max)
                       << "] of " << storageName
                       << " with quant_min < quant_max, found [" << quantMin
                       << ", " << quantMax << "]";
  if (!isInteger && (quantMin != full.min || quantMax != full.max))
    return emitError() << "floating-point storage uses its full range, found ["
                       << quantMin << ", " << quantMax
                       << "]: drop the range or use an integer storage type";

  // Which parameters go together.
  if (zeroPoint && minval)
    return emitError() << "expected a zero point or a minval, found both: the "
                          "formulations exclude each other";
  if (!scale && (zeroPoint || minval))
    return emitError() << "expected a scale beside "
                       << (zeroPoint ? "the zero point" : "the minval")
                       << ", found none: operands give scale and zero point "
                          "together";
  if (!isInteger && (zeroPoint || minval))
    return emitError()
           << "floating-point storage is symmetric: expected a scale "
              "only, found a "
           << (zeroPoint ? "zero point" : "minval");
  if (isBias && (zeroPoint || minval))
    return emitError() << "int32 storage is for biases: expected a scale only, "
                          "found a "
                       << (zeroPoint ? "zero point" : "minval");
  auto block = dyn_cast<PerBlockAttr>(granularity);
  if (storage == StorageType::Float4E2M1FN &&
      (!block || !llvm::is_contained(block.getSizes(), 32)))
    return emitError() << "float4_e2m1fn expects per_block with block size 32, "
                          "found "
                       << granularity;
  if (!scale)
    return success();

  // Types.
  for (ElementsAttr elements : {scale, zeroPoint, minval})
    if (elements &&
        (!isa<DenseElementsAttr, DenseResourceElementsAttr>(elements) ||
         !isa<RankedTensorType>(elements.getShapedType())))
      return emitError() << "expected parameters as dense or dense_resource "
                            "elements of a tensor type, found "
                         << elements;
  std::optional<ScaleType> scaleType = ::getScaleType(scale.getElementType());
  if (!scaleType)
    return emitError()
           << "expected scales of type f32, f16, bf16 or f8E8M0FNU, "
              "found "
           << scale.getElementType();
  if (isInteger && scaleType == ScaleType::F8E8M0FNU)
    return emitError() << "f8E8M0FNU scales are for floating-point storage: "
                          "expected f32, f16 or bf16 scales for "
                       << storageName;
  if (storage == StorageType::Float4E2M1FN && scaleType != ScaleType::F8E8M0FNU)
    return emitError() << "float4_e2m1fn expects f8E8M0FNU scales, found "
                       << scale.getElementType();
  IntegerType zeroPointType =
      getZeroPointType(granularity.getContext(), storage);
  if (zeroPoint && zeroPoint.getElementType() != zeroPointType)
    return emitError() << "expected zero points of type " << zeroPointType
                       << " for " << storageName << ", found "
                       << zeroPoint.getElementType();
  if (minval) {
    std::optional<ScaleType> type = ::getScaleType(minval.getElementType());
    if (!type || type == ScaleType::F8E8M0FNU)
      return emitError() << "expected minvals of type f32, f16 or bf16, found "
                         << minval.getElementType();
  }

  // Shapes that can be told without the tensor's.
  ArrayRef<int64_t> scaleShape = scale.getShapedType().getShape();
  if (isa<PerTensorAttr>(granularity) && !scaleShape.empty())
    return emitError() << "per_tensor expects a scalar scale, found the shape "
                       << shapeText(scaleShape);
  auto verifyShape = [&](ElementsAttr elements, StringRef what) {
    if (elements && elements.getShapedType().getShape() != scaleShape)
      return emitError() << "expected a " << what << " of the scale's shape "
                         << shapeText(scaleShape) << ", found "
                         << shapeText(elements.getShapedType().getShape()),
             failure();
    return success();
  };
  if (failed(verifyShape(zeroPoint, "zero point")) ||
      failed(verifyShape(minval, "minval")))
    return failure();
  return verifyValues(emitError, quantMin, quantMax, scale, zeroPoint, minval);
}

LogicalResult
AffineAttr::verifyForShape(ArrayRef<int64_t> shape,
                           function_ref<InFlightDiagnostic()> emitError) const {
  FailureOr<SmallVector<int64_t>> sizes =
      getGranularity().getBlockSizes(shape, emitError);
  if (failed(sizes))
    return failure();
  if (!getScale())
    return success();

  // Resources are read after the attribute was parsed; check what they hold.
  for (ElementsAttr elements : {getScale(), getZeroPoint(), getMinval()}) {
    bool isSplat;
    if (isa_and_nonnull<DenseResourceElementsAttr>(elements) &&
        !getRawBytes(elements, isSplat))
      return emitError() << "the resource of " << elements
                         << " is missing or has the wrong size: print the "
                            "module with its resources";
  }
  if (llvm::any_of(
          ArrayRef<ElementsAttr>{getScale(), getZeroPoint(), getMinval()},
          llvm::IsaAndPresentPred<DenseResourceElementsAttr>) &&
      failed(verifyValues(emitError, getQuantMin(), getQuantMax(), getScale(),
                          getZeroPoint(), getMinval())))
    return failure();

  if (isa<PerTensorAttr>(getGranularity()))
    return success();
  SmallVector<int64_t> expected;
  for (auto [dim, size] : llvm::zip_equal(shape, *sizes)) {
    if (ShapedType::isDynamic(dim) && size != -1)
      return emitError()
             << "a dynamic dimension cannot be split by constant "
                "parameters (dimension "
             << expected.size()
             << "): pass scale and zero point as operands, or use a "
                "granularity that takes the whole dimension";
    expected.push_back(size == -1 || size >= dim ? (dim == 0 ? 0 : 1)
                                                 : llvm::divideCeil(dim, size));
  }
  ArrayRef<int64_t> found = getScale().getShapedType().getShape();
  if (ArrayRef<int64_t>(expected) != found)
    return emitError() << "expected scales of shape " << shapeText(expected)
                       << " for a tensor of shape " << shapeText(shape)
                       << " and granularity " << getGranularity() << ", found "
                       << shapeText(found);
  return success();
}
