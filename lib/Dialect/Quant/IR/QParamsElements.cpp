//===- QParamsElements.cpp - Parameters as numbers ------------------------===//
//
// Types of codes and parameters, and the elements of attributes in memory.
//
//===----------------------------------------------------------------------===//

#include "QParamsElements.h"

#include "quant-mlir/Numerics/SmallFloat.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;
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
    unsigned bytes =
        llvm::divideCeil(resource.getElementType().getIntOrFloatBitWidth(), 8);
    if (int64_t(data.size()) != resource.getNumElements() * bytes)
      return std::nullopt;
    return data;
  }
  return std::nullopt;
}

template <typename T> static T load(const char *bytes) {
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

std::vector<float> quant_mlir::detail::readParameters(ElementsAttr elements) {
  ScaleType type = *getScaleType(elements.getElementType());
  unsigned width = elements.getElementType().getIntOrFloatBitWidth() / 8;
  return readElements<float>(elements, width, [&](const char *bytes) {
    return loadFloat(bytes, type);
  });
}

std::vector<int32_t> quant_mlir::detail::readZeroPoints(ElementsAttr elements) {
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
