//===- QParamsShape.cpp - Parameters against values and shapes ------------===//
//
// What is wrong with parameters in themselves (AffineAttr::verify), what is
// wrong with them for a tensor (verifyForShape), and their values in the terms
// of the numerics library.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "quant-mlir/Numerics/SmallFloat.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace quant_mlir;
using numerics::ScaleType;
using numerics::StorageType;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type quant_mlir::getElementType(MLIRContext *context, StorageType type) {
  switch (type) {
  case StorageType::Float8E4M3FN:
    return Float8E4M3FNType::get(context);
  case StorageType::Float8E5M2:
    return Float8E5M2Type::get(context);
  case StorageType::Float4E2M1FN:
    return Float4E2M1FNType::get(context);
  default:
    return IntegerType::get(context, numerics::bitWidth(type));
  }
}

FloatType quant_mlir::getFloatType(MLIRContext *context, ScaleType type) {
  switch (type) {
  case ScaleType::F32:
    return Float32Type::get(context);
  case ScaleType::F16:
    return Float16Type::get(context);
  case ScaleType::BF16:
    return BFloat16Type::get(context);
  case ScaleType::F8E8M0FNU:
    return Float8E8M0FNUType::get(context);
  }
  llvm_unreachable("all scale types handled");
}

std::optional<numerics::ExpressedType> quant_mlir::getExpressedType(Type type) {
  if (type.isF32())
    return numerics::ExpressedType::F32;
  if (type.isF16())
    return numerics::ExpressedType::F16;
  if (type.isBF16())
    return numerics::ExpressedType::BF16;
  return std::nullopt;
}

std::optional<ScaleType> quant_mlir::getScaleType(Type type) {
  if (type.isF32())
    return ScaleType::F32;
  if (type.isF16())
    return ScaleType::F16;
  if (type.isBF16())
    return ScaleType::BF16;
  if (isa<Float8E8M0FNUType>(type))
    return ScaleType::F8E8M0FNU;
  return std::nullopt;
}

IntegerType quant_mlir::getZeroPointType(MLIRContext *context,
                                         StorageType type) {
  return numerics::isSignedInteger(type)
             ? IntegerType::get(context, 8)
             : IntegerType::get(context, 8, IntegerType::Unsigned);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

std::optional<ArrayRef<char>> quant_mlir::getRawBytes(ElementsAttr elements,
                                                      bool &isSplat) {
  isSplat = false;
  if (auto dense = dyn_cast<DenseElementsAttr>(elements)) {
    isSplat = dense.isSplat();
    return dense.getRawData();
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    ArrayRef<char> data = blob->getData();
    unsigned bytes = llvm::divideCeil(
        resource.getElementType().getIntOrFloatBitWidth(), 8);
    if (int64_t(data.size()) != resource.getNumElements() * bytes)
      return std::nullopt;
    return data;
  }
  return std::nullopt;
}

template <typename T>
static T load(const char *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

static float loadFloat(const char *bytes, ScaleType type) {
  switch (type) {
  case ScaleType::F32:
    return load<float>(bytes);
  case ScaleType::F16:
    return numerics::decodeF16(load<uint16_t>(bytes));
  case ScaleType::BF16:
    return numerics::decodeBF16(load<uint16_t>(bytes));
  case ScaleType::F8E8M0FNU:
    return numerics::decodeE8M0(load<uint8_t>(bytes));
  }
  llvm_unreachable("all scale types handled");
}

/// The elements as `count` numbers of type T through `read`; empty where they
/// are not in memory.
template <typename T, typename Read>
static std::vector<T> readElements(ElementsAttr elements, unsigned width,
                                   Read read) {
  std::vector<T> result;
  bool isSplat;
  std::optional<ArrayRef<char>> bytes = getRawBytes(elements, isSplat);
  if (!bytes)
    return result;
  int64_t count = elements.getNumElements();
  result.reserve(count);
  for (int64_t i = 0; i < count; ++i)
    result.push_back(read(bytes->data() + (isSplat ? 0 : i * width)));
  return result;
}

static std::vector<float> readFloats(ElementsAttr elements) {
  ScaleType type = *getScaleType(elements.getElementType());
  unsigned width = elements.getElementType().getIntOrFloatBitWidth() / 8;
  return readElements<float>(elements, width, [&](const char *bytes) {
    return loadFloat(bytes, type);
  });
}

static std::vector<int32_t> readZeroPoints(ElementsAttr elements) {
  bool isUnsigned = elements.getElementType().isUnsignedInteger();
  return readElements<int32_t>(elements, 1, [&](const char *bytes) -> int32_t {
    return isUnsigned ? int32_t(load<uint8_t>(bytes))
                      : int32_t(load<int8_t>(bytes));
  });
}

bool quant_mlir::haveEqualContents(AffineAttr a, AffineAttr b) {
  if (a == b)
    return true;
  auto equal = [](ElementsAttr x, ElementsAttr y) {
    if (x == y)
      return true;
    if (!x || !y || x.getShapedType() != y.getShapedType())
      return false;
    bool xSplat, ySplat;
    std::optional<ArrayRef<char>> xBytes = getRawBytes(x, xSplat);
    std::optional<ArrayRef<char>> yBytes = getRawBytes(y, ySplat);
    if (!xBytes || !yBytes)
      return false;
    if (xSplat == ySplat)
      return *xBytes == *yBytes;
    // One side holds a single element for all.
    ArrayRef<char> one = xSplat ? *xBytes : *yBytes;
    ArrayRef<char> all = xSplat ? *yBytes : *xBytes;
    for (size_t i = 0; i < all.size(); i += one.size())
      if (all.slice(i, one.size()) != one)
        return false;
    return true;
  };
  return a.getStorage() == b.getStorage() && a.getRange() == b.getRange() &&
         a.getGranularity() == b.getGranularity() &&
         equal(a.getScale(), b.getScale()) &&
         equal(a.getZeroPoint(), b.getZeroPoint()) &&
         equal(a.getMinval(), b.getMinval());
}

//===----------------------------------------------------------------------===//
// Granularity and shapes
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<int64_t>>
PerTensorAttr::getBlockSizes(ArrayRef<int64_t> shape,
                             function_ref<InFlightDiagnostic()>) const {
  return SmallVector<int64_t>(shape.size(), -1);
}

FailureOr<SmallVector<int64_t>>
PerChannelAttr::getBlockSizes(ArrayRef<int64_t> shape,
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

FailureOr<SmallVector<int64_t>>
PerBlockAttr::getBlockSizes(ArrayRef<int64_t> shape,
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
    params.scales = readFloats(getScale());
  if (getZeroPoint())
    params.zeroPoints = readZeroPoints(getZeroPoint());
  if (getMinval())
    params.minvals = readFloats(getMinval());
  return params;
}

/// Checks the numbers themselves. A resource whose data have not been read yet
/// passes: the operation that carries it is verified once they are there.
static LogicalResult
verifyValues(function_ref<InFlightDiagnostic()> emitError, int64_t quantMin,
             int64_t quantMax, ElementsAttr scale, ElementsAttr zeroPoint,
             ElementsAttr minval) {
  for (auto [index, value] : llvm::enumerate(readFloats(scale))) {
    if (!(value > 0) || std::isinf(value))
      return emitError() << "expected scales that are positive and finite, found "
                         << value << " at index " << index;
  }
  if (zeroPoint)
    for (auto [index, value] : llvm::enumerate(readZeroPoints(zeroPoint)))
      if (value < quantMin || value > quantMax)
        return emitError() << "expected zero points in the range in use ["
                           << quantMin << ", " << quantMax << "], found "
                           << value << " at index " << index;
  if (minval)
    for (auto [index, value] : llvm::enumerate(readFloats(minval)))
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
    return emitError() << "expected a range in use inside [" << int64_t(full.min)
                       << ", " << int64_t(full.max) << "] of " << storageName
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
    return emitError() << "floating-point storage is symmetric: expected a scale "
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
    return emitError() << "expected scales of type f32, f16, bf16 or f8E8M0FNU, "
                          "found "
                       << scale.getElementType();
  if (isInteger && scaleType == ScaleType::F8E8M0FNU)
    return emitError() << "f8E8M0FNU scales are for floating-point storage: "
                          "expected f32, f16 or bf16 scales for "
                       << storageName;
  if (storage == StorageType::Float4E2M1FN &&
      scaleType != ScaleType::F8E8M0FNU)
    return emitError() << "float4_e2m1fn expects f8E8M0FNU scales, found "
                       << scale.getElementType();
  IntegerType zeroPointType = getZeroPointType(granularity.getContext(), storage);
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
      return emitError() << "expected a " << what
                         << " of the scale's shape " << shapeText(scaleShape)
                         << ", found "
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
  if (llvm::any_of(ArrayRef<ElementsAttr>{getScale(), getZeroPoint(),
                                          getMinval()},
                   llvm::IsaAndPresentPred<DenseResourceElementsAttr>) &&
      failed(verifyValues(emitError, getQuantMin(), getQuantMax(), getScale(),
                          getZeroPoint(), getMinval())))
    return failure();

  if (isa<PerTensorAttr>(getGranularity()))
    return success();
  SmallVector<int64_t> expected;
  for (auto [dim, size] : llvm::zip_equal(shape, *sizes)) {
    if (ShapedType::isDynamic(dim) && size != -1)
      return emitError() << "a dynamic dimension cannot be split by constant "
                            "parameters (dimension "
                         << expected.size()
                         << "): pass scale and zero point as operands, or use a "
                            "granularity that takes the whole dimension";
    expected.push_back(size == -1 || size >= dim
                           ? (dim == 0 ? 0 : 1)
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
