//===- Constants.cpp - Constants of codes and parameters ------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Numerics/SmallFloat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

bool quant_mlir::isTooLarge(ShapedType type) {
  int64_t bits = 64;
  return llvm::any_of(type.getShape(), [&](int64_t dim) {
    return llvm::MulOverflow(bits, dim, bits);
  });
}

/// Alignment of resources: what every allocator gives. Upstream reads bytecode
/// in the memory where it is, and refuses it where that is aligned less than
/// this.
static constexpr size_t resourceAlignment = 16;

ElementsAttr
quant_mlir::makeElements(ShapedType type, int64_t size, StringRef nameHint,
                         function_ref<void(MutableArrayRef<char>)> write) {
  if (size >= resourceThreshold) {
    AsmResourceBlob blob =
        HeapAsmResourceBlob::allocate(size, resourceAlignment);
    write(blob.getMutableData());
    return DenseResourceElementsAttr::get(type, nameHint, std::move(blob));
  }
  std::vector<char> bytes(size);
  write(bytes);
  // Builtin attributes hold equal elements once.
  size_t width = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  if (bytes.size() > width &&
      std::equal(bytes.begin() + width, bytes.end(), bytes.begin()))
    bytes.resize(width);
  return DenseElementsAttr::getFromRawBuffer(type, bytes);
}

ElementsAttr quant_mlir::makeElements(ShapedType type, ArrayRef<char> bytes,
                                      StringRef nameHint) {
  return makeElements(
      type, bytes.size(), nameHint,
      [&](MutableArrayRef<char> dest) { llvm::copy(bytes, dest.begin()); });
}

ElementsAttr quant_mlir::reshapeElements(ElementsAttr elements,
                                         ArrayRef<int64_t> shape) {
  if (!elements)
    return {};
  auto type = RankedTensorType::get(shape, elements.getElementType());
  if (type == elements.getType())
    return elements;
  if (auto dense = dyn_cast<DenseElementsAttr>(elements))
    return dense.reshape(type);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return {};
}

ElementsAttr quant_mlir::makeFloatElements(ShapedType type,
                                           ArrayRef<float> values,
                                           StringRef nameHint) {
  numerics::ScaleType scaleType = *getScaleType(type.getElementType());
  unsigned width = type.getElementType().getIntOrFloatBitWidth() / 8;
  auto store = [&](char *dest, float value) {
    uint16_t half;
    switch (scaleType) {
    case numerics::ScaleType::F32:
      std::memcpy(dest, &value, sizeof(value));
      return;
    case numerics::ScaleType::F16:
      half = numerics::encodeF16(value);
      break;
    case numerics::ScaleType::BF16:
      half = numerics::encodeBF16(value);
      break;
    case numerics::ScaleType::F8E8M0FNU:
      *dest = static_cast<char>(numerics::encodeE8M0(value));
      return;
    }
    std::memcpy(dest, &half, sizeof(half));
  };
  return makeElements(type, values.size() * width, nameHint,
                      [&](MutableArrayRef<char> dest) {
                        for (auto [i, value] : llvm::enumerate(values))
                          store(dest.data() + i * width, value);
                      });
}

ElementsAttr quant_mlir::makeZeroPointElements(ShapedType type,
                                               ArrayRef<int32_t> values,
                                               StringRef nameHint) {
  return makeElements(type, values.size(), nameHint,
                      [&](MutableArrayRef<char> dest) {
                        for (auto [byte, value] : llvm::zip_equal(dest, values))
                          byte = static_cast<char>(value);
                      });
}

Value quant_mlir::makePackedCodes(OpBuilder &builder, Location loc,
                                  RankedTensorType type,
                                  ArrayRef<uint8_t> codes, StringRef nameHint) {
  unsigned width = type.getElementTypeBitWidth();
  auto packedType = RankedTensorType::get(
      {numerics::packedSize(type.getNumElements(), width)},
      builder.getI8Type());
  int64_t size = numerics::packedSize(codes.size(), width);
  ElementsAttr packed =
      makeElements(packedType, size, nameHint, [&](MutableArrayRef<char> dest) {
        numerics::packCodes(codes.data(), codes.size(), width,
                            reinterpret_cast<uint8_t *>(dest.data()));
      });
  Value constant = arith::ConstantOp::create(builder, loc, packed);
  return UnpackOp::create(builder, loc, type, constant,
                          LayoutAttr::get(builder.getContext(), "canonical"));
}

AffineAttr quant_mlir::makeAffine(const numerics::QuantSpec &spec,
                                  GranularityAttrInterface granularity,
                                  ArrayRef<int64_t> shape,
                                  const numerics::TensorParams &params,
                                  StringRef nameHint) {
  MLIRContext *context = granularity.getContext();
  if (isa<PerTensorAttr>(granularity))
    shape = {};
  FloatType scaleType = getFloatType(context, spec.scaleType);
  ElementsAttr scale =
      makeFloatElements(RankedTensorType::get(shape, scaleType), params.scales,
                        (nameHint + ".scale").str());
  ElementsAttr zeroPoint, minval;
  if (!params.zeroPoints.empty())
    zeroPoint = makeZeroPointElements(
        RankedTensorType::get(shape, getZeroPointType(context, spec.storage)),
        params.zeroPoints, (nameHint + ".zero_point").str());
  if (!params.minvals.empty())
    minval = makeFloatElements(RankedTensorType::get(shape, scaleType),
                               params.minvals, (nameHint + ".minval").str());
  const numerics::CodeRange &range = params.format.range;
  return AffineAttr::get(context, spec.storage, int64_t(range.min),
                         int64_t(range.max), granularity, scale, zeroPoint,
                         minval);
}

Value quant_mlir::makeCodes(OpBuilder &builder, Location loc,
                            RankedTensorType type,
                            MutableArrayRef<uint8_t> codes,
                            StringRef nameHint) {
  unsigned width = type.getElementTypeBitWidth();
  if (width < 8 && int64_t(codes.size()) >= resourceThreshold)
    return makePackedCodes(builder, loc, type, codes, nameHint);
  // Builtin attributes keep the bits above a narrow element zero.
  if (width < 8)
    for (uint8_t &code : codes)
      code &= (1u << width) - 1;
  ElementsAttr elements =
      makeElements(type,
                   ArrayRef<char>(reinterpret_cast<const char *>(codes.data()),
                                  codes.size()),
                   nameHint);
  return arith::ConstantOp::create(builder, loc, elements);
}
